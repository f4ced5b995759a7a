// strings.render_template, and the functions that templates may call.
#include "engine/rego/builtins/text_template.h"

#include <algorithm>
#include <array>
#include <string>

#include "base/text.h"
#include "engine/rego/builtins/common.h"
#include "engine/rego/builtins/families.h"
#include "engine/rego/builtins/sprintf.h"
#include "engine/rego/builtins/url_escape.h"
#include "engine/value/json.h"
#include "engine/value/number.h"

namespace portcullis::rego::builtins {
namespace {

using Arguments = std::vector<TemplateValue>;

Error wrong(std::string message) { return make_error(Code::kInvalid, std::move(message)); }
TemplateValue plain(const Value& value) { return {value, false}; }
TemplateValue counted(std::int64_t number) { return {Value::integer(number), true}; }

// Stops past the most that a template may print: a value that holds another often can be far larger so.
void append_go(std::string& out, const Value& value, bool top) {
  if (out.size() > kMaxTemplateOutput) return;
  switch (value.kind()) {
    case Kind::kUndefined:
    case Kind::kNull: out += top ? "<no value>" : "<nil>"; return;
    case Kind::kBool: out += value.as_bool() ? "true" : "false"; return;
    case Kind::kNumber: append_number(out, value); return;
    case Kind::kString: out += value.as_string(); return;
    case Kind::kObject: {
      out += "map[";
      for (std::uint32_t i = 0; i < value.size() && out.size() <= kMaxTemplateOutput; ++i) {
        if (i != 0) out += ' ';
        append_go(out, value.keys()[i], false);
        out += ':';
        append_go(out, value.values()[i], false);
      }
      out += ']';
      return;
    }
    default: {
      out += '[';
      bool first = true;
      for (const Value& element : value.elements()) {
        if (out.size() > kMaxTemplateOutput) return;
        if (!first) out += ' ';
        first = false;
        append_go(out, element, false);
      }
      out += ']';
    }
  }
}

std::string go_text(const TemplateValue& value) {
  std::string out;
  append_go_text(out, value);
  return out;
}

Error too_much(WorkLimit& work) {
  work.exhaust();
  return make_error(Code::kLimit, "timed out before finishing");
}

// One operand of that many bytes.
Result<void> spend(WorkLimit& work, std::size_t bytes) {
  if (work.spend(1 + bytes / 64)) return ok();
  return too_much(work);
}

Result<std::string> text_of(const TemplateValue& value, WorkLimit& work) {
  std::string out = go_text(value);
  PC_TRY_VOID(spend(work, out.size()));
  if (out.size() > kMaxTemplateOutput) return too_much(work);
  return out;
}

// Go's print: a space between operands when neither is a string; println: always, and a line end.
// `escaped`: for an escaping function, to which nothing is the text "<no value>".
Result<std::string> printed(const Arguments& arguments, WorkLimit& work, bool line, bool escaped = false) {
  const auto is_text = [&](const TemplateValue& each) {
    return each.is_text() || (escaped && (!each.value.defined() || each.value.is_null()));
  };
  std::string out;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const bool texts = i > 0 && (is_text(arguments[i]) || is_text(arguments[i - 1]));
    if (i > 0 && (line || !texts)) out += ' ';
    const std::size_t before = out.size();
    append_go(out, arguments[i].value, escaped);
    PC_TRY_VOID(spend(work, out.size() - before));
    if (out.size() > kMaxTemplateOutput) return too_much(work);
  }
  if (line) out += '\n';
  return out;
}

// What printf gets: numbers of the data are texts, collections are as Go prints them.
Result<TemplateValue> formatted(BuiltinContext& c, const Arguments& arguments, WorkLimit& work) {
  if (arguments.empty() || !arguments[0].value.is_string()) return wrong("wrong number or type of args for printf");
  std::vector<Value> values;
  std::vector<std::string_view> types;
  for (std::size_t i = 1; i < arguments.size(); ++i) {
    const TemplateValue& each = arguments[i];
    const Value& value = each.value;
    const bool nothing = !value.defined() || value.is_null();
    const bool scalar = value.is_string() || (value.is_number() && each.counted);
    if (nothing || scalar) {
      PC_TRY_VOID(spend(work, 0));
      values.push_back(nothing ? Value::undefined() : value);
    } else {
      PC_TRY(const std::string text, text_of(each, work));
      values.push_back(make_string(c.arena, text));
    }
    std::string_view type;
    if (value.is_bool()) type = "bool";
    if (value.is_number()) type = !each.counted ? "json.Number" : value.is_integer() ? "int" : "float64";
    if (value.is_object()) type = "map[string]interface {}";
    if (value.is_array()) type = "[]interface {}";
    types.push_back(type);
  }
  const Value out = go_printf(c, arguments[0].value.as_string(), values, types);
  if (!out.defined()) return wrong("printf failed");
  return plain(out);
}

std::string html_escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '"': out += "&#34;"; break;
      case '\'': out += "&#39;"; break;
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '\0': out += "\xef\xbf\xbd"; break;
      default: out += c;
    }
  }
  return out;
}

