#include "engine/rego/graphql/rules.h"

#include <algorithm>

#include "base/text.h"
#include "engine/rego/graphql/suggest.h"

namespace portcullis::graphql {

std::string join(Texts parts) {
  std::string out;
  for (const std::string_view part : parts) out += part;
  return out;
}

void Rules::add(const Position& position, std::string_view message) {
  // The text lies outside of the arena, so its size counts here.
  if (!budget_.spend(16 + message.size() / 16)) return;
  // A node of an object has no place to name.
  errors_ += position.known() ? located(position, message) : "input: " + std::string(message);
  errors_ += '\n';
}

std::string Rules::suggestion(std::string_view prefix, std::string_view typed,
                              const std::vector<std::string_view>& options, bool quoted) {
  const std::vector<std::string_view> close = similar(budget_, typed, options);
  if (close.empty()) return {};
  return join({" ", prefix, " ", or_list(close, quoted), "?"});
}

void Rules::on_operation(const Operation& node) {
  const bool query = node.operation.empty() || node.operation == "query";
  const Definition* root = query                              ? schema_.query
                           : node.operation == "mutation"     ? schema_.mutation
                           : node.operation == "subscription" ? schema_.subscription
                                                              : nullptr;
  if (root == nullptr) {
    add(node.position, {"Schema does not support operation type \"", node.operation, "\""});
  }
  if (node.name.empty() && document_.operations.size() > 1) {
    add(node.position, "This anonymous operation must be the only defined operation.");
  }
  unused_variables(node);
  overlapping(node.selections);
  single_subscription(node);
  if (!seen_operations_.insert(node.name).second) {
    add(node.position, {"There can be only one operation named \"", node.name, "\"."});
  }
  variables_of(node);
}

void Rules::on_field(const Selection& node) {
  unknown_field(node);
  unknown_arguments(node);
  introspection_depth(node);
  if (operation != nullptr) overlapping(node.selections);
  required_arguments(node);
  scalar_leaf(node);
  unique_arguments(node.arguments);
}

void Rules::on_fragment(const FragmentDefinition& node) {
  if (node.definition != nullptr && !node.type_condition.empty() && !node.definition->is_composite()) {
    add(node.position,
        {"Fragment \"", node.name, "\" cannot condition on non composite type \"", node.type_condition, "\"."});
  }
  if (schema_.type(node.type_condition) == nullptr) {
    std::vector<std::string_view> names;
    for (const auto& [name, type] : schema_.types) names.push_back(name);
    std::sort(names.begin(), names.end());
    add(node.position,
        {"Unknown type \"", node.type_condition, "\".", suggestion("Did you mean", node.type_condition, names, true)});
  }
  fragment_cycles(node);
  in_fragments_ = true;
  if (!used_fragments_.contains(node.name)) add(node.position, {"Fragment \"", node.name, "\" is never used."});
  overlapping(node.selections);
  if (!seen_fragments_.insert(node.name).second) {
    add(node.position, {"There can be only one fragment named \"", node.name, "\"."});
  }
}

void Rules::on_inline(const Selection& node) {
  const Definition* type = schema_.type(node.type_condition);
  if (type != nullptr && !type->is_composite()) {
    add(node.position, {"Fragment cannot condition on non composite type \"", node.type_condition, "\"."});
  }
  if (type == nullptr && !node.type_condition.empty()) {
    add(node.position, {"Unknown type \"", node.type_condition, "\"."});
  }
  overlapping(node.selections);
  impossible_spread(node.object, node.type_condition, node);
}

void Rules::on_spread(const Selection& node) {
  if (node.fragment == nullptr) add(node.position, {"Unknown fragment \"", node.name, "\"."});
  if (!in_fragments_) used_fragments_.insert(node.name);
  if (node.fragment != nullptr) impossible_spread(node.object, node.fragment->type_condition, node);
}

void Rules::on_directive(const Directive& node) {
  const DirectiveDefinition* definition = node.definition;
  if (definition != nullptr) {
    for (const Argument* argument : node.arguments) {
      if (!budget_.spend(definition->arguments.size())) return;
      if (definition->arguments.find(argument->name) != nullptr) continue;
      std::vector<std::string_view> names;
      for (const ArgumentDefinition* each : definition->arguments) names.push_back(each->name);
      add(node.position, {"Unknown argument \"", argument->name, "\" on directive \"@", node.name, "\".",
                          suggestion("Did you mean", argument->name, names, true)});
    }
    const auto& locations = definition->locations;
    const bool allowed = std::find(locations.begin(), locations.end(), node.location) != locations.end();
    if (!allowed && misplaced_.insert({node.name, {node.position.line, node.position.column}}).second) {
      add(node.position, {"Directive \"@", node.name, "\" may not be used on ", node.location, "."});
    }
    for (const ArgumentDefinition* wanted : definition->arguments) {
      if (!wanted->type->non_null || wanted->default_value != nullptr) continue;
      if (!budget_.spend(node.arguments.size())) return;
      if (node.arguments.find(wanted->name) != nullptr) continue;
      add(node.position, {"Directive \"@", definition->name, "\" argument \"", wanted->name, "\" of type \"",
                          to_string(*wanted->type), "\" is required, but it was not provided."});
    }
  } else {
    add(node.position, {"Unknown directive \"@", node.name, "\"."});
  }
  unique_arguments(node.arguments);
}

void Rules::on_directives(const List<Directive*>& nodes) {
  if (nodes.empty()) return;
  std::unordered_set<std::string_view> seen;
  for (const Directive* directive : nodes) {
    const bool fresh = seen.insert(directive->name).second;
    if (fresh || (directive->definition != nullptr && directive->definition->repeatable)) continue;
    add(directive->position, {"The directive \"@", directive->name, "\" can only be used once at this location."});
  }
}

void Rules::on_variable(const VariableDefinition& node) {
  const std::string_view name = name_of(*node.type);
  if (schema_.type(name) == nullptr) add(node.position, {"Unknown type \"", name, "\"."});
}

// --- fields ---

std::vector<std::string_view> Rules::types_with_field(const Definition& parent, std::string_view name) {
  std::vector<std::string_view> interfaces;
  std::vector<std::string_view> objects;
  std::unordered_map<std::string_view, int> uses;
  for (const Definition* type : schema_.possible(parent.name)) {
    if (!budget_.spend(1 + type->fields.size() / 8)) return {};
    if (type->fields.find(name) == nullptr) continue;
    objects.push_back(type->name);
    for (const std::string_view each : type->interfaces) {
      const Definition* interface = schema_.type(each);
      if (interface == nullptr || interface->fields.find(name) == nullptr) continue;
      if (uses[each]++ == 0) interfaces.push_back(each);
    }
  }
  interfaces.insert(interfaces.end(), objects.begin(), objects.end());
  std::stable_sort(interfaces.begin(), interfaces.end(), [&](std::string_view a, std::string_view b) {
    const int of_a = uses.contains(a) ? uses[a] : 0;
    const int of_b = uses.contains(b) ? uses[b] : 0;
    return of_a != of_b ? of_a > of_b : a < b;
  });
  return interfaces;
}

void Rules::unknown_field(const Selection& node) {
  if (node.object == nullptr || node.definition != nullptr) return;
  const Definition& parent = *node.object;
  std::string message = join({"Cannot query field \"", node.name, "\" on type \"", parent.name, "\"."});
  std::vector<std::string_view> types;
  if (parent.is_abstract()) types = types_with_field(parent, node.name);
  if (!types.empty()) {
    message += " Did you mean to use an inline fragment on " + or_list(types, true) + "?";
  } else if (parent.kind == kObject || parent.kind == kInterface) {
    std::vector<std::string_view> names;
    for (const FieldDefinition* field : parent.fields) names.push_back(field->name);
    message += suggestion("Did you mean", node.name, names, true);
  }
  add(node.position, message);
}

void Rules::unknown_arguments(const Selection& node) {
  if (node.definition == nullptr || node.object == nullptr) return;
  const auto& known = node.definition->arguments;
  for (const Argument* argument : node.arguments) {
    if (!budget_.spend(known.size())) return;
    if (known.find(argument->name) != nullptr) continue;
    std::vector<std::string_view> names;
    for (const ArgumentDefinition* each : known) names.push_back(each->name);
    add(node.position, {"Unknown argument \"", argument->name, "\" on field \"", node.object->name, ".", node.name,
                        "\".", suggestion("Did you mean", argument->name, names, true)});
  }
}

// Lists of types inside lists of types: three levels are too many.
bool Rules::too_deep(const List<Selection*>& selections, int lists, int depth) {
  constexpr int kMaxLists = 3;
  if (depth > kMaxDepth) budget_.exhaust();
  for (const Selection* child : selections) {
    if (!budget_.spend()) return true;
    if (child->kind == SelectionKind::kInline) {
      if (too_deep(child->selections, lists, depth + 1)) return true;
    } else if (child->kind == SelectionKind::kField) {
      const std::string_view name = child->name;
      const bool list = name == "fields" || name == "interfaces" || name == "possibleTypes" || name == "inputFields";
      if (list && lists + 1 >= kMaxLists) return true;
      if (too_deep(child->selections, lists + (list ? 1 : 0), depth + 1)) return true;
    } else if (child->fragment != nullptr && open_fragments_.insert(child->name).second) {
      const bool deep = too_deep(child->fragment->selections, lists, depth + 1);
      open_fragments_.erase(child->name);
      if (deep) return true;
    }
  }
  return false;
}

void Rules::introspection_depth(const Selection& node) {
  if (node.name != "__schema" && node.name != "__type") return;
  if (too_deep(node.selections, 0, 0)) add(node.position, "Maximum introspection depth exceeded");
}

void Rules::required_arguments(const Selection& node) {
  if (node.definition == nullptr) return;
  for (const ArgumentDefinition* wanted : node.definition->arguments) {
    if (!wanted->type->non_null || wanted->default_value != nullptr) continue;
    if (!budget_.spend(node.arguments.size())) return;
    if (node.arguments.find(wanted->name) != nullptr) continue;
    add(node.position, {"Field \"", node.name, "\" argument \"", wanted->name, "\" of type \"",
                        to_string(*wanted->type), "\" is required, but it was not provided."});
  }
}

void Rules::scalar_leaf(const Selection& node) {
  if (node.definition == nullptr) return;
  const Definition* type = schema_.type(name_of(*node.definition->type));
  if (type == nullptr) return;
  if (type->is_leaf() && !node.selections.empty()) {
    add(node.position,
        {"Field \"", node.name, "\" must not have a selection since type \"", type->name, "\" has no subfields."});
  }
  if (!type->is_leaf() && node.selections.empty()) {
    add(node.position, {"Field \"", node.name, "\" of type \"", to_string(*node.definition->type),
                        "\" must have a selection of subfields. Did you mean \"", node.name, " { ... }\"?"});
  }
}

void Rules::unique_arguments(const List<Argument*>& arguments) {
  if (arguments.size() < 2) return;
  std::unordered_map<std::string_view, int> seen;
  for (const Argument* argument : arguments) {
    if (seen[argument->name]++ == 1) {
      add(argument->position, {"There can be only one argument named \"", argument->name, "\"."});
    }
  }
}

void Rules::overlapping(const List<Selection*>& selections) {
  for (const Overlap::Conflict& conflict : overlap_.within(selections)) {
    add(conflict.position, {"Fields \"", conflict.name, "\" conflict because ", conflict.describe(),
                            ". Use different aliases on the fields to fetch both if this was intentional."});
  }
}

// --- fragments ---

namespace {
std::vector<const Selection*> spreads_in(Budget& budget, const List<Selection*>& selections) {
  std::vector<const Selection*> out;
  std::vector<const List<Selection*>*> open = {&selections};
  while (!open.empty() && budget.spend()) {
    const List<Selection*>& set = *open.back();
    open.pop_back();
    for (const Selection* selection : set) {
      if (selection->kind == SelectionKind::kSpread) {
        out.push_back(selection);
      } else {
        open.push_back(&selection->selections);
      }
    }
  }
  return out;
}
}  // namespace

void Rules::fragment_cycles(const FragmentDefinition& node) {
  spread_path_.clear();
  spread_index_.clear();
  find_cycles(node, 0);
}

void Rules::find_cycles(const FragmentDefinition& node, int depth) {
  if (depth > kMaxDepth) budget_.exhaust();
  if (!budget_.spend() || !checked_fragments_.insert(node.name).second) return;
  const std::vector<const Selection*> spreads = spreads_in(budget_, node.selections);
  if (spreads.empty()) return;
  spread_index_[node.name] = spread_path_.size();
  for (const Selection* spread : spreads) {
    const auto found = spread_index_.find(spread->name);
    spread_path_.push_back(spread);
    if (found == spread_index_.end()) {
      if (!budget_.spend(document_.fragments.size())) return;
      if (const FragmentDefinition* fragment = document_.fragments.find(spread->name))
        find_cycles(*fragment, depth + 1);
    } else {
      std::string via;
      for (std::size_t i = found->second; i + 1 < spread_path_.size(); ++i) {
        via += via.empty() ? " via \"" : ", \"";
        via += join({spread_path_[i]->name, "\""});
      }
      add(spread->position, {"Cannot spread fragment \"", spread->name, "\" within itself", via, "."});
    }
    spread_path_.pop_back();
  }
  spread_index_.erase(node.name);
}

void Rules::impossible_spread(const Definition* parent, std::string_view condition, const Selection& node) {
  if (parent == nullptr || !parent->is_composite()) return;
  const Definition* type = schema_.type(condition);
  if (type == nullptr || !type->is_composite()) return;
  std::unordered_set<std::string_view> parents;
  if (parent->kind == kObject) {
    parents.insert(parent->name);
  } else {
    for (const Definition* each : schema_.possible(parent->name)) parents.insert(each->name);
  }
  for (const Definition* each : schema_.possible(type->name)) {
    if (!budget_.spend() || parents.contains(each->name)) return;
  }
  const bool spread = node.kind == SelectionKind::kSpread;
  add(node.position,
      {spread ? "Fragment \"" : "Fragment", spread ? node.name : "", spread ? "\"" : "",
       " cannot be spread here as objects of type \"", parent->name, "\" can never be of type \"", condition, "\"."});
}

// --- operations ---

void Rules::unused_variables(const Operation& node) {
  for (const VariableDefinition* variable : node.variables) {
    if (variable->used) continue;
    const std::string where = node.name.empty() ? "." : join({" in operation \"", node.name, "\"."});
    add(variable->position, {"Variable \"$", variable->name, "\" is never used", where});
  }
}

namespace {
// Fields at the top, through fragments; each name once.
struct TopFields {
  Budget& budget;
  std::vector<const Selection*> fields;
  std::unordered_set<std::string_view> names;
  std::unordered_set<std::string_view> fragments;

