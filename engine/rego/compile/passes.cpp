#include "engine/rego/compile/passes.h"

#include <algorithm>
#include <tuple>

namespace portcullis::rego::passes {

bool Errors::record(bool recoverable, std::string_view code, const Location& where, std::string message,
                    std::vector<std::string> details) {
  if (limit_reached_) return false;
  Diagnostic& added = list_.emplace_back();
  added.code = code;
  added.message = std::move(message);
  added.file = where.file;
  added.row = where.row;
  added.column = where.column;
  added.details = std::move(details);
  stopped_ = stopped_ || !recoverable;
  if (limit_ != 0 && list_.size() == limit_) {
    limit_reached_ = true;
    stopped_ = true;
  }
  return !limit_reached_;
}

bool Errors::add_all(Errors&& other, bool recoverable) {
  for (Diagnostic& d : other.list_) {
    if (limit_reached_) return false;
    list_.push_back(std::move(d));
    stopped_ = stopped_ || !recoverable;
    if (limit_ != 0 && list_.size() == limit_) limit_reached_ = stopped_ = true;
  }
  return !limit_reached_;
}

Diagnostics Errors::take(bool sort) {
  if (sort) {
    // Errors without a place come last.
    const auto key = [](const Diagnostic& d) { return std::tie(d.file, d.row, d.column); };
    std::stable_sort(list_.begin(), list_.end(), [&](const Diagnostic& a, const Diagnostic& b) {
      if ((a.row == 0) != (b.row == 0)) return b.row == 0;
      if (a.row != 0 && key(a) != key(b)) return key(a) < key(b);
      return a.to_string() < b.to_string();
    });
  }
  Diagnostics result;
  result.list = std::move(list_);
  if (limit_reached_) result.add(std::string(kCompileError), Location{}, "error limit reached");
  return result;
}

int arity_of(const BuiltinDecl& decl) noexcept {
  int count = 0;
  for (const std::string_view argument : decl.arguments) {
    if (argument.empty()) break;
    ++count;
  }
  return count;
}

const BuiltinRegistry::Entry* Context::builtin(const Term& op) const {
  if (op.kind != TermKind::kRef || op.items.empty() || op.items[0].kind != TermKind::kVar) return nullptr;
  if (op.items.size() == 1) return names.builtin(op.items[0].variable);
  if (op.items[0].variable == names.data) return nullptr;
  std::string dotted = op.items[0].text;
  for (std::size_t i = 1; i < op.items.size(); ++i) {
    if (op.items[i].kind != TermKind::kString) return nullptr;
    dotted += '.';
    dotted += op.items[i].text;
  }
  return builtins.find(dotted);
}

int Context::arity(const Term& op) const {
  if (const BuiltinRegistry::Entry* entry = builtin(op)) return arity_of(*entry->decl);
  if (op.kind != TermKind::kRef || tree == nullptr) return -1;
  const RuleTreeNode* node = find_exact(*tree, op.items);
  return node == nullptr || node->rules.empty() ? -1 : static_cast<int>(node->rules[0]->head.arguments.size());
}

std::string_view term_kind_name(TermKind kind) noexcept {
  switch (kind) {
    case TermKind::kNull: return "null";
    case TermKind::kBoolean: return "boolean";
    case TermKind::kNumber: return "number";
    case TermKind::kString: return "string";
    case TermKind::kVar: return "var";
    case TermKind::kRef: return "ref";
    case TermKind::kArray: return "array";
    case TermKind::kSet: return "set";
    case TermKind::kObject: return "object";
    case TermKind::kArrayComprehension: return "arraycomprehension";
    case TermKind::kSetComprehension: return "setcomprehension";
    case TermKind::kObjectComprehension: return "objectcomprehension";
    case TermKind::kCall: return "call";
    case TermKind::kTemplateString:
    case TermKind::kTemplateExpr: return "templatestring";
  }
  return "term";
}

std::string author_string(const Names& names, Term term) {
  walk_terms(term, [&](Term& t) {
    if (t.kind == TermKind::kVar && names.rewritten(t.variable)) t.text = names.author_text(t.variable);
    return false;
  });
  return to_string(term);
}

Term as_reference(std::vector<Term> items) {
  const Location where = items.empty() ? Location{} : items[0].location;
  return Term::ref(std::move(items), where);
}

std::string author_string(const Names& names, std::vector<Term> reference) {
  return author_string(names, as_reference(std::move(reference)));
}

VarSet reserved_vars(const Names& names) {
  VarSet result;
  result.insert(names.data);
  result.insert(names.input);
  return result;
}

}  // namespace portcullis::rego::passes
