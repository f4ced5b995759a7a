#include "engine/rego/graphql/schema.h"

#include <algorithm>
#include <initializer_list>
#include <unordered_set>
#include <vector>

#include "base/text.h"
#include "engine/rego/graphql/parser.h"
#include "engine/rego/graphql/prelude.h"

namespace portcullis::graphql {

std::string to_string(const TypeRef& type) {
  std::string out;
  if (type.element != nullptr && type.named.empty()) {
    out = "[" + to_string(*type.element) + "]";
  } else {
    out = type.named;
  }
  if (type.non_null) out += "!";
  return out;
}

std::string to_string(const InputValue& value) {
  switch (value.kind) {
    case ValueKind::kVariable: return "$" + std::string(value.raw);
    case ValueKind::kString:
    case ValueKind::kBlock: return text::go_quote(value.raw);
    case ValueKind::kList:
    case ValueKind::kObject: break;
    default: return std::string(value.raw);
  }
  const bool object = value.kind == ValueKind::kObject;
  std::string out = object ? "{" : "[";
  for (std::uint32_t i = 0; i < value.children.size(); ++i) {
    if (i != 0) out += ",";
    if (object) out += std::string(value.children[i]->name) + ":";
    out += to_string(*value.children[i]->value);
  }
  return out + (object ? "}" : "]");
}

bool compatible(const TypeRef& type, const TypeRef& other) {
  if (type.named != other.named) return false;
  if (type.element != nullptr && (other.element == nullptr || !compatible(*type.element, *other.element))) return false;
  return !other.non_null || type.non_null;
}

namespace {

using Texts = std::initializer_list<std::string_view>;

std::string join(Texts parts) {
  std::string out;
  for (const std::string_view part : parts) out += part;
  return out;
}

std::string list_of(Texts kinds) {
  std::string out;
  for (const std::string_view kind : kinds) {
    if (!out.empty()) out += ", ";
    out += kind;
  }
  return out;
}

bool one_of(std::string_view kind, Texts kinds) { return std::find(kinds.begin(), kinds.end(), kind) != kinds.end(); }

template <typename Named>
std::vector<std::string_view> sorted_names(const std::unordered_map<std::string_view, Named*>& map) {
  std::vector<std::string_view> out;
  out.reserve(map.size());
  for (const auto& [name, node] : map) out.push_back(name);
  std::sort(out.begin(), out.end());
  return out;
}

// Each check is true when all is well; the first that is not records why.
class Builder {
 public:
  Builder(Budget& budget, Schema& schema) : budget_(budget), arena_(budget.arena), schema_(schema) {}

  bool build(const SchemaDocument& prelude, const SchemaDocument& document);
  const std::string& error() const noexcept { return error_; }

 private:
  bool fail(const Position& position, std::string_view message) {
    if (error_.empty()) error_ = located(position, message);
    return false;
  }
  bool fail(const Position& position, Texts parts) { return fail(position, join(parts)); }
  bool spend(std::uint64_t steps = 1) {
    if (budget_.spend(steps)) return true;
    if (error_.empty()) error_ = "the schema is too large";
    return false;
  }

  bool declare_types(const SchemaDocument& document);
  bool extend_types(const SchemaDocument& document);
  void collect_possible_types();
  bool declare_directives(const SchemaDocument& document);
  bool declare_roots(const SchemaDefinition& definition);
  void add_introspection();
  bool check_types();
  bool check_type(Definition& definition);
  bool check_fields(const Definition& definition);
  bool check_members(const Definition& definition);
  bool check_shape(const Definition& definition);
  bool check_field_kinds(const Definition& definition);
  bool check_enum(const Definition& definition);
  bool check_unique(const Definition& definition);
  bool check_cycles();
  bool check_cycle(const Definition& definition, int depth);
  bool check_name(const Position& position, std::string_view name);
  bool check_type_ref(const TypeRef& type);
  bool check_arguments(const List<ArgumentDefinition*>& arguments, const DirectiveDefinition* inside);
  bool check_directives(const List<Directive*>& directives, std::string_view location,
                        const DirectiveDefinition* inside, bool single_location);
  bool check_directive_arguments(const Directive& directive, const DirectiveDefinition& definition);
  bool check_implements(const Definition& definition, std::string_view name);
  bool check_implemented_field(const Definition& definition, const Definition& interface,
                               const FieldDefinition& required);
  bool check_ancestors(const Definition& definition, const Definition& interface);
  bool covariant(const TypeRef& required, const TypeRef& actual);

