#include "base/text.h"
#include "engine/rego/graphql/values.h"
#include "engine/value/number.h"

namespace portcullis::graphql {
namespace {

// Reads one kind of node after the other. The first thing that does not fit ends it all: `error_` says what.
class Decoder {
 public:
  Decoder(Budget& budget) : budget_(budget), arena_(budget.arena) {}

  const std::string& error() const noexcept { return error_; }

  QueryDocument* query(const Value& v) {
    auto* out = make_node<QueryDocument>(arena_);
    list(v, "Operations", out->operations);
    list(v, "Fragments", out->fragments);
    comment(v, "Comment", out->comment);
    return out;
  }
  SchemaDocument* schema(const Value& v) {
    auto* out = make_node<SchemaDocument>(arena_);
    list(v, "Schema", out->schemas);
    list(v, "SchemaExtension", out->schema_extensions);
    list(v, "Directives", out->directives);
    list(v, "Definitions", out->definitions);
    list(v, "Extensions", out->extensions);
    comment(v, "Comment", out->comment);
    return out;
  }

 private:
  void fail(std::string_view key, std::string_view want, const Value& got) {
    if (!error_.empty()) return;
    error_ = "json: cannot unmarshal " + std::string(kind_name(got.kind())) + " into Go struct field ." +
             std::string(key) + " of type " + std::string(want);
  }
  void missing(std::string_view what) {
    if (error_.empty()) error_ = "incomplete GraphQL document: " + std::string(what) + " is missing";
  }
  // The member, undefined when it is absent or null.
  static Value member(const Value& v, std::string_view key) {
    const Value out = v.get(key);
    return out.is_null() ? Value::undefined() : out;
  }
  void text(const Value& v, std::string_view key, std::string_view& out) {
    const Value value = member(v, key);
    if (!value.defined()) return;
    if (value.is_string()) {
      out = value.as_string();
    } else {
      fail(key, "string", value);
    }
  }
  void flag(const Value& v, std::string_view key, bool& out) {
    const Value value = member(v, key);
    if (!value.defined()) return;
    if (value.is_bool()) {
      out = value.as_bool();
    } else {
      fail(key, "bool", value);
    }
  }
  // The elements at `key`; none when it is absent.
  std::span<const Value> elements(const Value& v, std::string_view key) {
    const Value value = member(v, key);
    if (!value.defined() || value.is_array() || value.is_set()) return value.elements();
    fail(key, "list", value);
    return {};
  }
  template <typename Node>
  void list(const Value& v, std::string_view key, List<Node*>& out) {
    for (const Value& element : elements(v, key)) {
      if (!error_.empty() || !step()) return;
      if (!element.is_object()) return fail(key, "object", element);
      auto* node = make_node<Node>(arena_);
      decode(element, *node);
      out.push(arena_, node);
    }
  }
  void texts(const Value& v, std::string_view key, List<std::string_view>& out) {
    for (const Value& element : elements(v, key)) {
      if (!element.is_string()) return fail(key, "string", element);
      out.push(arena_, element.as_string());
    }
  }
  void comment(const Value& v, std::string_view key, Comment& out) {
    const Value group = member(v, key);
    if (!group.defined()) return;
    if (!group.is_object()) return fail(key, "object", group);
    for (const Value& line : elements(group, "List")) {
      std::string_view value;
      text(line, "Value", value);
      out.push(arena_, value);
    }
  }
  bool step() {
    if (budget_.spend()) return true;
    if (error_.empty()) error_ = "the document is too large";
    return false;
  }
  // An object at `key` as a node, null when there is none.
  template <typename Node>
  void child(const Value& v, std::string_view key, Node*& out) {
    const Value value = member(v, key);
    if (!value.defined()) return;
    if (!value.is_object()) return fail(key, "object", value);
    if (!error_.empty() || !step()) return;
    out = make_node<Node>(arena_);
    decode(value, *out);
  }
  template <typename Node>
  void required(const Value& v, std::string_view key, Node*& out) {
    child(v, key, out);
    if (out == nullptr) missing(key);
  }

