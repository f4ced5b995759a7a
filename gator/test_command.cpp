#include "gator/test_command.h"

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/text.h"
#include "gator/engine.h"
#include "gator/flags.h"
#include "gator/help.h"
#include "gator/sources.h"
#include "gator/templates.h"
#include "gator/test_output.h"
#include "policy/schema/crd.h"

namespace portcullis::gator {
namespace {

struct Options {
  std::vector<std::string> filenames;
  std::vector<std::string> images;
  std::string output;
  std::string tempdir;
  std::string failure_policy = "Fail";
  bool trace = false;
  bool stats = false;
  bool native_validation = true;
  bool deny_only = false;
  bool verbose = false;
  bool plain_http = false;
  bool help = false;
};

FlagSet make_flags(Options& options) {
  FlagSet flags;
  flags.add("filename", 'f', &options.filenames);
  flags.add("image", 'i', &options.images);
  flags.add("output", 'o', &options.output);
  flags.add("tempdir", 'd', &options.tempdir);
  flags.add("default-k8s-native-validation-failure-policy", 0, &options.failure_policy);
  flags.add("trace", 't', &options.trace);
  flags.add("stats", 0, &options.stats);
  flags.add("enable-k8s-native-validation", 0, &options.native_validation);
  flags.add("deny-only", 0, &options.deny_only);
  flags.add("verbose", 'v', &options.verbose);
  flags.add("plain-http", 0, &options.plain_http);
  flags.add("help", 'h', &options.help);
  return flags;
}

Error prefixed(std::string prefix, const Error& error) {
  return make_error(error.code, std::move(prefix) + error.message);
}

class TestRun {
 public:
  TestRun(std::vector<SourceObject> objects, const Options& options)
      : objects_(std::move(objects)), options_(options), engine_(options.verbose) {}

  Result<void> run() {
    PC_TRY_VOID(add_templates());
    PC_TRY_VOID(add_constraints());
    engine_.seal();
    PC_TRY_VOID(add_data());
    PC_TRY_VOID(check_expansion());
    for (const SourceObject& object : objects_) PC_TRY_VOID(review(object.object));
    std::stable_sort(report_.results.begin(), report_.results.end(), [](const TestResult& a, const TestResult& b) {
      if (a.violation.action() != b.violation.action()) return a.violation.action() < b.violation.action();
      return a.violation.message < b.violation.message;
    });
    report_.print_enabled = options_.verbose;
    return ok();
  }

  TestReport& report() noexcept { return report_; }
  std::string printed() { return engine_.host().take(); }

 private:
  Result<void> add_templates() {
    for (const SourceObject& object : objects_) {
      if (!is_template(object.object)) continue;
      const std::string name = text::go_quote(policy::name_of(object.object));
      Result<void> known = check_template_version(object.object);
      if (!known.ok()) return prefixed("converting unstructured " + name + " to template: ", known.error());
      Result<policy::TemplatePtr> decoded = policy::decode_template(object.object);
      if (!decoded.ok()) {
        return prefixed("converting unstructured " + name + " to template: ", template_decode_error(decoded.error()));
      }
      Result<policy::TemplateChange> added = engine_.add_template(object.object);
      if (!added.ok()) return prefixed("adding template " + name + ": ", added.error());
    }
    return ok();
  }

  Result<void> add_constraints() {
    for (SourceObject& object : objects_) {
      if (!is_constraint(object.object)) continue;
      auto added = engine_.add_constraint(object.object);
      if (!added.ok()) {
        return prefixed("adding constraint " + text::go_quote(policy::name_of(object.object)) + ": ", added.error());
      }
      // Gatekeeper fills defaults into the object it was given, and then reviews that one.
      object = with_defaults(object, *added->constraint);
    }
    return ok();
  }

  static SourceObject with_defaults(const SourceObject& object, const policy::Constraint& constraint) {
    Arena arena(0, 4096);
    Value whole = deep_copy(arena, constraint.object);
    const Value status = object.object.get("status");
    if (status.defined()) {
      whole = with_member(arena, whole, make_symbol_or_string(arena, "status"), deep_copy(arena, status));
    }
    auto owned = std::make_shared<const Document>(Document::adopt(std::move(arena), whole));
    return {owned, owned->root()};
  }

  Result<void> add_data() {
    for (const SourceObject& object : objects_) {
      Result<void> added = engine_.inventory().upsert(object.object);
      if (!added.ok()) {
        return prefixed("adding data of GVK " + text::go_quote(policy::kind_of(object.object).to_string()) + ": " +
                            std::string(policy::kTargetName) + ": ",
                        make_error(added.error().code, added.error().message + "\n"));
      }
      if (policy::kind_of(object.object).is_namespace()) {
        namespaces_[std::string(policy::name_of(object.object))] = object.object;
      }
    }
    return ok();
  }

