#include <re2/re2.h>

#include <cmath>

#include "base/text.h"
#include "engine/value/json.h"
#include "engine/value/number.h"
#include "policy/model/object.h"
#include "policy/schema/schema.h"
#include "policy/schema/schema_format.h"
#include "policy/schema/schema_node.h"

namespace portcullis::policy {
namespace {

// What Go's OpenAPI library calls a JSON value; all numbers reach it as float64.
std::string_view schema_type(const Value& value) noexcept {
  switch (value.kind()) {
    case Kind::kBool: return "boolean";
    case Kind::kNumber: return "number";
    case Kind::kString: return "string";
    case Kind::kArray:
    case Kind::kSet: return "array";
    case Kind::kObject: return "object";
    default: return "null";
  }
}

std::size_t rune_count(std::string_view text) noexcept {
  std::size_t count = 0;
  for (std::size_t at = 0; at < text.size(); at += text::decode_rune(text, at).size) ++count;
  return count;
}

std::string format_double(double value) {
  Arena arena;
  return number_text(make_number(arena, value));
}

// One pass over value and schema. `path` is the dotted path below the root as the OpenAPI library builds it; field
// paths of errors are `prefix` + "." + path.
class Validator {
 public:
  explicit Validator(std::string_view prefix) : prefix_(prefix) {}

  // Counts what passed as well: the best-matching alternative of anyOf and oneOf is the one that is reported.
  struct Outcome {
    std::vector<std::string> errors;
    int matches = 0;

    bool valid() const noexcept { return errors.empty(); }
    void merge(Outcome other) {
      for (std::string& error : other.errors) errors.push_back(std::move(error));
      matches += other.matches;
    }
  };

  Outcome validate(const SchemaNode& node, const Value& value, const std::string& path) const {
    Outcome out;
    const bool type_checked = !node.types.empty() || !node.format.empty();
    if (type_checked) out.merge(check_type(node, value, path));
    if (value.is_null()) {
      out.merge(check_enum(node, value, path));
      return out;
    }
    out.merge(check_logic(node, value, path));
    if (value.is_string()) {
      out.merge(check_string(node, value, path));
      out.merge(check_format(node, value, path));
    }
    if (value.is_number()) out.merge(check_number(node, value, path));
    if (value.is_array()) out.merge(check_array(node, value, path));
    out.merge(check_enum(node, value, path));
    if (value.is_object()) out.merge(check_object(node, value, path));
    ++out.matches;
    return out;
  }

 private:
  std::string field(const std::string& path) const {
    std::string_view name = path;
    if (!name.empty() && name.front() == '.') name.remove_prefix(1);
    if (name.empty()) return std::string(prefix_);
    return std::string(prefix_) + (name.front() == '[' ? "" : ".") + std::string(name);
  }
  static Outcome fail(std::string message) {
    Outcome out;
    out.errors.push_back(std::move(message));
    return out;
  }
  static Outcome pass() {
    Outcome out;
    out.matches = 1;
    return out;
  }
  Outcome invalid(const std::string& path, const Value& value, std::string_view detail) const {
    return fail(invalid_value(field(path), value, detail));
  }
  // Errors of the composition keywords have no field of their own.
  Outcome composite(const std::string& path, std::string_view detail) const {
    return fail(invalid_text(prefix_, "", text::go_quote(path) + " " + std::string(detail)));
  }

  Outcome wrong_type(const std::string& path, std::string_view wanted, std::string_view got) const {
    return fail(invalid_text(field(path), got,
                             path + " in body must be of type " + std::string(wanted) + ": " + text::go_quote(got)));
  }

  Outcome check_type(const SchemaNode& node, const Value& value, const std::string& path) const {
    const std::string wanted = text::join(node.types, ",");
    if (value.is_null()) {
      if (!node.types.empty() && !node.nullable) return wrong_type(path, wanted, "null");
      return pass();
    }
    const std::string_view type = schema_type(value);
    const bool number_like = node.has_type("number") || node.has_type("integer");
    const bool whole = type == "number" && node.has_type("integer") && is_whole(value);
    if (node.types.empty()) return pass();
    if (!number_like && !node.format.empty() && (value.is_string() || value.is_array())) return pass();
    if (node.has_type(type) || whole) return pass();
    return wrong_type(path, wanted, type);
  }

