// What the value of a rule, body or term depends on: so that what depends on nothing but constants is evaluated while
// planning, and what does not depend on a constraint's parameters once for all constraints of a review.
// Threads: one at a time. Ownership: borrows the modules. Cost: each rule is looked at once. What lies more than 200
// rules deep counts as depending on everything.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "engine/rego/compile/checked.h"

namespace portcullis::rego {

class Dependences {
 public:
  enum : std::uint8_t {
    kVarying = 1,  // input below one of the varying members
    kInput = 2,    // any other input
    kBase = 4,     // base data
    kOutside = 8,  // clock, randomness, print, `with`: must be evaluated where it stands
    kAll = 15,
  };

  // `varying`: members of the input that differ from evaluation to evaluation of one review.
  Dependences(const CheckedModules& modules, std::vector<std::string> varying)
      : modules_(modules), varying_(std::move(varying)) {}

  std::uint8_t of(const RuleTreeNode& node);
  std::uint8_t of(const Body& body);
  std::uint8_t of(const Expr& expr);
  std::uint8_t of(const Term& term);

 private:
  std::uint8_t of_call(std::span<const Term> terms);
  std::uint8_t of_member(const Term& step) const;

  const CheckedModules& modules_;
  std::vector<std::string> varying_;
  static constexpr int kMaxDepth = 200;
  std::map<const RuleTreeNode*, std::uint8_t> known_;
  int depth_ = 0;
};

}  // namespace portcullis::rego