  void decode(const Value& v, TypeRef& out) {
    text(v, "NamedType", out.named);
    child(v, "Elem", out.element);
    flag(v, "NonNull", out.non_null);
    if (out.named.empty() && out.element == nullptr) missing("the name of a type");
  }
  void decode(const Value& v, InputValue& out) {
    text(v, "Raw", out.raw);
    list(v, "Children", out.children);
    const Value kind = member(v, "Kind");
    if (kind.defined()) {
      const auto number = kind.is_number() ? to_int64(kind) : std::nullopt;
      if (!number || *number < 0 || *number > static_cast<std::int64_t>(ValueKind::kObject)) {
        return fail("Kind", "int", kind);
      }
      out.kind = static_cast<ValueKind>(*number);
    }
    comment(v, "Comment", out.comment);
    flag(v, "ExpectedTypeHasDefault", out.expected_has_default);
  }
  void decode(const Value& v, ChildValue& out) {
    text(v, "Name", out.name);
    required(v, "Value", out.value);
    comment(v, "Comment", out.comment);
  }
  void decode(const Value& v, Argument& out) {
    text(v, "Name", out.name);
    required(v, "Value", out.value);
    comment(v, "Comment", out.comment);
  }
  void decode(const Value& v, Directive& out) {
    text(v, "Name", out.name);
    list(v, "Arguments", out.arguments);
    text(v, "Location", out.location);
  }
  template <typename Node>
  void head(const Value& v, Node& out) {
    text(v, "Description", out.description);
    text(v, "Name", out.name);
    comment(v, "BeforeDescriptionComment", out.before);
    comment(v, "AfterDescriptionComment", out.after);
  }
  void decode(const Value& v, ArgumentDefinition& out) {
    head(v, out);
    child(v, "DefaultValue", out.default_value);
    required(v, "Type", out.type);
    list(v, "Directives", out.directives);
  }
  void decode(const Value& v, FieldDefinition& out) {
    head(v, out);
    list(v, "Arguments", out.arguments);
    child(v, "DefaultValue", out.default_value);
    required(v, "Type", out.type);
    list(v, "Directives", out.directives);
  }
  void decode(const Value& v, EnumValueDefinition& out) {
    head(v, out);
    list(v, "Directives", out.directives);
  }
  void decode(const Value& v, DirectiveDefinition& out) {
    head(v, out);
    list(v, "Arguments", out.arguments);
    texts(v, "Locations", out.locations);
    flag(v, "IsRepeatable", out.repeatable);
  }
  void decode(const Value& v, Definition& out) {
    text(v, "Kind", out.kind);
    head(v, out);
    list(v, "Directives", out.directives);
    texts(v, "Interfaces", out.interfaces);
    list(v, "Fields", out.fields);
    texts(v, "Types", out.types);
    list(v, "EnumValues", out.enum_values);
    flag(v, "BuiltIn", out.built_in);
    comment(v, "EndOfDefinitionComment", out.end);
  }
  void decode(const Value& v, OperationType& out) {
    text(v, "Operation", out.operation);
    text(v, "Type", out.type);
    comment(v, "Comment", out.comment);
  }
  void decode(const Value& v, SchemaDefinition& out) {
    text(v, "Description", out.description);
    list(v, "Directives", out.directives);
    list(v, "OperationTypes", out.operation_types);
    comment(v, "BeforeDescriptionComment", out.before);
    comment(v, "AfterDescriptionComment", out.after);
    comment(v, "EndOfDefinitionComment", out.end);
  }
  void decode(const Value& v, VariableDefinition& out) {
    text(v, "Variable", out.name);
    required(v, "Type", out.type);
    child(v, "DefaultValue", out.default_value);
    list(v, "Directives", out.directives);
    comment(v, "Comment", out.comment);
    flag(v, "Used", out.used);
  }
  // Every selection of an object is read as a field, fragments too: OPA has nothing that tells them apart.
  void decode(const Value& v, Selection& out) {
    text(v, "Alias", out.alias);
    text(v, "Name", out.name);
    list(v, "Arguments", out.arguments);
    list(v, "Directives", out.directives);
    list(v, "SelectionSet", out.selections);
  }
  void decode(const Value& v, FragmentDefinition& out) {
    text(v, "Name", out.name);
    list(v, "VariableDefinition", out.variables);
    text(v, "TypeCondition", out.type_condition);
    list(v, "Directives", out.directives);
    list(v, "SelectionSet", out.selections);
  }
  void decode(const Value& v, Operation& out) {
    text(v, "Operation", out.operation);
    text(v, "Name", out.name);
    list(v, "VariableDefinitions", out.variables);
    list(v, "Directives", out.directives);
    list(v, "SelectionSet", out.selections);
    const std::string_view operation = out.operation;
    if (!operation.empty() && operation != "query" && operation != "mutation" && operation != "subscription") {
      if (error_.empty()) error_ = "unknown operation type " + text::go_quote(operation);
    }
  }

  Budget& budget_;
  Arena& arena_;
  std::string error_;
};

// The readers above recurse as deep as the object does.
bool too_deep(const Value& value, int left) {
  if (left == 0) return true;
  for (const Value& element : value.elements()) {
    if (too_deep(element, left - 1)) return true;
  }
  for (const Value& element : value.values()) {
    if (too_deep(element, left - 1)) return true;
  }
  return false;
}

}  // namespace

QueryDocument* query_of_value(Budget& budget, const Value& value, std::string& error) {
  if (too_deep(value, kMaxDepth * 4)) {
    error = "the document is nested too deeply";
    return nullptr;
  }
  Decoder decoder(budget);
  QueryDocument* out = decoder.query(value);
  error = decoder.error();
  return error.empty() ? out : nullptr;
}

SchemaDocument* schema_of_value(Budget& budget, const Value& value, std::string& error) {
  if (too_deep(value, kMaxDepth * 4)) {
    error = "the document is nested too deeply";
    return nullptr;
  }
  Decoder decoder(budget);
  SchemaDocument* out = decoder.schema(value);
  error = decoder.error();
  return error.empty() ? out : nullptr;
}

}  // namespace portcullis::graphql