  Outcome check_logic(const SchemaNode& node, const Value& value, const std::string& path) const {
    Outcome out;
    if (!node.any_of.empty()) out.merge(check_any_of(node, value, path));
    if (!node.one_of.empty()) out.merge(check_one_of(node, value, path));
    if (!node.all_of.empty()) {
      std::size_t valid = 0;
      for (const auto& schema : node.all_of) {
        Outcome result = validate(*schema, value, path);
        if (result.valid()) ++valid;
        out.merge(std::move(result));
      }
      if (valid != node.all_of.size()) {
        out.merge(composite(path, valid == 0 ? "must validate all the schemas (allOf). None validated"
                                             : "must validate all the schemas (allOf)"));
      }
    }
    if (node.negated && validate(*node.negated, value, path).valid()) {
      out.merge(composite(path, "must not validate the schema (not)"));
    }
    ++out.matches;
    return out;
  }

  Outcome check_any_of(const SchemaNode& node, const Value& value, const std::string& path) const {
    Outcome best;
    bool have_best = false;
    for (const auto& schema : node.any_of) {
      Outcome result = validate(*schema, value, path);
      if (result.valid()) return result;
      if (!have_best || result.matches > best.matches) best = std::move(result);
      have_best = true;
    }
    Outcome out = composite(path, "must validate at least one schema (anyOf)");
    out.merge(std::move(best));
    return out;
  }

  Outcome check_one_of(const SchemaNode& node, const Value& value, const std::string& path) const {
    Outcome best;
    Outcome first;
    bool have_best = false;
    int valid = 0;
    for (const auto& schema : node.one_of) {
      Outcome result = validate(*schema, value, path);
      if (result.valid()) {
        if (valid++ == 0) first = std::move(result);
        best = {};
      } else if (valid == 0 && (!have_best || result.matches > best.matches)) {
        best = std::move(result);
        have_best = true;
      }
    }
    if (valid == 1) return first;
    Outcome out = composite(path, "must validate one and only one schema (oneOf). " +
                                      (valid == 0 ? std::string("Found none valid")
                                                  : "Found " + std::to_string(valid) + " valid alternatives"));
    out.merge(std::move(best));
    return out;
  }

  Outcome check_string(const SchemaNode& node, const Value& value, const std::string& path) const {
    const auto length = static_cast<std::int64_t>(rune_count(value.as_string()));
    if (node.max_length && length > *node.max_length) {
      return fail(field_error(
          field(path), "Too long",
          "may not be more than " + std::to_string(*node.max_length) + (*node.max_length == 1 ? " byte" : " bytes")));
    }
    if (node.min_length && length < *node.min_length) {
      return invalid(path, value,
                     path + " in body should be at least " + std::to_string(*node.min_length) + " chars long");
    }
    if (node.regex && node.regex->ok() && !RE2::PartialMatch(value.as_string(), *node.regex)) {
      return invalid(path, value, path + " in body should match '" + node.pattern + "'");
    }
    return pass();
  }

  Outcome check_format(const SchemaNode& node, const Value& value, const std::string& path) const {
    if (node.format.empty() || matches_format(node.format, value.as_string())) return pass();
    return fail(
        invalid_value(field(path), value,
                      path + " in body must be of type " + node.format + ": " + text::go_quote(value.as_string())));
  }

  Outcome check_number(const SchemaNode& node, const Value& value, const std::string& path) const {
    Outcome out;
    const double number = to_double(value);
    if (node.types.size() == 1 && node.types.front() == "integer") out.merge(check_integer_range(node, number, path));
    if (node.multiple_of && *node.multiple_of > 0) {
      const double factor = *node.multiple_of;
      const double quotient = factor < 1 ? 1 / factor * number : number / factor;
      if (std::abs(quotient - std::nearbyint(quotient)) > 1e-9) {
        out.merge(invalid(path, value, path + " in body should be a multiple of " + format_double(factor)));
      }
    }
    if (node.minimum && (number < *node.minimum || (node.exclusive_minimum && number <= *node.minimum))) {
      out.merge(invalid(path, value,
                        path + " in body should be greater than " + (node.exclusive_minimum ? "" : "or equal to ") +
                            format_double(*node.minimum)));
    }
    if (node.maximum && (number > *node.maximum || (node.exclusive_maximum && number >= *node.maximum))) {
      out.merge(invalid(path, value,
                        path + " in body should be less than " + (node.exclusive_maximum ? "" : "or equal to ") +
                            format_double(*node.maximum)));
    }
    ++out.matches;
    return out;
  }

