// Reading what a rule's body asks for, and looking rules up by it.
#include "engine/rego/trace/index.h"

#include <algorithm>
#include <optional>

namespace portcullis::rego::trace {

namespace {

struct Builder {
  const RuleTreeNode& root;
  const std::function<Value(const Term&)>& value_of;
  const Rule& rule;
  std::vector<IndexTest> tests;
  // Variables known to hold what stands at a place, or a constant.
  std::vector<std::pair<std::string, IndexReference>> places;
  std::vector<std::pair<std::string, Value>> known;

  std::optional<Value> constant(const Term& term) const {
    if (is_constant(term)) return value_of(term);
    if (term.kind != TermKind::kVar) return std::nullopt;
    for (const auto& [name, value] : known) {
      if (name == term.text) return value;
    }
    return std::nullopt;
  }

  std::optional<IndexReference> variable(const Term& term) const {
    if (term.kind != TermKind::kVar) return std::nullopt;
    for (const auto& [name, place] : places) {
      if (name == term.text) return place;
    }
    const auto& arguments = rule.head.arguments;
    for (std::uint32_t i = 0; i < arguments.size(); ++i) {
      if (arguments[i].kind == TermKind::kVar && arguments[i].text == term.text) {
        return IndexReference{IndexReference::Root::kArgument, i, {}};
      }
    }
    return std::nullopt;
  }

  // A reference to input, base data or what a variable stands for; `count` items of it.
  std::optional<IndexReference> reference(const Term& term, std::size_t count) const {
    if (term.kind != TermKind::kRef || count == 0) return std::nullopt;
    const Term& head = term.items.front();
    IndexReference out;
    if (head.is_var("data")) {
      out.root = IndexReference::Root::kData;
    } else if (!head.is_var("input")) {
      const auto place = variable(head);
      if (!place || (place->root == IndexReference::Root::kArgument)) return std::nullopt;
      out = *place;
    }
    for (std::size_t i = 1; i < count; ++i) {
      const auto step = constant(term.items[i]);
      if (!step || (!is_scalar(term.items[i]) && term.items[i].kind != TermKind::kVar)) return std::nullopt;
      out.path.push_back(*step);
    }
    if (head.is_var("data") && has_rules(out.path)) return std::nullopt;
    return out;
  }

  // Whether rules stand at, above or below data.<path>.
  bool has_rules(const std::vector<Value>& path) const {
    const RuleTreeNode* node = &root;
    for (const Value& step : path) {
      const RuleTreeNode* below = nullptr;
      for (const RuleTreeNode& each : node->children) {
        if (equal(value_of(each.key), step)) below = &each;
      }
      if (below == nullptr) return false;
      if (!below->rules.empty()) return true;
      node = below;
    }
    return true;
  }

  std::optional<IndexReference> whole(const Term& term) const {
    if (term.kind == TermKind::kVar) return variable(term);
    return reference(term, term.items.size());
  }

  void add(IndexTest::Kind kind, const IndexReference& place, Value value = {}) {
    IndexTest test;
    test.kind = kind;
    test.reference = place;
    test.value = value;
    tests.push_back(std::move(test));
  }

  // `a` as the place, `b` as what must stand there.
  bool equality(const Term& a, const Term& b) {
    if (a.kind == TermKind::kVar) {
      if (const auto value = constant(b)) known.emplace_back(a.text, *value);
    } else if (a.kind != TermKind::kRef) {
      return false;
    }
    const auto place = whole(a);
    if (!place) return false;
    if (const auto value = constant(b)) {
      if (value->is_object() || value->is_set()) return false;
      add(IndexTest::Kind::kEqual, *place, *value);
      return true;
    }
    if (b.kind == TermKind::kVar) {
      if (a.kind == TermKind::kVar) return false;
      places.emplace_back(b.text, *place);
      add(IndexTest::Kind::kDefined, *place);
      return true;
    }
    return b.kind == TermKind::kArray && pattern(*place, b);
  }

  bool pattern(const IndexReference& place, const Term& array) {
    IndexTest test;
    test.kind = IndexTest::Kind::kEqual;
    test.reference = place;
    test.is_pattern = true;
    for (const Term& item : array.items) {
      if (item.kind != TermKind::kVar && !is_scalar(item)) return false;
      test.members.push_back(item.kind == TermKind::kVar ? Value() : value_of(item));
    }
    tests.push_back(std::move(test));
    return true;
  }

