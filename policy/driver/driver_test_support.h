// What the driver's tests have in common: templates and constraints from text, evaluations shown as text, and an index
// that finds what a walk finds.
#pragma once

#include <gtest/gtest.h>

#include <deque>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/rego/eval/data_index.h"
#include "engine/value/document.h"
#include "engine/value/json.h"
#include "policy/driver/rego_driver.h"

namespace portcullis::policy::driver_test {

inline Document parse(std::string_view text) {
  Result<Document> document = Document::parse_json(text);
  EXPECT_TRUE(document.ok()) << document.error().to_string() << "\n" << text;
  return document.ok() ? std::move(*document) : Document();
}

inline std::shared_ptr<const CompiledTemplate> compile(std::string_view rego, bool specialise,
                                                       std::string_view version = "v1") {
  std::string source;
  append_json(source, Value::string(rego));
  const Document document =
      parse(R"({"apiVersion": "templates.gatekeeper.sh/v1", "kind": "ConstraintTemplate", "metadata": {"name": "t"},
    "spec": {"crd": {"spec": {"names": {"kind": "T"}}}, "targets": [{"target": "admission.k8s.gatekeeper.sh", "code":
    [{"engine": "Rego", "source": {"version": ")" +
            std::string(version) + R"(", "rego": )" + source + "}}]}]}}");
  const Result<TemplatePtr> decoded = decode_template(document.root());
  EXPECT_TRUE(decoded.ok());
  DriverOptions options;
  options.specialise = specialise;
  Result<std::shared_ptr<const CompiledTemplate>> compiled = compile_template(**decoded, options);
  EXPECT_TRUE(compiled.ok()) << compiled.error().message;
  return compiled.ok() ? *compiled : nullptr;
}

inline ConstraintPtr constraint_of(const std::string& parameters) {
  const Document document =
      parse(R"({"apiVersion": "constraints.gatekeeper.sh/v1beta1", "kind": "T", "metadata": {"name": "c"},
    "spec": {"parameters": )" +
            parameters + "}}");
  const Result<ConstraintPtr> constraint = decode_constraint(document.root());
  EXPECT_TRUE(constraint.ok());
  return constraint.ok() ? *constraint : nullptr;
}

inline std::string shown(const std::vector<Finding>& findings) {
  std::string out;
  for (const Finding& finding : findings) out += std::string(finding.message) + " " + to_json(finding.details) + "\n";
  return out;
}

// Has every index: looks for the objects when it is asked.
class WalkIndex final : public rego::DataIndex {
 public:
  explicit WalkIndex(const Value& data) : data_(data) {}

  bool find(const std::shared_ptr<const rego::DataIndexSpec>& spec, const Value& key,
            std::span<const rego::DataIndexHit>& hits) const override {
    ++asked;
    std::vector<rego::DataIndexHit>& out = hits_.emplace_back();
    std::vector<Value> steps;
    walk(*spec, data_, steps, key, out);
    hits = out;
    return true;
  }
  mutable std::size_t asked = 0;

 private:
  void walk(const rego::DataIndexSpec& spec, const Value& at, std::vector<Value>& steps, const Value& key,
            std::vector<rego::DataIndexHit>& out) const {
    if (steps.size() == spec.collection.size()) {
      bool holds = false;
      rego::for_each_at(at, spec.path, [&](const Value& value) { holds = holds || equal(value, key); });
      if (holds) out.push_back({at, keys_.emplace_back(steps).data()});
      return;
    }
    const rego::DataIndexSpec::Step& name = spec.collection[steps.size()];
    for (std::size_t i = 0; at.is_object() && i < at.size(); ++i) {
      if (name && at.keys()[i].as_string() != *name) continue;
      steps.push_back(at.keys()[i]);
      walk(spec, at.values()[i], steps, key, out);
      steps.pop_back();
    }
  }

  Value data_;
  mutable std::deque<std::vector<rego::DataIndexHit>> hits_;
  mutable std::deque<std::vector<Value>> keys_;
};

class Evaluator {
 public:
  explicit Evaluator(const Value& data = Value()) : data_(data) {}

  std::string run(const CompiledConstraint& compiled, const Constraint& constraint, const Value& review,
                  std::uint64_t share = 0, const rego::DataIndex* index = nullptr,
                  const rego::EvalLimits& limits = {}) {
    findings_.clear();
    const Result<void> done =
        evaluate_constraint(compiled, constraint, review, data_, scratch, host_, limits, findings_, index, share);
    return done.ok() ? shown(findings_) : "error: " + done.error().message;
  }
  void run_quietly(const CompiledConstraint& compiled, const Constraint& constraint, const Value& review) {
    findings_.clear();
    EXPECT_TRUE(evaluate_constraint(compiled, constraint, review, data_, scratch, host_, {}, findings_).ok());
  }
  rego::EvalScratch scratch;

 private:
  Value data_;
  rego::Host host_;
  std::vector<Finding> findings_;
};

}  // namespace portcullis::policy::driver_test
