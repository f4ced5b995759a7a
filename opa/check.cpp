#include "opa/check.h"

#include <string>
#include <vector>

#include "engine/rego/builtins/registry.h"
#include "engine/rego/compile/compiler.h"
#include "opa/command.h"
#include "opa/failure.h"
#include "opa/load.h"

namespace portcullis::opa {
namespace {

constexpr std::string_view kHelp =
    R"(Check Rego source files for parse and compilation errors. Without errors nothing is printed.

Usage:
  opa check <path> [path [...]] [flags]

Flags:
  -b, --bundle             the paths are folders of bundles
  -f, --format string      pretty or json (default pretty)
      --ignore strings     names of files and folders to leave out when loading
  -m, --max-errors int     how many errors end the check (default 10)
  -S, --strict             strict mode of the compiler
      --v0-v1              the sources must be right as Rego v0 and as v1
      --v0-compatible      Rego v0
      --v1-compatible      Rego v1 (the default)
  -h, --help               this text
)";

struct CheckFlags {
  std::vector<std::string> ignored;
  std::string format;
  VersionFlags version;
  std::uint32_t max_errors = 10;
  bool bundle = false;
  bool strict = false;
  bool help = false;
};

Flags make_flags(CheckFlags& to) {
  Flags flags;
  add_format(flags, {"pretty", "json"}, &to.format);
  flags.add_texts("ignore", 0, &to.ignored);
  flags.add("max-errors", 'm', [&to](std::string_view text) { return set_count(text, &to.max_errors); });
  flags.add_switch("bundle", 'b', &to.bundle);
  flags.add_switch("strict", 'S', &to.strict);
  flags.add_switch("v0-v1", 0, &to.version.both);
  flags.add_switch("rego-v1", 0, &to.version.both);
  flags.add_switch("help", 'h', &to.help);
  to.version.add_to(flags);
  flags.add_missing("schema", 's');
  flags.add_missing("capabilities");
  return flags;
}

int report(const CheckFlags& flags, const Io& io, const Failures& failures, std::string_view when) {
  *io.err += flags.format == "json" ? failures_json(failures) : failures_text(failures, when);
  return 1;
}

}  // namespace

int run_check(std::span<const std::string_view> args, const Io& io) {
  CheckFlags flags;
  const Result<std::vector<std::string>> paths = make_flags(flags).parse(args);
  if (!paths.ok()) return wrong_usage(io, paths.error().message, kHelp);
  if (flags.help) {
    *io.out += kHelp;
    return 0;
  }
  if (paths->empty()) return wrong_usage(io, "specify at least one file", kHelp);

  Loaded loaded;
  load_paths(*paths, flags.ignored, flags.version.version(), loaded,
             flags.bundle ? LoadMode::kBundle : LoadMode::kOnlyRego);
  if (!loaded.failures.empty()) return report(flags, io, loaded.failures, flags.bundle ? "" : " during loading");
  rego::CheckOptions options;
  options.builtins = &rego::all_builtins();
  options.strict = flags.strict;
  options.keep_print = true;
  options.max_errors = flags.max_errors;
  options.has_base_data = [&loaded](std::span<const std::string_view> path) { return loaded.has_data(path); };
  const auto checked = rego::check(std::move(loaded.modules), options);
  return checked.ok() ? 0 : report(flags, io, failures_of(checked.error()), "");
}

}  // namespace portcullis::opa
