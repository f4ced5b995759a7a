#include "engine/rego/graphql/overlap.h"

#include <algorithm>

namespace portcullis::graphql {

// Counts recursion; too deep exhausts the budget, and all unwinds.
class Overlap::Level {
 public:
  explicit Level(Overlap& overlap) : overlap_(overlap) {
    if (++overlap_.depth_ > kMaxDepth) overlap_.budget_.exhaust();
  }
  ~Level() { --overlap_.depth_; }
  Level(const Level&) = delete;
  Level& operator=(const Level&) = delete;
  bool within() { return overlap_.budget_.spend(); }

 private:
  Overlap& overlap_;
};

std::string Overlap::Conflict::describe() const {
  if (inside.empty()) return message;
  std::string out;
  for (const Conflict& each : inside) {
    if (!out.empty()) out += " and ";
    out += "subfields \"" + each.name + "\" conflict because " + each.describe();
  }
  return out;
}

Overlap::Fields Overlap::collect(const List<Selection*>& selections) {
  Fields out;
  collect(selections, out);
  return out;
}

void Overlap::collect(const List<Selection*>& selections, Fields& out) {
  for (const Selection* selection : selections) {
    if (!budget_.spend()) return;
    if (selection->kind == SelectionKind::kSpread) {
      out.spreads.push_back(selection);
    } else if (selection->kind == SelectionKind::kInline) {
      collect(selection->selections, out);
    } else {
      const std::string_view name = selection->alias.empty() ? selection->name : selection->alias;
      const auto [at, fresh] = out.index.emplace(name, out.by_name.size());
      if (fresh) out.by_name.push_back({name, {}});
      out.by_name[at->second].second.push_back(selection);
    }
  }
}

std::vector<Overlap::Conflict> Overlap::within(const List<Selection*>& selections) {
  std::vector<Conflict> out;
  if (selections.empty()) return out;
  const Fields fields = collect(selections);
  for (const auto& [name, same] : fields.by_name) {
    for (std::size_t i = 0; i < same.size(); ++i) {
      for (std::size_t j = i + 1; j < same.size(); ++j) {
        if (!budget_.spend()) return out;
        conflict(out, false, *same[i], *same[j]);
      }
    }
  }
  compared_fragments_.clear();
  for (std::size_t i = 0; i < fields.spreads.size(); ++i) {
    fields_and_fragment(out, false, fields, *fields.spreads[i]);
    for (std::size_t j = i + 1; j < fields.spreads.size(); ++j) {
      if (!budget_.spend()) return out;
      fragments(out, false, *fields.spreads[i], *fields.spreads[j]);
    }
  }
  return out;
}

void Overlap::between(std::vector<Conflict>& out, bool exclusive, const Fields& a, const Fields& b) {
  for (const auto& [name, fields] : a.by_name) {
    const auto found = b.index.find(name);
    if (found == b.index.end()) continue;
    for (const Selection* field_a : fields) {
      for (const Selection* field_b : b.by_name[found->second].second) {
        if (!budget_.spend()) return;
        conflict(out, exclusive, *field_a, *field_b);
      }
    }
  }
}

void Overlap::fields_and_fragment(std::vector<Conflict>& out, bool exclusive, const Fields& fields,
                                  const Selection& spread) {
  Level level(*this);
  if (!level.within() || !compared_fragments_.insert(spread.name).second || spread.fragment == nullptr) return;
  const Fields inside = collect(spread.fragment->selections);
  if (fields.by_name == inside.by_name) return;  // a fragment's own fields
  between(out, exclusive, fields, inside);
  for (const Selection* nested : inside.spreads) {
    if (nested->name != spread.name) fields_and_fragment(out, exclusive, fields, *nested);
  }
}

// Whether the two were compared before, as strictly as now; marks them as compared.
bool Overlap::compared(std::string_view a, std::string_view b, bool exclusive) {
  const auto key = a < b ? std::pair(a, b) : std::pair(b, a);
  const auto found = pairs_.find(key);
  if (found != pairs_.end() && (exclusive || !found->second)) return true;
  pairs_[key] = exclusive;
  return false;
}

void Overlap::fragments(std::vector<Conflict>& out, bool exclusive, const Selection& a, const Selection& b) {
  Level level(*this);
  if (!level.within() || a.name == b.name || compared(a.name, b.name, exclusive)) return;
  if (a.fragment == nullptr || b.fragment == nullptr) return;
  const Fields fields_a = collect(a.fragment->selections);
  const Fields fields_b = collect(b.fragment->selections);
  between(out, exclusive, fields_a, fields_b);
  for (const Selection* spread : fields_b.spreads) fragments(out, exclusive, a, *spread);
  for (const Selection* spread : fields_a.spreads) fragments(out, exclusive, *spread, b);
}

std::vector<Overlap::Conflict> Overlap::between_sets(bool exclusive, const List<Selection*>& a,
                                                     const List<Selection*>& b) {
  std::vector<Conflict> out;
  const Fields fields_a = collect(a);
  const Fields fields_b = collect(b);
  between(out, exclusive, fields_a, fields_b);
  for (const Selection* spread : fields_b.spreads) {
    compared_fragments_.clear();
    fields_and_fragment(out, exclusive, fields_a, *spread);
  }
  for (const Selection* spread : fields_a.spreads) {
    compared_fragments_.clear();
    fields_and_fragment(out, exclusive, fields_b, *spread);
  }
  for (const Selection* spread_a : fields_a.spreads) {
    for (const Selection* spread_b : fields_b.spreads) fragments(out, exclusive, *spread_a, *spread_b);
  }
  return out;
}

namespace {

bool same_value(const InputValue& a, const InputValue& b) {
  if (a.kind != b.kind || a.raw != b.raw || a.children.size() != b.children.size()) return false;
  std::vector<const ChildValue*> of_a(a.children.begin(), a.children.end());
  std::vector<const ChildValue*> of_b(b.children.begin(), b.children.end());
  if (a.kind == ValueKind::kObject) {
    const auto by_name = [](const ChildValue* x, const ChildValue* y) { return x->name < y->name; };
    std::stable_sort(of_a.begin(), of_a.end(), by_name);
    std::stable_sort(of_b.begin(), of_b.end(), by_name);
  }
  for (std::size_t i = 0; i < of_a.size(); ++i) {
    if (of_a[i]->name != of_b[i]->name || !same_value(*of_a[i]->value, *of_b[i]->value)) return false;
  }
  return true;
}

bool same_arguments(Budget& budget, const List<Argument*>& a, const List<Argument*>& b) {
  if (a.size() != b.size()) return false;
  if (!budget.spend(std::uint64_t{a.size()} * b.size())) return true;
  return std::all_of(a.begin(), a.end(), [&](const Argument* one) {
    return std::any_of(b.begin(), b.end(), [&](const Argument* other) {
      return one->name == other->name && same_value(*one->value, *other->value);
    });
  });
}

}  // namespace

bool Overlap::types_conflict(const TypeRef& a, const TypeRef& b) const {
  if (a.element != nullptr || b.element != nullptr) {
    if (a.element == nullptr || b.element == nullptr) return true;
    return types_conflict(*a.element, *b.element);
  }
  if (a.non_null != b.non_null) return true;
  const Definition* type_a = schema_.type(a.named);
  const Definition* type_b = schema_.type(b.named);
  return type_a != nullptr && type_b != nullptr && type_a->is_leaf() && type_b->is_leaf() && type_a != type_b;
}

bool Overlap::conflict(std::vector<Conflict>& out, bool exclusive, const Selection& a, const Selection& b) {
  Level level(*this);
  if (!level.within() || a.object == nullptr || b.object == nullptr) return false;
  if (!exclusive) {
    exclusive = a.object->name != b.object->name && a.object->kind == kObject && b.object->kind == kObject &&
                a.definition != nullptr && b.definition != nullptr;
  }
  Conflict found;
  found.name = a.alias.empty() ? a.name : a.alias;
  found.position = b.position;
  if (!exclusive && a.name != b.name) {
    found.message = "\"" + std::string(a.name) + "\" and \"" + std::string(b.name) + "\" are different fields";
  } else if (!exclusive && !same_arguments(budget_, a.arguments, b.arguments)) {
    found.message = "they have differing arguments";
  } else if (a.definition != nullptr && b.definition != nullptr &&
             types_conflict(*a.definition->type, *b.definition->type)) {
    found.message = "they return conflicting types \"" + to_string(*a.definition->type) + "\" and \"" +
                    to_string(*b.definition->type) + "\"";
  } else {
    found.inside = between_sets(exclusive, a.selections, b.selections);
    if (found.inside.empty()) return false;
  }
  out.push_back(std::move(found));
  return true;
}

}  // namespace portcullis::graphql
