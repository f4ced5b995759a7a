#include "gator/help.h"

#include <iterator>

namespace portcullis::gator {
namespace {

// The version of this program, and of the programs whose behaviour it follows.
constexpr std::string_view kVersion = "v0.1.0";
constexpr std::string_view kOpa = "v1.22.2";
constexpr std::string_view kGatekeeper = "v3.23.1";

constexpr std::string_view kRootUsage = R"help(Usage:
  gator [command]

Available Commands:
  bench       Benchmark policy evaluation performance (not available yet)
  expand      Show what expansion templates make of generator resources (not available yet)
  help        Help about any command
  policy      Manage policies from the policy library (not available yet)
  sync        Check the data that referential policies need (not available yet)
  test        test evaluates resources against policies as defined by constraint templates and constraints.
  verify      verify suites of tests on Gatekeeper Constraints
  version     Prints the version

Flags:
  -h, --help      help for gator
  -v, --version   version for gator

Use "gator [command] --help" for more information about a command.
)help";

constexpr std::string_view kTestUsage = R"help(Usage:
  gator test [flags]

Examples:
# test a manifest containing Kubernetes objects, Constraint Templates, and Constraints
gator test --filename="manifest.yaml"

# test a directory
gator test --filename="config-and-policies/"

# Use multiple inputs
gator test --filename="manifest.yaml" --filename="templates-and-constraints/"

# Receive input from stdin
cat manifest.yaml | gator test

# Output structured violations data
gator test --filename="manifest.yaml" --output=json

Flags:
      --default-k8s-native-validation-failure-policy string   (beta) Failure policy to use when a K8sNativeValidation source omits failurePolicy. Allowed values are Fail or Ignore. (default "Fail")
      --deny-only                                             output only denied constraints
      --enable-k8s-native-validation                          enable the validating admission policy driver (default true)
  -f, --filename stringArray                                  a file or directory containing Kubernetes resources.  Can be specified multiple times.
  -h, --help                                                  help for test
  -i, --image stringArray                                     a URL to an OCI image containing policies. Can be specified multiple times.
  -o, --output string                                         Output format.  One of: json|yaml.
      --stats                                                 include performance stats returned from the Constraint Framework.
  -d, --tempdir string                                        Specifies the temporary directory to download and unpack images to, if using the --image flag. Optional.
  -t, --trace                                                 include a trace for the underlying Constraint Framework evaluation.
  -v, --verbose                                               print extended test output
)help";

constexpr std::string_view kVerifyUsage = R"help(Usage:
  gator verify path [--run=name] [flags]

Examples:
# Run all tests in label-tests.yaml
gator verify label-tests.yaml

# Run all tests whose names contain "forbid-labels".
gator verify tests/... --run forbid-labels//

# Run all cases whose names contain "nginx-deployment".
gator verify tests/... --run //nginx-deployment

# Run all cases whose names exactly match "nginx-deployment".
gator verify tests/... --run '//^nginx-deployment$'

# Run all cases that are either named "forbid-labels" or are
# in tests named "forbid-labels".
gator verify tests/... --run '^forbid-labels$'

Flags:
      --default-k8s-native-validation-failure-policy string   (beta) Failure policy to use when a K8sNativeValidation source omits failurePolicy. Allowed values are Fail or Ignore. (default "Fail")
      --enable-k8s-native-validation                          Beta: enable the validating admission policy driver (default true)
  -h, --help                                                  help for verify
  -r, --run string                                            regular expression which filters tests to run by name
  -t, --trace                                                 include a trace for the underlying constraint framework evaluation
  -v, --verbose                                               print extended test output
)help";

constexpr std::string_view kVersionUsage = R"help(Usage:
  gator version [flags]

Flags:
  -h, --help   help for version
      --json   print JSON instead of text
)help";

}  // namespace

std::string_view usage(Command command) noexcept {
  switch (command) {
    case Command::kTest: return kTestUsage;
    case Command::kVerify: return kVerifyUsage;
    case Command::kVersion: return kVersionUsage;
    case Command::kRoot: break;
  }
  return kRootUsage;
}

std::string help(Command command) {
  std::string out;
  switch (command) {
    case Command::kTest:
      out = "test evaluates resources against policies as defined by constraint templates and constraints.";
      break;
    case Command::kVerify: out = "verify suites of tests on Gatekeeper Constraints"; break;
    case Command::kVersion: out = "Prints the version"; break;
    case Command::kRoot: out = "gator is a suite of authorship tools for Gatekeeper"; break;
  }
  out += "\n\n";
  out += usage(command);
  return out;
}

std::string version_line() {
  std::string out = "gator version ";
  out += kVersion;
  out += " (Portcullis) (Feature State: beta), opa/";
  out += kOpa;
  out += ", gatekeeper/";
  out += kGatekeeper;
  out += "\n";
  return out;
}

std::string version_text(bool json) {
  struct Field {
    std::string_view label, key, value;
  };
  static constexpr Field kFields[] = {
      {"GitVersion", "gitVersion", kVersion},      {"GitCommit", "gitCommit", "unknown"},
      {"GitTreeState", "gitTreeState", "unknown"}, {"BuildDate", "buildDate", "unknown"},
      {"GoVersion", "goVersion", "none"},          {"Compiler", "compiler", "g++"},
      {"Platform", "platform", "linux/amd64"},
  };
  std::string out;
  if (!json) out = "gator: the command line of Portcullis, in place of Gatekeeper's gator\n\n";
  if (json) out = "{\n";
  for (const Field& field : kFields) {
    if (json) {
      out += "  \"" + std::string(field.key) + "\": \"" + std::string(field.value) + "\"";
      out += &field == std::end(kFields) - 1 ? "\n" : ",\n";
    } else {
      std::string label = std::string(field.label) + ":";
      label.resize(15, ' ');
      out += label + std::string(field.value) + "\n";
    }
  }
  out += json ? "}\n" : "\n";
  return out;
}

}  // namespace portcullis::gator
