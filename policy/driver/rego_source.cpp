#include "policy/driver/rego_source.h"

#include <array>
#include <string_view>
#include <utility>

#include "base/text.h"
#include "engine/rego/syntax/parser.h"
#include "policy/model/go_error.h"

namespace portcullis::policy {
namespace {

using rego::Body;
using rego::Expr;
using rego::Module;
using rego::Rule;
using rego::Term;
using rego::TermKind;

constexpr std::string_view kEntryFile = "template";
constexpr std::string_view kLibsRoot = "libs";

Error invalid(std::string message) { return make_error(Code::kInvalid, std::move(message)); }
Error invalid_template(std::string message) { return invalid("invalid ConstraintTemplate: " + std::move(message)); }

// --- References ---------------------------------------------------------------------------------------------------

bool is_root(const Term& term, std::string_view root) {
  if (term.kind == TermKind::kVar) return term.text == root;
  return term.kind == TermKind::kRef && !term.items.empty() && term.items.front().is_var(root);
}

std::size_t ref_size(const Term& term) { return term.kind == TermKind::kRef ? term.items.size() : 1; }

bool has_string_at(const Term& ref, std::size_t at, std::string_view text) {
  return ref.kind == TermKind::kRef && ref.items.size() > at && ref.items[at].kind == TermKind::kString &&
         ref.items[at].text == text;
}

bool below_data(const Term& ref, std::string_view first) {
  return is_root(ref, "data") && has_string_at(ref, 1, first);
}

// Calls visit(term) for the outermost terms of a rule, as OPA's walkers do; a visitor that returns true is not shown
// what lies below. `refs_only` mimics WalkRefs (every outermost reference), otherwise WalkTerms (every outermost term).
template <typename Visit>
class Walker {
 public:
  Walker(bool refs_only, Visit visit) : refs_only_(refs_only), visit_(std::move(visit)) {}

  template <typename R>
  void rule(R& r) {
    for (auto& argument : r.head.arguments) term(argument);
    if (r.head.key) term(*r.head.key);
    if (r.head.value) term(*r.head.value);
    body(r.body);
    if (r.otherwise) rule(*r.otherwise);
  }

 private:
  template <typename B>
  void body(B& b) {
    for (auto& e : b.exprs) expr(e);
  }

  template <typename E>
  void expr(E& e) {
    for (auto& t : e.terms) term(t);
    if (e.kind == rego::ExprKind::kEvery) {
      if (e.every_key) term(*e.every_key);
      term(e.every_value);
      term(e.every_domain);
    }
    if (e.every_body) body(*e.every_body);
    if (e.left) body(*e.left);
    if (e.right) body(*e.right);
    for (auto& with : e.with) {
      term(with.target);
      term(with.value);
    }
  }

  template <typename T>
  void term(T& t) {
    const bool is_ref = t.kind == TermKind::kRef || is_root(t, "data") || is_root(t, "input");
    if ((!refs_only_ || is_ref) && visit_(t)) return;
    for (auto& item : t.items) term(item);
    if (t.body) body(*t.body);
  }