std::string js_escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    constexpr std::string_view kPlain = "\\'\"";
    constexpr std::string_view kCoded = "<>&=";
    if (kPlain.find(c) != std::string_view::npos) {
      out += '\\';
      out += c;
    } else if (kCoded.find(c) != std::string_view::npos || static_cast<unsigned char>(c) < 0x20) {
      out += "\\u00";
      out += "0123456789ABCDEF"[static_cast<unsigned char>(c) >> 4];
      out += "0123456789ABCDEF"[c & 15];
    } else {
      out += c;
    }
  }
  return out;
}

Result<TemplateValue> length(const Arguments& arguments) {
  if (arguments.size() != 1)
    return wrong("wrong number of args for len: want 1 got " + std::to_string(arguments.size()));
  const TemplateValue& value = arguments[0];
  if (value.is_text()) return counted(static_cast<std::int64_t>(go_text(value).size()));
  if (value.value.is_array() || value.value.is_object() || value.value.is_set()) return counted(value.value.size());
  return wrong("len of nil pointer or of a value without length");
}

Result<TemplateValue> index(const Arguments& arguments) {
  if (arguments.empty()) return wrong("wrong number of args for index: want at least 1 got 0");
  TemplateValue item = arguments[0];
  if (!item.value.defined() || item.value.is_null()) return wrong("index of untyped nil");
  for (std::size_t i = 1; i < arguments.size(); ++i) {
    const Value& key = arguments[i].value;
    if (item.value.is_object()) {
      if (!key.is_string()) return wrong("value has type that is not string");
      item = plain(item.value.get(key));
    } else if (item.value.is_array()) {
      if (!key.is_integer() || !arguments[i].counted) return wrong("cannot index slice/array with this type");
      if (key.as_integer() < 0 || key.as_integer() >= item.value.size()) {
        return wrong("index out of range: " + std::to_string(key.as_integer()));
      }
      item = plain(item.value.elements()[static_cast<std::size_t>(key.as_integer())]);
    } else if (item.is_text()) {
      const std::string text = go_text(item);
      if (!key.is_integer() || !arguments[i].counted) return wrong("cannot index slice/array with this type");
      if (key.as_integer() < 0 || key.as_integer() >= static_cast<std::int64_t>(text.size())) {
        return wrong("index out of range: " + std::to_string(key.as_integer()));
      }
      item = counted(static_cast<unsigned char>(text[static_cast<std::size_t>(key.as_integer())]));
    } else {
      return wrong("can't index item of this type");
    }
  }
  return item;
}

