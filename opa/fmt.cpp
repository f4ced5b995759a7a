#include "opa/fmt.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>
#include <system_error>
#include <vector>

#include "engine/rego/format/format.h"
#include "engine/rego/syntax/parser.h"
#include "opa/command.h"
#include "opa/load.h"
#include "opa/text_diff.h"

namespace portcullis::opa {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kHelp =
    R"(Write Rego source files in canonical form: to standard output, or with -w back to where they came from.
Without a path standard input is formatted.

Usage:
  opa fmt [path [...]] [flags]

Flags:
      --check-result      the result must parse (default true)
  -d, --diff              show what would change
      --drop-v0-imports   leave out imports of rego.v1 and future.keywords that v1 does not need
      --fail              exit with an error if a file would change
  -l, --list              list the files that would change
      --v0-compatible     Rego v0 in and out
      --v0-v1             v0 in, out what both versions read; v1 in with --v1-compatible
      --v1-compatible     Rego v1 (the default)
  -w, --write             write the result to the file
  -h, --help              this text
)";

struct FmtFlags {
  VersionFlags version;
  bool write = false;
  bool list = false;
  bool diff = false;
  bool fail = false;
  bool check_result = true;
  bool drop_imports = false;
  bool help = false;
};

Flags make_flags(FmtFlags& to) {
  Flags flags;
  flags.add_switch("write", 'w', &to.write);
  flags.add_switch("list", 'l', &to.list);
  flags.add_switch("diff", 'd', &to.diff);
  flags.add_switch("fail", 0, &to.fail);
  flags.add_switch("v0-v1", 0, &to.version.both);
  flags.add_switch("rego-v1", 0, &to.version.both);
  flags.add_switch("check-result", 0, &to.check_result);
  flags.add_switch("drop-v0-imports", 0, &to.drop_imports);
  flags.add_switch("help", 'h', &to.help);
  to.version.add_to(flags);
  flags.add_missing("capabilities");
  return flags;
}

// What ends the command: the text for standard error and the exit code.
struct Stop {
  std::string text;
  int exit = 2;
};

class Formatter {
 public:
  Formatter(const FmtFlags& flags, const Io& io) : flags_(flags), io_(io) {
    // --v0-v1 decides about the result, the other two about what is read.
    const VersionFlags& version = flags.version;
    parse_.keep_duplicate_keys = true;
    parse_.template_strings = !version.both;
    parse_.version = version.v0 || (version.both && !version.v1) ? rego::RegoVersion::kV0 : rego::RegoVersion::kV1;
    options_.drop_imports = flags.drop_imports;
    options_.target = version.both ? rego::FormatTarget::kV0AndV1
                      : version.v0 ? rego::FormatTarget::kV0
                                   : rego::FormatTarget::kV1;
  }

  int standard_input() {
    options_.drop_imports = false;  // as OPA, which does not look at the flag here
    Result<std::string> formatted = format("stdin", io_.read_stdin());
    if (!formatted.ok()) {
      *io_.err += formatted.error().message + "\n";
      return 1;
    }
    *io_.out += *formatted;
    return 0;
  }

  // Everything below a path, in order.
  int path(std::string path) {
    if (path.starts_with("file://")) path.erase(0, 7);
    std::error_code problem;
    const fs::file_status status = fs::symlink_status(path, problem);
    if (!fs::exists(status)) {
      const std::string why = problem ? problem.message() : std::string("no such file or directory");
      *io_.err += "lstat " + path + ": " + lower_first(why) + "\n";
      return 1;
    }
    Stop stop;
    if (walk(path, status, 0, stop)) return 0;
    *io_.err += stop.text + "\n";
    return stop.exit;
  }

 private:
  static constexpr int kMaxDepth = 255;  // of folders in folders

  static std::string lower_first(std::string text) {
    if (!text.empty() && text[0] >= 'A' && text[0] <= 'Z') text[0] = static_cast<char>(text[0] - 'A' + 'a');
    return text;
  }

  Result<std::string> format(const std::string& name, const std::string& source) {
    rego::Parsed<rego::Module> module = rego::parse_module(name, source, parse_);
    if (!module.ok()) return make_error(Code::kInvalid, text_of(module.error()));
    if (options_.target != rego::FormatTarget::kV0) {
      const rego::Diagnostics errors = rego::check_for_v1(*module);
      if (!errors.empty()) return make_error(Code::kInvalid, text_of(errors));
    }
    rego::Parsed<std::string> text = rego::format_module(std::move(*module), options_);
    if (!text.ok()) return make_error(Code::kInvalid, name + ": " + text_of(text.error()));
    return std::move(*text);
  }

