// Templates with Rego code: source rules, compilation, evaluation of a constraint on a review.
// Threads: CompiledTemplate and CompiledConstraint are immutable and shared; evaluation needs an EvalScratch per
// thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "engine/rego/eval/program.h"
#include "engine/value/document.h"
#include "policy/model/constraint.h"
#include "policy/model/template.h"

namespace portcullis::policy {

struct DriverOptions {
  const rego::BuiltinRegistry* builtins = nullptr;  // null: all_builtins()
  bool referential = true;                          // data.inventory may be read
  bool keep_print = false;                          // print() calls stay (gator verify, gator test -v)
  // Constraints get programs of their own, planned for their parameters. Off where answers are compared.
  bool specialise = true;
  std::size_t max_specialised_bytes = std::size_t{1} << 20;  // of one; a larger one is not kept
};

// A program planned for one set of parameters. Counts its bytes as long as it lives.
class SpecialisedProgram {
 public:
  // Bytes of all that there are may come to this; beyond it constraints use their template's program.
  static constexpr std::size_t kMaxBytes = std::size_t{64} << 20;

  SpecialisedProgram(rego::Program program, int entry, const Value& parameters);
  ~SpecialisedProgram();
  SpecialisedProgram(const SpecialisedProgram&) = delete;
  SpecialisedProgram& operator=(const SpecialisedProgram&) = delete;

  const rego::Program& program() const noexcept { return program_; }
  int entry() const noexcept { return entry_; }
  Value parameters() const noexcept { return parameters_.root(); }
  std::size_t memory() const noexcept { return bytes_; }
  static std::size_t total_memory() noexcept;  // of all

 private:
  rego::Program program_;
  int entry_;
  Document parameters_;
  std::size_t bytes_;
};

// What constraints' own programs are planned from: the checked modules (defined in the .cpp).
struct TemplateSource;

class CompiledTemplate {
 public:
  CompiledTemplate(rego::Program program, int entry, bool reads_inventory, bool takes_shortcuts,
                   std::unique_ptr<TemplateSource> source);
  ~CompiledTemplate();
  const rego::Program& program() const noexcept { return program_; }
  int entry() const noexcept { return entry_; }  // of the rule `violation`
  bool reads_inventory() const noexcept { return reads_inventory_; }
  // Evaluations may use the constraint's own program, indexes and shared values; an error is then told by the program
  // of the template.
  bool takes_shortcuts() const noexcept { return takes_shortcuts_; }
  std::size_t memory() const noexcept { return program_.memory(); }
  // A program for these parameters; constraints with the same ones share it. Null: parameters make no difference, or
  // there is no room. Threads: any.
  std::shared_ptr<const SpecialisedProgram> specialise(const Value& parameters) const;

 private:
  rego::Program program_;
  int entry_;
  bool reads_inventory_;
  bool takes_shortcuts_;
  std::unique_ptr<TemplateSource> source_;
};

// A constraint with the program that evaluates it: the template's own, or one specialised on its parameters.
struct CompiledConstraint {
  std::shared_ptr<const CompiledTemplate> constraint_template;
  std::shared_ptr<const SpecialisedProgram> specialised;  // null: use the template's with parameters in the input
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

// One rule `violation` of a template, compiled without the others, to tell which of them it was that fired.
struct ViolationRule {
  std::uint32_t line = 0;  // in the template's Rego, from 1
  std::string text;        // that line
  std::shared_ptr<const CompiledTemplate> alone;
};
// In the order of the source; at most `max`. For explanations, not for reviews: each one compiles the template anew.
// Errors: as compile_template.
Result<std::vector<ViolationRule>> compile_violation_rules(const ConstraintTemplate& constraint_template,
                                                           const DriverOptions& options, std::size_t max = 64);

// What one constraint found. Messages and details lie in the scratch.
struct Finding {
  std::string_view message;
  Value details;  // {} when the rule gave none
};
// Runs a constraint. `review` is the input.review object (built in the scratch's arena), `data` the inventory's data().
// `index`: of `data`, where its owner keeps one. `share`: 0, or the scratch's new_share() for all constraints of one
// template on one review.
// Adds to `findings` without duplicates, in Rego's order of (details, message).
// Errors: kInvalid = run-time error, message as OPA prints it (it becomes a violation of every constraint of the kind);
// kUnsupported = a message that is no string (the whole review fails, text as Gatekeeper's); kTimeout: deadline passed.
Result<void> evaluate_constraint(const CompiledConstraint& compiled, const Constraint& constraint, const Value& review,
                                 const Value& data, rego::EvalScratch& scratch, rego::Host& host,
                                 const rego::EvalLimits& limits, std::vector<Finding>& findings,
                                 const rego::DataIndex* index = nullptr, std::uint64_t share = 0);

}  // namespace portcullis::policy