  // An integer type must hold the number as it is.
  Outcome check_integer_range(const SchemaNode& node, double number, const std::string& path) const {
    const bool narrow = node.format == "int32";
    const double limit = narrow ? 2147483648.0 : 9223372036854775808.0;
    if (std::nearbyint(number) == number && number >= -limit && number < limit) return pass();
    const bool named = narrow || node.format == "int64";
    return fail(invalid_text(prefix_, "",
                             "Checked value must be of type integer " +
                                 (named ? "with format " + node.format : std::string("(default format)")) + " in " +
                                 path));
  }

  Outcome check_array(const SchemaNode& node, const Value& value, const std::string& path) const {
    Outcome out;
    if (node.items) {
      for (std::size_t i = 0; i < value.elements().size(); ++i) {
        out.merge(validate(*node.items, value.elements()[i], path + "[" + std::to_string(i) + "]"));
      }
    }
    const auto size = static_cast<std::int64_t>(value.size());
    if (node.min_items && size < *node.min_items) {
      out.merge(invalid(path, Value::integer(size),
                        path + " in body should have at least " + std::to_string(*node.min_items) + " items"));
    }
    if (node.max_items && size > *node.max_items) out.merge(too_many(path, size, *node.max_items));
    if (node.unique_items && has_duplicates(value)) {
      out.merge(fail(invalid_text(field(path), "", path + " in body shouldn't contain duplicates")));
    }
    ++out.matches;
    return out;
  }

  Outcome too_many(const std::string& path, std::int64_t size, std::int64_t limit) const {
    return fail(field_error(field(path), "Too many: " + std::to_string(size),
                            "must have at most " + std::to_string(limit) + (limit == 1 ? " item" : " items")));
  }

  static bool has_duplicates(const Value& array) {
    for (std::size_t i = 0; i < array.elements().size(); ++i) {
      for (std::size_t j = 0; j < i; ++j) {
        if (equal(array.elements()[i], array.elements()[j])) return true;
      }
    }
    return false;
  }

  Outcome check_enum(const SchemaNode& node, const Value& value, const std::string& path) const {
    if (!node.enum_values.defined()) return pass();
    std::string supported;
    for (const Value& allowed : node.enum_values.elements()) {
      if (equal(allowed, value)) return pass();
      if (!supported.empty()) supported += ", ";
      supported += text::go_quote(allowed.is_string() ? std::string(allowed.as_string()) : to_json(allowed));
    }
    std::string shown = value.is_string() ? text::go_quote(value.as_string()) : to_json(value);
    return fail(field_error(field(path), "Unsupported value: " + shown, "supported values: " + supported));
  }

  Outcome check_object(const SchemaNode& node, const Value& value, const std::string& path) const {
    Outcome out;
    const auto size = static_cast<std::int64_t>(value.size());
    if (node.min_properties && size < *node.min_properties) {
      out.merge(
          invalid(path, Value::integer(size),
                  path + " in body should have at least " + std::to_string(*node.min_properties) + " properties"));
    }
    if (node.max_properties && size > *node.max_properties) out.merge(too_many(path, size, *node.max_properties));
    for (std::size_t i = 0; i < value.keys().size(); ++i) {
      if (!value.keys()[i].is_string()) continue;
      const std::string_view name = value.keys()[i].as_string();
      const SchemaNode* property = node.property(name);
      if (property == nullptr && node.additional_forbidden) {
        out.merge(
            fail(invalid_text(field(path), name, path + "." + std::string(name) + " in body is a forbidden property")));
        continue;
      }
      // Only a regular property at the root has a path without a leading dot.
      const bool bare = path.empty() && property != nullptr;
      if (property == nullptr) property = node.additional.get();
      if (property == nullptr) continue;
      out.merge(validate(*property, value.values()[i], bare ? std::string(name) : path + "." + std::string(name)));
    }
    for (const std::string& name : node.required) {
      if (!value.get(name).defined()) out.merge(fail(field_error(field(path + "." + name), "Required value", "")));
    }
    ++out.matches;
    return out;
  }

  std::string_view prefix_;
};

}  // namespace

std::vector<std::string> validate_node(const SchemaNode& node, const Value& value, const std::string& field_path,
                                       std::string_view prefix) {
  return Validator(prefix).validate(node, value, field_path).errors;
}

std::vector<std::string> Schema::validate(const Value& value, std::string_view path) const {
  if (!root_) return {};
  Arena arena;
  return validate_node(*root_, as_float64(arena, value), "", path);
}

}  // namespace portcullis::policy
