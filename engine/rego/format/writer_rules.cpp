// Modules: package, imports, rules with their heads and else branches.
#include <algorithm>
#include <utility>

#include "base/text.h"
#include "engine/rego/format/walk.h"
#include "engine/rego/format/writer.h"

namespace portcullis::rego::format {
namespace {

bool is_made_up(const Import& import) { return import.location.file == kMadeUpFile; }

// White space as Go's unicode.IsSpace has it.
bool is_space(char32_t c) {
  return (c >= 0x09 && c <= 0x0d) || c == 0x20 || c == 0x85 || c == 0xa0 || c == 0x1680 ||
         (c >= 0x2000 && c <= 0x200a) || c == 0x2028 || c == 0x2029 || c == 0x202f || c == 0x205f || c == 0x3000;
}

void trim_end(std::string& text) {
  std::size_t end = 0;
  for (std::size_t i = 0; i < text.size();) {
    const text::Rune rune = text::decode_rune(text, i);
    i += rune.size;
    if (!is_space(rune.value)) end = i;
  }
  text.resize(end);
}

bool is_set(const Body& body) {
  return body.exprs.size() == 1 && !body.exprs[0].negated && body.exprs[0].kind == ExprKind::kTerm &&
         body.exprs[0].terms[0].kind == TermKind::kSet;
}

bool is_plain_true(const Body& body) {
  if (body.exprs.size() != 1) return false;
  const Expr& expr = body.exprs[0];
  return expr.kind == ExprKind::kTerm && !expr.negated && expr.with.empty() && is_true(expr.terms[0]);
}

bool same_place(const Location& a, const Location& b) {
  return a.row == b.row && a.offset == b.offset && a.text.data() == b.text.data() && a.text.size() == b.text.size() &&
         a.file == b.file && a.row != 0;
}

}  // namespace

bool has_no_place(const Term& term) {
  return term.location.file == kMadeUpFile || (term.kind == TermKind::kVar && text::starts_with(term.text, "__local"));
}

bool is_true(const Term& term) { return term.kind == TermKind::kBoolean && term.boolean; }

struct Writer::Part {
  const Import* import = nullptr;
  const Rule* rule = nullptr;
  const Location& where() const { return import != nullptr ? import->location : rule->location; }
};

void Writer::module(Module& module) {
  std::vector<const Comment*> list;
  for (Comment& comment : module.comments) {
    trim_end(comment.text);
    list.push_back(&comment);
  }
  const auto by_place = [](const Location& a, const Location& b) {
    return a.row != b.row ? a.row < b.row : a.column < b.column;
  };
  std::stable_sort(list.begin(), list.end(),
                   [&](const Comment* a, const Comment* b) { return by_place(a->location, b->location); });
  comment_lists_.push_back(std::move(list));
  Comments comments = comment_lists_.back();

  std::vector<Part> parts;
  std::uint32_t first_rule = 0;
  for (const Import& import : module.imports) parts.push_back({&import, nullptr});
  for (const Rule& rule : module.rules) {
    parts.push_back({nullptr, &rule});
    if (first_rule == 0 || rule.location.row < first_rule) first_rule = rule.location.row;
  }
  std::stable_sort(parts.begin(), parts.end(),
                   [&](const Part& a, const Part& b) { return by_place(a.where(), b.where()); });
  // Imports that were added have made-up rows, which may lie below the first rule: there they would have no effect.
  std::vector<const Import*> added;
  const bool too_low =
      first_rule != 0 && std::any_of(parts.begin(), parts.end(), [&](const Part& part) {
        return part.import != nullptr && is_made_up(*part.import) && part.import->location.row >= first_rule;
      });
  if (too_low) {
    for (const Part& part : parts) {
      if (part.import != nullptr && is_made_up(*part.import)) added.push_back(part.import);
    }
    std::erase_if(parts, [](const Part& part) { return part.import != nullptr && is_made_up(*part.import); });
  }

  Fault fault = package(module, comments);
  if (!fault) fault = imports(added, comments);
  for (std::size_t at = 0; at < parts.size() && !fault;) {
    std::vector<const Import*> some_imports;
    for (; at < parts.size() && parts[at].import != nullptr; ++at) some_imports.push_back(parts[at].import);
    fault = imports(some_imports, comments);
    if (fault) break;
    std::vector<const Rule*> some_rules;
    for (; at < parts.size() && parts[at].rule != nullptr; ++at) some_rules.push_back(parts[at].rule);
    rules(some_rules, comments);
  }
  if (fault) {  // also a comment in the way: there is nothing here that could be kept as it is
    errors_.add("rego_format_error", {}, fault.message);
    return;
  }
  for (const Comment* comment : comments) line(shown(*comment));
  if (!comments.empty()) write("\n");
}

void Writer::query(Body& query) {
  Comments none;
  record(body(query, none));
}

Fault Writer::package(const Module& module, Comments& comments) {
  if (Fault fault = insert_comments(comments, module.package_location)) return drop(comments, std::move(fault));
  start_line();
  std::vector<Term> path(module.package.items.begin() + 1, module.package.items.end());
  if (path.empty()) {
    errors_.add("rego_format_error", module.package_location, "invalid package path: " + to_string(module.package));
    return {};
  }
  path[0] = Term::var(path[0].text, {});
  write("package ");
  Comments none;
  if (Fault fault = reference(path, none)) return drop(comments, std::move(fault));
  blank_line();
  return {};
}

Fault Writer::imports(const std::vector<const Import*>& list, Comments& comments) {
  // A comment on an import's line stays with it when the imports are sorted.
  std::vector<std::pair<const Import*, const Comment*>> own;
  std::vector<const Comment*> others;
  for (const Comment* comment : comments) {
    const auto found = std::find_if(
        list.begin(), list.end(), [&](const Import* import) { return import->location.row == comment->location.row; });
    if (found == list.end()) {
      others.push_back(comment);
    } else {
      own.emplace_back(*found, comment);
    }
  }
  if (!own.empty()) {
    comment_lists_.push_back(std::move(others));
    comments = comment_lists_.back();
  }
  for (std::size_t begin = 0, end = 0; begin < list.size(); begin = end) {
    for (end = begin + 1; end < list.size() && list[end]->location.row <= list[end - 1]->location.row + 1;) ++end;
    if (Fault fault = insert_comments(comments, list[begin]->location)) return drop(comments, std::move(fault));
    std::vector<const Import*> group(list.begin() + static_cast<std::ptrdiff_t>(begin),
                                     list.begin() + static_cast<std::ptrdiff_t>(end));
    std::stable_sort(group.begin(), group.end(), [](const Import* a, const Import* b) {
      const int order = compare(a->path, b->path);
      return order != 0 ? order < 0 : a->alias < b->alias;
    });
    for (const Import* one : group) {
      start_line();
      if (Fault fault = import(*one)) return drop(comments, std::move(fault));
      for (const auto& [which, comment] : own) {
        if (which == one) write(" " + shown(*comment));
      }
      end_line();
    }
    blank_line();
  }
  return {};
}

Fault Writer::import(const Import& import) {
  write("import ");
  const std::vector<Term>& path = import.path.items;
  Comments none;
  if (path.size() == 3 && import.alias.empty() && path[0].is_var("future") && path[1].text == "keywords") {
    // The names of keywords are plain names here, whatever is imported.
    Writer plain{Style{}};
    plain.inline_ = true;
    if (Fault fault = plain.reference(path, none)) return fault;
    write(plain.text_);
  } else if (Fault fault = reference(path, none)) {
    return fault;
  }
  if (!import.alias.empty()) write(" as " + import.alias);
  return {};
}

void Writer::rules(const std::vector<const Rule*>& list, Comments& comments) {
  for (std::size_t i = 0; i < list.size(); ++i) {
    const Rule& one = *list[i];
    record(insert_comments(comments, one.location));
    record(rule(one, false, comments));
    const bool together = i + 1 < list.size() && groupable(one) && groupable(*list[i + 1]) &&
                          list[i + 1]->location.row == one.location.row + 1;
    if (!together) blank_line();
  }
}

// Whether the rule is written on one line, and so may stand right above another.
bool Writer::groupable(const Rule& rule) const {
  if (rule.body.exprs.size() > 1 || rule.is_default || rule.otherwise || is_set(rule.body)) return false;
  return (style_.v1 || style_.ifs) && (style_.contains || rule.head.value);
}

Fault Writer::rule(const Rule& rule, bool is_else, Comments& comments) {
  if (!is_else) start_line();
  if (rule.is_default) write("default ");
  const bool constant = is_plain_true(rule.body) && !rule.otherwise;
  comment_on_final_line_ = constant;
  Fault fault = head(rule.head, rule.is_default, constant, is_else, comments);
  if (fault && !fault.is_comment()) return drop(comments, std::move(fault));
  if (rule.body.exprs.empty() || constant) {
    end_line();
    return {};
  }
  comment_on_final_line_ = true;
  return rule_body(rule, is_else, static_cast<bool>(fault), comments);
}

Fault Writer::rule_body(const Rule& rule, bool is_else, bool odd_comment, Comments& comments) {
  const Body& rule_body = rule.body;
  const bool with_if = (style_.v1 || style_.ifs) && (style_.contains || rule.head.value);
  if (with_if) {
    write(" if");
    if (rule_body.exprs.size() == 1 && rule_body.exprs[0].location.row == end_row(rule.head.location) &&
        !is_set(rule_body)) {
      write(" ");
      Fault fault = expr(rule_body.exprs[0], comments);
      if (fault && !fault.is_comment()) return drop(comments, std::move(fault));
      end_line();
      return rule.otherwise ? otherwise(rule, comments) : Fault{};
    }
  }
  if (odd_comment && !comments.empty()) {
    write(" { ");
  } else {
    write(" {");
    end_line();
  }
  if (with_if && !is_else) mark_leading_union(rule_body.exprs[0]);
  up();
  Fault fault = body(rule_body, comments);
  if (fault && !fault.is_comment()) return drop(comments, std::move(fault));

  std::int64_t closing = 0;
  if (!rule.head.arguments.empty()) {
    closing = closing_row('(', ')', '{', '}', rule.location);
  } else if (rule.head.key) {
    closing = closing_row('[', ']', '{', '}', rule.location);
  } else {
    closing = closing_row(0, 0, '{', '}', rule.location);
  }
  if (Fault below = insert_comments(comments, closing)) return drop(comments, std::move(below));
  if (level_ == 0) return drop(comments, {Fault::Kind::kOther, "negative indentation level"});
  --level_;
  start_line();
  write("}");
  return rule.otherwise ? otherwise(rule, comments) : Fault{};
}

// `} else {` where the source has it on one line, else below a blank line.
Fault Writer::otherwise(const Rule& rule, Comments& comments) {
  const Rule& next = *rule.otherwise;
  bool on_brace_line = false;
  const std::int64_t row = static_cast<std::int64_t>(next.location.row) - rule.location.row;
  if (row > 0 && row <= newlines(rule.location.text)) {
    std::string_view rest = rule.location.text;
    for (std::int64_t i = 0; i < row; ++i) rest.remove_prefix(rest.find('\n') + 1);
    on_brace_line = !text::starts_with(text::trim(rest.substr(0, rest.find('\n'))), "else");
  }
  const bool comment_above =
      (!comments.empty() && comments[0]->location.row < next.head.location.row) || at_line_end_ != nullptr;
  if (!comment_above && on_brace_line) {
    write(" ");
  } else {
    blank_line();
    start_line();
  }
  if (Fault fault = insert_comments(comments, next.head.location)) return drop(comments, std::move(fault));
  if (comment_above && !on_brace_line) start_line();
  return this->rule(next, true, comments);
}

Fault Writer::head(const Head& head, bool is_default, bool constant, bool is_else, Comments& comments) {
  const std::vector<Term>& name = head.reference.items;
  if (style_.ref_heads || name.size() == 1) {
    if (Fault fault = reference(name, comments)) return drop(comments, std::move(fault));
  } else {
    if (!comments.empty() && name[1].location.row == comments[0]->location.row) {
      Fault fault = unformatted(head.location, comments);
      return fault;
    }
    write(to_string(name[0]));
    write("[");
    write(to_string(name[1]));
    write("]");
  }
  if (!head.arguments.empty()) {
    write("(");
    std::vector<Item> items;
    for (const Term& argument : head.arguments) items.push_back({&argument, nullptr});
    Fault fault = sequence(std::move(items), head.location, closing_row(0, 0, '(', ')', head.location), comments,
                           ListKind::kArguments);
    write(")");
    if (fault) return fault;
  }
  if (head.key && !head.value) {
    write(style_.contains ? " contains " : "[");
    if (Fault fault = term(*head.key, comments)) return fault;
    if (!style_.contains) write("]");
  }
  if (!head.value || (!head.key && is_true(*head.value) && !constant && !is_default)) return {};
  return head_value(head, constant, is_else, comments);
}

Fault Writer::head_value(const Head& head, bool constant, bool is_else, Comments& comments) {
  // v1 spells out the value of a constant.
  const bool must = style_.v1 && constant && !head.key && head.arguments.empty();
  if (same_place(head.location, head.value->location) && !is_else && is_true(*head.value) && !must) return {};
  write(head.assigned || style_.v1 ? " := " : " = ");
  return term(*head.value, comments);
}

}  // namespace portcullis::rego::format