  Budget& budget_;
  Arena& arena_;
  Schema& schema_;
  std::vector<Definition*> definitions_;
  std::string error_;
  std::unordered_set<std::string_view> visited_;
  std::vector<const FieldDefinition*> field_path_;
  std::unordered_map<std::string_view, std::size_t> path_index_;
};

bool Builder::declare_types(const SchemaDocument& document) {
  for (Definition* definition : document.definitions) {
    if (!spend()) return false;
    if (!schema_.types.emplace(definition->name, definition).second) {
      return fail(definition->position, {"Cannot redeclare type ", definition->name, "."});
    }
    definitions_.push_back(definition);
  }
  return true;
}

template <typename T>
void append(Arena& arena, List<T>& to, const List<T>& from) {
  for (const T& item : from) to.push(arena, item);
}

bool Builder::extend_types(const SchemaDocument& document) {
  for (Definition* extension : document.extensions) {
    if (!spend()) return false;
    Definition* base = schema_.type(extension->name);
    if (base == nullptr) {
      base = make_node<Definition>(arena_);
      base->kind = extension->kind;
      base->name = extension->name;
      base->position = extension->position;
      schema_.types.emplace(base->name, base);
      definitions_.push_back(base);
    }
    if (base->kind != extension->kind) {
      return fail(extension->position, {"Cannot extend type ", extension->name, " because the base type is a ",
                                        base->kind, ", not ", extension->kind, "."});
    }
    append(arena_, base->directives, extension->directives);
    append(arena_, base->interfaces, extension->interfaces);
    append(arena_, base->fields, extension->fields);
    append(arena_, base->types, extension->types);
    append(arena_, base->type_positions, extension->type_positions);
    append(arena_, base->enum_values, extension->enum_values);
  }
  return true;
}

void Builder::collect_possible_types() {
  for (Definition* definition : definitions_) {
    if (definition->kind == kUnion) {
      for (const std::string_view member : definition->types) {
        if (Definition* type = schema_.type(member)) schema_.possible_types[definition->name].push(arena_, type);
      }
    }
    const bool object = definition->kind == kObject || definition->kind == kInputObject;
    if (object || definition->kind == kInterface) {
      for (const std::string_view name : definition->interfaces) schema_.possible_types[name].push(arena_, definition);
    }
    if (object) schema_.possible_types[definition->name].push(arena_, definition);
  }
}

bool Builder::declare_directives(const SchemaDocument& document) {
  for (DirectiveDefinition* directive : document.directives) {
    if (!spend()) return false;
    const bool known = schema_.directive(directive->name) != nullptr;
    // Those that every schema has may be declared once more.
    if (known && !one_of(directive->name, {"include", "skip", "deprecated", "specifiedBy", "defer", "oneOf"})) {
      return fail(directive->position, {"Cannot redeclare directive ", directive->name, "."});
    }
    schema_.directives[directive->name] = directive;
  }
  return true;
}

bool Builder::declare_roots(const SchemaDefinition& definition) {
  for (const OperationType* root : definition.operation_types) {
    Definition* type = schema_.type(root->type);
    if (type == nullptr) {
      return fail(root->position,
                  {"Schema root ", root->operation, " refers to a type ", root->type, " that does not exist."});
    }
    if (root->operation == "query") schema_.query = type;
    if (root->operation == "mutation") schema_.mutation = type;
    if (root->operation == "subscription") schema_.subscription = type;
  }
  return check_directives(definition.directives, "SCHEMA", nullptr, true);
}

bool Builder::build(const SchemaDocument& prelude, const SchemaDocument& document) {
  if (!declare_types(prelude) || !declare_types(document) || !extend_types(document)) return false;
  collect_possible_types();
  if (!declare_directives(prelude) || !declare_directives(document)) return false;
  if (document.schemas.size() > 1) {
    return fail(document.schemas[1]->position,
                "Cannot have multiple schema entry points, consider schema extensions instead.");
  }
  for (const SchemaDefinition* definition : document.schemas) {
    if (!declare_roots(*definition)) return false;
  }
  for (const SchemaDefinition* extension : document.schema_extensions) {
    if (!declare_roots(*extension)) return false;
  }
  if (!check_types() || !check_cycles()) return false;
  for (const std::string_view name : sorted_names(schema_.directives)) {
    const DirectiveDefinition& directive = *schema_.directive(name);
    if (!check_name(directive.position, directive.name)) return false;
    if (!check_arguments(directive.arguments, &directive)) return false;
  }
  if (document.schemas.empty()) {
    if (schema_.query == nullptr) schema_.query = schema_.type("Query");
    if (schema_.mutation == nullptr) schema_.mutation = schema_.type("Mutation");
    if (schema_.subscription == nullptr) schema_.subscription = schema_.type("Subscription");
  }
  add_introspection();
  return true;
}

void Builder::add_introspection() {
  if (schema_.query == nullptr) return;
  const auto type = [&](std::string_view name, bool non_null) {
    auto* out = make_node<TypeRef>(arena_);
    out->named = name;
    out->non_null = non_null;
    return out;
  };
  auto* schema = make_node<FieldDefinition>(arena_);
  schema->name = "__schema";
  schema->type = type("__Schema", true);
  schema_.query->fields.push(arena_, schema);
  auto* of_type = make_node<FieldDefinition>(arena_);
  of_type->name = "__type";
  of_type->type = type("__Type", false);
  auto* name = make_node<ArgumentDefinition>(arena_);
  name->name = "name";
  name->type = type("String", true);
  of_type->arguments.push(arena_, name);
  schema_.query->fields.push(arena_, of_type);
}

bool Builder::check_types() {
  for (const std::string_view name : sorted_names(schema_.types)) {
    if (!check_type(*schema_.type(name))) return false;
  }
  return true;
}

bool Builder::check_type(Definition& definition) {
  if (!check_fields(definition) || !check_members(definition)) return false;
  for (const std::string_view interface : definition.interfaces) {
    if (!check_implements(definition, interface)) return false;
  }
  if (!check_shape(definition) || !check_unique(definition)) return false;
  if (!definition.built_in && !check_name(definition.position, definition.name)) return false;
  // These are merged from the definition and its extensions, which are places of their own.
  return check_directives(definition.directives, definition.kind, nullptr, false);
}

bool Builder::check_fields(const Definition& definition) {
  const std::string_view location = definition.kind == kInputObject ? "INPUT_FIELD_DEFINITION" : "FIELD_DEFINITION";
  for (const FieldDefinition* field : definition.fields) {
    if (!spend() || !check_name(field->position, field->name) || !check_type_ref(*field->type)) return false;
    if (!check_arguments(field->arguments, nullptr)) return false;
    if (!check_directives(field->directives, location, nullptr, true)) return false;
  }
  return true;
}

bool Builder::check_members(const Definition& definition) {
  for (const std::string_view member : definition.types) {
    const Definition* type = schema_.type(member);
    if (type == nullptr) return fail(definition.position, {"Undefined type ", text::go_quote(member), "."});
    if (type->kind != kObject) {
      return fail(definition.position, {definition.kind, " type ", text::go_quote(member), " must be ", kObject, "."});
    }
  }
  return true;
}

bool Builder::check_shape(const Definition& definition) {
  const auto none = [&](std::string_view what) {
    return fail(definition.position, {definition.kind, " ", definition.name, ": must define one or more ", what, "."});
  };
  if (definition.kind == kObject || definition.kind == kInterface) {
    return definition.fields.empty() ? none("fields") : check_field_kinds(definition);
  }
  if (definition.kind == kInputObject) {
    return definition.fields.empty() ? none("input fields") : check_field_kinds(definition);
  }
  if (definition.kind == kEnum)
    return definition.enum_values.empty() ? none("unique enum values") : check_enum(definition);
  return true;
}

bool Builder::check_field_kinds(const Definition& definition) {
  const bool input = definition.kind == kInputObject;
  for (const FieldDefinition* field : definition.fields) {
    const Definition* type = schema_.type(name_of(*field->type));
    if (type == nullptr) continue;
    if (input && !type->is_input()) {
      return fail(field->position, {type->kind, " ", field->name, ": field must be one of ",
                                    list_of({kScalar, kEnum, kInputObject}), "."});
    }
    if (!input && !one_of(type->kind, {kScalar, kObject, kInterface, kUnion, kEnum})) {
      return fail(field->position, {definition.kind, " ", definition.name, ": field must be one of ",
                                    list_of({kScalar, kObject, kInterface, kUnion, kEnum}), "."});
    }
  }
  return true;
}

bool Builder::check_enum(const Definition& definition) {
  for (const EnumValueDefinition* value : definition.enum_values) {
    if (one_of(value->name, {"true", "false", "null"})) {
      return fail(definition.position, {definition.kind, " ", definition.name, ": non-enum value ", value->name, "."});
    }
    if (!check_directives(value->directives, "ENUM_VALUE", nullptr, true)) return false;
  }
  return true;
}

bool Builder::check_unique(const Definition& definition) {
  // The second of the earliest pair, as comparing each with all after it finds it.
  const auto second = [](const auto& list, auto name_at) {
    std::unordered_map<std::string_view, std::uint32_t> first;
    std::uint32_t best_first = list.size();
    std::uint32_t best = list.size();
    for (std::uint32_t i = 0; i < list.size(); ++i) {
      const auto [at, fresh] = first.emplace(name_at(list[i]), i);
      if (!fresh && at->second < best_first) {
        best_first = at->second;
        best = i;
      }
    }
    return best;
  };
  const auto by_name = [](const auto* node) { return node->name; };
  if (const std::uint32_t at = second(definition.fields, by_name); at < definition.fields.size()) {
    const FieldDefinition& field = *definition.fields[at];
    return fail(field.position, {"Field ", definition.name, ".", field.name, " can only be defined once."});
  }
  if (const std::uint32_t at = second(definition.enum_values, by_name); at < definition.enum_values.size()) {
    const EnumValueDefinition& value = *definition.enum_values[at];
    return fail(value.position, {"Enum value ", definition.name, ".", value.name, " can only be defined once."});
  }
  const auto by_self = [](std::string_view name) { return name; };
  if (const std::uint32_t at = second(definition.types, by_self); at < definition.types.size()) {
    const bool aligned = definition.type_positions.size() == definition.types.size();
    return fail(aligned ? definition.type_positions[at] : definition.position,
                {"Union type ", definition.name, " can only include type ", definition.types[at], " once."});
  }
  return true;
}

bool Builder::check_cycles() {
  for (const std::string_view name : sorted_names(schema_.types)) {
    const Definition& definition = *schema_.type(name);
    if (definition.kind == kInputObject && !check_cycle(definition, 0)) return false;
  }
  return true;
}

bool Builder::check_cycle(const Definition& definition, int depth) {
  if (!visited_.insert(definition.name).second) return true;
  if (depth > kMaxDepth) return fail(definition.position, "input objects are nested too deeply");
  path_index_[definition.name] = field_path_.size();
  for (const FieldDefinition* field : definition.fields) {
    if (!field->type->non_null || field->type->named.empty()) continue;
    const Definition* type = schema_.type(field->type->named);
    if (type == nullptr || type->kind != kInputObject) continue;
    field_path_.push_back(field);
    if (const auto found = path_index_.find(type->name); found != path_index_.end()) {
      std::string names;
      for (std::size_t i = found->second; i < field_path_.size(); ++i) {
        if (!names.empty()) names += ".";
        names += field_path_[i]->name;
      }
      return fail(field_path_[found->second]->position,
                  {"Cannot reference Input Object ", text::go_quote(type->name),
                   " within itself through a series of non-null fields: ", text::go_quote(names), "."});
    }
    if (!check_cycle(*type, depth + 1)) return false;
    field_path_.pop_back();
  }
  path_index_.erase(definition.name);
  return true;
}

bool Builder::check_name(const Position& position, std::string_view name) {
  if (!name.starts_with("__")) return true;
  return fail(position,
              {"Name \"", name, "\" must not begin with \"__\", which is reserved by GraphQL introspection."});
}

bool Builder::check_type_ref(const TypeRef& type) {
  if (schema_.type(name_of(type)) != nullptr) return true;
  return fail(type.position, {"Undefined type ", name_of(type), "."});
}

bool Builder::check_arguments(const List<ArgumentDefinition*>& arguments, const DirectiveDefinition* inside) {
  for (const ArgumentDefinition* argument : arguments) {
    if (!spend() || !check_name(argument->position, argument->name) || !check_type_ref(*argument->type)) return false;
    const Definition& type = *schema_.type(name_of(*argument->type));
    if (!type.is_input()) {
      return fail(argument->position, {"cannot use ", to_string(*argument->type), " as argument ", argument->name,
                                       " because ", type.kind, " is not a valid input type"});
    }
    if (!check_directives(argument->directives, "ARGUMENT_DEFINITION", inside, true)) return false;
  }
  return true;
}

bool Builder::check_directives(const List<Directive*>& directives, std::string_view location,
                               const DirectiveDefinition* inside, bool single_location) {
  std::unordered_set<std::string_view> seen;
  for (Directive* directive : directives) {
    if (!spend() || !check_name(directive->position, directive->name)) return false;
    if (inside != nullptr && directive->name == inside->name) {
      return fail(directive->position, {"Directive ", inside->name, " cannot refer to itself."});
    }
    DirectiveDefinition* definition = schema_.directive(directive->name);
    if (definition == nullptr) return fail(directive->position, {"Undefined directive ", directive->name, "."});
    if (single_location && !seen.insert(directive->name).second && !definition->repeatable) {
      return fail(directive->position, {"The directive ", directive->name, " can only be used once at this location."});
    }
    if (std::find(definition->locations.begin(), definition->locations.end(), location) ==
        definition->locations.end()) {
      return fail(directive->position, {"Directive ", directive->name, " is not applicable on ", location, "."});
    }
    if (!check_directive_arguments(*directive, *definition)) return false;
    directive->definition = definition;
  }
  return true;
}

bool Builder::check_directive_arguments(const Directive& directive, const DirectiveDefinition& definition) {
  if (!spend(std::uint64_t{1} + directive.arguments.size() * definition.arguments.size())) return false;
  for (const Argument* argument : directive.arguments) {
    if (definition.arguments.find(argument->name) == nullptr) {
      return fail(argument->position, {"Undefined argument ", argument->name, " for directive ", directive.name, "."});
    }
  }
  for (const ArgumentDefinition* wanted : definition.arguments) {
    if (!wanted->type->non_null || wanted->default_value != nullptr) continue;
    const Argument* argument = directive.arguments.find(wanted->name);
    if (argument == nullptr || argument->value->kind == ValueKind::kNull) {
      return fail(directive.position,
                  {"Argument ", wanted->name, " for directive ", directive.name, " cannot be null."});
    }
  }
  return true;
}

bool Builder::check_implements(const Definition& definition, std::string_view name) {
  const Definition* interface = schema_.type(name);
  if (interface == nullptr) return fail(definition.position, {"Undefined type ", text::go_quote(name), "."});
  if (interface->kind != kInterface) {
    return fail(definition.position, {text::go_quote(name), " is a non interface type ", interface->kind, "."});
  }
  for (const FieldDefinition* required : interface->fields) {
    if (!check_implemented_field(definition, *interface, *required)) return false;
  }
  return check_ancestors(definition, *interface);
}

bool Builder::check_implemented_field(const Definition& definition, const Definition& interface,
                                      const FieldDefinition& required) {
  if (!spend(definition.fields.size())) return false;
  const FieldDefinition* found = definition.fields.find(required.name);
  const std::string start = join({"For ", definition.name, " to implement ", interface.name});
  if (found == nullptr) {
    return fail(definition.position, {start, " it must have a field called ", required.name, "."});
  }
  if (!covariant(*required.type, *found->type)) {
    return fail(found->position,
                {start, " the field ", required.name, " must have type ", to_string(*required.type), "."});
  }
  if (!spend(std::uint64_t{1} + required.arguments.size() * found->arguments.size())) return false;
  for (const ArgumentDefinition* wanted : required.arguments) {
    const ArgumentDefinition* argument = found->arguments.find(wanted->name);
    const std::string same = join({start, " the field ", required.name, " must have the same arguments but "});
    if (argument == nullptr) return fail(found->position, {same, "it is missing ", wanted->name, "."});
    if (!compatible(*wanted->type, *argument->type)) {
      return fail(argument->position, {same, wanted->name, " has the wrong type."});
    }
  }
  for (const ArgumentDefinition* argument : found->arguments) {
    if (argument->type->non_null && argument->default_value == nullptr &&
        required.arguments.find(argument->name) == nullptr) {
      return fail(argument->position,
                  {start, " any additional arguments on ", found->name,
                   " must be optional or have a default value but ", argument->name, " is required."});
    }
  }
  return true;
}

bool Builder::check_ancestors(const Definition& definition, const Definition& interface) {
  const auto& own = definition.interfaces;
  if (!spend(std::uint64_t{1} + own.size() * interface.interfaces.size())) return false;
  for (const std::string_view ancestor : interface.interfaces) {
    if (std::find(own.begin(), own.end(), ancestor) != own.end()) continue;
    if (ancestor == definition.name) {
      return fail(definition.position, {"Type ", definition.name, " cannot implement ", interface.name,
                                        " because it would create a circular reference."});
    }
    return fail(definition.position, {"Type ", definition.name, " must implement ", ancestor,
                                      " because it is implemented by ", interface.name, "."});
  }
  return true;
}

bool Builder::covariant(const TypeRef& required, const TypeRef& actual) {
  if (required.non_null && !actual.non_null) return false;
  if (!required.named.empty()) {
    if (required.named == actual.named) return true;
    const List<Definition*> possible = schema_.possible(required.named);
    if (!spend(possible.size())) return false;
    return possible.find(actual.named) != nullptr;
  }
  if (required.element == nullptr || actual.element == nullptr) return required.element == actual.element;
  return covariant(*required.element, *actual.element);
}

}  // namespace

bool build_schema(Budget& budget, const SchemaDocument& document, Schema& out, std::string& error) {
  const SchemaDocument* prelude = parse_schema(budget, kPrelude, true, error);
  if (prelude == nullptr) return false;
  Builder builder(budget, out);
  const bool built = builder.build(*prelude, document);
  error = builder.error();
  return built;
}

}  // namespace portcullis::graphql
