#include "opa/opa.h"

#include "opa/check.h"
#include "opa/eval.h"
#include "opa/fmt.h"
#include "opa/parse.h"
#include "opa/test.h"

namespace portcullis::opa {
namespace {

constexpr std::string_view kHelp =
    R"(Rego on the command line, as Open Policy Agent's own executable answers it.

Usage:
  opa <command> [flags]

Commands:
  check       check Rego source files
  eval        evaluate a Rego query
  fmt         write Rego source files in canonical form
  parse       print a source file's syntax tree
  test        run the tests of Rego sources
  version     print the version

Examples:

    $ opa eval '1 + 2'
    $ opa eval -d policy.rego -i input.json 'data.main.deny'

`opa eval --help` lists the flags.
)";

// OPA's commands that are not there.
constexpr std::string_view kOthers[] = {"bench", "build",   "capabilities", "completion", "deps",
                                        "exec",  "inspect", "refactor",     "run",        "sign"};

int version(const Io& io) {
  *io.out += "Version: 1.22.2\nBuild Commit: \nBuild Timestamp: \nBuild Hostname: \n";
  *io.out += "Go Version: none (Portcullis)\nPlatform: linux\nRego Version: v1\nWebAssembly: unavailable\n";
  return 0;
}

}  // namespace

int run_opa(std::span<const std::string_view> args, const Io& io) {
  if (args.empty() || args[0] == "help" || args[0] == "--help" || args[0] == "-h") {
    *io.out += kHelp;
    return 0;
  }
  const std::string_view command = args[0];
  if (command == "eval") return run_eval(args.subspan(1), io);
  if (command == "check") return run_check(args.subspan(1), io);
  if (command == "fmt") return run_fmt(args.subspan(1), io);
  if (command == "parse") return run_parse(args.subspan(1), io);
  if (command == "test") return run_test(args.subspan(1), io);
  if (command == "version") return version(io);
  for (const std::string_view other : kOthers) {
    if (command != other) continue;
    *io.err += "Error: the command \"" + std::string(command) +
               "\" is not supported; there are: check, eval, fmt, parse, test, version\n";
    return 1;
  }
  *io.err += "Error: unknown command \"" + std::string(command) + "\" for \"opa\"\nRun 'opa --help' for usage.\n";
  return 1;
}

}  // namespace portcullis::opa
