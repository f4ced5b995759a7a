// Random constraint templates with parameters, reviews and an inventory that fit them, for tests. They are made of what
// templates are made of, with few names, so that variables of sibling rules are called alike and keys meet.
// Threads: one at a time. The same seed gives the same texts on every machine.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

namespace portcullis::policy::driver_test {

struct RandomTemplate {
  std::vector<std::string> rego;  // lines; leaving out any of them may leave a module that compiles
  std::vector<std::string> parameters;
  std::vector<std::string> reviews;
  std::string data;
};

class TemplateMaker {
 public:
  explicit TemplateMaker(std::uint64_t seed) : state_(seed * 0x9e3779b97f4a7c15ULL + 1) {}

  RandomTemplate make();

 private:
  struct Function {
    std::string name;
    int arguments;
  };
  // What a rule may speak of: variables that are bound, and the depth it has reached.
  struct Scope {
    std::vector<std::string> variables;
    std::vector<std::string> open;  // of these, those that may hold anything
    int depth = 0;                  // of terms
    int level = 0;                  // of bodies: each level has names of its own
  };

  std::uint64_t next();
  int below(int n) { return static_cast<int>(next() % static_cast<std::uint64_t>(n)); }
  bool chance(int percent) { return below(100) < percent; }
  std::string_view pick(std::initializer_list<std::string_view> of);
  std::string key();
  std::string scalar();
  std::string json(int depth);
  std::string members();
  std::string object_json();
  std::string inventory_json();

  std::string variable(const Scope& scope);  // one that is bound, or "input"
  std::string fresh(const Scope& scope);     // a name that is not
  std::string step(const Scope& scope);      // ".a" or "[…]"
  std::string anything(const Scope& scope);  // a term that may hold anything
  static void bind(Scope& scope, const std::string& name, bool open);
  void use(const Scope& scope, const std::string& name, std::vector<std::string>& out);
  std::string input_reference(const Scope& scope);
  std::string collection(const Scope& scope);
  std::string rule_reference(const Scope& scope);
  std::string call(const Scope& scope);
  std::string comprehension(const Scope& scope);
  std::string builtin(const Scope& scope);
  std::string term(const Scope& scope);
  std::string with_clause(const Scope& scope);
  std::string inventory_walk(Scope& scope);
  void join(Scope& scope, std::vector<std::string>& out);
  void lookup(Scope& scope, std::vector<std::string>& out);
  void literal(Scope& scope, std::vector<std::string>& out);
  std::string inline_body(Scope& scope, int most);
  void rule(const std::string& head, Scope scope, bool value);
  void function(int number);
  void wide_function(int number);
  void document(int number);
  void violation();
  void twins();

  std::uint64_t state_;
  std::vector<std::string> lines_;
  std::vector<Function> functions_;
  std::vector<std::string> complete_;
  std::vector<std::string> sets_;
  std::vector<std::string> objects_;
};

}  // namespace portcullis::policy::driver_test
