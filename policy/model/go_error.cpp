#include "policy/model/go_error.h"

#include <cmath>
#include <cstdio>

#include "engine/value/number.h"

namespace portcullis::policy {

std::string json_kind(const Value& value, bool with_number) {
  switch (value.kind()) {
    case Kind::kBool: return "bool";
    case Kind::kNumber: return with_number ? "number " + portcullis::number_text(value) : "number";
    case Kind::kString: return "string";
    case Kind::kArray:
    case Kind::kSet: return "array";
    case Kind::kObject: return "object";
    default: return "null";
  }
}

std::string json_type_error(const Value& value, std::string_view field, std::string_view go_type_name) {
  std::string out = "json: cannot unmarshal " + json_kind(value) + " into Go struct field ";
  out += field;
  out += " of type ";
  out += go_type_name;
  return out;
}

std::string json_value_error(const Value& value, std::string_view go_type_name) {
  std::string out = "json: cannot unmarshal " + json_kind(value) + " into Go value of type ";
  out += go_type_name;
  return out;
}

std::string_view go_type(const Value& value) noexcept {
  switch (value.kind()) {
    case Kind::kBool: return "bool";
    case Kind::kNumber: return value.is_integer() ? "int64" : "float64";
    case Kind::kString: return "string";
    case Kind::kArray:
    case Kind::kSet: return "[]interface {}";
    case Kind::kObject: return "map[string]interface {}";
    default: return "<nil>";
  }
}

std::string go_value(const Value& value) {
  switch (value.kind()) {
    case Kind::kBool: return value.is_true() ? "true" : "false";
    case Kind::kNumber: return number_text(value);
    case Kind::kString: return std::string(value.as_string());
    case Kind::kArray:
    case Kind::kSet: {
      std::string out = "[";
      bool first = true;
      for (const Value& element : value.elements()) {
        if (!first) out += ' ';
        first = false;
        out += go_value(element);
      }
      return out + "]";
    }
    case Kind::kObject: {
      std::string out = "map[";
      for (std::size_t i = 0; i < value.keys().size(); ++i) {
        if (i != 0) out += ' ';
        out += go_value(value.keys()[i]);
        out += ':';
        out += go_value(value.values()[i]);
      }
      return out + "]";
    }
    default: return "<nil>";
  }
}

std::string accessor_error(std::string_view path, const Value& value, std::string_view expected) {
  std::string out(path);
  out += " accessor error: ";
  out += go_value(value);
  out += " is of the type ";
  out += go_type(value);
  out += ", expected ";
  out += expected;
  return out;
}

}  // namespace portcullis::policy
