// JSON Schema (drafts 4, 6 and 7) with the messages of the library that OPA uses.
// Threads: one at a time. Ownership: a schema points into the Value it was compiled from. Nothing is fetched: a
// reference that leaves the document is an error.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/error.h"
#include "engine/rego/builtins/work_limit.h"
#include "engine/value/value.h"

namespace re2 {
class RE2;
}

namespace portcullis::rego::builtins {

struct SchemaNode;

// One thing wrong with a document; the texts live in the arena of the validation.
struct SchemaFault {
  std::string_view type;  // invalid_type …
  std::string_view field;
  std::string_view description;
};

class JsonSchema {
 public:
  JsonSchema();
  ~JsonSchema();
  JsonSchema(JsonSchema&&) noexcept;
  JsonSchema& operator=(JsonSchema&&) = delete;
  JsonSchema(const JsonSchema&) = delete;

  // Errors: kInvalid as that library words it; kLimit when nested too deeply or the work is too much.
  static Result<JsonSchema> compile(const Value& schema, WorkLimit& work);

  // Everything wrong with `document`. When the work is exhausted the list is not complete.
  std::vector<SchemaFault> validate(Arena& arena, const Value& document, WorkLimit& work) const;

 private:
  friend class SchemaCompiler;
  std::vector<std::unique_ptr<SchemaNode>> nodes_;
  SchemaNode* root_ = nullptr;
};

// A schema with its keywords read. Null or nullopt: the keyword is absent.
struct SchemaNode {
  std::string_view property;
  std::optional<bool> pass;
  SchemaNode* reference = nullptr;
  std::vector<std::string_view> types;

  std::vector<SchemaNode*> items;
  bool single_item = false;
  std::vector<SchemaNode*> properties;
  std::optional<bool> more_items;
  SchemaNode* more_items_schema = nullptr;
  std::optional<bool> more_properties;
  SchemaNode* more_properties_schema = nullptr;
  std::vector<std::pair<std::unique_ptr<re2::RE2>, SchemaNode*>> patterns;
  SchemaNode* names = nullptr;
  struct Dependency {
    std::string_view on;
    std::vector<std::string_view> keys;
    SchemaNode* schema = nullptr;
  };
  std::vector<Dependency> dependencies;

  Value multiple_of, minimum, exclusive_minimum, maximum, exclusive_maximum;
  std::optional<std::int64_t> min_length, max_length, min_properties, max_properties, min_items, max_items;
  std::unique_ptr<re2::RE2> pattern;
  std::string_view pattern_text;
  std::string_view format;
  std::vector<std::string_view> required;
  bool unique_items = false;
  SchemaNode* contains = nullptr;
  std::optional<std::string> constant;
  std::optional<std::vector<std::string>> choices;
  std::vector<SchemaNode*> one_of, any_of, all_of;
  SchemaNode* negated = nullptr;
  SchemaNode* condition = nullptr;
  SchemaNode* then = nullptr;
  SchemaNode* otherwise = nullptr;
};

// Whether text has a format of JSON Schema; unknown formats hold everything.
bool has_format(std::string_view format, std::string_view text);
// JSON text in which 1, 1.0 and 1e0 are the same.
std::string plain_json(const Value& value);

}  // namespace portcullis::rego::builtins
