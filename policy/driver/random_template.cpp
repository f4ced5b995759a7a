#include "policy/driver/random_template.h"

#include <algorithm>

namespace portcullis::policy::driver_test {

std::uint64_t TemplateMaker::next() {  // splitmix64
  std::uint64_t z = (state_ += 0x9e3779b97f4a7c15ULL);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
  return z ^ (z >> 31);
}

std::string_view TemplateMaker::pick(std::initializer_list<std::string_view> of) {
  return of.begin()[below(static_cast<int>(of.size()))];
}

// --- Documents ----------------------------------------------------------------------------------------------------

std::string TemplateMaker::key() {
  return std::string(
      pick({"a", "b", "mine", "app", "x", "app.x", "x/y", "parameters", "labels", "list", "n", "object"}));
}

std::string TemplateMaker::scalar() {
  return std::string(pick({"1", "2", "0", "1.0", "\"a\"", "\"b\"", "\"x\"", "\"app.x\"", "\"x/y\"", "\"\"", "true",
                           "false", "null", "\"n1\"", "\"h.example/x\""}));
}

std::string TemplateMaker::json(int depth) {
  const int kind = depth <= 0 ? 0 : below(10);
  if (kind < 4) return scalar();
  std::string out;
  const int size = below(4);
  for (int i = 0; i < size; ++i) {
    if (i != 0) out += ", ";
    if (kind >= 7) out += "\"" + key() + "\": ";
    out += json(depth - 1);
  }
  return kind >= 7 ? "{" + out + "}" : "[" + out + "]";
}

// What `.a`, `.mine` and `.labels` find something in.
std::string TemplateMaker::members() {
  return R"({"a": )" + scalar() + R"(, "mine": )" + json(1) + R"(, "labels": {"a": )" + scalar() + R"(, "app.x": )" +
         scalar() + "}}";
}

std::string TemplateMaker::object_json() {
  const auto label = [&] { return chance(80) ? std::string(pick({"\"a\"", "\"b\""})) : scalar(); };
  std::string out = R"({"metadata": {"name": )" + std::string(pick({"\"o1\"", "\"o2\"", "\"a\""})) +
                    R"(, "namespace": )" + std::string(pick({"\"n1\"", "\"n.2\"", "\"a\""})) + "}";
  out += R"(, "labels": {)";
  bool first = true;
  for (const std::string_view name : {"app.x", "app", "a", "x/y"}) {
    if (!chance(70)) continue;
    out += std::string(first ? "" : ", ") + "\"" + std::string(name) + "\": ";
    out += name == "app" && chance(60) ? "{\"x\": " + label() + ", \"x/y\": " + label() + "}" : label();
    first = false;
  }
  out += R"(}, "spec": {"list": [)";
  for (int i = 0, size = below(4); i < size; ++i) {
    out += std::string(i == 0 ? "" : ", ") + R"({"name": )" + scalar() + R"(, "n": )" + scalar() + R"(, "mine": )" +
           json(1) + "}";
  }
  out += R"(], "n": )" + scalar() + "}";
  if (chance(85)) out += R"(, "parameters": )" + members();
  if (chance(85)) out += R"(, "mine": )" + members();
  if (chance(40)) out += R"(, "list": )" + json(2);
  return out + "}";
}

std::string TemplateMaker::inventory_json() {
  std::string out = R"({"inventory": {"namespace": {)";
  bool first_namespace = true;
  for (const std::string_view name : {"n1", "n.2", "a"}) {
    if (!chance(80)) continue;
    out += std::string(first_namespace ? "" : ", ") + "\"" + std::string(name) + "\": {";
    first_namespace = false;
    bool first = true;
    for (const std::string_view version : {"v1", "apps/v1"}) {
      if (!chance(80)) continue;
      out += std::string(first ? "" : ", ") + "\"" + std::string(version) + "\": {\"Service\": {";
      first = false;
      for (int i = 0, size = below(3); i < size; ++i) {
        out += std::string(i == 0 ? "" : ", ") + (i == 0 ? "\"o1\": " : "\"o.2/x\": ") + object_json();
      }
      out += "}, \"app.x\": {\"a\": " + object_json() + "}}";
    }
    out += "}";
  }
  out += R"(}, "cluster": {"v1": {"Namespace": {)";
  for (int i = 0, size = below(3); i < size; ++i) {
    out += std::string(i == 0 ? "" : ", ") + (i == 0 ? "\"n1\": " : "\"n.2\": ") + object_json();
  }
  return out + "}}}}}";
}

// --- Terms --------------------------------------------------------------------------------------------------------

std::string TemplateMaker::variable(const Scope& scope) {
  if (scope.variables.empty() || chance(4)) return "input";
  // Those bound last are the likeliest to be looked at.
  const int size = static_cast<int>(scope.variables.size());
  return scope.variables[static_cast<std::size_t>(std::max(below(size), below(size)))];
}

std::string TemplateMaker::fresh(const Scope& scope) {
  for (int tries = 0; tries < 30; ++tries) {
    std::string name(scope.level == 0   ? pick({"x", "y", "o", "k", "v", "z"})
                     : scope.level == 1 ? pick({"p", "q", "r"})
                                        : pick({"s", "t", "u"}));
    if (scope.level > 2) name += std::to_string(scope.level);
    if (std::find(scope.variables.begin(), scope.variables.end(), name) == scope.variables.end()) return name;
  }
  return "w" + std::to_string(below(1000000));
}

void TemplateMaker::bind(Scope& scope, const std::string& name, bool open) {
  scope.variables.push_back(name);
  if (open) scope.open.push_back(name);
}

std::string TemplateMaker::anything(const Scope& scope) {
  if (scope.open.empty() || chance(40)) return input_reference(scope);
  const std::string name = scope.open[static_cast<std::size_t>(below(static_cast<int>(scope.open.size())))];
  return chance(40) ? name : name + step(scope);
}

// A variable that `some` declares must be spoken of.
void TemplateMaker::use(const Scope& scope, const std::string& name, std::vector<std::string>& out) {
  switch (below(6)) {
    case 4:
    case 5:
    case 0: return out.push_back(name + " != " + scalar());
    case 1: return out.push_back(name + " == " + anything(scope));
    case 2: return out.push_back("not object.get(input, \"" + key() + "\", {})[" + name + "]");
    default: return out.push_back("[" + name + "] != " + anything(scope));
  }
}

std::string TemplateMaker::step(const Scope& scope) {
  if (!scope.variables.empty() && chance(12)) return "[" + variable(scope) + "]";
  if (chance(8)) return "[" + std::string(pick({"0", "1"})) + "]";
  const std::string name = key();
  if (name.find_first_of("./") != std::string::npos) return "[\"" + name + "\"]";
  return chance(15) ? "[\"" + name + "\"]" : "." + name;
}

std::string TemplateMaker::input_reference(const Scope& scope) {
  std::string out(pick({"input.parameters", "input.parameters.a", "input.parameters.b", "input.parameters.list",
                        "input.parameters.labels", "input.parameters.mine", "input.parameters.mine.a",
                        "input.review.object", "input.review.object.metadata.name", "input.review.object.labels",
                        "input.review.object.spec.list", "input.review.object.parameters",
                        "input.review.object.parameters.a", "input.review.object.mine", "input.review.object.labels.a",
                        "input.review", "input.review.namespace", "input", "input[\"parameters\"]"}));
  while (chance(20)) out += step(scope);
  return out;
}

std::string TemplateMaker::collection(const Scope& scope) {
  switch (below(8)) {
    case 0: return "input.review.object.spec.list";
    case 1: return "input.parameters.list";
    case 2: return "input.review.object.labels";
    case 3: return anything(scope);
    case 4: return comprehension(scope);
    case 5: return "[" + term(scope) + ", " + term(scope) + "]";
    case 6:
      return sets_.empty() ? "input.parameters"
                           : sets_[static_cast<std::size_t>(below(static_cast<int>(sets_.size())))];
    default: return input_reference(scope);
  }
}

std::string TemplateMaker::rule_reference(const Scope& scope) {
  const int which = below(3);
  const std::vector<std::string>& of = which == 0 ? complete_ : which == 1 ? sets_ : objects_;
  if (of.empty()) return input_reference(scope);
  std::string out = of[static_cast<std::size_t>(below(static_cast<int>(of.size())))];
  if (which == 1 && chance(40)) return out + "[" + (scope.variables.empty() ? scalar() : variable(scope)) + "]";
  if (chance(which == 2 ? 60 : 30)) out += step(scope);
  return out;
}

std::string TemplateMaker::call(const Scope& scope) {
  if (functions_.empty()) return builtin(scope);
  const Function& function = functions_[static_cast<std::size_t>(below(static_cast<int>(functions_.size())))];
  std::string out = function.name + "(";
  for (int i = 0; i < function.arguments; ++i) {
    const bool cheap = function.arguments > 4;
    out += (i == 0 ? "" : ", ") + (cheap ? (chance(80) ? std::to_string(i) : variable(scope)) : term(scope));
  }
  return out + ")";
}

std::string TemplateMaker::comprehension(const Scope& outer) {
  Scope scope = outer;
  ++scope.depth;
  ++scope.level;
  const std::string body = inline_body(scope, 2);
  switch (below(3)) {
    case 0: return "[" + term(scope) + " | " + body + "]";
    case 1: return "{" + term(scope) + " | " + body + "}";
    default: return "{" + term(scope) + ": " + term(scope) + " | " + body + "}";
  }
}

std::string TemplateMaker::builtin(const Scope& scope) {
  switch (below(9)) {
    case 0: return "count(" + anything(scope) + ")";
    case 1: return "sprintf(\"%v\", [" + term(scope) + "])";
    case 2: return "concat(\"/\", [sprintf(\"%v\", [" + term(scope) + "]), \"x\"])";
    case 3:
      return "object.get(" + anything(scope) + ", [" + std::string(pick({"\"parameters\"", "\"object\"", "\"a\""})) +
             ", \"" + key() + "\"], " + scalar() + ")";
    case 4: return "is_string(" + term(scope) + ")";
    case 5: return "to_number(" + anything(scope) + ")";
    case 6: return "object.keys(object.get(" + variable(scope) + ", \"" + key() + "\", {}))";
    case 7: return "sort(" + anything(scope) + ")";
    default:
      return "object.get(" + anything(scope) + ", \"" + std::string(chance(40) ? "parameters" : key()) + "\", " +
             term(scope) + ")";
  }
}

std::string TemplateMaker::term(const Scope& outer) {
  Scope scope = outer;
  if (++scope.depth > 4) return scope.variables.empty() || chance(40) ? scalar() : variable(scope);
  switch (below(20)) {
    case 0:
    case 1: return scalar();
    case 2:
    case 3:
    case 4:
    case 5: return variable(scope);
    case 6:
    case 7: return anything(scope);
    case 8:
    case 9:
    case 10: return input_reference(scope);
    case 11: return "[" + term(scope) + ", " + term(scope) + "]";
    case 12: return "{\"" + key() + "\": " + term(scope) + "}";
    case 13: return "{" + term(scope) + ", " + term(scope) + "}";
    case 14:
    case 15: return call(scope);
    case 16: return comprehension(scope);
    case 17:
    case 18: return rule_reference(scope);
    default: return builtin(scope);
  }
}

// --- Bodies -------------------------------------------------------------------------------------------------------

std::string TemplateMaker::with_clause(const Scope& scope) {
  const std::string_view target =
      pick({"input", "input.parameters", "input.parameters.a", "input.review", "input.review.object",
            "input.parameters.list", "data.inventory", "data.inventory.namespace.n1"});
  return " with " + std::string(target) + " as " + term(scope);
}

std::string TemplateMaker::inventory_walk(Scope& scope) {
  const auto any = [&](std::string_view fixed) -> std::string {
    if (chance(15) && !scope.variables.empty()) return "[" + variable(scope) + "]";
    if (chance(25)) {
      std::string name = fresh(scope);
      bind(scope, name, true);
      return "[" + name + "]";
    }
    return chance(20) ? "[\"" + std::string(fixed) + "\"]" : "[_]";
  };
  // Loops over the same collection are told apart by their paths alone.
  if (chance(60)) return "data.inventory.namespace[_][_].Service[_]";
  if (chance(20)) return "data.inventory.cluster" + any("v1") + ".Namespace" + any("n1");
  const std::string kind = chance(70) ? ".Service" : chance(50) ? "[\"app.x\"]" : any("Service");
  return "data.inventory.namespace" + any(pick({"n1", "n.2"})) + any(pick({"v1", "apps/v1"})) + kind + any("o1");
}

// A loop over the inventory that ends in an equality.
void TemplateMaker::join(Scope& scope, std::vector<std::string>& out) {
  Scope inner = scope;
  const std::string walk = inventory_walk(inner);
  const std::string object = fresh(inner);
  std::string path(pick({".labels[\"app.x\"]", ".labels.app.x", ".labels[\"app.x\"]", ".labels.app.x",
                         ".labels[\"app.x\"]", ".labels.app.x", ".labels.a", ".labels[\"x/y\"]", ".labels.app[\"x/y\"]",
                         ".spec.list[_].name", ".spec.list[_].n", ".spec.n", ".metadata.name", ".metadata.namespace",
                         ".mine", ".labels[_]", ".spec.list[0].name"}));
  const auto wanted = [&](const Scope& of) {
    if (chance(40))
      return std::string(pick({"\"a\"", "input.review.object.labels.a", "input.review.object.labels[_]"}));
    return chance(60) ? input_reference(of) : term(of);
  };
  if (chance(15)) {
    out.push_back(walk + path + " == " + wanted(scope));
    for (const std::string& name : inner.variables) {
      if (std::find(scope.variables.begin(), scope.variables.end(), name) == scope.variables.end()) {
        bind(scope, name, true);
      }
    }
    return;
  }
  out.push_back(object + (chance(60) ? " := " : " = ") + walk);
  scope = inner;
  bind(scope, object, true);
  if (chance(35)) literal(scope, out);
  if (chance(25)) {
    const std::string value = fresh(scope);
    out.push_back(value + " := " + object + path);
    out.push_back(value + " == " + wanted(scope));
    bind(scope, value, true);
    return;
  }
  out.push_back(chance(70) ? object + path + " == " + wanted(scope) : wanted(scope) + " = " + object + path);
}

// A variable that is the input here and something like it there, and a member of it that both have.
void TemplateMaker::lookup(Scope& scope, std::vector<std::string>& out) {
  // Mostly the same name, so that rules of one document meet in it.
  const bool taken = std::find(scope.variables.begin(), scope.variables.end(), "same") != scope.variables.end();
  const std::string name = taken ? fresh(scope) : "same";
  out.push_back(name + " = " + (chance(45) ? "input" : chance(60) ? "input.review.object" : anything(scope)));
  bind(scope, name, true);
  const std::string value = fresh(scope);
  const std::string member = chance(70) ? "parameters" : "mine";
  out.push_back(value + " := object.get(" + name + ", \"" + member + "\", {})" +
                std::string(pick({"", "", ".a", ".mine", ".labels"})));
  bind(scope, value, true);
}

void TemplateMaker::literal(Scope& scope, std::vector<std::string>& out) {
  ++scope.depth;
  const std::string name = fresh(scope);
  switch (below(29)) {
    case 22:
    case 23:
    case 26:
    case 27:
    case 28: lookup(scope, out); break;
    case 24:
    case 25: join(scope, out); break;
    case 0:
    case 1:
    case 2: {
      const bool open = chance(50);
      out.push_back(name + " := " + (open ? anything(scope) : term(scope)) + (chance(12) ? with_clause(scope) : ""));
      bind(scope, name, open);
      break;
    }
    case 3:
    case 4: {
      const bool open = chance(60);
      const std::string value = chance(30) ? "input" : open ? anything(scope) : term(scope);
      out.push_back(chance(50) ? name + " = " + value : value + " = " + name);
      bind(scope, name, open || value == "input");
      break;
    }
    case 5:
    case 6:
      out.push_back(anything(scope) + std::string(pick({" != ", " != ", " == ", " < ", " >= "})) + term(scope));
      break;
    case 7:
      out.push_back("not " + (chance(50) ? call(scope) : rule_reference(scope)) +
                    (chance(20) ? with_clause(scope) : ""));
      break;
    case 8: out.push_back("not " + term(scope) + " == " + anything(scope)); break;
    case 9:
    case 10:
      out.push_back("some " + name + " in " + collection(scope));
      use(scope, name, out);
      bind(scope, name, chance(50));
      break;
    case 11: {
      const std::string of = anything(scope);
      Scope with_key = scope;
      bind(with_key, name, true);
      const std::string value = fresh(with_key);
      out.push_back("some " + name + ", " + value + " in " + of);
      use(scope, name, out);
      use(scope, value, out);
      bind(scope, name, true);
      bind(scope, value, true);
      break;
    }
    case 12:
      out.push_back(name + " := " + (chance(70) ? anything(scope) : collection(scope)) + "[_]");
      bind(scope, name, true);
      break;
    case 13:
      out.push_back(anything(scope) + "[" + name + "]");
      bind(scope, name, true);
      break;
    case 14: {
      if (scope.depth > 3) return out.push_back(anything(scope));
      Scope inner = scope;
      ++inner.level;
      const std::string element = fresh(inner);
      const std::string of = collection(scope);
      bind(inner, element, true);
      std::vector<std::string> first;
      use(inner, element, first);
      out.push_back("every " + element + " in " + of + " { " +
                    (chance(50) ? first[0] + "; " : "not " + element + " == 77; ") + inline_body(inner, 2) + " }");
      break;
    }
    case 15:
    case 16: join(scope, out); break;
    case 17: out.push_back(call(scope) + (chance(25) ? with_clause(scope) : "")); break;
    case 18: out.push_back(term(scope) + " in " + collection(scope)); break;
    case 19:
      out.push_back("[" + name + ", _] = " + (chance(50) ? "[" + term(scope) + ", 1]" : anything(scope)));
      bind(scope, name, false);
      break;
    case 20:
      out.push_back("{\"" + key() + "\": " + name + "} = " + anything(scope));
      bind(scope, name, true);
      break;
    default: out.push_back(rule_reference(scope) + (chance(25) ? with_clause(scope) : "")); break;
  }
  --scope.depth;
}

std::string TemplateMaker::inline_body(Scope& scope, int most) {
  std::vector<std::string> body;
  for (int i = 0, size = 1 + below(most); i < size; ++i) {
    if (scope.depth > 4) {
      body.push_back(scope.variables.empty() ? "true" : variable(scope) + " == " + scalar());
    } else {
      literal(scope, body);
    }
  }
  std::string out;
  for (const std::string& line : body) out += (out.empty() ? "" : "; ") + line;
  return out;
}

// --- Rules --------------------------------------------------------------------------------------------------------

void TemplateMaker::rule(const std::string& head, Scope scope, bool value) {
  std::vector<std::string> body;
  Scope inner = scope;
  for (int i = 0, size = 1 + below(3); i < size; ++i) literal(inner, body);
  // The head speaks of what the body binds: it is written last.
  lines_.push_back(head + (value ? " := " + (chance(30) ? std::string("true") : term(inner)) : "") + " if {");
  for (std::string& line : body) lines_.push_back("  " + std::move(line));
  std::string end = "}";
  while (value && chance(30)) {
    Scope other = scope;
    std::string otherwise = inline_body(other, 3);
    end += " else := " + term(other) + " if { " + otherwise + " }";
  }
  lines_.push_back(end);
}

void TemplateMaker::function(int number) {
  const Function made{"f" + std::to_string(number), 1 + below(3)};
  const int clauses = 1 + below(4);
  for (int i = 0; i < clauses; ++i) {
    Scope scope;
    std::string head = made.name + "(";
    for (int argument = 0; argument < made.arguments; ++argument) {
      const std::string name = chance(10) ? scalar() : fresh(scope);
      if (name[0] >= 'a' && name != "true" && name != "false" && name != "null") bind(scope, name, true);
      head += (argument == 0 ? "" : ", ") + name;
    }
    rule(head + ")", scope, chance(70));
  }
  functions_.push_back(made);
}

void TemplateMaker::wide_function(int number) {
  const Function made{"f" + std::to_string(number), 60 + below(12)};
  std::string names;
  for (int i = 0; i < made.arguments; ++i) names += (i == 0 ? "a" : ", a") + std::to_string(i);
  lines_.push_back(made.name + "(" + names + ") := [a0, a" + std::to_string(below(made.arguments)) + ", a" +
                   std::to_string(made.arguments - 1) + "]");
  functions_.push_back(made);
}

void TemplateMaker::document(int number) {
  const std::string name = "r" + std::to_string(number);
  switch (below(3)) {
    case 0: {
      if (chance(30)) lines_.push_back("default " + name + " := " + scalar());
      for (int i = 0, rules = 1 + below(2); i < rules; ++i) rule(name, {}, true);
      complete_.push_back(name);
      break;
    }
    case 1: {
      for (int i = 0, rules = 1 + below(3); i < rules; ++i) {
        std::vector<std::string> body;
        Scope scope;
        for (int j = 0, size = 1 + below(3); j < size; ++j) literal(scope, body);
        lines_.push_back(name + " contains " + term(scope) + " if {");
        for (std::string& line : body) lines_.push_back("  " + std::move(line));
        lines_.push_back("}");
      }
      sets_.push_back(name);
      break;
    }
    default: {
      for (int i = 0, rules = 1 + below(2); i < rules; ++i) {
        std::vector<std::string> body;
        Scope scope;
        for (int j = 0, size = 1 + below(3); j < size; ++j) literal(scope, body);
        lines_.push_back(name + "[" + (chance(40) ? "\"" + key() + "\"" : variable(scope)) + "] := " + term(scope) +
                         " if {");
        for (std::string& line : body) lines_.push_back("  " + std::move(line));
        lines_.push_back("}");
      }
      objects_.push_back(name);
      break;
    }
  }
}

void TemplateMaker::violation() {
  std::vector<std::string> body;
  Scope scope;
  for (int i = 0, size = 1 + below(3); i < size; ++i) literal(scope, body);
  std::string shown;
  for (int i = 0, size = 1 + below(3); i < size; ++i) shown += (i == 0 ? "" : ", ") + term(scope);
  std::string head = R"(violation contains {"msg": sprintf("%v", [[)" + shown + "]])";
  if (chance(40)) head += R"(, "details": {"d": )" + term(scope) + "}";
  lines_.push_back(head + "} if {");
  for (std::string& line : body) lines_.push_back("  " + std::move(line));
  lines_.push_back("}");
}

// Joins over one collection by paths that read alike.
void TemplateMaker::twins() {
  const std::string wanted(
      pick({"input.review.object.labels.a", "input.review.object.labels[_]", "input.parameters.a", "\"a\""}));
  std::vector<std::string> paths = {".labels.app.x", ".labels[\"app.x\"]", ".labels.app[\"x\"]", ".labels[_]"};
  for (int i = 0; i < 2; ++i) {
    const std::string path = paths[static_cast<std::size_t>(below(static_cast<int>(paths.size())))];
    Scope scope;
    lines_.push_back("violation contains {\"msg\": sprintf(\"twin" + std::to_string(i) + " %v\", [o.metadata])} if {");
    lines_.push_back("  o := data.inventory.namespace[_][_].Service[_]");
    if (chance(30)) lines_.push_back("  o.metadata.name != " + anything(scope));
    lines_.push_back("  o" + path + " == " + wanted);
    lines_.push_back("}");
  }
}

RandomTemplate TemplateMaker::make() {
  RandomTemplate out;
  lines_ = {"package t"};
  functions_.clear();
  complete_.clear();
  sets_.clear();
  objects_.clear();
  const int helpers = below(6);
  for (int i = 0; i < helpers; ++i) {
    if (chance(50)) {
      chance(12) ? wide_function(i) : function(i);
    } else {
      document(i);
    }
  }
  for (int i = 0, rules = 1 + below(3); i < rules; ++i) violation();
  if (chance(30)) twins();
  // Whatever the rules above make of it, every helper's value is looked at.
  std::string shown;
  for (const std::vector<std::string>* names : {&complete_, &sets_, &objects_}) {
    for (const std::string& name : *names) shown += (shown.empty() ? "" : ", ") + ("[p | p = " + name + "]");
  }
  for (std::size_t i = 0; i < functions_.size(); ++i)
    shown += (shown.empty() ? "" : ", ") + ("[p | p = " + call({}) + "]");
  lines_.push_back("violation contains {\"msg\": sprintf(\"all %v\", [[" + shown + "]])}");
  // Templates that never say it get no program of their own.
  lines_.push_back("# parameters");
  out.rego = lines_;
  for (int i = 0; i < 3; ++i) {
    std::string parameters = R"({"a": )" + json(2) + R"(, "b": )" + scalar() + R"(, "list": [)" + scalar() + ", " +
                             scalar() + R"(], "labels": )" + json(2);
    if (chance(80)) parameters += R"(, "mine": )" + members();
    if (chance(50)) parameters += R"(, "app.x": )" + json(1);
    if (chance(30)) parameters += R"(, "object": )" + json(2);
    out.parameters.push_back(i == 2 && chance(20) ? "{}" : parameters + "}");
  }
  for (int i = 0; i < 2; ++i) {
    out.reviews.push_back(R"({"namespace": )" + std::string(pick({"\"n1\"", "\"n.2\"", "\"a\""})) +
                          R"(, "name": "o1", "object": )" + object_json() +
                          (chance(30) ? R"(, "parameters": )" + json(2) : "") + "}");
  }
  out.data = inventory_json();
  return out;
}

}  // namespace portcullis::policy::driver_test
