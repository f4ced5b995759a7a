// The test rules of modules: which they are, and what makes them tellable apart when they run.
#pragma once

#include <string>
#include <vector>

#include "engine/rego/syntax/ast.h"

namespace portcullis::opa {

struct TestRule {
  rego::Location location;  // points into the module's text
  std::string package;      // "data.foo"
  std::string name;         // "test_x", "suite.test_x"
  std::string entry_point;  // "data.foo.test_x"
  bool skipped = false;     // todo_test_…
  bool has_cases = false;   // test_x[case]: its value is an object of results
};

// All of them, module by module, in the order of the source. Rules of one name get a number each: test_x, test_x#01.
// Rules with cases get a call of internal.test_case that names the case that begins, as early as its keys are known.
std::vector<TestRule> prepare_tests(std::vector<rego::Module>& modules);

}  // namespace portcullis::opa
