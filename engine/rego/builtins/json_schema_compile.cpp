#include <re2/re2.h>

#include <algorithm>
#include <array>

#include "base/text.h"
#include "engine/rego/builtins/go_url.h"
#include "engine/rego/builtins/json_schema.h"
#include "engine/rego/builtins/pattern_cache.h"
#include "engine/rego/builtins/url_escape.h"
#include "engine/value/json.h"
#include "engine/value/number.h"

namespace portcullis::rego::builtins {

JsonSchema::JsonSchema() = default;
JsonSchema::~JsonSchema() = default;
JsonSchema::JsonSchema(JsonSchema&&) noexcept = default;

std::string plain_json(const Value& value) {
  std::string out;
  append_json(out, value, {.escape_html = true, .float64_numbers = true});
  return out;
}

namespace {

constexpr int kMaxSchemaDepth = 500;
enum Draft : int { kDraft4 = 4, kDraft6 = 6, kDraft7 = 7, kHybrid = 100 };

Error invalid(std::string message) { return Error{Code::kInvalid, std::move(message), {}}; }
std::string str(std::string_view text) { return std::string(text); }
Error wrong_type(std::string_view expected, std::string_view given) {
  return invalid("Invalid type. Expected: " + str(expected) + ", given: " + str(given));
}
Error must_be(std::string_view key, std::string_view article, std::string_view what) {
  return invalid(str(key) + " must be of " + str(article) + str(what));
}

std::optional<int> draft_of(std::string_view url) {
  if (url.ends_with('#')) url.remove_suffix(1);
  if (url == "http://json-schema.org/draft-04/schema") return kDraft4;
  if (url == "http://json-schema.org/draft-06/schema") return kDraft6;
  if (url == "http://json-schema.org/draft-07/schema") return kDraft7;
  return std::nullopt;
}

std::string_view without_fragment(std::string_view url) { return url.substr(0, url.find('#')); }

bool has_scheme(std::string_view url) {
  const std::size_t colon = url.find(':');
  return colon != std::string_view::npos && colon != 0 && url.find_first_of("/?#") > colon;
}

// `reference` as seen from `base` (RFC 3986, 5.2, without dot segments).
std::string resolve(std::string_view base, std::string_view reference) {
  if (reference.ends_with('#')) reference.remove_suffix(1);
  if (has_scheme(reference)) return str(reference);
  base = without_fragment(base);
  if (reference.empty() || reference.starts_with('#')) return str(base) + str(reference);
  const std::size_t authority = base.find("://");
  const std::size_t path =
      authority == std::string_view::npos ? 0 : std::min(base.find('/', authority + 3), base.size());
  if (reference.starts_with('/')) return str(base.substr(0, path)) + str(reference);
  const std::size_t slash = base.rfind('/');
  if (slash == std::string_view::npos || slash < path) {
    return str(base.substr(0, path)) + "/" + str(reference);
  }
  return str(base.substr(0, slash + 1)) + str(reference);
}

Result<void> check_url(std::string_view text) {
  Url url;
  std::string error;
  if (parse_url(text, url, error)) return ok();
  return invalid("parse " + text::go_quote(text) + ": " + error);
}

bool is_schema(const Value& value) { return value.is_object() || value.is_bool(); }

std::unique_ptr<re2::RE2> compile_pattern(std::string_view text) {
  std::string error;
  return compile_regex(text, error);
}

}  // namespace

class SchemaCompiler {
 public:
  SchemaCompiler(JsonSchema& out, WorkLimit& work) : out_(out), work_(work) {}

  Result<void> compile(const Value& root) {
    PC_TRY(const std::optional<int> draft, draft_in(root));
    documents_[""] = {root, draft};
    PC_TRY_VOID(collect(root, "", draft, 0));
    out_.root_ = make("(Root)");
    return read(root, *out_.root_, draft.value_or(kHybrid), 0);
  }

 private:
  struct Document {
    Value value;
    std::optional<int> draft;
  };
  SchemaNode* make(std::string_view property) {
    out_.nodes_.push_back(std::make_unique<SchemaNode>());
    out_.nodes_.back()->property = property;
    return out_.nodes_.back().get();
  }

