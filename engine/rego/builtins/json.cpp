// json.*: text in and out; filter, remove and patch have files of their own.
#include "engine/value/json.h"

#include <string>

#include "engine/rego/builtins/common.h"
#include "engine/rego/builtins/families.h"
#include "engine/rego/builtins/json_paths.h"
#include "engine/value/document.h"

namespace portcullis::rego::builtins {
namespace {

Value marshal(BuiltinContext& c, Args a) {
  std::string out;
  append_json(out, a[0], {.escape_html = true});
  return text_result(c, out);
}

// Compact JSON laid out again as Go's json.Indent does it. False: past the bound.
bool indent_json(std::string_view compact, std::string_view prefix, std::string_view indent, std::string& out) {
  std::size_t depth = 0;
  bool in_string = false;
  const auto line = [&] {
    out += '\n';
    out += prefix;
    for (std::size_t i = 0; i < depth; ++i) out += indent;
  };
  for (std::size_t i = 0; i < compact.size(); ++i) {
    const char c = compact[i];
    if (in_string) {
      out += c;
      if (c == '\\') {
        out += compact[++i];
      } else if (c == '"') {
        in_string = false;
      }
      continue;
    }
    const char next = i + 1 < compact.size() ? compact[i + 1] : '\0';
    if (c == '{' || c == '[') {
      out += c;
      if (next == '}' || next == ']') {
        out += next;
        ++i;
      } else {
        ++depth;
        line();
      }
    } else if (c == '}' || c == ']') {
      --depth;
      line();
      out += c;
    } else {
      out += c;
      if (c == ',') line();
      if (c == ':') out += ' ';
      in_string = c == '"';
    }
    if (out.size() > kMaxResultBytes) return false;
  }
  return true;
}

struct MarshalOptions {
  std::string_view indent = "\t";
  std::string_view prefix;
  bool pretty = false;      // said so
  bool not_pretty = false;  // said not to
  bool implied = false;     // by a prefix or an indent
};

bool read_option(BuiltinContext& c, const Value& key, const Value& value, std::size_t at, MarshalOptions& options) {
  if (!key.is_string()) {
    operand_error(c, 2, "failed to stringify key " + to_json(key) + " at index " + std::to_string(at));
    return false;
  }
  const std::string_view name = key.as_string();
  if (name == "pretty") {
    if (!value.is_bool()) {
      operand_error(c, 2, "key pretty failed cast to bool");
      return false;
    }
    options.pretty = value.as_bool();
    options.not_pretty = !options.pretty;
    return true;
  }
  if (name != "prefix" && name != "indent") {
    operand_error(c, 2, "object contained unknown key " + to_rego(key));
    return false;
  }
  if (!value.is_string()) {
    operand_error(c, 2,
                  "key " + to_rego(key) + " failed cast to string: operand " + std::to_string(at) +
                      " must be string but got " + std::string(kind_name(value.kind())));
    return false;
  }
  (name == "prefix" ? options.prefix : options.indent) = value.as_string();
  options.implied = true;
  return true;
}

Value marshal_with_options(BuiltinContext& c, Args a) {
  if (!object_operand(c, a, 1)) return {};
  MarshalOptions options;
  for (std::uint32_t i = 0; i < a[1].size(); ++i) {
    if (!read_option(c, a[1].keys()[i], a[1].values()[i], i, options)) return {};
  }
  std::string compact;
  append_json(compact, a[0], {.escape_html = true});
  if (options.not_pretty || !(options.pretty || options.implied)) return text_result(c, compact);
  std::string out(options.prefix);
  if (!indent_json(compact, options.prefix, options.indent, out)) return out_of_budget(c, "json.marshal_with_options");
  return text_result(c, out);
}

Value unmarshal(BuiltinContext& c, Args a) {
  const auto text = string_operand(c, a, 0);
  if (!text) return {};
  ParseLimits limits;
  limits.source = "json";
  Result<Value> out = parse_json_into(c.arena, *text, limits);
  return out.ok() ? *out : c.fail(out.error().to_string());
}

Value is_valid(BuiltinContext&, Args a) {
  if (!a[0].is_string()) return Value::boolean(false);
  return Value::boolean(Document::parse_json_borrowed(a[0].as_string()).ok());
}

constexpr std::string_view kPaths = "array[string|array[any]]|set[string|array[any]]";

constexpr BuiltinDecl kTable[] = {
    {"json.marshal", {"any"}, "string", &marshal},
    {"json.marshal_with_options",
     {"any", "{indent: string, prefix: string, pretty: boolean}[string:any]"},
     "string",
     &marshal_with_options},
    {"json.unmarshal", {"string"}, "any", &unmarshal},
    {"json.is_valid", {"string"}, "boolean", &is_valid},
    {"json.filter", {"object[any:any]", kPaths}, "object[any:any]", &json_filter},
    {"json.remove", {"object[any:any]", kPaths}, "object[any:any]", &json_remove},
    {"json.patch", {"any", "array[{op: string, path: any}[any:any]]"}, "any", &json_patch},
};

}  // namespace

std::span<const BuiltinDecl> json_builtins() { return kTable; }

}  // namespace portcullis::rego::builtins
