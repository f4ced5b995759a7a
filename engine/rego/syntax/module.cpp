// Statements to a module: bodies that are rules in disguise (`p = 1`, `f(x)`, `p.q`), and the rules of v1.
#include <utility>

#include "engine/rego/syntax/parser_impl.h"

namespace portcullis::rego {
namespace {

constexpr const char* kParseError = "rego_parse_error";

bool named_by_var(const Term& ref) { return !ref.items.empty() && ref.items[0].kind == TermKind::kVar; }

using MaybeRule = Result<Rule, std::string>;

Rule rule_with(Head head, const Location& where, const Location& body_location) {
  Rule rule;
  head.location = where;
  rule.location = where;
  head.contains = head.key && !head.value;
  rule.head = std::move(head);
  rule.body = implicit_true_body(body_location);
  rule.generated_body = true;
  return rule;
}

std::string invalid_head(const Term& ref) { return "invalid rule head: " + to_string(ref); }

// f(x) = y
MaybeRule rule_from_call(Term call, Term value) {
  Term& op = call.items[0];
  if (op.kind != TermKind::kRef) return std::string(value_name(op)) + "s cannot be used in function signature";
  if (!named_by_var(op)) return invalid_head(op);
  Head head;
  head.reference = std::move(op);
  head.arguments.assign(std::make_move_iterator(call.items.begin() + 1), std::make_move_iterator(call.items.end()));
  const Location body = value.location;
  head.value = std::move(value);
  return rule_with(std::move(head), call.location, body);
}

// p = x, p.q = x, p[x] = y
MaybeRule rule_from_equality(Term left, Term right) {
  if (left.kind == TermKind::kCall) {
    // What is no function may still fail below with a message of its own.
    if (left.items[0].kind == TermKind::kRef && named_by_var(left.items[0])) {
      return rule_from_call(std::move(left), std::move(right));
    }
  }
  Head head;
  const Location body = right.location;
  Location where = left.location;
  if (left.kind == TermKind::kRef) {
    if (!named_by_var(left)) return invalid_head(left);
    if (left.items.size() == 2) head.key = left.items[1];
    where = right.location;
    head.reference = std::move(left);
  } else if (left.kind == TermKind::kVar) {
    head.reference = Term::ref({std::move(left)}, where);
  } else {
    return std::string(value_name(left)) + " cannot be used for rule name";
  }
  head.value = std::move(right);
  return rule_with(std::move(head), where, body);
}

MaybeRule rule_from_term(Term term) {
  if (term.kind != TermKind::kRef) return std::string(value_name(term)) + " cannot be used for rule name";
  if (term.items.size() == 1) return std::string("refs cannot be used for rule head");
  if (!named_by_var(term)) return invalid_head(term);
  const Location where = term.location;
  Head head;
  if (term.items.size() == 2) {
    head.key = std::move(term.items[1]);
    term.items.pop_back();
  } else {
    head.value = Term::boolean_of(true, where);
    head.generated_value = true;
  }
  head.reference = std::move(term);
  return rule_with(std::move(head), where, where);
}

MaybeRule rule_from_body(Body body) {
  if (body.exprs.size() != 1) return std::string("multiple expressions cannot be used for rule head");
  Expr& expr = body.exprs[0];
  if (!expr.with.empty()) return std::string("expressions using with keyword cannot be used for rule head");
  if (expr.negated) return std::string("negated expressions cannot be used for rule head");
  if (expr.kind == ExprKind::kSome) return std::string("'some' declarations cannot be used for rule head");
  if (expr.kind == ExprKind::kTerm) return rule_from_term(std::move(expr.terms[0]));
  if (expr.kind != ExprKind::kCall) return std::string("expression cannot be used for rule head");
  const std::string name = expr.operator_name();
  const bool assigns = name == "assign";
  if (assigns || name == "eq") {
    if (expr.terms.size() < 3) return std::string("assignment requires two operands");
    MaybeRule rule = rule_from_equality(std::move(expr.terms[1]), std::move(expr.terms[2]));
    if (!rule.ok()) return rule;
    rule->location = expr.location;
    rule->head.location = expr.location;
    rule->head.assigned = assigns;
    return rule;
  }
  if (is_builtin_name(name)) return std::string("rule name conflicts with built-in function");
  if (expr.terms.size() <= 1) return std::string("rule argument list must take at least one argument");
  if (!named_by_var(expr.terms[0])) return invalid_head(expr.terms[0]);
  const Location where = expr.terms[0].location;
  Head head;
  head.reference = std::move(expr.terms[0]);
  head.arguments.assign(std::make_move_iterator(expr.terms.begin() + 1), std::make_move_iterator(expr.terms.end()));
  head.value = Term::boolean_of(true, where);
  return rule_with(std::move(head), where, where);
}

// The keyword that a statement was reduced to: a rule of that name, or a body of nothing but it.
std::string_view head_keyword(const Statement& statement) {
  const Term* name = nullptr;
  if (statement.kind == StatementKind::kRule && statement.rule.head.reference.items.size() == 1) {
    name = &statement.rule.head.reference.items[0];
  } else if (statement.kind == StatementKind::kBody && statement.body.exprs.size() == 1 &&
             statement.body.exprs[0].kind == ExprKind::kTerm && !statement.body.exprs[0].terms.empty()) {
    name = &statement.body.exprs[0].terms[0];
  }
  if (name == nullptr) return {};
  if (name->is_var("if")) return "if";
  return name->is_var("contains") ? "contains" : "";
}

// In v0, without imports, `p if { … }` reads as the body `p` and a rule named `if`.
std::string keyword_hint(const std::vector<Statement>& statements, std::size_t at, std::string_view own_keyword) {
  std::string_view keyword = own_keyword;
  if (keyword.empty() && at + 1 < statements.size() && statements[at + 1].location.row == statements[at].location.row) {
    keyword = head_keyword(statements[at + 1]);
  }
  if (keyword.empty()) return {};
  const std::string example = keyword == "if" ? "p if { ... }" : "p contains x";
  return " (hint: `import future.keywords." + std::string(keyword) + "` for `" + example + "` rules)";
}

void check_v1(const Rule& rule, Diagnostics& errors) {
  const Head& head = rule.head;
  const std::string what = head.arguments.empty() ? "rule" : "function";
  if (head.reference.items.size() < 2 && is_keyword_in(head.reference.items[0].text, RegoVersion::kV1)) {
    errors.add(kParseError, rule.location, head.reference.items[0].text + " keyword cannot be used for rule name");
  }
  if (rule.generated_body && head.generated_value) {
    errors.add(kParseError, rule.location, what + " must have value assignment and/or body declaration");
  }
  if (!rule.generated_body && !head.uses_if && !rule.is_default) {
    errors.add(kParseError, rule.location, "`if` keyword is required before " + what + " body");
  }
  if (!head.value && !head.uses_contains) {
    errors.add(kParseError, rule.location, "`contains` keyword is required for partial set rules");
  }
}

void raise_version(Module& module, const Term& path) {
  if (path.items.size() != 2 || !path.items[0].is_var("rego")) return;
  const std::string& name = path.items[1].text;
  if (name == "v2") {
    module.version = RegoVersion::kV2;
  } else if (name == "v1" && module.version == RegoVersion::kV0) {
    module.version = RegoVersion::kV0CompatV1;
  }
}

}  // namespace

Parsed<Module> build_module(std::string_view file, std::vector<Statement> statements, RegoVersion version) {
  Diagnostics errors;
  if (statements.empty()) {
    Location where;
    where.file = file;
    errors.add(kParseError, where, "empty module");
    return errors;
  }
  Module module;
  module.version = version;
  if (statements[0].kind == StatementKind::kPackage) {
    module.package = std::move(statements[0].package);
    module.package_location = statements[0].location;
  } else {
    errors.add(kParseError, statements[0].location, "package expected");
  }
  for (std::size_t i = 1; i < statements.size(); ++i) {
    Statement& statement = statements[i];
    switch (statement.kind) {
      case StatementKind::kImport:
        raise_version(module, statement.import.path);
        module.imports.push_back(std::move(statement.import));
        break;
      case StatementKind::kRule: module.rules.push_back(std::move(statement.rule)); break;
      case StatementKind::kPackage: errors.add(kParseError, statement.location, "unexpected package"); break;
      case StatementKind::kBody: {
        const std::string keyword{head_keyword(statement)};
        MaybeRule rule = rule_from_body(std::move(statement.body));
        if (rule.ok()) {
          module.rules.push_back(std::move(*rule));
          break;
        }
        std::string message = std::move(rule).error();
        if (module.version == RegoVersion::kV0) message += keyword_hint(statements, i, keyword);
        errors.add(kParseError, statement.location, std::move(message));
      }
    }
  }
  if (module.version != RegoVersion::kV0) {
    for (const Rule& rule : module.rules) {
      for (const Rule* at = &rule; at != nullptr; at = at->otherwise.get()) check_v1(*at, errors);
    }
  }
  if (!errors.empty()) return errors;
  return module;
}

}  // namespace portcullis::rego