  bool refs_only_;
  Visit visit_;
};

template <typename Visit>
void walk_refs(const Module& module, Visit visit) {
  Walker<Visit> walker(true, std::move(visit));
  for (const Rule& rule : module.rules) walker.rule(rule);
}

// --- Checks -------------------------------------------------------------------------------------------------------

Result<void> check_required_rule(const Module& module) {
  for (const Rule& rule : module.rules) {
    const Term& reference = rule.head.reference;
    const bool named = reference.items.size() == 1 || (reference.items.size() == 2 && rule.head.key.has_value());
    if (named && reference.items.front().is_var("violation")) return ok();
  }
  return invalid_template("invalid rego: invalid module: missing required rules: [violation]");
}

Result<void> check_lib_packages(const std::vector<Module>& modules) {
  for (std::size_t i = 1; i < modules.size(); ++i) {
    const Term& package = modules[i].package;
    if (!below_data(package, "lib") || ref_size(package) < 3) {
      return invalid_template("invalid lib prefix: path " + rego::to_string(package) + " not found in lib prefixes");
    }
  }
  return ok();
}

Result<void> check_imports(const Module& module) {
  for (const rego::Import& import : module.imports) {
    const std::string path = text::go_quote(rego::to_string(import.path));
    if (is_root(import.path, "input")) return invalid_template("invalid import: cannot import input: " + path);
    if (below_data(import.path, "lib") || is_root(import.path, "future")) continue;
    return invalid_template("invalid import: bad import: " + path);
  }
  return ok();
}

Result<void> check_data_references(const Module& module, bool referential) {
  std::vector<std::string> refused;
  walk_refs(module, [&](const Term& ref) {
    if (is_root(ref, "data") && !below_data(ref, "lib") && !(referential && below_data(ref, "inventory"))) {
      refused.push_back(rego::to_string(ref));
    }
    return true;
  });
  if (refused.empty()) return ok();
  std::string message = "invalid data references: check refs failed on module {" + *module.file + "}: errors (" +
                        std::to_string(refused.size()) + "):\n";
  for (const std::string& ref : refused) message += "disallowed ref " + ref + "\n";
  return invalid_template(std::move(message));
}

// --- Rewriting ----------------------------------------------------------------------------------------------------

// data.lib.x -> data.libs.lib.x; data.inventory stays.
void rewrite_ref(Term& ref, bool referential) {
  if (ref.kind != TermKind::kRef || !is_root(ref, "data")) return;
  if (referential && below_data(ref, "inventory")) return;
  ref.items.insert(ref.items.begin() + 1, Term::string(std::string(kLibsRoot), ref.location));
}

void rewrite_module(Module& module, bool referential) {
  for (rego::Import& import : module.imports) {
    // The alias of an import without one is its last element, which rewriting does not change.
    rewrite_ref(import.path, referential);
  }
  // Only outermost terms are rewritten, as in Gatekeeper: a call nested in another term keeps its name and is then an
  // undefined function. Templates in the field are written around that.
  auto visit = [referential](Term& term) {
    rewrite_ref(term, referential);
    return true;
  };
  Walker<decltype(visit)> walker(false, visit);
  for (Rule& rule : module.rules) walker.rule(rule);
}

Result<Module> parse(std::string_view file, const std::string& source, rego::RegoVersion version) {
  rego::ParseOptions options;
  options.version = version;
  rego::Parsed<Module> module = rego::parse_module(file, source, options);
  if (!module.ok()) return invalid_template(module.error().to_string());
  return std::move(*module);
}

// Sources of templates come through plain JSON decoding: numbers are float64.
std::string_view source_type(const Value& value) noexcept { return value.is_number() ? "float64" : go_type(value); }

Result<Value> field(const Value& source, std::string_view name, std::string_view what, bool strings) {
  const Value value = source.get(name);
  if (!value.defined()) return value;
  const std::string path = "." + std::string(name);
  const auto error = [&](const Value& bad, std::string_view expected) {
    return invalid(path + " accessor error: " + go_value(bad) + " is of the type " + std::string(source_type(bad)) +
                   ", expected " + std::string(expected) + ": while extracting Rego " + std::string(what));
  };
  if (!strings) {
    if (!value.is_string()) return error(value, "string");
    return value;
  }
  if (!value.is_array()) return error(value, "[]interface{}");
  for (const Value& element : value.elements()) {
    if (!element.is_string()) {
      return invalid(path + " accessor error: contains non-string value in the slice: " + go_value(element) +
                     " is of the type " + std::string(source_type(element)) +
                     ", expected string: while extracting Rego " + std::string(what));
    }
  }
  return value;
}

}  // namespace

Result<RegoSource> read_rego_source(const Value& source) {
  if (!source.is_object()) return invalid("could not recognize the type");
  RegoSource out;
  PC_TRY(const Value rego, field(source, "rego", "source", false));
  if (!rego.defined()) return invalid("rego source missing required field: rego");
  out.rego = std::string(rego.as_string());
  PC_TRY(const Value version, field(source, "version", "version", false));
  if (version.is_string() && version.as_string() == "v1") out.version = rego::RegoVersion::kV1;
  PC_TRY(const Value libs, field(source, "libs", "libs", true));
  for (const Value& lib : libs.elements()) out.libs.emplace_back(lib.as_string());
  return out;
}

Result<std::vector<Module>> prepare_modules(const RegoSource& source, bool referential) {
  std::vector<Module> modules;
  PC_TRY(Module entry, parse(kEntryFile, source.rego, source.version));
  std::vector<Term> path;
  path.push_back(Term::var("data", entry.package.location));
  path.push_back(Term::string(std::string(kEntryFile), entry.package.location));
  entry.package = Term::ref(std::move(path), entry.package_location);
  PC_TRY_VOID(check_required_rule(entry));
  modules.push_back(std::move(entry));
  for (std::size_t i = 0; i < source.libs.size(); ++i) {
    const std::string file = std::string(kLibsRoot) + "[\"lib_" + std::to_string(i) + "\"]";
    PC_TRY(Module lib, parse(file, source.libs[i], source.version));
    modules.push_back(std::move(lib));
  }
  PC_TRY_VOID(check_lib_packages(modules));
  // Libraries come before the entry module in every check.
  const auto in_order = [&](auto&& check) -> Result<void> {
    for (std::size_t i = 1; i < modules.size(); ++i) PC_TRY_VOID(check(modules[i]));
    return check(modules.front());
  };
  PC_TRY_VOID(in_order([](const Module& module) { return check_imports(module); }));
  PC_TRY_VOID(in_order([&](const Module& module) { return check_data_references(module, referential); }));
  for (std::size_t i = 0; i < modules.size(); ++i) {
    if (i > 0) rewrite_ref(modules[i].package, referential);
    rewrite_module(modules[i], referential);
  }
  return modules;
}

bool reads_inventory(const std::vector<Module>& modules) {
  bool found = false;
  for (const Module& module : modules) {
    walk_refs(module, [&](const Term& ref) {
      found = found || below_data(ref, "inventory");
      return false;
    });
  }
  return found;
}

}  // namespace portcullis::policy
