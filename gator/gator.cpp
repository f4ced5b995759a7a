#include "gator/gator.h"

#include <algorithm>
#include <string>
#include <vector>

#include "base/text.h"
#include "gator/flags.h"
#include "gator/help.h"
#include "gator/test_command.h"
#include "gator/verify_command.h"

namespace portcullis::gator {
namespace {

constexpr std::string_view kAvailable[] = {"test", "verify", "version", "help"};
constexpr std::string_view kPlanned[] = {"bench", "completion", "expand", "policy", "sync"};

// Levenshtein distance, case ignored, as the suggestions of gator's command line count it.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t above = row[j];
      row[j] = std::min({above + 1, row[j - 1] + 1, diagonal + (a[i - 1] == b[j - 1] ? 0 : 1)});
      diagonal = above;
    }
  }
  return row[b.size()];
}

int unknown_command(std::string_view name, const Io& io) {
  constexpr std::size_t kNear = 2;
  std::string suggestions;
  const std::string lower = text::to_lower_ascii(name);
  std::vector<std::string_view> commands(std::begin(kAvailable), std::end(kAvailable));
  commands.insert(commands.end(), std::begin(kPlanned), std::end(kPlanned));
  std::sort(commands.begin(), commands.end());
  for (const std::string_view command : commands) {
    if (command == "help") continue;
    if (distance(lower, command) <= kNear || text::starts_with(command, lower)) {
      suggestions += "\t" + std::string(command) + "\n";
    }
  }
  *io.err += "Error: unknown command " + text::go_quote(name) + " for \"gator\"\n";
  if (!suggestions.empty()) *io.err += "\nDid you mean this?\n" + suggestions + "\n";
  *io.err += "Run 'gator --help' for usage.\n";
  return 1;
}

int root_command(std::span<const std::string_view> args, const Io& io) {
  bool wants_help = false;
  bool wants_version = false;
  FlagSet flags;
  flags.add("help", 'h', &wants_help);
  flags.add("version", 'v', &wants_version);
  const Result<std::vector<std::string>> positional = flags.parse(args);
  if (!positional.ok()) {
    *io.err += "Error: " + positional.error().message + "\n" + std::string(usage(Command::kRoot)) + "\n";
    return 1;
  }
  *io.out += wants_version && !wants_help ? version_line() : help(Command::kRoot);
  return 0;
}

int version_command(std::span<const std::string_view> args, const Io& io) {
  bool json = false;
  bool wants_help = false;
  FlagSet flags;
  flags.add("json", 0, &json);
  flags.add("help", 'h', &wants_help);
  const Result<std::vector<std::string>> positional = flags.parse(args);
  if (!positional.ok()) {
    *io.err += "Error: " + positional.error().message + "\n" + std::string(usage(Command::kVersion)) + "\n";
    return 1;
  }
  *io.out += wants_help ? help(Command::kVersion) : version_text(json);
  return 0;
}

int help_command(std::span<const std::string_view> args, const Io& io) {
  const std::string_view topic = args.empty() ? std::string_view{} : args.front();
  if (topic.empty()) {
    *io.out += help(Command::kRoot);
  } else if (topic == "test") {
    *io.out += help(Command::kTest);
  } else if (topic == "verify") {
    *io.out += help(Command::kVerify);
  } else if (topic == "version") {
    *io.out += help(Command::kVersion);
  } else {
    *io.err += "Unknown help topic [`" + std::string(topic) + "`]\n" + std::string(usage(Command::kRoot));
  }
  return 0;
}

}  // namespace

int run_gator(std::span<const std::string_view> args, const Io& io) {
  if (args.empty() || text::starts_with(args.front(), "-")) return root_command(args, io);
  const std::string_view command = args.front();
  const std::span<const std::string_view> rest = args.subspan(1);
  if (command == "test") return test_command(rest, io);
  if (command == "verify") return verify_command(rest, io);
  if (command == "version") return version_command(rest, io);
  if (command == "help") return help_command(rest, io);
  if (std::find(std::begin(kPlanned), std::end(kPlanned), command) != std::end(kPlanned)) {
    *io.err += "Error: gator " + std::string(command) + " is not available yet\n";
    return 1;
  }
  return unknown_command(command, io);
}

}  // namespace portcullis::gator
