#include "gator/runner.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "base/text.h"
#include "gator/admission_object.h"
#include "gator/engine.h"
#include "gator/files.h"
#include "gator/objects.h"
#include "gator/templates.h"
#include "policy/model/object.h"
#include "policy/schema/crd.h"

namespace portcullis::gator {
namespace {

Error invalid(std::string message) { return make_error(Code::kInvalid, std::move(message)); }
Error prefixed(std::string prefix, const Error& error) {
  return make_error(error.code, std::move(prefix) + error.message);
}

std::string go_messages(const policy::ReviewResult& result) {
  std::vector<std::string> messages;
  for (const policy::Violation& violation : result.violations) messages.push_back(violation.message);
  return "[" + text::join(messages, " ") + "]";
}

// --- Assertions ---------------------------------------------------------------------------------------------------

Result<std::int32_t> count_matching(const Assertion& assertion, const policy::ReviewResult& result) {
  if (!assertion.message) return static_cast<std::int32_t>(result.violations.size());
  if (result.violations.empty()) return 0;
  Result<Pattern> pattern = Pattern::compile(*assertion.message);
  if (!pattern.ok()) return prefixed("message contains invalid regular expression: ", pattern.error());
  std::int32_t count = 0;
  for (const policy::Violation& violation : result.violations) {
    if (pattern->matches(violation.message)) ++count;
  }
  return count;
}

// Empty: the assertion holds.
std::string complaint(const Assertion& assertion, std::int32_t count) {
  constexpr std::string_view kValues =
      R"(invalid yaml: assertion.violation, if set, must be a nonnegative integer, "yes", or "no")";
  const auto unexpected = [&](const std::string& wanted) {
    std::string out = "unexpected number of violations: got " + std::to_string(count) + " violations";
    if (assertion.message) out += " containing " + text::go_quote(*assertion.message);
    return out + " but want " + wanted;
  };
  if (const auto* exact = std::get_if<std::int32_t>(&assertion.violations)) {
    if (*exact < 0) return std::string(kValues);
    return *exact == count ? std::string() : unexpected("exactly " + std::to_string(*exact));
  }
  const std::string& word = std::get<std::string>(assertion.violations);
  if (word == "yes") return count > 0 ? std::string() : unexpected("at least 1");
  if (word == "no") return count == 0 ? std::string() : unexpected("none");
  return std::string(kValues);
}

Result<void> check_assertions(const std::vector<Assertion>& assertions, const policy::ReviewResult& result) {
  for (const Assertion& assertion : assertions) {
    PC_TRY(const std::int32_t count, count_matching(assertion, result));
    const std::string wrong = complaint(assertion, count);
    if (!wrong.empty()) return invalid(wrong + ": got messages " + go_messages(result));
  }
  return ok();
}

// --- One test -----------------------------------------------------------------------------------------------------

class TestRunner {
 public:
  TestRunner(const SuiteTest& test, std::string directory)
      : test_(test), directory_(std::move(directory)), engine_(true) {}

  Result<void> load() {
    PC_TRY_VOID(load_template());
    if (test_.constraint.empty()) return invalid("invalid Suite: missing constraint");
    PC_TRY(const Document constraint, read_constraint());
    Result<policy::SnapshotBuilder::ConstraintChange> added = engine_.add_constraint(constraint.root());
    if (!added.ok()) return added.error();
    engine_.seal();
    return ok();
  }

  Result<void> load_expansion() const {
    if (test_.expansion.empty()) return ok();
    return make_error(Code::kUnsupported, "expansion of resources is not available yet");
  }

  Result<void> run(const SuiteCase& test_case) {
    if (test_case.object.empty()) return invalid("invalid Case: must define object");
    if (test_case.assertions.empty()) return invalid("invalid Case: assertions must be non-empty");
    engine_.clear_inventory();
    engine_.scratch().reset();
    const std::string shown = join_path(directory_, test_case.object);
    PC_TRY(const std::vector<Document> objects, read_objects("/" + shown, shown));
    if (objects.size() != 1) {
      return invalid("object file must contain exactly one object: " + text::go_quote(shown) + " defines " +
                     std::to_string(objects.size()) + " objects");
    }
    for (const std::string& path : test_case.inventory) PC_TRY_VOID(add_inventory(path));
    PC_TRY(const policy::ReviewResult result, review(objects.front().root()));
    return check_assertions(test_case.assertions, result);
  }

