// Walks a query along the schema, notes in its tree what each node refers to, and calls the rules.
#include <unordered_set>

#include "engine/rego/graphql/rules.h"

namespace portcullis::graphql {
namespace {

class Walker {
 public:
  Walker(Budget& budget, const Schema& schema, QueryDocument& document)
      : budget_(budget), schema_(schema), document_(document), rules_(budget, schema, document) {
    for (FragmentDefinition* fragment : document.fragments) fragments_.emplace(fragment->name, fragment);
    typename_ = make_node<FieldDefinition>(budget.arena);
    typename_->name = "__typename";
    typename_->type = make_node<TypeRef>(budget.arena);
    typename_->type->named = "String";
  }

  std::string run() {
    for (Operation* operation : document_.operations) {
      entered_.clear();
      walk(*operation);
    }
    for (FragmentDefinition* fragment : document_.fragments) {
      entered_.clear();
      fragment->definition = schema_.type(fragment->type_condition);
      walk(fragment->directives, "FRAGMENT_DEFINITION");
      walk(fragment->definition, fragment->selections, 0);
      if (budget_.spend()) rules_.on_fragment(*fragment);
    }
    return rules_.errors();
  }

 private:
  void walk(Operation& operation);
  void walk(const List<Directive*>& directives, std::string_view location);
  void walk(InputValue& value);
  void walk(const ArgumentDefinition* definition, Argument& argument);
  void walk(Definition* parent, const List<Selection*>& selections, int depth);
  void walk_field(Definition* parent, Selection& field, int depth);
  void walk_inline(Definition* parent, Selection& fragment, int depth);
  void walk_spread(Definition* parent, Selection& spread, int depth);

