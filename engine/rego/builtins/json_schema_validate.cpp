#include <gmp.h>
#include <re2/re2.h>

#include <algorithm>
#include <unordered_map>

#include "base/text.h"
#include "engine/rego/builtins/common.h"
#include "engine/rego/builtins/json_schema.h"
#include "engine/value/number.h"

namespace portcullis::rego::builtins {
namespace {

constexpr int kMaxDepth = 400;  // of schemas in schemas, with the document or not

// Where in the document, as a list from the inside out.
struct Path {
  std::string_view name;
  const Path* outer = nullptr;
};

void append_path(std::string& out, const Path& path) {
  if (path.outer != nullptr) {
    append_path(out, *path.outer);
    out += '.';
  }
  out += path.name;
}

// An exact fraction of a number literal. Exponents beyond any sensible schema are refused.
class Fraction {
 public:
  explicit Fraction(const Value& number) {
    mpq_init(value_);
    const std::string text = number_text(number);
    const std::size_t exponent_at = text.find_first_of("eE");
    std::string digits = text.substr(0, exponent_at);
    long exponent = exponent_at == std::string::npos ? 0 : std::strtol(text.c_str() + exponent_at + 1, nullptr, 10);
    if (const std::size_t point = digits.find('.'); point != std::string::npos) {
      exponent -= static_cast<long>(digits.size() - point - 1);
      digits.erase(point, 1);
    }
    valid_ = exponent < 10000 && exponent > -10000 && mpz_set_str(mpq_numref(value_), digits.c_str(), 10) == 0;
    if (!valid_) return;
    mpz_t power;
    mpz_init(power);
    mpz_ui_pow_ui(power, 10, static_cast<unsigned long>(exponent < 0 ? -exponent : exponent));
    if (exponent < 0) {
      mpz_set(mpq_denref(value_), power);
    } else {
      mpz_mul(mpq_numref(value_), mpq_numref(value_), power);
    }
    mpq_canonicalize(value_);
    mpz_clear(power);
  }
  ~Fraction() { mpq_clear(value_); }
  Fraction(const Fraction&) = delete;
  Fraction& operator=(const Fraction&) = delete;

  bool multiple_of(const Fraction& other) const {
    if (!valid_ || !other.valid_) return false;
    mpq_t quotient;
    mpq_init(quotient);
    mpq_div(quotient, value_, other.value_);
    const bool whole = mpz_cmp_ui(mpq_denref(quotient), 1) == 0;
    mpq_clear(quotient);
    return whole;
  }

 private:
  mpq_t value_;
  bool valid_ = false;
};

struct Outcome {
  std::vector<SchemaFault> faults;
  int score = 0;  // how well the document fits; the best of several schemas is told about
  bool valid() const { return faults.empty(); }
};

class Validator {
 public:
  Validator(Arena& arena, WorkLimit& work) : arena_(arena), work_(work) {}

  void check(const SchemaNode& schema, const Value& value, Outcome& out, const Path& path);

 private:
  Outcome apply(const SchemaNode& schema, const Value& value, const Path& path) {
    Outcome out;
    check(schema, value, out, path);
    return out;
  }
  void add(Outcome& out, std::string_view type, const Path& path, std::string_view description) {
    std::string field;
    append_path(field, path);
    if (field.starts_with("(Root).")) field.erase(0, 7);
    out.faults.push_back({type, arena_.copy(field), arena_.copy(description)});
    out.score -= 2;
    work_.spend(1 + (field.size() + description.size()) / 32);
  }
  static void merge(Outcome& out, Outcome&& other) {
    out.faults.insert(out.faults.end(), other.faults.begin(), other.faults.end());
    out.score += other.score;
  }
  bool type_fits(const SchemaNode& schema, const Value& value, Outcome& out, const Path& path);
  void combined(const SchemaNode& schema, const Value& value, Outcome& out, const Path& path);
  void any_of(const SchemaNode& schema, const Value& value, Outcome& out, const Path& path);
  void one_of(const SchemaNode& schema, const Value& value, Outcome& out, const Path& path);
  void all_of(const SchemaNode& schema, const Value& value, Outcome& out, const Path& path);
  void dependencies(const SchemaNode& schema, const Value& value, Outcome& out, const Path& path);
  void conditions(const SchemaNode& schema, const Value& value, Outcome& out, const Path& path);
  void common(const SchemaNode& schema, const Value& value, Outcome& out, const Path& path);
  void array(const SchemaNode& schema, const Value& value, Outcome& out, const Path& path);
  void items(const SchemaNode& schema, const Value& value, Outcome& out, const Path& path);
  void unique(const Value& value, Outcome& out, const Path& path);
  void contains(const SchemaNode& schema, const Value& value, Outcome& out, const Path& path);
  void object(const SchemaNode& schema, const Value& value, Outcome& out, const Path& path);
  void members(const SchemaNode& schema, const Value& value, Outcome& out, const Path& path);
  void string(const SchemaNode& schema, const Value& value, Outcome& out, const Path& path);
  void number(const SchemaNode& schema, const Value& value, Outcome& out, const Path& path);
  std::string shown(const Value& number);
  static std::string_view key_text(const Value& key) { return key.is_string() ? key.as_string() : std::string_view(); }

