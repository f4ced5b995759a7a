// Before the layout: names of wildcards, places of what has none, the imports that the target needs.
#include "engine/rego/format/format.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "base/text.h"
#include "engine/rego/format/walk.h"
#include "engine/rego/format/writer.h"

namespace portcullis::rego {
namespace {

bool is_future(const Import& import) { return import.path.items[0].is_var("future"); }
bool is_rego(const Import& import, std::string_view version) {
  const std::vector<Term>& path = import.path.items;
  return path.size() == 2 && path[0].is_var("rego") && path[1].text == version;
}
bool is_all_keywords(const Import& import) {
  const std::vector<Term>& path = import.path.items;
  return path.size() == 2 && is_future(import) && path[1].text == "keywords";
}
bool is_keyword(const Import& import, std::string_view keyword) {
  const std::vector<Term>& path = import.path.items;
  return path.size() == 3 && is_future(import) && path[1].text == "keywords" && path[2].text == keyword;
}

bool is_wildcard(const Term& term) { return term.kind == TermKind::kVar && text::starts_with(term.text, "$"); }

// Looks at every node once before the layout.
class Preparation {
 public:
  Preparation(const FormatOptions& options, format::Style& style, std::deque<std::string>& texts)
      : options_(options), style_(style), texts_(texts) {}

  void module(Module& module) {
    place(module.package_location, [&] { return to_string(module.package); });
    format::walk_term(module.package, *this);
    for (Import& one : module.imports) import(one);
    for (Rule& one : module.rules) rule(one);
    rename_wildcards();
    for (Rule& one : module.rules) else_heads(one);
    move_values(module);
  }

  void body(Body& body) {
    format::walk_body(body, *this);
    rename_wildcards();
    ComprehensionValues values;
    format::walk_body(body, values);
  }

  const std::set<std::string_view>& keywords() const noexcept { return keywords_; }

  // Called by the walks.
  void term(Term& term) {
    place(term.location, [&] { return to_string(term); });
    if (is_wildcard(term)) wildcards_[term.text].push_back(&term);
  }
  void with(With& with) {
    place(with.location, [&] { return "with " + to_string(with.target) + " as " + to_string(with.value); });
  }
  void expr(Expr& expr) {
    switch (expr.kind) {
      case ExprKind::kEvery: keywords_.insert("every"); break;
      case ExprKind::kNot: keywords_.insert("not"); break;
      case ExprKind::kAnd: keywords_.insert("and"); break;
      case ExprKind::kOr: keywords_.insert("or"); break;
      case ExprKind::kCall:
        if (text::starts_with(expr.operator_name(), "internal.member_")) keywords_.insert("in");
        break;
      default: break;
    }
    if (expr.negated && (expr.kind == ExprKind::kAnd || expr.kind == ExprKind::kOr)) keywords_.insert("not");
    place(expr.location, [&] { return to_string(expr); });
  }

 private:
  // The value of an object comprehension stands on the line where the comprehension begins.
  struct ComprehensionValues {
    void term(Term& term) {
      if (term.kind == TermKind::kObjectComprehension) term.items[1].location.row = term.location.row;
    }
    void expr(Expr&) {}
    void with(With&) {}
  };

  template <typename Text>
  void place(Location& location, Text&& text) {
    if (!options_.ignore_locations && location.row != 0) return;
    texts_.push_back(text());
    location = {format::kMadeUpFile, texts_.back(), 1, 1, 0};
  }

  void import(Import& import) {
    const std::vector<Term>& path = import.path.items;
    if (import.alias.empty() && path.size() == 3 && is_keyword(import, path[2].text)) {
      style_.future_keywords.push_back(path[2].text);
    }
    const bool v2 = is_rego(import, "v2");
    if (v2) style_.v2_imported = true;
    const bool both = v2 || is_rego(import, "v1") || is_all_keywords(import);
    if (both || is_keyword(import, "contains")) style_.contains = true;
    if (both || is_keyword(import, "if")) style_.ifs = true;
    place(import.location, [&] { return to_string(import); });
    format::walk_term(import.path, *this);
  }

  void rule(Rule& rule) {
    const std::size_t steps = rule.head.reference.items.size();
    if (steps > 2 || (steps == 2 && rule.head.key && !rule.head.value)) style_.ref_heads = true;
    place(rule.location, [&] { return to_string(rule); });
    Head& head = rule.head;
    place(head.location, [&] { return to_string(head); });
    for (Term& argument : head.arguments) format::walk_term(argument, *this);
    if (head.key) format::walk_term(*head.key, *this);
    if (head.value) format::walk_term(*head.value, *this);
    format::walk_body(rule.body, *this);
    if (rule.otherwise) this->rule(*rule.otherwise);
  }