  Budget& budget_;
  const Schema& schema_;
  QueryDocument& document_;
  Rules rules_;
  std::unordered_map<std::string_view, FragmentDefinition*> fragments_;  // the first of each name
  std::unordered_set<std::string_view> entered_;                         // what this operation spread already
  std::unordered_map<std::string_view, VariableDefinition*> variables_;
  FieldDefinition* typename_ = nullptr;  // the field that every type has
};

void Walker::walk(Operation& operation) {
  rules_.operation = &operation;
  variables_.clear();
  for (VariableDefinition* variable : operation.variables) {
    if (!budget_.spend()) return;
    variables_.emplace(variable->name, variable);
    variable->definition = schema_.type(name_of(*variable->type));
    rules_.on_variable(*variable);
    if (variable->default_value == nullptr) continue;
    variable->default_value->expected = variable->type;
    variable->default_value->definition = variable->definition;
  }
  Definition* root = schema_.query;
  std::string_view location = "QUERY";
  if (operation.operation == "mutation") {
    root = schema_.mutation;
    location = "MUTATION";
  } else if (operation.operation == "subscription") {
    root = schema_.subscription;
    location = "SUBSCRIPTION";
  }
  for (const VariableDefinition* variable : operation.variables) {
    if (variable->default_value != nullptr) walk(*variable->default_value);
    walk(variable->directives, "VARIABLE_DEFINITION");
  }
  walk(operation.directives, location);
  walk(root, operation.selections, 0);
  if (budget_.spend()) rules_.on_operation(operation);
  rules_.operation = nullptr;
}

void Walker::walk(const List<Directive*>& directives, std::string_view location) {
  for (Directive* directive : directives) {
    directive->definition = schema_.directive(directive->name);
    directive->location = location;
    for (Argument* argument : directive->arguments) {
      if (!budget_.spend()) return;
      walk(directive->definition == nullptr ? nullptr : directive->definition->arguments.find(argument->name),
           *argument);
    }
    rules_.on_directive(*directive);
  }
  rules_.on_directives(directives);
}

namespace {
bool has_default(const InputValue* value) { return value != nullptr && value->kind != ValueKind::kNull; }
}  // namespace

// As deep as the parser let values nest.
void Walker::walk(InputValue& value) {
  if (!budget_.spend()) return;
  if (value.kind == ValueKind::kVariable && rules_.operation != nullptr) {
    const auto found = variables_.find(value.raw);
    value.variable = found == variables_.end() ? nullptr : found->second;
    if (value.variable != nullptr) value.variable->used = true;
  }
  if (value.kind == ValueKind::kObject) {
    for (ChildValue* child : value.children) {
      const FieldDefinition* field = value.definition == nullptr ? nullptr : value.definition->fields.find(child->name);
      if (field != nullptr) {
        child->value->expected = field->type;
        child->value->expected_has_default = has_default(field->default_value);
        child->value->definition = schema_.type(name_of(*field->type));
      }
      walk(*child->value);
    }
  }
  if (value.kind == ValueKind::kList) {
    for (ChildValue* child : value.children) {
      if (value.expected != nullptr && value.expected->element != nullptr) {
        child->value->expected = value.expected->element;
        child->value->definition = value.definition;
      }
      walk(*child->value);
    }
  }
  rules_.on_value(value);
}

void Walker::walk(const ArgumentDefinition* definition, Argument& argument) {
  if (definition != nullptr) {
    argument.value->expected = definition->type;
    argument.value->expected_has_default = has_default(definition->default_value);
    argument.value->definition = schema_.type(name_of(*definition->type));
  }
  walk(*argument.value);
}

void Walker::walk(Definition* parent, const List<Selection*>& selections, int depth) {
  if (depth > kMaxDepth) budget_.exhaust();
  for (Selection* selection : selections) {
    if (!budget_.spend()) return;
    switch (selection->kind) {
      case SelectionKind::kField: walk_field(parent, *selection, depth); break;
      case SelectionKind::kInline: walk_inline(parent, *selection, depth); break;
      case SelectionKind::kSpread: walk_spread(parent, *selection, depth); break;
    }
  }
}

void Walker::walk_field(Definition* parent, Selection& field, int depth) {
  if (field.name == "__typename") {
    field.definition = typename_;
  } else {
    field.definition = nullptr;
    if (parent != nullptr) {
      if (!budget_.spend(parent->fields.size() / 16)) return;
      field.definition = parent->fields.find(field.name);
    }
  }
  field.object = parent;
  Definition* next = field.definition == nullptr ? nullptr : schema_.type(name_of(*field.definition->type));
  for (Argument* argument : field.arguments) {
    walk(field.definition == nullptr ? nullptr : field.definition->arguments.find(argument->name), *argument);
  }
  walk(field.directives, "FIELD");
  walk(next, field.selections, depth + 1);
  if (budget_.spend()) rules_.on_field(field);
}

void Walker::walk_inline(Definition* parent, Selection& fragment, int depth) {
  fragment.object = parent;
  Definition* next = fragment.type_condition.empty() ? parent : schema_.type(fragment.type_condition);
  walk(fragment.directives, "INLINE_FRAGMENT");
  walk(next, fragment.selections, depth + 1);
  if (budget_.spend()) rules_.on_inline(fragment);
}

void Walker::walk_spread(Definition* parent, Selection& spread, int depth) {
  const auto found = fragments_.find(spread.name);
  spread.fragment = found == fragments_.end() ? nullptr : found->second;
  spread.object = parent;
  Definition* next = spread.fragment == nullptr ? nullptr : schema_.type(spread.fragment->type_condition);
  walk(spread.directives, "FRAGMENT_SPREAD");
  if (spread.fragment != nullptr && entered_.insert(spread.name).second) {
    walk(spread.fragment->directives, "FRAGMENT_DEFINITION");
    walk(next, spread.fragment->selections, depth + 1);
  }
  if (budget_.spend()) rules_.on_spread(spread);
}

}  // namespace

std::string validate(Budget& budget, const Schema& schema, QueryDocument& query) {
  return Walker(budget, schema, query).run();
}

}  // namespace portcullis::graphql