Result<TemplateValue> slice(BuiltinContext& c, const Arguments& arguments) {
  if (arguments.empty() || arguments.size() > 3) return wrong("wrong number of args for slice");
  const TemplateValue& item = arguments[0];
  const std::string text = item.is_text() ? go_text(item) : std::string();
  if (!item.is_text() && !item.value.is_array()) return wrong("can't slice item of this type");
  const auto size = static_cast<std::int64_t>(item.is_text() ? text.size() : item.value.size());
  std::int64_t bounds[2] = {0, size};
  for (std::size_t i = 1; i < arguments.size(); ++i) {
    const Value& bound = arguments[i].value;
    if (!bound.is_integer() || !arguments[i].counted) return wrong("cannot index slice/array with this type");
    if (bound.as_integer() < 0 || bound.as_integer() > size) {
      return wrong("index out of range: " + std::to_string(bound.as_integer()));
    }
    bounds[i - 1] = bound.as_integer();
  }
  if (bounds[0] > bounds[1]) return wrong("invalid slice index");
  const auto from = static_cast<std::size_t>(bounds[0]);
  const auto count = static_cast<std::size_t>(bounds[1] - bounds[0]);
  if (item.is_text()) return plain(make_string(c.arena, text.substr(from, count)));
  return plain(make_array(c.arena, item.value.elements().subspan(from, count)));
}

std::size_t text_size(const TemplateValue& value) { return value.value.is_string() ? value.value.size() : 0; }

enum class Order : std::uint8_t { kLess, kEqual, kGreater };

Result<Order> ordered(const TemplateValue& a, const TemplateValue& b, bool equality) {
  if (a.is_text() && b.is_text()) {
    const int order = go_text(a).compare(go_text(b));
    return order < 0 ? Order::kLess : order > 0 ? Order::kGreater : Order::kEqual;
  }
  if (a.counted && b.counted) {
    const int order = compare_numbers(a.value, b.value);
    return order < 0 ? Order::kLess : order > 0 ? Order::kGreater : Order::kEqual;
  }
  const bool nothing = !a.value.defined() || a.value.is_null() || !b.value.defined() || b.value.is_null();
  if (equality && nothing) {
    const bool both = (!a.value.defined() || a.value.is_null()) && (!b.value.defined() || b.value.is_null());
    return both ? Order::kEqual : Order::kLess;
  }
  if (equality && a.value.is_bool() && b.value.is_bool()) {
    return a.value.as_bool() == b.value.as_bool() ? Order::kEqual : Order::kLess;
  }
  const auto basic = [](const TemplateValue& value) {
    return value.is_text() || value.value.is_bool() || value.counted;
  };
  return wrong(basic(a) && basic(b) ? "incompatible types for comparison" : "invalid type for comparison");
}

Result<TemplateValue> compared(std::string_view name, const Arguments& arguments, WorkLimit& work) {
  if (arguments.size() < 2) return wrong("missing argument for comparison");
  if (name == "eq") {
    for (std::size_t i = 1; i < arguments.size(); ++i) {
      // Each comparison copies both texts.
      PC_TRY_VOID(spend(work, text_size(arguments[0]) + text_size(arguments[i])));
      PC_TRY(const Order order, ordered(arguments[0], arguments[i], true));
      if (order == Order::kEqual) return plain(Value::boolean(true));
    }
    return plain(Value::boolean(false));
  }
  if (arguments.size() != 2) return wrong("wrong number of args for " + std::string(name));
  PC_TRY(const Order order, ordered(arguments[0], arguments[1], name == "ne"));
  const bool less = order == Order::kLess;
  const bool equal = order == Order::kEqual;
  const bool out = name == "ne"   ? !equal
                   : name == "lt" ? less
                   : name == "le" ? less || equal
                   : name == "gt" ? !less && !equal
                                  : !less;
  return plain(Value::boolean(out));
}

constexpr std::array<std::string_view, 18> kFunctions = {"and",   "or",     "not",     "len",  "index", "slice",
                                                         "print", "printf", "println", "html", "js",    "urlquery",
                                                         "eq",    "ne",     "lt",      "le",   "gt",    "ge"};

bool is_comparison(std::string_view name) {
  constexpr std::array<std::string_view, 6> kComparisons = {"eq", "ne", "lt", "le", "gt", "ge"};
  return std::find(kComparisons.begin(), kComparisons.end(), name) != kComparisons.end();
}

constexpr std::uint64_t kMaxSteps = 5'000'000;

