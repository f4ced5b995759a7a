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
#include <string_view>
#include <vector>

#include "engine/rego/syntax/diagnostic.h"

namespace portcullis::rego {

struct Body;
struct Expr;

enum class TermKind : std::uint8_t {
  kNull,
  kBoolean,  // boolean
  kNumber,   // text: the literal as spelled
  kString,   // text: the decoded value
  kVar,      // text: the name; wildcards are renamed $0, $1, … per module
  kRef,      // items: head term (var, or any term as in [1,2][i], f(x).y), then one term per step; .foo is a kString
  kArray,    // items
  kSet,      // items: sorted in OPA's order (compare()), without duplicates
  kObject,   // items: key, value, key, value, … sorted by key, keys distinct (the last given wins)
  kArrayComprehension,   // items: {term}; body
  kSetComprehension,     // items: {term}; body
  kObjectComprehension,  // items: {key, value}; body
  kCall,  // items: operator (kRef of vars/strings, e.g. io.jwt.decode; infix operators by builtin name: plus,
          // minus, mul, div, rem, and, or, eq, assign, equal, neq, lt, lte, gt, gte, internal.member_2/_3), arguments
  kTemplateString,  // $"…{x}…": items in order: kString parts, interpolated scalars, and kTemplateExpr for every other
                    // interpolation; `boolean`: multi-line (raw) form
  kTemplateExpr,    // only in a kTemplateString; body: the one expression that stood in the braces
};

struct Term {
  TermKind kind = TermKind::kNull;
  bool boolean = false;
  bool generated = false;      // made by the compiler, not written by the author
  bool parenthesised = false;  // stood in parentheses in the source (the formatter keeps them)
  std::uint32_t variable =
      0;  // kVar, set by check(): the name's index in CheckedModules::variables; same name, same index
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
  // Only with `import future.keywords` (all of them), future.keywords.{not,and,or} or rego.v2:
  kNot,  // left: the negated body (also of a plain `not x`, which then is no `negated` expression)
  kAnd,  // left, right
  kOr,   // left, right
};

struct Expr {
  ExprKind kind = ExprKind::kTerm;
  bool negated = false;
  bool generated = false;
  bool from_assignment = false;  // set by check(): was := before it became eq
  std::uint32_t index = 0;       // position in its body
  Location location;
  std::vector<Term> terms;
  std::vector<With> with;
  // kEvery only.
  std::optional<Term> every_key;
  Term every_value;
  Term every_domain;
  std::unique_ptr<Body> every_body;
  // kNot, kAnd, kOr only.
  std::unique_ptr<Body> left;
  std::unique_ptr<Body> right;
  bool left_braces = false;  // the operand stood in braces: `not { … }`, `{ … } and x`
  bool right_braces = false;

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
  std::vector<Term> arguments;   // functions
  std::optional<Term> key;       // partial sets (`p contains key`, v0 p[key]: the key is not in `reference`); also the
                                 // last step of a two-step reference with a value (p[key] = value), as OPA's Head.Key
  std::optional<Term> value;     // absent only in partial sets; `true` is filled in where nothing was written
  bool assigned = false;         // := rather than =
  bool contains = false;         // partial set, by `contains` or v0 p[x] (OPA's MultiValue: a key and no value)
  bool generated_value = false;  // the value `true` was not written
  bool uses_if = false;          // the keywords as written, for the v1 checks and the formatter
  bool uses_contains = false;
};

struct Rule {
  Location location;
  bool is_default = false;
  Head head;
  Body body;  // of a bodiless rule: the one generated expression `true`
  bool generated_body = false;
  std::unique_ptr<Rule> otherwise;  // `else`
  int annotations = -1;             // index of the first of its Module::annotations, or -1

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
  Location alias_location;
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
  bool entrypoint = false;
  int rule = -1;  // index into Module::rules of what it stands before; -1: the package
};

// kV0CompatV1: v0 syntax and `import rego.v1`. kV2 only as what `import rego.v2` raises a module to.
enum class RegoVersion : std::uint8_t { kV0, kV1, kV0CompatV1, kV2 };

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
std::string to_string(const Rule& rule, RegoVersion version = RegoVersion::kV1);
std::string to_string(const Import& import);
std::string to_string(const Module& module);

// OPA's total order over AST values (Compare), locations aside: null < boolean < number < string < template string <
// var < ref < array < object < set < comprehensions < call; then bodies and expressions.
int compare(const Term& a, const Term& b);
int compare(const Expr& a, const Expr& b);
int compare(const Body& a, const Body& b);
int compare(const Head& a, const Head& b);
inline bool equal(const Term& a, const Term& b) { return compare(a, b) == 0; }
// Puts items of a kSet or kObject whose members changed back in order, duplicates dropped.
void normalise(Term& set_or_object);
// The same, but an object keeps entries with equal keys.
void sort_members(Term& set_or_object);

}  // namespace portcullis::rego