  static Result<std::optional<int>> draft_in(const Value& document) {
    if (document.is_bool()) return std::optional<int>();
    if (!document.is_object()) return invalid("schema is invalid");
    const Value url = document.get("$schema");
    if (!url.defined()) return std::optional<int>();
    if (!url.is_string()) return invalid("$schema must be of type string");
    PC_TRY_VOID(check_url(url.as_string()));
    return draft_of(url.as_string());
  }

  // Notes what has an id, and the absolute form of every reference.
  Result<void> collect(const Value& value, const std::string& base, std::optional<int> draft, int depth) {
    if (depth > kMaxSchemaDepth || !work_.spend()) return too_much();
    for (const Value& element : value.elements()) PC_TRY_VOID(collect(element, base, draft, depth + 1));
    if (!value.is_object()) return ok();
    std::string local = base;
    const Value id = value.get(value.get("id").defined() ? "id" : "$id");
    if (id.is_string()) {
      local = resolve(base, id.as_string());
      const bool root = depth == 0 && local.empty();
      if (!root && !documents_.emplace(local, Document{value, draft}).second) {
        return invalid("Reference already exists: \"" + local + "\"");
      }
    }
    const Value reference = value.get("$ref");
    if (reference.is_string()) references_[value.as_object()] = resolve(local, reference.as_string());
    for (std::uint32_t i = 0; i < value.size(); ++i) {
      const Value& key = value.keys()[i];
      const std::string_view name = key.is_string() ? key.as_string() : std::string_view();
      if (name == "const" || name == "enum") continue;
      const Value& child = value.values()[i];
      if (child.is_object() && (name == "properties" || name == "dependencies" || name == "patternProperties")) {
        for (const Value& each : child.values()) PC_TRY_VOID(collect(each, local, draft, depth + 2));
      } else {
        PC_TRY_VOID(collect(child, local, draft, depth + 1));
      }
    }
    return ok();
  }

  Result<Document> find(const std::string& reference) {
    if (const auto found = documents_.find(reference); found != documents_.end()) return found->second;
    const std::string base(without_fragment(reference));
    const auto found = documents_.find(base);
    if (found == documents_.end()) {
      if (!has_scheme(reference)) return invalid("Reference " + reference + " must be canonical");
      return invalid("remote reference loading disabled: " + reference);
    }
    PC_TRY(const Value value, point(found->second.value, std::string_view(reference).substr(base.size())));
    return Document{value, found->second.draft};
  }

  static Result<Value> point(const Value& document, std::string_view fragment) {
    if (fragment.starts_with('#')) fragment.remove_prefix(1);
    if (fragment.empty()) return document;
    if (!fragment.starts_with('/')) return invalid("JSON pointer must be empty or start with a \"/");
    Value at = document;
    for (const std::string_view raw : text::split(fragment.substr(1), '/')) {
      std::string error;
      std::string token = percent_unescape(raw, false, error).value_or(std::string(raw));
      replace_all(token, "~1", "/");
      replace_all(token, "~0", "~");
      if (at.is_object()) {
        const Value next = at.get(token);
        if (!next.defined()) return invalid("Object has no key '" + token + "'");
        at = next;
      } else if (at.is_array()) {
        if (token.empty() || token.size() > 9 || token.find_first_not_of("0123456789") != std::string::npos) {
          return invalid("Invalid array index '" + token + "'");
        }
        const auto index = static_cast<std::uint32_t>(std::stoul(token));
        if (index >= at.size())
          return invalid("Out of bound array[0," + std::to_string(at.size()) + "] index '" + token + "'");
        at = at.elements()[index];
      } else {
        return invalid("Invalid token reference '" + token + "'");
      }
    }
    return at;
  }

  static void replace_all(std::string& text, std::string_view from, std::string_view to) {
    for (std::size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
      text.replace(at, from.size(), to);
    }
  }

  Error too_much() const {
    return work_.exhausted() ? Error{Code::kLimit, "timed out before finishing", {}}
                             : invalid("the schema is nested too deeply");
  }

  // --- keywords ---