  void collect(const List<Selection*>& selections, int depth) {
    if (depth > kMaxDepth) budget.exhaust();
    for (const Selection* selection : selections) {
      if (!budget.spend()) return;
      if (selection->kind == SelectionKind::kField) {
        if (names.insert(selection->name).second) fields.push_back(selection);
      } else if (selection->kind == SelectionKind::kInline) {
        collect(selection->selections, depth + 1);
      } else if (selection->fragment == nullptr) {
        return;
      } else if (fragments.insert(selection->name).second) {
        collect(selection->fragment->selections, depth + 1);
      }
    }
  }
};
}  // namespace

void Rules::single_subscription(const Operation& node) {
  if (schema_.subscription == nullptr || node.operation != "subscription") return;
  TopFields top{budget_, {}, {}, {}};
  top.collect(node.selections, 0);
  const std::string name = node.name.empty() ? "Anonymous Subscription" : "Subscription " + text::go_quote(node.name);
  if (top.fields.size() > 1) add(top.fields[1]->position, name + " must select only one top level field.");
  for (const Selection* field : top.fields) {
    if (field->name.starts_with("__")) {
      add(field->position, name + " must not select an introspection top level field.");
    }
  }
}

void Rules::variables_of(const Operation& node) {
  std::unordered_map<std::string_view, int> seen;
  for (const VariableDefinition* variable : node.variables) {
    if (seen[variable->name]++ == 1) {
      add(variable->position, {"There can be only one variable named \"$", variable->name, "\"."});
    }
  }
  for (const VariableDefinition* variable : node.variables) {
    if (variable->definition == nullptr || variable->definition->is_input()) continue;
    add(variable->position,
        {"Variable \"$", variable->name, "\" cannot be non-input type \"", to_string(*variable->type), "\"."});
  }
}

}  // namespace portcullis::graphql