// How a value begins as Rego prints it.
char first_letter(const Value& value) {
  if (value.is_string()) return '"';
  if (value.is_array()) return '[';
  if (value.is_object()) return '{';
  if (value.is_set()) return value.size() == 0 ? 's' : '{';
  return to_rego(value)[0];
}

// Variables are what JSON can say: neither sets nor keys that are no strings. How begins what stands in the way; 0
// where nothing does or the work ran out: what holds one value often is looked at as often.
char no_json(const Value& value, WorkLimit& work) {
  if (!work.spend(1 + value.size())) return 0;
  if (value.is_set()) return value.size() == 0 ? 's' : first_letter(value.elements()[0]);
  if (value.is_array()) {
    for (const Value& element : value.elements()) {
      if (!element.is_string() && !element.is_number()) {
        if (const char found = no_json(element, work); found != 0 || work.exhausted()) return found;
      }
    }
  }
  if (value.is_object()) {
    for (std::size_t i = 0; i < value.size(); ++i) {
      if (!value.keys()[i].is_string()) return first_letter(value.keys()[i]);
      if (const char found = no_json(value.values()[i], work); found != 0 || work.exhausted()) return found;
    }
  }
  return 0;
}

Value render_template(BuiltinContext& c, Args a) {
  const auto text = string_operand(c, a, 0);
  if (!text || !object_operand(c, a, 1)) return {};
  WorkLimit work(c, kMaxSteps);
  if (const char wrong = no_json(a[1], work); wrong != 0) {
    return c.fail(std::string("invalid character '") + wrong + "' looking for beginning of object key string");
  }
  if (work.exhausted()) return out_of_budget(c, "strings.render_template");
  const Result<Template> parsed = parse_template(c.arena, *text);
  if (!parsed.ok()) return c.fail(parsed.error().message);
  const Result<std::string> out = execute_template(c, *parsed, a[1], work);
  if (work.exhausted()) return out_of_budget(c, "strings.render_template");
  if (!out.ok()) return c.fail(out.error().message);
  constexpr std::string_view kNone = "<no value>";
  std::string shown;
  std::size_t from = 0;
  for (std::size_t at = out->find(kNone); at != std::string::npos; at = out->find(kNone, from)) {
    shown.append(*out, from, at - from);
    shown += "<undefined>";
    from = at + kNone.size();
  }
  shown.append(*out, from);
  return text_result(c, shown);
}

constexpr BuiltinDecl kTable[] = {
    {"strings.render_template", {"string", "object[string:any]"}, "string", &render_template},
};

}  // namespace

void append_go_text(std::string& out, const TemplateValue& value) { append_go(out, value.value, true); }

bool is_template_function(std::string_view name) {
  return std::find(kFunctions.begin(), kFunctions.end(), name) != kFunctions.end();
}

Result<TemplateValue> call_template_function(BuiltinContext& c, std::string_view name, const Arguments& arguments,
                                             WorkLimit& work) {
  if (name == "not") {
    if (arguments.size() != 1)
      return wrong("wrong number of args for not: want 1 got " + std::to_string(arguments.size()));
    return plain(Value::boolean(!arguments[0].truthy()));
  }
  if (name == "and" || name == "or")
    return wrong("wrong number of args for " + std::string(name) + ": want at least 1 got 0");
  if (name == "len") return length(arguments);
  if (name == "index") return index(arguments);
  if (name == "slice") return slice(c, arguments);
  if (name == "printf") return formatted(c, arguments, work);
  if (is_comparison(name)) return compared(name, arguments, work);
  const bool escapes = name != "print" && name != "println";
  std::string text;
  if (escapes && arguments.size() == 1) {
    PC_TRY(text, text_of(arguments[0], work));
  } else {
    PC_TRY(text, printed(arguments, work, name == "println", escapes));
  }
  if (name == "html") return plain(make_string(c.arena, html_escaped(text)));
  if (name == "js") return plain(make_string(c.arena, js_escaped(text)));
  if (name == "urlquery") return plain(make_string(c.arena, query_escape(text)));
  return plain(make_string(c.arena, text));
}

std::span<const BuiltinDecl> template_builtins() { return kTable; }

}  // namespace portcullis::rego::builtins