  Result<void> read(const Value& value, SchemaNode& node, int draft, int depth);
  Result<void> read_reference(const Value& value, SchemaNode& node, int draft, int depth);
  static Result<void> read_types(const Value& value, SchemaNode& node);
  static Result<void> add_type(std::string_view name, SchemaNode& node);
  Result<void> read_objects(const Value& value, SchemaNode& node, int draft, int depth);
  Result<void> read_patterns(const Value& value, SchemaNode& node, int draft, int depth);
  Result<void> read_dependencies(const Value& value, SchemaNode& node, int draft, int depth);
  Result<void> read_items(const Value& value, SchemaNode& node, int draft, int depth);
  static Result<void> read_numbers(const Value& value, SchemaNode& node, int draft);
  static Result<void> read_exclusive(const Value& value, std::string_view key, std::string_view plain, Value& bound,
                                     Value& exclusive, int draft);
  Result<void> read_text(const Value& value, SchemaNode& node);
  static Result<void> read_count(const Value& value, std::string_view key, std::optional<std::int64_t>& out);
  static Result<void> read_required(const Value& value, SchemaNode& node);
  Result<void> read_arrays(const Value& value, SchemaNode& node, int draft, int depth);
  Result<void> read_choices(const Value& value, SchemaNode& node, int draft);
  Result<void> read_combined(const Value& value, SchemaNode& node, int draft, int depth);
  Result<void> read_list(const Value& value, std::string_view key, std::vector<SchemaNode*>& out, int draft, int depth);
  Result<void> read_one(const Value& value, std::string_view key, SchemaNode*& out, int draft, int depth);
  // `true`, `false` or a schema for what the others leave over.
  Result<void> read_rest(const Value& value, std::string_view key, std::optional<bool>& flag, SchemaNode*& schema,
                         int draft, int depth);
  static Result<std::optional<std::string_view>> text_of(const Value& value, std::string_view key) {
    const Value found = value.get(key);
    if (!found.defined()) return std::optional<std::string_view>();
    if (!found.is_string()) return wrong_type("string", key);
    return std::optional<std::string_view>(found.as_string());
  }
  static Result<std::span<const Value>> list_of(const Value& value, std::string_view key) {
    const Value found = value.get(key);
    if (found.defined() && !found.is_array() && !found.is_set()) return must_be(key, "an ", "array");
    return found.elements();
  }