  // `xs[_] == "a"`: the collection must hold it.
  bool element(const Term& a, const Term& b) {
    if (a.kind != TermKind::kRef || a.items.size() < 2 || a.items.back().kind != TermKind::kVar) return false;
    if (constant(a.items.back())) return false;
    const auto collection = reference(a, a.items.size() - 1);
    const auto value = constant(b);
    if (!collection || !value || value->is_array() || value->is_object() || value->is_set()) return false;
    add(IndexTest::Kind::kHolds, *collection, *value);
    return true;
  }

  void member(const Term& item, const Term& collection) {
    if (const auto place = variable(item)) {
      const auto values = constant(collection);
      if (!values || (!values->is_array() && !values->is_set())) return;
      IndexTest test;
      test.kind = IndexTest::Kind::kIn;
      test.reference = *place;
      test.members.assign(values->elements().begin(), values->elements().end());
      const bool scalars = std::none_of(test.members.begin(), test.members.end(), [](const Value& value) {
        return value.is_array() || value.is_object() || value.is_set();
      });
      if (scalars) tests.push_back(std::move(test));
      return;
    }
    const auto place = whole(collection);
    const auto value = constant(item);
    if (!place || place->root == IndexReference::Root::kArgument) return;
    if (value && !value->is_array() && !value->is_object() && !value->is_set()) {
      add(IndexTest::Kind::kHolds, *place, *value);
    }
  }

  void glob(const Term& pattern_term, const Term& delimiters, const Term& match) {
    const auto place = variable(match);
    if (!place || pattern_term.kind != TermKind::kString || delimiters.kind != TermKind::kArray) return;
    IndexTest test;
    test.kind = IndexTest::Kind::kGlob;
    test.reference = *place;
    for (const Term& item : delimiters.items) {
      if (item.kind != TermKind::kString) return;
      test.delimiters += item.text;
    }
    if (delimiters.items.empty()) test.delimiters = ".";
    std::string part;
    const std::string& text = pattern_term.text;
    const auto close = [&] {
      test.parts.push_back(part == "*" ? std::nullopt : std::optional(part));
      const bool special = part != "*" && part.find_first_of("[?{*\\") != std::string::npos;
      part.clear();
      return !special;
    };
    for (const char c : text) {
      if (test.delimiters.find(c) == std::string::npos) {
        part += c;
      } else if (!close()) {
        return;
      }
    }
    if (close()) tests.push_back(std::move(test));
  }

  void affix(IndexTest::Kind kind, const Term& text, const Term& by) {
    const auto place = variable(text);
    const auto value = constant(by);
    if (place && value && value->is_string()) add(kind, *place, *value);
  }

