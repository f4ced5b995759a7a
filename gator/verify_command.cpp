#include "gator/verify_command.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "base/text.h"
#include "gator/flags.h"
#include "gator/help.h"
#include "gator/runner.h"
#include "gator/suite.h"

namespace portcullis::gator {
namespace {

struct Options {
  std::string run;
  std::string failure_policy = "Fail";
  bool verbose = false;
  bool trace = false;
  bool native_validation = true;
  bool help = false;
};

FlagSet make_flags(Options& options) {
  FlagSet flags;
  flags.add("run", 'r', &options.run);
  flags.add("verbose", 'v', &options.verbose);
  flags.add("trace", 't', &options.trace);
  flags.add("enable-k8s-native-validation", 0, &options.native_validation);
  flags.add("default-k8s-native-validation-failure-policy", 0, &options.failure_policy);
  flags.add("help", 'h', &options.help);
  return flags;
}

Error prefixed(std::string prefix, const Error& error) {
  return make_error(error.code, std::move(prefix) + error.message);
}

Result<bool> run(const Options& options, const std::string& path, const Io& io) {
  if (options.failure_policy != "Fail" && options.failure_policy != "Ignore") {
    return make_error(Code::kInvalid,
                      "invalid default K8sNativeValidation failure policy: invalid failure policy: unrecognized "
                      "failure policy: " +
                          options.failure_policy);
  }
  if (options.trace) return make_error(Code::kUnsupported, "--trace is not available yet");
  Result<std::vector<Suite>> suites = read_suites(path);
  if (!suites.ok()) return prefixed("listing test files: ", suites.error());
  Result<Filter> filter = Filter::parse(options.run);
  if (!filter.ok()) return prefixed("compiling filter: ", filter.error());
  std::vector<SuiteResult> results;
  for (const Suite& suite : *suites) results.push_back(run_suite(suite, *filter));
  *io.out += format_results(results, options.verbose) + "\n";
  return std::none_of(results.begin(), results.end(), [](const SuiteResult& result) { return result.failed(); });
}

}  // namespace

int verify_command(std::span<const std::string_view> args, const Io& io) {
  Options options;
  const FlagSet flags = make_flags(options);
  const Result<std::vector<std::string>> positional = flags.parse(args);
  std::string error;
  if (!positional.ok()) {
    error = positional.error().message;
  } else if (options.help) {
    *io.out += help(Command::kVerify);
    return 0;
  } else if (positional->size() != 1) {
    error = "accepts 1 arg(s), received " + std::to_string(positional->size());
  }
  if (!error.empty()) {
    *io.err += "Error: " + error + "\n" + std::string(usage(Command::kVerify)) + "\n";
    return 1;
  }
  const Result<bool> passed = run(options, positional->front(), io);
  if (!passed.ok()) {
    *io.err += "Error: " + passed.error().message + "\n";
    return 1;
  }
  if (!*passed) *io.err += "Error: FAIL\n";
  return *passed ? 0 : 1;
}

}  // namespace portcullis::gator
