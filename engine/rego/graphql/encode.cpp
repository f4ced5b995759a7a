#include <vector>

#include "engine/rego/graphql/values.h"

namespace portcullis::graphql {
namespace {

class Encoder {
 public:
  explicit Encoder(Arena& arena) : arena_(arena) {}

  Value document(const QueryDocument& d) {
    Members out;
    list(out, "Operations", d.operations);
    list(out, "Fragments", d.fragments);
    comment(out, "Comment", d.comment);
    return make(out);
  }
  Value document(const SchemaDocument& d) {
    Members out;
    list(out, "Schema", d.schemas);
    list(out, "SchemaExtension", d.schema_extensions);
    list(out, "Directives", d.directives);
    list(out, "Definitions", d.definitions);
    list(out, "Extensions", d.extensions);
    comment(out, "Comment", d.comment);
    return make(out);
  }

 private:
  using Members = std::vector<Member>;

  Value make(const Members& members) { return make_object(arena_, members); }
  static void put(Members& out, std::string_view key, const Value& value) {
    out.push_back({Value::string(key), value});
  }
  static void text(Members& out, std::string_view key, std::string_view value) { put(out, key, Value::string(value)); }
  static void flag(Members& out, std::string_view key, bool value) { put(out, key, Value::boolean(value)); }

  template <typename Node>
  void list(Members& out, std::string_view key, const List<Node*>& nodes) {
    std::vector<Value> elements;
    for (const Node* node : nodes) {
      const Value value = encode(*node);
      if (value.size() != 0) elements.push_back(value);
    }
    if (!elements.empty()) put(out, key, make_array(arena_, elements));
  }
  void texts(Members& out, std::string_view key, const List<std::string_view>& list) {
    std::vector<Value> elements;
    for (const std::string_view each : list) elements.push_back(Value::string(each));
    if (!elements.empty()) put(out, key, make_array(arena_, elements));
  }
  void comment(Members& out, std::string_view key, const Comment& lines) {
    if (lines.empty()) return;
    std::vector<Value> elements;
    for (const std::string_view line : lines) {
      const Member value{Value::string("Value"), Value::string(line)};
      elements.push_back(make_object(arena_, {&value, 1}));
    }
    const Member group{Value::string("List"), make_array(arena_, elements)};
    put(out, key, make_object(arena_, {&group, 1}));
  }
  void comments(Members& out, const Comment& before, const Comment& after) {
    comment(out, "BeforeDescriptionComment", before);
    comment(out, "AfterDescriptionComment", after);
  }
  void type(Members& out, std::string_view key, const TypeRef* of) {
    if (of != nullptr) put(out, key, encode(*of));
  }
  void value(Members& out, std::string_view key, const InputValue* of) {
    if (of != nullptr) put(out, key, encode(*of));
  }