  std::string printed() { return engine_.host().take(); }

 private:
  Result<void> load_template() {
    if (test_.constraint_template.empty()) return invalid("invalid Suite: missing template");
    const std::string shown = join_path(directory_, test_.constraint_template);
    Result<std::string> text = read_file("/" + shown, shown);
    if (!text.ok()) {
      return prefixed("reading ConstraintTemplate from " + text::go_quote(shown) + ": ", text.error());
    }
    Result<Document> object = parse_object(*text, shown);
    if (!object.ok()) {
      return prefixed("adding template: parsing ConstraintTemplate YAML from " + text::go_quote(shown) + ": ",
                      object.error());
    }
    const Value root = object->root();
    const std::string path = "path " + text::go_quote(shown) + ": ";
    if (!is_template(root)) return invalid(path + "not a ConstraintTemplate");
    Result<void> known = check_template_version(root);
    if (!known.ok()) return prefixed(path, known.error());
    Result<policy::TemplatePtr> decoded = policy::decode_template(root);
    if (!decoded.ok()) return prefixed(path, template_decode_error(decoded.error()));
    Result<policy::TemplateChange> added = engine_.add_template(root);
    if (!added.ok()) return prefixed("adding template: ", added.error());
    return ok();
  }

  Result<Document> read_constraint() const {
    const std::string shown = join_path(directory_, test_.constraint);
    Result<std::string> text = read_file("/" + shown, shown);
    if (!text.ok()) return prefixed("reading Constraint from " + text::go_quote(shown) + ": ", text.error());
    Result<Document> object = parse_object(*text, shown);
    if (!object.ok()) {
      return prefixed("adding constraint: parsing Constraint from " + text::go_quote(shown) + ": ", object.error());
    }
    if (!is_constraint(object->root())) return invalid("not a Constraint");
    return object;
  }

  Result<void> add_inventory(const std::string& path) {
    const std::string shown = join_path(directory_, path);
    PC_TRY(const std::vector<Document> objects, read_objects("/" + shown, shown));
    for (const Document& object : objects) {
      const Value root = object.root();
      Result<void> added = engine_.inventory().upsert(root);
      if (added.ok()) continue;
      return invalid("unable to add object to data.inventory: " + policy::kind_of(root).to_string() + " " +
                     std::string(policy::namespace_of(root)) + "/" + std::string(policy::name_of(root)) + ": " +
                     std::string(policy::kTargetName) + ": " + added.error().message + "\n");
    }
    return ok();
  }

  Result<policy::ReviewResult> review(const Value& object) {
    const policy::ObjectKind kind = policy::kind_of(object);
    Arena& arena = engine_.scratch().arena();
    if (kind.kind == "AdmissionReview" && kind.group == "admission.k8s.io") {
      PC_TRY(policy::Review request, review_of_admission_object(object, engine_.scratch()));
      request.source = policy::Source::kOriginal;
      policy::ReviewResult result = engine_.review(request);
      if (result.failed()) return invalid(result.failure);
      return result;
    }
    const policy::Review request =
        policy::review_of_object(policy::as_float64(arena, object), policy::Source::kOriginal);
    policy::ReviewResult result = engine_.review(request);
    if (result.failed()) {
      return invalid("reviewing " + kind.to_string() + " " + std::string(policy::namespace_of(object)) + "/" +
                     std::string(policy::name_of(object)) + ": " + result.failure);
    }
    return result;
  }