  void expression(const Expr& expr) {
    if (expr.negated || !expr.with.empty()) return;
    if (expr.kind == ExprKind::kTerm && expr.terms[0].kind == TermKind::kRef) {
      if (const auto place = whole(expr.terms[0])) add(IndexTest::Kind::kDefined, *place);
      return;
    }
    if (expr.kind != ExprKind::kCall) return;
    const std::string name = expr.operator_name();
    const std::vector<Term>& terms = expr.terms;
    if ((name == "eq" || name == "equal") && terms.size() == 3) {
      if (element(terms[1], terms[2]) || element(terms[2], terms[1])) return;
      if (!equality(terms[1], terms[2])) equality(terms[2], terms[1]);
    } else if (name == "internal.member_2" && terms.size() == 3) {
      member(terms[1], terms[2]);
    } else if (name == "glob.match" && terms.size() == 4) {
      glob(terms[1], terms[2], terms[3]);
    } else if (name == "startswith" && terms.size() == 3) {
      affix(IndexTest::Kind::kPrefix, terms[1], terms[2]);
    } else if (name == "endswith" && terms.size() == 3) {
      affix(IndexTest::Kind::kSuffix, terms[1], terms[2]);
    }
  }
};

bool prints(const Body& body) {
  return std::any_of(body.exprs.begin(), body.exprs.end(), [](const Expr& expr) {
    const std::string name = expr.kind == ExprKind::kCall ? expr.operator_name() : std::string();
    return name == "internal.print" || name == "internal.test_case" ||
           (expr.every_body != nullptr && prints(*expr.every_body)) || (expr.left != nullptr && prints(*expr.left)) ||
           (expr.right != nullptr && prints(*expr.right));
  });
}

bool holds(const IndexTest& test, const Value& value) {
  if (!value.defined()) return false;
  switch (test.kind) {
    case IndexTest::Kind::kDefined: return true;
    case IndexTest::Kind::kEqual: {
      if (!test.is_pattern) return equal(value, test.value);
      if (!value.is_array() || value.size() != test.members.size()) return false;
      for (std::size_t i = 0; i < test.members.size(); ++i) {
        if (test.members[i].defined() && !equal(test.members[i], value.elements()[i])) return false;
      }
      return true;
    }
    case IndexTest::Kind::kHolds: {
      const auto list = value.is_object() ? value.values() : value.elements();
      return std::any_of(list.begin(), list.end(), [&](const Value& each) { return equal(each, test.value); });
    }
    case IndexTest::Kind::kIn:
      return std::any_of(test.members.begin(), test.members.end(),
                         [&](const Value& each) { return equal(each, value); });
    case IndexTest::Kind::kGlob: {
      if (!value.is_string()) return false;
      std::string_view text = value.as_string();
      for (std::size_t i = 0; i < test.parts.size(); ++i) {
        const std::size_t end = text.find_first_of(test.delimiters);
        const std::string_view part = text.substr(0, end);
        if (test.parts[i] && *test.parts[i] != part) return false;
        if ((end == std::string_view::npos) != (i + 1 == test.parts.size())) return false;
        if (end != std::string_view::npos) text.remove_prefix(end + 1);
      }
      return true;
    }
    case IndexTest::Kind::kPrefix: return value.is_string() && value.as_string().starts_with(test.value.as_string());
    case IndexTest::Kind::kSuffix: return value.is_string() && value.as_string().ends_with(test.value.as_string());
  }
  return true;
}

// Whether evaluation may stop at the first rule that holds: all of them give the same constant.
bool agrees(const Rule& rule, const Term*& value) {
  if (rule.head.contains || !rule.head.value || !is_constant(*rule.head.value) || !steps_below(rule).empty()) {
    return false;
  }
  if (value != nullptr && !equal(*value, *rule.head.value)) return false;
  value = &*rule.head.value;
  return true;
}

void add_rules(const RuleTreeNode& node, std::vector<const Rule*>& out) {
  out.insert(out.end(), node.rules.begin(), node.rules.end());
  for (const RuleTreeNode& below : node.children) add_rules(below, out);
}

}  // namespace

RuleIndex build_index(const RuleTreeNode& node, const RuleTreeNode& root,
                      const std::function<Value(const Term&)>& value_of) {
  RuleIndex index;
  std::vector<const Rule*> rules;
  add_rules(node, rules);
  index.multi_value = rules.front()->head.contains;
  for (std::size_t group = 0; group < rules.size(); ++group) {
    for (const Rule* rule = rules[group]; rule != nullptr; rule = rule->otherwise.get()) {
      if (rule->is_default) {
        index.default_rule = rule;
        break;
      }
      const auto& steps = rule->head.reference.items;
      for (std::size_t i = 1; i < steps.size(); ++i) index.only_ground = index.only_ground && is_constant(steps[i]);
      RuleIndex::Entry entry{rule, group, {}};
      if (!prints(rule->body)) {
        Builder builder{root, value_of, *rule, {}, {}, {}};
        for (const Expr& expr : rule->body.exprs) builder.expression(expr);
        entry.tests = std::move(builder.tests);
      }
      index.entries.push_back(std::move(entry));
    }
  }
  if (rules.front()->head.arguments.empty() && !node.children.empty()) index.only_ground = false;
  return index;
}

Matches look_up(const RuleIndex& index, bool indexing, const std::function<Value(const IndexReference&)>& resolve) {
  Matches out;
  out.default_rule = index.default_rule;
  out.multi_value = index.multi_value;
  out.only_ground = index.only_ground;
  std::size_t group = SIZE_MAX;
  for (const RuleIndex::Entry& entry : index.entries) {
    const bool all = !indexing || std::all_of(entry.tests.begin(), entry.tests.end(), [&](const IndexTest& test) {
      return holds(test, resolve(test.reference));
    });
    if (!all) continue;
    if (entry.group == group) {
      out.rules.back().second.push_back(entry.rule);
    } else {
      out.rules.emplace_back(entry.rule, std::vector<const Rule*>());
      group = entry.group;
    }
  }
  const Term* value = nullptr;
  out.early_exit = true;
  for (const auto& [rule, branches] : out.rules) {
    out.early_exit = out.early_exit && agrees(*rule, value);
    for (const Rule* branch : branches) out.early_exit = out.early_exit && agrees(*branch, value);
  }
  return out;
}

}  // namespace portcullis::rego::trace