  JsonSchema& out_;
  WorkLimit& work_;
  std::unordered_map<std::string, Document> documents_;
  std::unordered_map<const void*, std::string> references_;
  std::unordered_map<std::string, SchemaNode*> referenced_;
};

Result<void> SchemaCompiler::read(const Value& value, SchemaNode& node, int draft, int depth) {
  if (depth > kMaxSchemaDepth || !work_.spend()) return too_much();
  if (draft >= kDraft6 && value.is_bool()) {
    node.pass = value.as_bool();
    return ok();
  }
  if (!value.is_object()) return invalid("Expected: Valid Schema, given: Invalid JSON");
  const std::string_view id = draft == kDraft4 || (draft == kHybrid && value.get("id").defined()) ? "id" : "$id";
  PC_TRY_VOID(text_of(value, id));
  const Value definitions = value.get("definitions");
  if (definitions.defined()) {
    if (!definitions.is_object()) return wrong_type("Array Of Schemas", "definitions");
    for (const Value& each : definitions.values()) {
      if (!is_schema(each)) return wrong_type("Array Of Schemas", "definitions");
      PC_TRY_VOID(read(each, *make("definitions"), draft, depth + 1));
    }
  }
  PC_TRY_VOID(text_of(value, "title"));
  PC_TRY_VOID(text_of(value, "description"));
  PC_TRY(const std::optional<std::string_view> reference, text_of(value, "$ref"));
  if (reference) {
    PC_TRY_VOID(check_url(*reference));
    const std::string& absolute = references_[value.as_object()];
    const auto found = referenced_.find(absolute);
    if (found == referenced_.end()) return read_reference(value, node, draft, depth);
    node.reference = found->second;
  }
  PC_TRY_VOID(read_types(value, node));
  PC_TRY_VOID(read_objects(value, node, draft, depth));
  PC_TRY_VOID(read_items(value, node, draft, depth));
  PC_TRY_VOID(read_numbers(value, node, draft));
  PC_TRY_VOID(read_text(value, node));
  PC_TRY_VOID(read_required(value, node));
  PC_TRY_VOID(read_arrays(value, node, draft, depth));
  PC_TRY_VOID(read_choices(value, node, draft));
  return read_combined(value, node, draft, depth);
}

Result<void> SchemaCompiler::read_reference(const Value& value, SchemaNode& node, int draft, int depth) {
  const std::string absolute = references_[value.as_object()];
  SchemaNode* target = make("$ref");
  referenced_[absolute] = target;
  PC_TRY(const Document document, find(absolute));
  if (!is_schema(document.value)) return invalid("Valid Schema must be of type object");
  PC_TRY_VOID(read(document.value, *target, document.draft.value_or(draft), depth + 1));
  node.reference = target;
  return ok();
}

Result<void> SchemaCompiler::add_type(std::string_view name, SchemaNode& node) {
  constexpr std::array<std::string_view, 7> kTypes = {"array", "boolean", "integer", "number",
                                                      "null",  "object",  "string"};
  if (std::find(kTypes.begin(), kTypes.end(), name) == kTypes.end()) {
    return invalid("has a primitive type that is NOT VALID -- given: /" + str(name) +
                   "/ Expected valid values are:[array boolean integer number null object string]");
  }
  if (std::find(node.types.begin(), node.types.end(), name) != node.types.end()) {
    return invalid(str(name) + " type is duplicated");
  }
  node.types.push_back(name);
  return ok();
}

Result<void> SchemaCompiler::read_types(const Value& value, SchemaNode& node) {
  const Value type = value.get("type");
  if (!type.defined()) return ok();
  if (type.is_string()) return add_type(type.as_string(), node);
  if (!type.is_array() && !type.is_set()) return wrong_type("type", "string/Array Of Strings");
  for (const Value& each : type.elements()) {
    if (!each.is_string()) return wrong_type("type", "string/Array Of Strings");
    PC_TRY_VOID(add_type(each.as_string(), node));
  }
  return ok();
}

Result<void> SchemaCompiler::read_rest(const Value& value, std::string_view key, std::optional<bool>& flag,
                                       SchemaNode*& schema, int draft, int depth) {
  const Value rest = value.get(key);
  if (!rest.defined()) return ok();
  if (rest.is_bool()) {
    flag = rest.as_bool();
    return ok();
  }
  if (!rest.is_object()) return wrong_type("boolean/Valid Schema", key);
  schema = make(key);
  return read(rest, *schema, draft, depth + 1);
}

Result<void> SchemaCompiler::read_patterns(const Value& value, SchemaNode& node, int draft, int depth) {
  const Value patterns = value.get("patternProperties");
  if (!patterns.defined()) return ok();
  if (!patterns.is_object()) return wrong_type("Valid Schema", "patternProperties");
  for (std::uint32_t i = 0; i < patterns.size(); ++i) {
    const std::string_view text = patterns.keys()[i].as_string();
    auto compiled = compile_pattern(text);
    if (compiled == nullptr) return invalid("Invalid regex pattern '" + str(text) + "'");
    SchemaNode* child = make(text);
    PC_TRY_VOID(read(patterns.values()[i], *child, draft, depth + 1));
    node.patterns.emplace_back(std::move(compiled), child);
  }
  return ok();
}

Result<void> SchemaCompiler::read_objects(const Value& value, SchemaNode& node, int draft, int depth) {
  const Value properties = value.get("properties");
  if (properties.defined()) {
    if (!properties.is_object()) return invalid("Properties must be of type object");
    for (std::uint32_t i = 0; i < properties.size(); ++i) {
      const Value& key = properties.keys()[i];
      SchemaNode* child = make(key.is_string() ? key.as_string() : std::string_view());
      node.properties.push_back(child);
      PC_TRY_VOID(read(properties.values()[i], *child, draft, depth + 1));
    }
  }
  PC_TRY_VOID(
      read_rest(value, "additionalProperties", node.more_properties, node.more_properties_schema, draft, depth));
  PC_TRY_VOID(read_patterns(value, node, draft, depth));
  const Value names = value.get("propertyNames");
  if (names.defined() && draft >= kDraft6) {
    if (!is_schema(names)) return wrong_type("Valid Schema", "patternProperties");
    node.names = make("propertyNames");
    PC_TRY_VOID(read(names, *node.names, draft, depth + 1));
  }
  return read_dependencies(value, node, draft, depth);
}

Result<void> SchemaCompiler::read_dependencies(const Value& value, SchemaNode& node, int draft, int depth) {
  const Value dependencies = value.get("dependencies");
  if (!dependencies.defined()) return ok();
  if (!dependencies.is_object()) return invalid("dependencies must be of type object");
  const Error bad = invalid("Dependency must be of type Schema Or Array Of Strings");
  for (std::uint32_t i = 0; i < dependencies.size(); ++i) {
    SchemaNode::Dependency out;
    if (!dependencies.keys()[i].is_string()) continue;
    out.on = dependencies.keys()[i].as_string();
    const Value& needs = dependencies.values()[i];
    if (is_schema(needs)) {
      out.schema = make(out.on);
      PC_TRY_VOID(read(needs, *out.schema, draft, depth + 1));
    } else if (needs.is_array() || needs.is_set()) {
      for (const Value& key : needs.elements()) {
        if (!key.is_string()) return bad;
        out.keys.push_back(key.as_string());
      }
    } else {
      return bad;
    }
    node.dependencies.push_back(std::move(out));
  }
  return ok();
}

Result<void> SchemaCompiler::read_items(const Value& value, SchemaNode& node, int draft, int depth) {
  const Value items = value.get("items");
  const Error bad = wrong_type("Valid Schema/Array Of Schemas", "items");
  if (items.defined()) {
    node.single_item = is_schema(items);
    if (!node.single_item && !items.is_array()) return bad;
    const Value one[] = {items};
    for (const Value& each : node.single_item ? std::span<const Value>(one) : items.elements()) {
      if (!is_schema(each)) return bad;
      node.items.push_back(make("items"));
      PC_TRY_VOID(read(each, *node.items.back(), draft, depth + 1));
    }
  }
  return read_rest(value, "additionalItems", node.more_items, node.more_items_schema, draft, depth);
}

Result<void> SchemaCompiler::read_exclusive(const Value& value, std::string_view key, std::string_view plain,
                                            Value& bound, Value& exclusive, int draft) {
  const Value found = value.get(key);
  if (!found.defined()) return ok();
  const bool flag_allowed = draft == kDraft4 || draft == kHybrid;
  if (flag_allowed && found.is_bool()) {
    if (!bound.defined()) return invalid(str(key) + " cannot be used without " + str(plain));
    if (found.as_bool()) {
      exclusive = bound;
      bound = {};
    }
    return ok();
  }
  if (draft != kDraft4 && found.is_number()) {
    exclusive = found;
    return ok();
  }
  return wrong_type(draft == kDraft4 ? "boolean" : draft == kHybrid ? "boolean/number" : "number", key);
}

Result<void> SchemaCompiler::read_numbers(const Value& value, SchemaNode& node, int draft) {
  const Value multiple = value.get("multipleOf");
  if (multiple.defined()) {
    if (!multiple.is_number()) return wrong_type("Number", "multipleOf");
    if (compare_numbers(multiple, Value::integer(0)) <= 0) {
      return invalid("multipleOf must be strictly greater than 0");
    }
    node.multiple_of = multiple;
  }
  node.minimum = value.get("minimum");
  if (node.minimum.defined() && !node.minimum.is_number()) return must_be("minimum", "a ", "Number");
  PC_TRY_VOID(read_exclusive(value, "exclusiveMinimum", "minimum", node.minimum, node.exclusive_minimum, draft));
  node.maximum = value.get("maximum");
  if (node.maximum.defined() && !node.maximum.is_number()) return must_be("maximum", "a ", "Number");
  return read_exclusive(value, "exclusiveMaximum", "maximum", node.maximum, node.exclusive_maximum, draft);
}

Result<void> SchemaCompiler::read_count(const Value& value, std::string_view key, std::optional<std::int64_t>& out) {
  const Value found = value.get(key);
  if (!found.defined()) return ok();
  const auto number = found.is_integer() ? std::optional(found.as_integer()) : std::nullopt;
  if (!number) return must_be(key, "an ", "integer");
  if (*number < 0) return invalid(str(key) + " must be greater than or equal to 0");
  out = number;
  return ok();
}

Result<void> SchemaCompiler::read_text(const Value& value, SchemaNode& node) {
  PC_TRY_VOID(read_count(value, "minLength", node.min_length));
  PC_TRY_VOID(read_count(value, "maxLength", node.max_length));
  if (node.min_length && node.max_length && *node.min_length > *node.max_length) {
    return invalid("minLength cannot be greater than maxLength");
  }
  PC_TRY(const std::optional<std::string_view> pattern, text_of(value, "pattern"));
  if (pattern) {
    if (!work_.spend(pattern->size())) return too_much();
    node.pattern = compile_pattern(*pattern);
    if (node.pattern == nullptr) return invalid("pattern must be a valid regex");
    node.pattern_text = *pattern;
  }
  PC_TRY(const std::optional<std::string_view> format, text_of(value, "format"));
  node.format = format.value_or(std::string_view());
  PC_TRY_VOID(read_count(value, "minProperties", node.min_properties));
  PC_TRY_VOID(read_count(value, "maxProperties", node.max_properties));
  if (node.min_properties && node.max_properties && *node.min_properties > *node.max_properties) {
    return invalid("minProperties cannot be greater than maxProperties");
  }
  return ok();
}

Result<void> SchemaCompiler::read_required(const Value& value, SchemaNode& node) {
  PC_TRY(const std::span<const Value> names, list_of(value, "required"));
  std::vector<std::string_view> seen;
  for (const Value& name : names) {
    if (!name.is_string()) return wrong_type("string", "required");
    node.required.push_back(name.as_string());
  }
  seen = node.required;
  std::sort(seen.begin(), seen.end());
  if (std::adjacent_find(seen.begin(), seen.end()) != seen.end()) return invalid("required items must be unique");
  return ok();
}

Result<void> SchemaCompiler::read_arrays(const Value& value, SchemaNode& node, int draft, int depth) {
  PC_TRY_VOID(read_count(value, "minItems", node.min_items));
  PC_TRY_VOID(read_count(value, "maxItems", node.max_items));
  const Value unique = value.get("uniqueItems");
  if (unique.defined()) {
    if (!unique.is_bool()) return must_be("uniqueItems", "a ", "boolean");
    node.unique_items = unique.as_bool();
  }
  const Value contains = value.get("contains");
  if (!contains.defined() || draft < kDraft6) return ok();
  node.contains = make("contains");
  return read(contains, *node.contains, draft, depth + 1);
}

Result<void> SchemaCompiler::read_choices(const Value& value, SchemaNode& node, int draft) {
  const Value constant = value.get("const");
  if (constant.defined() && draft >= kDraft6) node.constant = plain_json(constant);
  if (!value.get("enum").defined()) return ok();
  PC_TRY(const std::span<const Value> choices, list_of(value, "enum"));
  node.choices.emplace();
  for (const Value& choice : choices) {
    if (!work_.spend(16)) return too_much();
    node.choices->push_back(plain_json(choice));
  }
  std::vector<std::string> seen = *node.choices;
  std::sort(seen.begin(), seen.end());
  if (std::adjacent_find(seen.begin(), seen.end()) != seen.end()) return invalid("enum items must be unique");
  return ok();
}

Result<void> SchemaCompiler::read_list(const Value& value, std::string_view key, std::vector<SchemaNode*>& out,
                                       int draft, int depth) {
  PC_TRY(const std::span<const Value> schemas, list_of(value, key));
  for (const Value& schema : schemas) {
    out.push_back(make(key));
    PC_TRY_VOID(read(schema, *out.back(), draft, depth + 1));
  }
  return ok();
}

Result<void> SchemaCompiler::read_one(const Value& value, std::string_view key, SchemaNode*& out, int draft,
                                      int depth) {
  const Value schema = value.get(key);
  if (!schema.defined()) return ok();
  if (!is_schema(schema)) return must_be(key, "an ", "object");
  out = make(key);
  return read(schema, *out, draft, depth + 1);
}

Result<void> SchemaCompiler::read_combined(const Value& value, SchemaNode& node, int draft, int depth) {
  PC_TRY_VOID(read_list(value, "oneOf", node.one_of, draft, depth));
  PC_TRY_VOID(read_list(value, "anyOf", node.any_of, draft, depth));
  PC_TRY_VOID(read_list(value, "allOf", node.all_of, draft, depth));
  PC_TRY_VOID(read_one(value, "not", node.negated, draft, depth));
  if (draft < kDraft7) return ok();
  PC_TRY_VOID(read_one(value, "if", node.condition, draft, depth));
  PC_TRY_VOID(read_one(value, "then", node.then, draft, depth));
  return read_one(value, "else", node.otherwise, draft, depth);
}

Result<JsonSchema> JsonSchema::compile(const Value& schema, WorkLimit& work) {
  JsonSchema out;
  SchemaCompiler compiler(out, work);
  PC_TRY_VOID(compiler.compile(schema));
  return out;
}

}  // namespace portcullis::rego::builtins