  // Resources that would change the outcome through machinery that is not there.
  Result<void> check_expansion() const {
    for (const SourceObject& object : objects_) {
      const policy::ObjectKind kind = policy::kind_of(object.object);
      const bool expansion = kind.group == "expansion.gatekeeper.sh" && kind.kind == "ExpansionTemplate";
      if (!expansion) continue;
      return make_error(Code::kUnsupported, "error creating expander: expansion of resources is not available yet (" +
                                                std::string(kind.kind) + " " +
                                                std::string(policy::name_of(object.object)) + ")");
    }
    return ok();
  }

  // The Namespace to match with: none is known for an undeclared one, and cluster-scoped objects get an empty one.
  Value namespace_for(const Value& object, Arena& arena) const {
    const std::string ns(policy::namespace_of(object));
    if (ns.empty()) return make_object(arena, {});
    const auto found = namespaces_.find(ns);
    if (found != namespaces_.end()) return found->second;
    if (ns != "default") return Value::undefined();
    const Member name{make_symbol_or_string(arena, "name"), make_string(arena, "default")};
    const Member metadata{make_symbol_or_string(arena, "metadata"), make_object(arena, {&name, 1})};
    return make_object(arena, {&metadata, 1});
  }

  Result<void> review(const Value& object) {
    engine_.scratch().reset();
    policy::Review review = policy::review_of_object(object, policy::Source::kOriginal);
    review.match_namespace = namespace_for(object, engine_.scratch().arena());
    policy::ReviewResult result = engine_.review(review, options_.stats);
    if (result.failed()) {
      return make_error(Code::kInvalid, "reviewing " + policy::kind_of(object).to_string() + " " +
                                            std::string(policy::namespace_of(object)) + "/" +
                                            std::string(policy::name_of(object)) + ": " + result.failure);
    }
    for (policy::Violation& violation : result.violations) {
      report_.results.push_back({std::move(violation), object});
    }
    for (policy::TemplateStats& stats : result.stats) report_.stats.push_back(std::move(stats));
    return ok();
  }

  std::vector<SourceObject> objects_;
  const Options& options_;
  Engine engine_;
  std::map<std::string, Value, std::less<>> namespaces_;
  TestReport report_;
};

int fatal(const Io& io, std::string_view message) {
  *io.err += message;
  *io.err += '\n';
  return 1;
}

int run(const Options& options, const Io& io) {
  if (options.failure_policy != "Fail" && options.failure_policy != "Ignore") {
    return fatal(
        io,
        "invalid default K8sNativeValidation failure policy: invalid failure policy: unrecognized failure policy: " +
            options.failure_policy);
  }
  if (options.trace) return fatal(io, "--trace is not available yet");
  if (!options.images.empty()) return fatal(io, "reading: pulling image: OCI images are not available yet");
  Result<std::vector<SourceObject>> objects = read_sources(options.filenames, io);
  if (!objects.ok()) return fatal(io, "reading: " + objects.error().message);
  if (objects->empty()) return fatal(io, "no input data identified");

  TestRun test(std::move(*objects), options);
  Result<void> outcome = test.run();
  if (!outcome.ok()) return fatal(io, "auditing objects: " + outcome.error().message);

  TestReport& report = test.report();
  const bool failed = std::any_of(report.results.begin(), report.results.end(), denies);
  if (options.deny_only) std::erase_if(report.results, [](const TestResult& result) { return !denies(result); });
  *io.out += format_report(report, options.output);
  const std::string printed = test.printed();
  if (!printed.empty()) *io.out += "\n" + printed + "\n";
  return failed ? 1 : 0;
}

}  // namespace

int test_command(std::span<const std::string_view> args, const Io& io) {
  Options options;
  const FlagSet flags = make_flags(options);
  Result<std::vector<std::string>> positional = flags.parse(args);
  std::string error;
  if (!positional.ok()) {
    error = positional.error().message;
  } else if (options.help) {
    *io.out += help(Command::kTest);
    return 0;
  } else if (!positional->empty()) {
    error = "unknown command " + text::go_quote(positional->front()) + " for \"gator test\"";
  }
  if (!error.empty()) {
    *io.err += "Error: " + error + "\n" + std::string(usage(Command::kTest)) + "\n";
    return 1;
  }
  return run(options, io);
}

}  // namespace portcullis::gator