  // A wildcard that stands at several places gets a name.
  void rename_wildcards() {
    for (auto& [name, terms] : wildcards_) {
      if (terms.size() < 2) continue;
      std::string named = name.substr(1);
      if (named.empty() || named[0] != '_') named.insert(0, "_");
      for (Term* term : terms) term->text = named;
    }
  }

  void else_heads(Rule& rule) {
    for (Rule* at = rule.otherwise.get(); at != nullptr; at = at->otherwise.get()) {
      Head& head = at->head;
      head.reference = Term::ref({Term::var("else", head.location)}, head.location);
      head.arguments.clear();
      if (head.value) head.value->location = head.location;
    }
  }

  void move_values(Module& module) {
    ComprehensionValues values;
    for (Rule& rule : module.rules) {
      for (Rule* at = &rule; at != nullptr; at = at->otherwise.get()) {
        for (Term& argument : at->head.arguments) format::walk_term(argument, values);
        for (Term& step : at->head.reference.items) format::walk_term(step, values);
        if (at->head.key) format::walk_term(*at->head.key, values);
        if (at->head.value) format::walk_term(*at->head.value, values);
        format::walk_body(at->body, values);
      }
    }
  }

  const FormatOptions& options_;
  format::Style& style_;
  std::deque<std::string>& texts_;
  std::set<std::string_view> keywords_;  // that expressions need
  std::map<std::string, std::vector<Term*>, std::less<>> wildcards_;
};

// The imports of a module, changed to what the target needs.
class Imports {
 public:
  Imports(std::vector<Import>& imports, std::deque<std::string>& texts) : imports_(imports), texts_(texts) {}

  void adjust(const FormatOptions& options, const format::Style& style, const std::set<std::string_view>& keywords) {
    const bool v2 = has("v2");
    if (v2 || (options.target == FormatTarget::kV1 && options.drop_imports)) {
      remove([](const Import& import) { return is_rego(import, "v1"); });
    } else if (options.target == FormatTarget::kV0AndV1 && !has("v1")) {
      add({"rego", "v1"});
    }
    const bool v1 = v2 || has("v1");
    if (options.target != FormatTarget::kV1 && !v1) {
      for (const std::string_view keyword : keywords) ensure(keyword);
      return;
    }
    if (options.drop_imports || v1) {
      remove(is_future);
    } else {
      for (const std::string& keyword : style.future_keywords) ensure(keyword);
    }
    if (v2) return;
    for (const std::string_view keyword : keywords) {
      if (keyword == "not" || keyword == "and" || keyword == "or") ensure(keyword);
    }
  }

 private:
  bool has(std::string_view version) const {
    return std::any_of(imports_.begin(), imports_.end(), [&](const Import& one) { return is_rego(one, version); });
  }
  template <typename Test>
  void remove(Test test) {
    std::erase_if(imports_, test);
  }
  void ensure(std::string_view keyword) {
    for (const Import& one : imports_) {
      // `every` brings `in` along.
      if (is_all_keywords(one) || is_keyword(one, keyword) || (keyword == "in" && is_keyword(one, "every"))) return;
    }
    add({"future", "keywords", std::string(keyword)});
  }
  // Below the other imports of its kind.
  void add(std::vector<std::string> path) {
    Import import;
    std::vector<Term> items;
    for (std::string& step : path) {
      items.push_back(items.empty() ? Term::var(std::move(step), {}) : Term::string(std::move(step), {}));
    }
    import.path = Term::ref(std::move(items), {});
    std::uint32_t last = 0;
    for (const Import& one : imports_) {
      if (is_future(one) || is_rego(one, "v1")) last = std::max(last, one.location.row);
    }
    texts_.push_back(to_string(import));
    import.location = {format::kMadeUpFile, texts_.back(), last + 1, 1, 0};
    imports_.push_back(std::move(import));
  }

  std::vector<Import>& imports_;
  std::deque<std::string>& texts_;
};

format::Style style_of(const FormatOptions& options) {
  format::Style style;
  style.v1 = style.ifs = style.contains = options.target != FormatTarget::kV0;
  return style;
}

Parsed<std::string> result(format::Writer& writer) {
  if (!writer.errors().empty()) return writer.errors();
  return writer.take_text();
}

}  // namespace

Parsed<std::string> format_module(Module module, const FormatOptions& options) {
  format::Style style = style_of(options);
  std::deque<std::string> texts;
  Preparation preparation(options, style, texts);
  preparation.module(module);
  Imports(module.imports, texts).adjust(options, style, preparation.keywords());
  format::Writer writer(std::move(style));
  writer.module(module);
  return result(writer);
}

Parsed<std::string> format_body(Body body, const FormatOptions& options) {
  if (body.exprs.empty()) return std::string();
  format::Style style = style_of(options);
  std::deque<std::string> texts;
  Preparation(options, style, texts).body(body);
  format::Writer writer(std::move(style));
  writer.query(body);
  return result(writer);
}

}  // namespace portcullis::rego