  const SuiteTest& test_;
  std::string directory_;  // absolute, without the leading slash
  Engine engine_;
};

std::vector<CaseResult> run_cases(TestRunner& runner, const SuiteTest& test, const Filter& filter) {
  std::vector<CaseResult> out;
  for (const SuiteCase& test_case : test.cases) {
    CaseResult result;
    result.name = test_case.name;
    if (test_case.skip || !filter.matches_case(test.name, test_case.name)) {
      result.skipped = true;
    } else {
      const Clock::time_point start = Clock::now();
      const Result<void> outcome = runner.run(test_case);
      result.printed = runner.printed();
      result.runtime = Clock::now() - start;
      if (!outcome.ok()) result.error = outcome.error().message;
    }
    out.push_back(std::move(result));
  }
  return out;
}

TestResultOf run_test(const SuiteTest& test, const std::string& directory, const Filter& filter) {
  TestResultOf out;
  out.name = test.name;
  const Clock::time_point start = Clock::now();
  TestRunner runner(test, directory);
  Result<void> loaded = runner.load();
  if (test.invalid) {
    if (loaded.ok() || !policy::is_schema_error(loaded.error())) {
      out.error = "constraint should have failed schema validation: got error " +
                  (loaded.ok() ? std::string("%!w(<nil>)") : loaded.error().message) +
                  " but want schema validation failed";
    }
  } else {
    if (loaded.ok()) loaded = runner.load_expansion();
    if (loaded.ok()) {
      out.cases = run_cases(runner, test, filter);
    } else {
      out.error = loaded.error().message;
    }
  }
  out.runtime = Clock::now() - start;
  return out;
}

}  // namespace

Result<Filter> Filter::parse(std::string_view text) {
  constexpr std::string_view kPrefix = "invalid test filter: ";
  Filter out;
  if (text.empty()) return out;
  const std::size_t slashes = text.find("//");
  const std::string_view first = text.substr(0, slashes);
  const std::string_view second = slashes == std::string_view::npos ? std::string_view{} : text.substr(slashes + 2);
  if (second.find("//") != std::string_view::npos) {
    return invalid(std::string(kPrefix) + "a filter may include at most one \"//\"");
  }
  Result<Pattern> pattern = Pattern::compile(first);
  if (!pattern.ok()) return prefixed(std::string(kPrefix), pattern.error());
  out.test_ = std::move(*pattern);
  if (slashes == std::string_view::npos) return out;
  pattern = Pattern::compile(second);
  if (!pattern.ok()) return prefixed(std::string(kPrefix), pattern.error());
  out.case_ = std::move(*pattern);
  return out;
}

bool Filter::matches_test(const SuiteTest& test) const {
  if (!test_ || test_->matches(test.name)) return true;
  if (case_) return false;
  return std::any_of(test.cases.begin(), test.cases.end(),
                     [&](const SuiteCase& test_case) { return test_->matches(test_case.name); });
}

bool Filter::matches_case(std::string_view test, std::string_view name) const {
  if (!test_) return true;
  if (case_) return case_->matches(name) && test_->matches(test);
  return test_->matches(name) || test_->matches(test);
}

bool TestResultOf::failed() const {
  return !error.empty() ||
         std::any_of(cases.begin(), cases.end(), [](const CaseResult& result) { return !result.error.empty(); });
}

bool SuiteResult::failed() const {
  return std::any_of(tests.begin(), tests.end(), [](const TestResultOf& test) { return test.failed(); });
}

SuiteResult run_suite(const Suite& suite, const Filter& filter) {
  SuiteResult out;
  out.path = suite.shown;
  if (suite.skip) return out;
  const Clock::time_point start = Clock::now();
  const std::string directory = directory_of(suite.file);
  for (const SuiteTest& test : suite.tests) {
    if (test.skip || !filter.matches_test(test)) {
      TestResultOf skipped;
      skipped.name = test.name;
      skipped.skipped = true;
      out.tests.push_back(std::move(skipped));
    } else {
      out.tests.push_back(run_test(test, directory, filter));
    }
  }
  out.runtime = Clock::now() - start;
  return out;
}

}  // namespace portcullis::gator