  Arena& arena_;
  WorkLimit& work_;
  int depth_ = 0;
};

std::string_view type_of(const Value& value) {
  if (value.is_number()) return is_whole(value) ? "integer" : "number";
  if (value.is_set()) return "array";
  return kind_name(value.kind());
}

bool Validator::type_fits(const SchemaNode& schema, const Value& value, Outcome& out, const Path& path) {
  if (schema.types.empty()) return true;
  const std::string_view given = type_of(value);
  const auto wanted = [&](std::string_view type) {
    return std::find(schema.types.begin(), schema.types.end(), type) != schema.types.end();
  };
  if (wanted(given) || (given == "integer" && wanted("number"))) return true;
  std::string expected;
  for (const std::string_view type : schema.types) {
    if (!expected.empty()) expected += ",";
    expected += type;
  }
  if (schema.types.size() > 1) expected = "[" + expected + "]";
  add(out, "invalid_type", path, "Invalid type. Expected: " + expected + ", given: " + std::string(given));
  return false;
}

void Validator::check(const SchemaNode& schema, const Value& value, Outcome& out, const Path& path) {
  if (depth_ > kMaxDepth) work_.exhaust();
  if (!work_.spend()) return;
  if (schema.pass) {
    if (!*schema.pass) add(out, "false", path, "False always fails validation");
    return;
  }
  ++depth_;
  if (schema.reference != nullptr) {
    check(*schema.reference, value, out, path);
  } else if (type_fits(schema, value, out, path)) {
    combined(schema, value, out, path);
    if (value.is_number()) number(schema, value, out, path);
    if (value.is_array() || value.is_set()) array(schema, value, out, path);
    if (value.is_object()) object(schema, value, out, path);
    common(schema, value, out, path);
    if (value.is_string()) string(schema, value, out, path);
    if (value.is_object()) {
      for (const SchemaNode* property : schema.properties) {
        const Value child = value.get(property->property);
        if (child.defined()) check(*property, child, out, Path{property->property, &path});
      }
    }
    ++out.score;
  }
  --depth_;
}

void Validator::any_of(const SchemaNode& schema, const Value& value, Outcome& out, const Path& path) {
  std::optional<Outcome> best;
  for (const SchemaNode* each : schema.any_of) {
    Outcome result = apply(*each, value, path);
    if (result.valid()) return;
    if (!best || result.score > best->score) best = std::move(result);
  }
  if (schema.any_of.empty()) return;
  add(out, "number_any_of", path, "Must validate at least one schema (anyOf)");
  if (best) merge(out, std::move(*best));
}

void Validator::one_of(const SchemaNode& schema, const Value& value, Outcome& out, const Path& path) {
  if (schema.one_of.empty()) return;
  std::size_t fitting = 0;
  std::optional<Outcome> best;
  for (const SchemaNode* each : schema.one_of) {
    Outcome result = apply(*each, value, path);
    if (result.valid()) {
      ++fitting;
    } else if (fitting == 0 && (!best || result.score > best->score)) {
      best = std::move(result);
    }
  }
  if (fitting == 1) return;
  add(out, "number_one_of", path, "Must validate one and only one schema (oneOf)");
  if (fitting == 0 && best) merge(out, std::move(*best));
}

void Validator::all_of(const SchemaNode& schema, const Value& value, Outcome& out, const Path& path) {
  bool all = true;
  for (const SchemaNode* each : schema.all_of) {
    Outcome result = apply(*each, value, path);
    all = all && result.valid();
    merge(out, std::move(result));
  }
  if (!all) add(out, "number_all_of", path, "Must validate all the schemas (allOf)");
}

void Validator::dependencies(const SchemaNode& schema, const Value& value, Outcome& out, const Path& path) {
  if (!value.is_object()) return;
  for (const SchemaNode::Dependency& dependency : schema.dependencies) {
    if (!value.get(dependency.on).defined()) continue;
    for (const std::string_view key : dependency.keys) {
      if (!work_.spend()) return;
      if (!value.get(key).defined()) {
        add(out, "missing_dependency", path, "Has a dependency on " + std::string(key));
      }
    }
    if (dependency.schema != nullptr) check(*dependency.schema, value, out, path);
  }
}

void Validator::conditions(const SchemaNode& schema, const Value& value, Outcome& out, const Path& path) {
  if (schema.condition == nullptr) return;
  const bool holds = apply(*schema.condition, value, path).valid();
  const SchemaNode* next = holds ? schema.then : schema.otherwise;
  if (next == nullptr) return;
  Outcome result = apply(*next, value, path);
  if (result.valid()) return;
  add(out, holds ? "condition_then" : "condition_else", path,
      holds ? "Must validate \"then\" as \"if\" was valid" : "Must validate \"else\" as \"if\" was not valid");
  merge(out, std::move(result));
}

void Validator::combined(const SchemaNode& schema, const Value& value, Outcome& out, const Path& path) {
  any_of(schema, value, out, path);
  one_of(schema, value, out, path);
  all_of(schema, value, out, path);
  if (schema.negated != nullptr && apply(*schema.negated, value, path).valid()) {
    add(out, "number_not", path, "Must not validate the schema (not)");
  }
  dependencies(schema, value, out, path);
  conditions(schema, value, out, path);
  ++out.score;
}

void Validator::common(const SchemaNode& schema, const Value& value, Outcome& out, const Path& path) {
  if (schema.constant || schema.choices) {
    const std::string text = plain_json(value);
    std::string field;
    append_path(field, path);
    if (field.starts_with("(Root).")) field.erase(0, 7);
    if (!work_.spend(1 + text.size() / 16)) return;
    if (schema.constant && *schema.constant != text) {
      add(out, "const", path, field + " does not match: " + *schema.constant);
    }
    if (schema.choices && std::find(schema.choices->begin(), schema.choices->end(), text) == schema.choices->end()) {
      add(out, "enum", path, field + " must be one of the following: " + text::join(*schema.choices, ", "));
    }
  }
  if (!schema.format.empty() && value.is_string() && !has_format(schema.format, value.as_string())) {
    add(out, "format", path, "Does not match format '" + std::string(schema.format) + "'");
  }
  ++out.score;
}

void Validator::items(const SchemaNode& schema, const Value& value, Outcome& out, const Path& path) {
  const std::span<const Value> elements = value.elements();
  for (std::size_t i = 0; i < elements.size(); ++i) {
    const SchemaNode* item = nullptr;
    if (schema.single_item) {
      item = schema.items.front();
    } else if (i < schema.items.size()) {
      item = schema.items[i];
    } else {
      item = schema.items.empty() ? nullptr : schema.more_items_schema;
    }
    if (item == nullptr) break;
    if (!work_.spend()) return;
    const std::string index = std::to_string(i);
    merge(out, apply(*item, elements[i], Path{index, &path}));
  }
  const bool too_many = !schema.single_item && !schema.items.empty() && elements.size() > schema.items.size();
  if (too_many && schema.more_items && !*schema.more_items) {
    add(out, "array_no_additional_items", path, "No additional items allowed on array");
  }
}

void Validator::unique(const Value& value, Outcome& out, const Path& path) {
  std::unordered_map<std::string, std::size_t> seen;
  for (std::size_t j = 0; j < value.elements().size(); ++j) {
    std::string text = plain_json(value.elements()[j]);
    if (!work_.spend(1 + text.size() / 16)) return;
    const auto [at, fresh] = seen.try_emplace(std::move(text), j);
    if (fresh) continue;
    add(out, "unique", path,
        "array items[" + std::to_string(at->second) + "," + std::to_string(j) + "] must be unique");
    at->second = j;
  }
}

void Validator::contains(const SchemaNode& schema, const Value& value, Outcome& out, const Path& path) {
  std::optional<Outcome> best;
  for (std::size_t i = 0; i < value.elements().size(); ++i) {
    const std::string index = std::to_string(i);
    Outcome result = apply(*schema.contains, value.elements()[i], Path{index, &path});
    if (result.valid() || work_.exhausted()) return;
    if (!best || result.score > best->score) best = std::move(result);
  }
  add(out, "contains", path, "At least one of the items must match");
  if (best) merge(out, std::move(*best));
}

void Validator::array(const SchemaNode& schema, const Value& value, Outcome& out, const Path& path) {
  items(schema, value, out, path);
  const auto count = static_cast<std::int64_t>(value.size());
  if (schema.min_items && count < *schema.min_items) {
    add(out, "array_min_items", path, "Array must have at least " + std::to_string(*schema.min_items) + " items");
  }
  if (schema.max_items && count > *schema.max_items) {
    add(out, "array_max_items", path, "Array must have at most " + std::to_string(*schema.max_items) + " items");
  }
  if (schema.unique_items) unique(value, out, path);
  if (schema.contains != nullptr) contains(schema, value, out, path);
  ++out.score;
}

void Validator::object(const SchemaNode& schema, const Value& value, Outcome& out, const Path& path) {
  const auto count = static_cast<std::int64_t>(value.size());
  if (schema.min_properties && count < *schema.min_properties) {
    add(out, "array_min_properties", path,
        "Must have at least " + std::to_string(*schema.min_properties) + " properties");
  }
  if (schema.max_properties && count > *schema.max_properties) {
    add(out, "array_max_properties", path,
        "Must have at most " + std::to_string(*schema.max_properties) + " properties");
  }
  for (const std::string_view name : schema.required) {
    if (value.get(name).defined()) {
      ++out.score;
    } else {
      add(out, "required", path, std::string(name) + " is required");
    }
  }
  members(schema, value, out, path);
  if (schema.names != nullptr) {
    for (const Value& key : value.keys()) {
      Outcome result = apply(*schema.names, key, path);
      if (result.valid()) continue;
      add(out, "invalid_property_name", path, "Property name of \"" + std::string(key_text(key)) + "\" does not match");
      merge(out, std::move(result));
    }
  }
  ++out.score;
}

// What patterns say of members, and what is said of those that nothing names.
void Validator::members(const SchemaNode& schema, const Value& value, Outcome& out, const Path& path) {
  if (schema.patterns.empty() && !schema.more_properties && schema.more_properties_schema == nullptr) return;
  std::unordered_map<std::string_view, bool> named;
  for (const SchemaNode* property : schema.properties) named.emplace(property->property, true);
  for (std::uint32_t i = 0; i < value.size(); ++i) {
    const std::string_view key = key_text(value.keys()[i]);
    const Path inside{key, &path};
    bool matched = false;
    for (const auto& [pattern, child] : schema.patterns) {
      if (!work_.spend(1 + key.size() / 8)) return;
      if (!re2::RE2::PartialMatch(re2::StringPiece(key.data(), key.size()), *pattern)) continue;
      matched = true;
      merge(out, apply(*child, value.values()[i], inside));
    }
    if (matched) ++out.score;
    if (matched || named.contains(key)) continue;
    if (!work_.spend()) return;
    if (schema.more_properties && !*schema.more_properties) {
      add(out, "additional_property_not_allowed", path, "Additional property " + std::string(key) + " is not allowed");
    } else if (schema.more_properties_schema != nullptr) {
      merge(out, apply(*schema.more_properties_schema, value.values()[i], inside));
    }
  }
}

void Validator::string(const SchemaNode& schema, const Value& value, Outcome& out, const Path& path) {
  const std::string_view text = value.as_string();
  if (schema.min_length || schema.max_length) {
    const auto length = static_cast<std::int64_t>(rune_count(text));
    if (schema.min_length && length < *schema.min_length) {
      add(out, "string_gte", path,
          "String length must be greater than or equal to " + std::to_string(*schema.min_length));
    }
    if (schema.max_length && length > *schema.max_length) {
      add(out, "string_lte", path, "String length must be less than or equal to " + std::to_string(*schema.max_length));
    }
  }
  if (schema.pattern != nullptr) {
    if (!work_.spend(1 + text.size() / 8)) return;
    if (!re2::RE2::PartialMatch(re2::StringPiece(text.data(), text.size()), *schema.pattern)) {
      add(out, "pattern", path, "Does not match pattern '" + std::string(schema.pattern_text) + "'");
    }
  }
  ++out.score;
}

// As a big float of 64 bits prints.
std::string Validator::shown(const Value& number) {
  if (number.is_integer()) return number_text(number);
  return number_text(portcullis::add(arena_, number, Value::integer(0)));
}

void Validator::number(const SchemaNode& schema, const Value& value, Outcome& out, const Path& path) {
  if (schema.multiple_of.defined() && !Fraction(value).multiple_of(Fraction(schema.multiple_of))) {
    add(out, "multiple_of", path, "Must be a multiple of " + shown(schema.multiple_of));
  }
  if (schema.maximum.defined() && compare_numbers(value, schema.maximum) > 0) {
    add(out, "number_lte", path, "Must be less than or equal to " + shown(schema.maximum));
  }
  if (schema.exclusive_maximum.defined() && compare_numbers(value, schema.exclusive_maximum) >= 0) {
    add(out, "number_lt", path, "Must be less than " + shown(schema.exclusive_maximum));
  }
  if (schema.minimum.defined() && compare_numbers(value, schema.minimum) < 0) {
    add(out, "number_gte", path, "Must be greater than or equal to " + shown(schema.minimum));
  }
  if (schema.exclusive_minimum.defined() && compare_numbers(value, schema.exclusive_minimum) <= 0) {
    add(out, "number_gt", path, "Must be greater than " + shown(schema.exclusive_minimum));
  }
  ++out.score;
}

}  // namespace

std::vector<SchemaFault> JsonSchema::validate(Arena& arena, const Value& document, WorkLimit& work) const {
  Validator validator(arena, work);
  Outcome out;
  validator.check(*root_, document, out, Path{"(Root)", nullptr});
  return std::move(out.faults);
}

}  // namespace portcullis::rego::builtins