  Value encode(const TypeRef& t) {
    Members out;
    text(out, "NamedType", t.named);
    type(out, "Elem", t.element);
    flag(out, "NonNull", t.non_null);
    return make(out);
  }
  Value encode(const InputValue& v) {
    Members out;
    text(out, "Raw", v.raw);
    list(out, "Children", v.children);
    put(out, "Kind", Value::integer(static_cast<std::int64_t>(v.kind)));
    comment(out, "Comment", v.comment);
    flag(out, "ExpectedTypeHasDefault", v.expected_has_default);
    return make(out);
  }
  Value encode(const ChildValue& c) { return named_value(c.name, c.value, c.comment); }
  Value encode(const Argument& a) { return named_value(a.name, a.value, a.comment); }
  Value named_value(std::string_view name, const InputValue* of, const Comment& lines) {
    Members out;
    text(out, "Name", name);
    value(out, "Value", of);
    comment(out, "Comment", lines);
    return make(out);
  }
  Value encode(const Directive& d) {
    Members out;
    text(out, "Name", d.name);
    list(out, "Arguments", d.arguments);
    text(out, "Location", d.location);
    return make(out);
  }
  Value encode(const ArgumentDefinition& a) {
    Members out;
    text(out, "Description", a.description);
    text(out, "Name", a.name);
    value(out, "DefaultValue", a.default_value);
    type(out, "Type", a.type);
    list(out, "Directives", a.directives);
    comments(out, a.before, a.after);
    return make(out);
  }
  Value encode(const FieldDefinition& f) {
    Members out;
    text(out, "Description", f.description);
    text(out, "Name", f.name);
    list(out, "Arguments", f.arguments);
    value(out, "DefaultValue", f.default_value);
    type(out, "Type", f.type);
    list(out, "Directives", f.directives);
    comments(out, f.before, f.after);
    return make(out);
  }
  Value encode(const EnumValueDefinition& e) {
    Members out;
    text(out, "Description", e.description);
    text(out, "Name", e.name);
    list(out, "Directives", e.directives);
    comments(out, e.before, e.after);
    return make(out);
  }
  Value encode(const DirectiveDefinition& d) {
    Members out;
    text(out, "Description", d.description);
    text(out, "Name", d.name);
    list(out, "Arguments", d.arguments);
    texts(out, "Locations", d.locations);
    flag(out, "IsRepeatable", d.repeatable);
    comments(out, d.before, d.after);
    return make(out);
  }
  Value encode(const Definition& d) {
    Members out;
    text(out, "Kind", d.kind);
    text(out, "Description", d.description);
    text(out, "Name", d.name);
    list(out, "Directives", d.directives);
    texts(out, "Interfaces", d.interfaces);
    list(out, "Fields", d.fields);
    texts(out, "Types", d.types);
    list(out, "EnumValues", d.enum_values);
    flag(out, "BuiltIn", d.built_in);
    comments(out, d.before, d.after);
    comment(out, "EndOfDefinitionComment", d.end);
    return make(out);
  }
  Value encode(const OperationType& o) {
    Members out;
    text(out, "Operation", o.operation);
    text(out, "Type", o.type);
    comment(out, "Comment", o.comment);
    return make(out);
  }
  Value encode(const SchemaDefinition& s) {
    Members out;
    text(out, "Description", s.description);
    list(out, "Directives", s.directives);
    list(out, "OperationTypes", s.operation_types);
    comments(out, s.before, s.after);
    comment(out, "EndOfDefinitionComment", s.end);
    return make(out);
  }
  Value encode(const VariableDefinition& v) {
    Members out;
    text(out, "Variable", v.name);
    type(out, "Type", v.type);
    value(out, "DefaultValue", v.default_value);
    list(out, "Directives", v.directives);
    comment(out, "Comment", v.comment);
    flag(out, "Used", v.used);
    return make(out);
  }
  Value encode(const Selection& s) {
    Members out;
    if (s.kind == SelectionKind::kField) {
      text(out, "Alias", s.alias);
      list(out, "Arguments", s.arguments);
    }
    if (s.kind == SelectionKind::kInline) {
      text(out, "TypeCondition", s.type_condition);
    } else {
      text(out, "Name", s.name);
    }
    list(out, "Directives", s.directives);
    list(out, "SelectionSet", s.selections);
    comment(out, "Comment", s.comment);
    return make(out);
  }
  Value encode(const FragmentDefinition& f) {
    Members out;
    text(out, "Name", f.name);
    list(out, "VariableDefinition", f.variables);
    text(out, "TypeCondition", f.type_condition);
    list(out, "Directives", f.directives);
    list(out, "SelectionSet", f.selections);
    comment(out, "Comment", f.comment);
    return make(out);
  }
  Value encode(const Operation& o) {
    Members out;
    text(out, "Operation", o.operation);
    text(out, "Name", o.name);
    list(out, "VariableDefinitions", o.variables);
    list(out, "Directives", o.directives);
    list(out, "SelectionSet", o.selections);
    comment(out, "Comment", o.comment);
    return make(out);
  }

  Arena& arena_;
};

}  // namespace

Value to_value(Arena& arena, const QueryDocument& document) { return Encoder(arena).document(document); }
Value to_value(Arena& arena, const SchemaDocument& document) { return Encoder(arena).document(document); }

}  // namespace portcullis::graphql
