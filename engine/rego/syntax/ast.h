// Rego's syntax tree. One uniform Term node keeps every walk over the tree short: whatever its kind, the sub-terms are
// in `items` and the body of a comprehension in `body`.
// Ownership: plain values, deep copies on copy. Strings borrow nothing but Location::text and Location::file, which
// point into the Module's `source`/`file` (shared, so that trees can be moved and copied freely).
// Threads: build and change on one thread; read-only afterwards.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/rego/syntax/diagnostic.h"

namespace portcullis::rego {

struct Body;
struct Expr;

enum class TermKind : std::uint8_t {
  kNull,
  kBoolean,   // boolean
  kNumber,    // text: the literal as spelled
  kString,    // text: the decoded value
  kVar,       // text: the name; wildcards are renamed $0, $1, … per module
  kRef,       // items: head term (var, or any term as in [1,2][i], f(x).y), then one term per step; .foo is a kString
  kArray,     // items
  kSet,       // items (literal order, duplicates not yet removed)
  kObject,    // items: key, value, key, value, …
  kArrayComprehension,   // items: {term}; body
  kSetComprehension,     // items: {term}; body
  kObjectComprehension,  // items: {key, value}; body
  kCall,      // items: operator (kRef of vars/strings, e.g. io.jwt.decode; infix operators by builtin name: plus,
              // minus, mul, div, rem, and, or, eq, assign, equal, neq, lt, lte, gt, gte, internal.member_2/_3), arguments
  kTemplateString,  // $"…{x}…": items: kString parts and interpolated terms, in order; `boolean`: multi-line (raw) form
};

struct Term {
  TermKind kind = TermKind::kNull;
  bool boolean = false;
  bool generated = false;     // made by the compiler, not written by the author
  bool parenthesised = false;  // stood in parentheses in the source (the formatter keeps them)
  Location location;
  std::string text;
  std::vector<Term> items;
  std::unique_ptr<Body> body;

  Term() = default;
  Term(TermKind k, Location where) : kind(k), location(where) {}
  Term(Term&&) noexcept = default;
  Term& operator=(Term&&) noexcept = default;
  Term(const Term& other);
  Term& operator=(const Term& other);
  ~Term();

  bool is_var(std::string_view name) const { return kind == TermKind::kVar && text == name; }
  bool is_comprehension() const {
    return kind == TermKind::kArrayComprehension || kind == TermKind::kSetComprehension ||
           kind == TermKind::kObjectComprehension;
  }

  static Term null(Location where);
  static Term boolean_of(bool value, Location where);
  static Term number(std::string literal, Location where);
  static Term string(std::string value, Location where);
  static Term var(std::string name, Location where);
  static Term ref(std::vector<Term> items, Location where);
  static Term call(std::vector<Term> items, Location where);
};

struct With {
  Location location;
  Term target;
  Term value;
};

enum class ExprKind : std::uint8_t {
  kTerm,   // terms: {term}
  kCall,   // terms: operator, arguments… (x := 1 is assign(x, 1); x = 1 is eq(x, 1); the last may be an output)
  kSome,   // terms: declared vars, or one kCall of internal.member_2/_3 for `some … in`
  kEvery,  // every_key? every_value, every_domain, every_body
};

struct Expr {
  ExprKind kind = ExprKind::kTerm;
  bool negated = false;
  bool generated = false;
  std::uint32_t index = 0;  // position in its body
  Location location;
  std::vector<Term> terms;
  std::vector<With> with;
  // kEvery only.
  std::optional<Term> every_key;
  Term every_value;
  Term every_domain;
  std::unique_ptr<Body> every_body;

  Expr() = default;
  Expr(Expr&&) noexcept = default;
  Expr& operator=(Expr&&) noexcept = default;
  Expr(const Expr& other);
  Expr& operator=(const Expr& other);
  ~Expr();

  // The operator's dotted name when this is a call ("plus", "io.jwt.decode", "data.foo.f"), else empty.
  std::string operator_name() const;
};

struct Body {
  std::vector<Expr> exprs;
};

struct Head {
  Location location;
  // The rule's name as a reference without `data.<package>`: p; p.q.r; p[x].y. Items: var, then strings or terms.
  Term reference;
  std::vector<Term> arguments;  // functions
  std::optional<Term> key;      // partial sets (`p contains key`), partial objects in v0 form (p[key] = value)
  std::optional<Term> value;    // complete rules, functions, partial objects; absent: true
  bool assigned = false;        // := rather than =
  bool contains = false;        // partial set by `contains` (or v0 p[x])
  bool generated_value = false;  // the value `true` was not written
};

struct Rule {
  Location location;
  bool is_default = false;
  Head head;
  Body body;              // of a bodiless rule: the one generated expression `true`
  bool generated_body = false;
  std::unique_ptr<Rule> otherwise;  // `else`
  int annotations = -1;   // index into Module::annotations, or -1

  Rule() = default;
  Rule(Rule&&) noexcept = default;
  Rule& operator=(Rule&&) noexcept = default;
  Rule(const Rule& other);
  Rule& operator=(const Rule& other);
  ~Rule();
};

struct Import {
  Location location;
  Term path;          // kRef: data.x.y, input.x, future.keywords.in, rego.v1
  std::string alias;  // empty: last element
};

struct Comment {
  Location location;
  std::string text;  // without the '#'
};

// `# METADATA` blocks.
struct Annotations {
  Location location;
  std::string scope;  // rule, document, package, subpackages
  Term yaml;          // the block as an object term (checked: known fields have the right types)
};

enum class RegoVersion : std::uint8_t { kV0, kV1, kV0CompatV1 };

struct Module {
  std::shared_ptr<const std::string> file;    // name, as errors print it
  std::shared_ptr<const std::string> source;  // whole text; Locations point into it
  RegoVersion version = RegoVersion::kV1;     // after `import rego.v1`: kV0CompatV1
  Location package_location;
  Term package;  // kRef beginning with the var `data`
  std::vector<Import> imports;
  std::vector<Rule> rules;
  std::vector<Comment> comments;
  std::vector<Annotations> annotations;
};

// Calls `visit(term)` for each direct sub-term and `visit_body(body)` for the body of a comprehension.
template <typename VisitTerm, typename VisitBody>
void for_each_child(Term& term, VisitTerm&& visit, VisitBody&& visit_body) {
  for (Term& item : term.items) visit(item);
  if (term.body) visit_body(*term.body);
}
template <typename VisitTerm, typename VisitBody>
void for_each_child(const Term& term, VisitTerm&& visit, VisitBody&& visit_body) {
  for (const Term& item : term.items) visit(item);
  if (term.body) visit_body(*static_cast<const Body*>(term.body.get()));
}

// Source-like text, as OPA's AST String() prints it (error messages contain it): `data.foo[x]`, `{"a": 1}`, `not p`.
std::string to_string(const Term& term);
std::string to_string(const Expr& expr);
std::string to_string(const Body& body);
std::string to_string(const Head& head);
std::string to_string(const Rule& rule);

// Structural equality, locations aside.
bool equal(const Term& a, const Term& b);

}  // namespace portcullis::rego
