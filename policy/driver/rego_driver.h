// Templates with Rego code: source rules, compilation, evaluation of a constraint on a review.
// Threads: CompiledTemplate and CompiledConstraint are immutable and shared; evaluation needs an EvalScratch per
// thread.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "engine/rego/eval/program.h"
#include "policy/model/constraint.h"
#include "policy/model/template.h"

namespace portcullis::policy {

struct DriverOptions {
  const rego::BuiltinRegistry* builtins = nullptr;  // null: all_builtins()
  bool referential = true;                          // data.inventory may be read
  bool keep_print = false;                          // print() calls stay (gator verify, gator test -v)
};

class CompiledTemplate {
 public:
  CompiledTemplate(rego::Program program, int entry, bool reads_inventory)
      : program_(std::move(program)), entry_(entry), reads_inventory_(reads_inventory) {}
  const rego::Program& program() const noexcept { return program_; }
  int entry() const noexcept { return entry_; }  // of the rule `violation`
  bool reads_inventory() const noexcept { return reads_inventory_; }
  std::size_t memory() const noexcept { return program_.memory(); }

 private:
  rego::Program program_;
  int entry_;
  bool reads_inventory_;
};

// A constraint with the program that evaluates it: the template's own, or one specialised on its parameters.
struct CompiledConstraint {
  std::shared_ptr<const CompiledTemplate> constraint_template;
  std::shared_ptr<const rego::Program> specialised;  // null: use the template's with parameters in the input
  int specialised_entry = -1;
};

// Which engine a template uses. Errors (kUnsupported): "no language driver is installed that handles this constraint
// template: available drivers: map[Rego:1], wanted \"\"". A template with both engines uses Rego; `note` then says so.
struct EngineChoice {
  std::string engine;
  std::string note;  // for an Info log line; usually empty
};
Result<EngineChoice> choose_engine(const ConstraintTemplate& constraint_template);

// Errors (kInvalid), with Gatekeeper's texts: "invalid ConstraintTemplate: invalid rego: invalid module: missing
// required rules: [violation]", "unable to compile modules: …", "rego source missing required field: rego" …
Result<std::shared_ptr<const CompiledTemplate>> compile_template(const ConstraintTemplate& constraint_template,
                                                                 const DriverOptions& options);

CompiledConstraint compile_constraint(std::shared_ptr<const CompiledTemplate> constraint_template,
                                      const Constraint& constraint);

// What one constraint found. Messages and details lie in the scratch.
struct Finding {
  std::string_view message;
  Value details;  // {} when the rule gave none
};
// Runs a constraint. `review` is the input.review object (built in the scratch's arena), `data` the inventory's data().
// Adds to `findings` without duplicates, in Rego's order of (details, message).
// Errors: kInvalid = run-time error, message as OPA prints it (it becomes a violation of every constraint of the kind);
// kUnsupported = a message that is no string (the whole review fails, text as Gatekeeper's); kTimeout: deadline passed.
Result<void> evaluate_constraint(const CompiledConstraint& compiled, const Constraint& constraint, const Value& review,
                                 const Value& data, rego::EvalScratch& scratch, rego::Host& host,
                                 const rego::EvalLimits& limits, std::vector<Finding>& findings);

}  // namespace portcullis::policy