  // OPA does not count this one.
  static std::string text_of(const rego::Diagnostics& errors) {
    const bool alone = errors.list.size() == 1 && errors.list[0].message == "empty module";
    return alone ? errors.list[0].to_string() : errors.to_string();
  }

  bool walk(const fs::path& path, const fs::file_status& status, int depth, Stop& stop) {
    if (status.type() != fs::file_type::directory) return path.extension() != ".rego" || file(path.string(), stop);
    std::error_code problem;
    std::vector<fs::path> names;
    for (fs::directory_iterator at(path, problem), end; !problem && at != end; at.increment(problem)) {
      names.push_back(at->path().lexically_normal());
    }
    if (problem || depth > kMaxDepth) {
      const std::string why = problem ? lower_first(problem.message()) : std::string("too many folders in folders");
      stop = {"open " + path.string() + ": " + why, 1};
      return false;
    }
    std::sort(names.begin(), names.end());
    return std::all_of(names.begin(), names.end(), [&](const fs::path& name) {
      std::error_code ignored;
      return walk(name, fs::symlink_status(name, ignored), depth + 1, stop);
    });
  }

  bool file(const std::string& name, Stop& stop) {
    Result<std::string> source = read_file(name);
    if (!source.ok()) {
      stop.text = "failed to open file: " + source.error().message;
      return false;
    }
    Result<std::string> formatted = format(name, *source);
    if (!formatted.ok()) {
      stop.text = "failed to format Rego source file: " + formatted.error().message;
      return false;
    }
    return still_parses(name, *formatted, stop) && present(name, *source, *formatted, stop);
  }

  bool still_parses(const std::string& name, const std::string& formatted, Stop& stop) const {
    if (!flags_.check_result) return true;
    rego::ParseOptions options = parse_;
    if (flags_.version.both) options.version = rego::RegoVersion::kV0CompatV1;
    const rego::Parsed<rego::Module> module = rego::parse_module("formatted", formatted, options);
    if (module.ok()) return true;
    stop.text = name + " was successfully formatted, but the result is invalid: " + text_of(module.error()) +
                "\n\nTo inspect the formatted Rego, you can turn off this check with --check-result=false.";
    return false;
  }

  bool present(const std::string& name, const std::string& source, const std::string& formatted, Stop& stop) {
    const bool changed = source != formatted;
    if (changed && flags_.list) {
      *io_.out += name + "\n";
    } else if (changed && flags_.diff) {
      *io_.out += coloured_diff(source, formatted) + "\n";
    }
    if (changed && flags_.fail) {
      stop.text = "unexpected diff";
      return false;
    }
    if (flags_.list || flags_.diff) return true;
    if (!flags_.write) {
      *io_.out += formatted;
      return true;
    }
    return !changed || write(name, formatted, stop);
  }

  static bool write(const std::string& name, const std::string& formatted, Stop& stop) {
    errno = 0;
    std::ofstream out(name, std::ios::binary | std::ios::trunc);
    if (!out) {
      stop.text = "failed to open file for writing: open " + name + ": " + lower_first(std::strerror(errno));
      return false;
    }
    out << formatted;
    out.close();
    if (out) return true;
    stop.text = "failed writing formatted contents: write " + name + ": " + lower_first(std::strerror(errno));
    return false;
  }

  const FmtFlags& flags_;
  const Io& io_;
  rego::ParseOptions parse_;
  rego::FormatOptions options_;
};

}  // namespace

int run_fmt(std::span<const std::string_view> args, const Io& io) {
  FmtFlags flags;
  const Result<std::vector<std::string>> paths = make_flags(flags).parse(args);
  if (!paths.ok()) return wrong_usage(io, paths.error().message, kHelp);
  if (flags.help) {
    *io.out += kHelp;
    return 0;
  }
  Formatter formatter(flags, io);
  if (paths->empty()) return formatter.standard_input();
  for (const std::string& path : *paths) {
    if (const int exit = formatter.path(path); exit != 0) return exit;
  }
  return 0;
}

}  // namespace portcullis::opa
