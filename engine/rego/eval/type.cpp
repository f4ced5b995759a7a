// The type algebra of the checker: OPA's order, union, selection and spelling of types.
#include "engine/rego/eval/type.h"

#include <algorithm>
#include <cstdlib>
#include <optional>
#include <tuple>
#include <utility>

#include "base/text.h"

namespace portcullis::rego {
namespace types {
namespace {

// A cursor over canonical JSON text (no white space), as property keys are kept.
struct JsonCursor {
  std::string_view text;
  std::size_t at = 0;

  char peek() const { return at < text.size() ? text[at] : '\0'; }
  void skip(char c) {
    if (peek() == c) ++at;
  }
  std::string_view string_token() {
    const std::size_t begin = at++;
    while (at < text.size() && text[at] != '"') at += text[at] == '\\' ? 2 : 1;
    at = std::min(at + 1, text.size());
    return text.substr(begin, at - begin);
  }
  std::string_view bare_token() {
    const std::size_t begin = at;
    while (at < text.size() && text[at] != ',' && text[at] != ']' && text[at] != '}' && text[at] != ':') ++at;
    return text.substr(begin, at - begin);
  }
};

std::uint32_t hex4(std::string_view digits) {
  return static_cast<std::uint32_t>(std::strtoul(std::string(digits).c_str(), nullptr, 16));
}

std::string unquote(std::string_view token) {
  std::string out;
  if (token.size() < 2) return out;
  for (std::size_t i = 1; i + 1 < token.size(); ++i) {
    if (token[i] != '\\') {
      out += token[i];
      continue;
    }
    switch (token[++i]) {
      case 'n': out += '\n'; break;
      case 't': out += '\t'; break;
      case 'r': out += '\r'; break;
      case 'b': out += '\b'; break;
      case 'f': out += '\f'; break;
      case 'u':
        text::append_rune(out, static_cast<char32_t>(hex4(token.substr(i + 1, 4))));
        i += 4;
        break;
      default: out += token[i];
    }
  }
  return out;
}

int key_rank(std::string_view key) {
  switch (key.empty() ? '\0' : key[0]) {
    case 'n': return 0;
    case 'f':
    case 't': return 1;
    case '"': return 3;
    case '[': return 4;
    case '{': return 5;
    default: return 2;
  }
}

int sign(int order) { return order < 0 ? -1 : (order > 0 ? 1 : 0); }

TypePtr read_json(JsonCursor& in) {
  switch (in.peek()) {
    case '"': in.string_token(); return string();
    case '[': {
      std::vector<TypePtr> items;
      in.skip('[');
      while (in.peek() != ']' && in.peek() != '\0') {
        items.push_back(read_json(in));
        in.skip(',');
      }
      in.skip(']');
      return array(std::move(items), nullptr);
    }
    case '{': {
      std::vector<std::pair<std::string, TypePtr>> properties;
      in.skip('{');
      while (in.peek() == '"') {
        std::string key{in.string_token()};
        in.skip(':');
        properties.emplace_back(std::move(key), read_json(in));
        in.skip(',');
      }
      in.skip('}');
      return object(std::move(properties));
    }
    case 'n': in.bare_token(); return null();
    case 't':
    case 'f': in.bare_token(); return boolean();
    default:
      if (in.bare_token().empty()) ++in.at;
      return number();
  }
}

// A key as Go's %v prints the value OPA keeps for it.
void append_key(std::string& out, JsonCursor& in) {
  switch (in.peek()) {
    case '"': out += unquote(in.string_token()); return;
    case '[':
      in.skip('[');
      out += '[';
      for (bool first = true; in.peek() != ']' && in.peek() != '\0'; first = false) {
        if (!first) out += ' ';
        append_key(out, in);
        in.skip(',');
      }
      in.skip(']');
      out += ']';
      return;
    case '{':
      in.skip('{');
      out += "map[";
      for (bool first = true; in.peek() == '"'; first = false) {
        if (!first) out += ' ';
        out += unquote(in.string_token());
        in.skip(':');
        out += ':';
        append_key(out, in);
        in.skip(',');
      }
      in.skip('}');
      out += ']';
      return;
    default: {
      const std::string_view token = in.bare_token();
      if (token.empty()) ++in.at;
      out += token == "null" ? std::string_view("<nil>") : token;
    }
  }
}

int order_of(const TypePtr& type) {
  if (!type) return -1;
  switch (type->kind) {
    case TypeKind::kNull: return 0;
    case TypeKind::kBoolean: return 1;
    case TypeKind::kNumber: return 2;
    case TypeKind::kString: return 3;
    case TypeKind::kArray: return 4;
    case TypeKind::kObject: return 5;
    case TypeKind::kSet: return 6;
    case TypeKind::kAny: return 7;
    case TypeKind::kFunction: return 8;
  }
  return -1;
}

int compare_lists(const std::vector<TypePtr>& a, const std::vector<TypePtr>& b) {
  const std::size_t common = std::min(a.size(), b.size());
  for (std::size_t i = 0; i < common; ++i) {
    if (const int order = compare(a[i], b[i]); order != 0) return order;
  }
  return a.size() == b.size() ? 0 : (a.size() < b.size() ? -1 : 1);
}

int compare_objects(const Type& a, const Type& b) {
  if (a.has_dynamic != b.has_dynamic) return a.has_dynamic ? 1 : -1;
  if (const int order = compare(a.dynamic_key, b.dynamic_key); order != 0) return order;
  if (const int order = compare(a.dynamic_value, b.dynamic_value); order != 0) return order;
  const std::size_t common = std::min(a.properties.size(), b.properties.size());
  for (std::size_t i = 0; i < common; ++i) {
    if (const int order = compare_keys(a.properties[i].first, b.properties[i].first); order != 0) return order;
    if (const int order = compare(a.properties[i].second, b.properties[i].second); order != 0) return order;
  }
  if (a.properties.size() == b.properties.size()) return 0;
  return a.properties.size() < b.properties.size() ? -1 : 1;
}

bool less(const TypePtr& a, const TypePtr& b) { return compare(a, b) < 0; }

TypePtr make(Type type) { return std::make_shared<const Type>(std::move(type)); }

TypePtr scalar(TypeKind kind) {
  Type type;
  type.kind = kind;
  return make(std::move(type));
}

TypePtr sorted_any(std::vector<TypePtr> alternatives) {
  Type type;
  type.kind = TypeKind::kAny;
  type.alternatives = std::move(alternatives);
  return make(std::move(type));
}

TypePtr union_of_anys(const TypePtr& a, const TypePtr& b) {
  if (is_any(a)) return a;
  if (is_any(b)) return b;
  std::vector<TypePtr> merged;
  auto x = a->alternatives.begin();
  auto y = b->alternatives.begin();
  while (x != a->alternatives.end() && y != b->alternatives.end()) {
    const int order = compare(*x, *y);
    merged.push_back(order <= 0 ? *x : *y);
    if (order <= 0) ++x;
    if (order >= 0) ++y;
  }
  merged.insert(merged.end(), x, a->alternatives.end());
  merged.insert(merged.end(), y, b->alternatives.end());
  return sorted_any(std::move(merged));
}

// `a` is an any.
TypePtr merge_into_any(const TypePtr& a, const TypePtr& b) {
  if (b->kind == TypeKind::kAny) return union_of_anys(a, b);
  if (contains(a, b)) return a;
  std::vector<TypePtr> alternatives = a->alternatives;
  alternatives.insert(std::lower_bound(alternatives.begin(), alternatives.end(), b, less), b);
  return sorted_any(std::move(alternatives));
}

TypePtr union_of_functions(const TypePtr& a, const TypePtr& b) {
  if (a->items.size() != b->items.size() || static_cast<bool>(a->rest) != static_cast<bool>(b->rest)) return nullptr;
  std::vector<TypePtr> arguments;
  for (std::size_t i = 0; i < a->items.size(); ++i) arguments.push_back(either(a->items[i], b->items[i]));
  return function(std::move(arguments), either(a->dynamic, b->dynamic), either(a->rest, b->rest));
}

}  // namespace

int compare_keys(std::string_view a, std::string_view b) {
  const int rank = key_rank(a);
  if (const int other = key_rank(b); rank != other) return rank < other ? -1 : 1;
  if (rank == 2) {
    const double x = std::strtod(std::string(a).c_str(), nullptr);
    const double y = std::strtod(std::string(b).c_str(), nullptr);
    if (x != y) return x < y ? -1 : 1;
    return 0;
  }
  if (rank == 3) {
    if (a.find('\\') == a.npos && b.find('\\') == b.npos) {
      return sign(a.substr(1, a.size() - 2).compare(b.substr(1, b.size() - 2)));
    }
    return sign(unquote(a).compare(unquote(b)));
  }
  return sign(a.compare(b));
}

std::string key_to_string(std::string_view key) {
  std::string out;
  JsonCursor in{key};
  append_key(out, in);
  return out;
}

const TypePtr& any() {
  static const TypePtr type = scalar(TypeKind::kAny);
  return type;
}
const TypePtr& null() {
  static const TypePtr type = scalar(TypeKind::kNull);
  return type;
}
const TypePtr& boolean() {
  static const TypePtr type = scalar(TypeKind::kBoolean);
  return type;
}
const TypePtr& number() {
  static const TypePtr type = scalar(TypeKind::kNumber);
  return type;
}
const TypePtr& string() {
  static const TypePtr type = scalar(TypeKind::kString);
  return type;
}

TypePtr array(std::vector<TypePtr> items, TypePtr dynamic) {
  Type type;
  type.kind = TypeKind::kArray;
  type.items = std::move(items);
  type.dynamic = std::move(dynamic);
  return make(std::move(type));
}

TypePtr set(TypePtr of) {
  Type type;
  type.kind = TypeKind::kSet;
  type.dynamic = std::move(of);
  return make(std::move(type));
}

TypePtr object(std::vector<std::pair<std::string, TypePtr>> properties, TypePtr key, TypePtr value, bool dynamic) {
  Type type;
  type.kind = TypeKind::kObject;
  type.properties = std::move(properties);
  std::stable_sort(type.properties.begin(), type.properties.end(),
                   [](const auto& a, const auto& b) { return compare_keys(a.first, b.first) < 0; });
  type.has_dynamic = dynamic || key || value;
  type.dynamic_key = std::move(key);
  type.dynamic_value = std::move(value);
  return make(std::move(type));
}

TypePtr any_of(std::vector<TypePtr> alternatives) {
  std::stable_sort(alternatives.begin(), alternatives.end(), less);
  return sorted_any(std::move(alternatives));
}

TypePtr function(std::vector<TypePtr> arguments, TypePtr result, TypePtr rest) {
  Type type;
  type.kind = TypeKind::kFunction;
  type.items = std::move(arguments);
  type.dynamic = std::move(result);
  type.rest = std::move(rest);
  return make(std::move(type));
}

bool is_any(const TypePtr& a) { return a && a->kind == TypeKind::kAny && a->alternatives.empty(); }

std::size_t arity(const Type& function) { return function.items.size(); }

int compare(const TypePtr& a, const TypePtr& b) {
  if (a == b) return 0;
  if (const int x = order_of(a), y = order_of(b); x != y) return x < y ? -1 : 1;
  switch (a->kind) {
    case TypeKind::kArray:
      if (static_cast<bool>(a->dynamic) != static_cast<bool>(b->dynamic)) return a->dynamic ? 1 : -1;
      if (const int order = compare(a->dynamic, b->dynamic); order != 0) return order;
      return compare_lists(a->items, b->items);
    case TypeKind::kObject: return compare_objects(*a, *b);
    case TypeKind::kSet: return compare(a->dynamic, b->dynamic);
    case TypeKind::kAny: return compare_lists(a->alternatives, b->alternatives);
    case TypeKind::kFunction:
      if (a->items.size() != b->items.size()) return a->items.size() < b->items.size() ? -1 : 1;
      if (const int order = compare_lists(a->items, b->items); order != 0) return order;
      if (const int order = compare(a->dynamic, b->dynamic); order != 0) return order;
      return compare(a->rest, b->rest);
    default: return 0;
  }
}

bool contains(const TypePtr& a, const TypePtr& b) {
  if (a && a->kind == TypeKind::kAny) {
    if (b && b->kind == TypeKind::kFunction) return false;
    return a->alternatives.empty() || std::binary_search(a->alternatives.begin(), a->alternatives.end(), b, less);
  }
  return compare(a, b) == 0;
}

TypePtr either(const TypePtr& a, const TypePtr& b) {
  if (!a) return b;
  if (!b) return a;
  const bool function_a = a->kind == TypeKind::kFunction;
  const bool function_b = b->kind == TypeKind::kFunction;
  if (function_a && function_b) return union_of_functions(a, b);
  if (function_a || function_b) return nullptr;
  if (a->kind == TypeKind::kAny) return merge_into_any(a, b);
  if (b->kind == TypeKind::kAny) return merge_into_any(b, a);
  if (compare(a, b) == 0) return a;
  return any_of({a, b});
}

TypePtr of_json(std::string_view text) {
  JsonCursor in{text};
  return read_json(in);
}

TypePtr select(const TypePtr& a, std::string_view key) {
  if (!a) return nullptr;
  switch (a->kind) {
    case TypeKind::kArray: {
      if (key_rank(key) != 2) return nullptr;
      char* end = nullptr;
      const std::string digits(key);
      const long long position = std::strtoll(digits.c_str(), &end, 10);
      if (end == digits.c_str() || *end != '\0' || position < 0) return nullptr;
      if (static_cast<std::size_t>(position) < a->items.size()) return a->items[static_cast<std::size_t>(position)];
      return a->dynamic;
    }
    case TypeKind::kObject: {
      const auto found =
          std::lower_bound(a->properties.begin(), a->properties.end(), key,
                           [](const auto& p, std::string_view k) { return compare_keys(p.first, k) < 0; });
      if (found != a->properties.end() && compare_keys(found->first, key) == 0) return found->second;
      if (a->dynamic_key && contains(a->dynamic_key, of_json(key))) return a->dynamic_value;
      return nullptr;
    }
    case TypeKind::kSet: {
      TypePtr type = of_json(key);
      if (compare(a->dynamic, type) == 0) return a->dynamic;
      if (a->dynamic && a->dynamic->kind == TypeKind::kAny && contains(a->dynamic, type)) return type;
      return nullptr;
    }
    case TypeKind::kAny: {
      if (is_any(a)) return a;
      TypePtr type;
      for (const TypePtr& alternative : a->alternatives) type = either(select(alternative, key), type);
      return type;
    }
    default: return nullptr;
  }
}

TypePtr keys(const TypePtr& a) {
  if (!a) return nullptr;
  TypePtr type;
  switch (a->kind) {
    case TypeKind::kArray: return number();
    case TypeKind::kObject:
      for (const auto& property : a->properties) type = either(type, of_json(property.first));
      return a->dynamic_key ? either(type, a->dynamic_key) : type;
    case TypeKind::kSet: return a->dynamic;
    case TypeKind::kAny:
      if (is_any(a)) return a;
      for (const TypePtr& alternative : a->alternatives) type = either(keys(alternative), type);
      return type;
    default: return nullptr;
  }
}

TypePtr values(const TypePtr& a) {
  if (!a) return nullptr;
  TypePtr type;
  switch (a->kind) {
    case TypeKind::kArray:
      for (const TypePtr& item : a->items) type = either(type, item);
      return either(type, a->dynamic);
    case TypeKind::kObject:
      for (const auto& property : a->properties) type = either(type, property.second);
      return a->dynamic_value ? either(type, a->dynamic_value) : type;
    case TypeKind::kSet: return a->dynamic;
    case TypeKind::kAny:
      if (is_any(a)) return a;
      for (const TypePtr& alternative : a->alternatives) type = either(values(alternative), type);
      return type;
    default: return nullptr;
  }
}

bool unknown(const TypePtr& a) {
  if (!a) return true;
  switch (a->kind) {
    case TypeKind::kFunction: return std::any_of(a->items.begin(), a->items.end(), unknown) || unknown(a->dynamic);
    case TypeKind::kArray:
      return std::any_of(a->items.begin(), a->items.end(), unknown) || (a->dynamic && unknown(a->dynamic));
    case TypeKind::kObject:
      for (const auto& property : a->properties) {
        if (unknown(property.second)) return true;
      }
      return a->has_dynamic && (unknown(a->dynamic_key) || unknown(a->dynamic_value));
    case TypeKind::kSet: return unknown(a->dynamic);
    default: return false;
  }
}

}  // namespace types

namespace {

// Reads the text form. Any mistake sets `bad`; depth is that of the tables.
class TypeReader {
 public:
  explicit TypeReader(std::string_view text) : text_(text) {}

  TypePtr read() {
    TypePtr type = alternatives();
    skip_space();
    return bad_ || at_ != text_.size() ? nullptr : type;
  }

 private:
  void skip_space() {
    while (at_ < text_.size() && text_[at_] == ' ') ++at_;
  }
  bool take(char c) {
    skip_space();
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  void expect(char c) {
    if (!take(c)) bad_ = true;
  }
  std::string_view word() {
    skip_space();
    const std::size_t begin = at_;
    if (at_ < text_.size() && text_[at_] == '"') {
      ++at_;
      while (at_ < text_.size() && text_[at_] != '"') ++at_;
      if (at_ < text_.size()) ++at_;
    } else {
      while (at_ < text_.size() && std::string_view(" ,:|[]{}<>").find(text_[at_]) == std::string_view::npos) ++at_;
    }
    return text_.substr(begin, at_ - begin);
  }

  TypePtr alternatives() {
    std::vector<TypePtr> all{primary()};
    while (!bad_ && take('|')) all.push_back(primary());
    return all.size() == 1 ? all.front() : types::any_of(std::move(all));
  }

  TypePtr primary() {
    if (take('[')) return static_array();
    if (take('{')) return static_object();
    const std::string_view name = word();
    if (name == "any") return take('<') ? any_of_list() : types::any();
    if (name == "null") return types::null();
    if (name == "boolean") return types::boolean();
    if (name == "number") return types::number();
    if (name == "string") return types::string();
    if (name == "array" || name == "set") {
      expect('[');
      TypePtr of = bad_ ? nullptr : alternatives();
      expect(']');
      return name == "array" ? types::array({}, std::move(of)) : types::set(std::move(of));
    }
    if (name == "object") {
      expect('[');
      auto [key, value] = dynamic_part();
      return types::object({}, std::move(key), std::move(value));
    }
    bad_ = true;
    return nullptr;
  }

  TypePtr any_of_list() {
    std::vector<TypePtr> all;
    do {
      all.push_back(alternatives());
    } while (!bad_ && take(','));
    expect('>');
    return types::any_of(std::move(all));
  }

  std::pair<TypePtr, TypePtr> dynamic_part() {
    TypePtr key = bad_ ? nullptr : alternatives();
    expect(':');
    TypePtr value = bad_ ? nullptr : alternatives();
    expect(']');
    return {std::move(key), std::move(value)};
  }

  TypePtr static_array() {
    std::vector<TypePtr> items;
    while (!bad_ && !take(']')) {
      items.push_back(alternatives());
      if (!take(',')) {
        expect(']');
        break;
      }
    }
    TypePtr dynamic;
    if (!bad_ && take('[')) {
      dynamic = alternatives();
      expect(']');
    }
    return types::array(std::move(items), std::move(dynamic));
  }

  TypePtr static_object() {
    std::vector<std::pair<std::string, TypePtr>> properties;
    while (!bad_ && !take('}')) {
      const std::string_view name = word();
      if (name.empty()) bad_ = true;
      std::string key;
      if (!name.empty() && name[0] == '"') {
        key = name;
      } else {
        text::append_json_string(key, name);
      }
      expect(':');
      if (bad_) return nullptr;
      properties.emplace_back(std::move(key), alternatives());
      if (!take(',')) {
        expect('}');
        break;
      }
    }
    TypePtr key;
    TypePtr value;
    if (!bad_ && take('[')) std::tie(key, value) = dynamic_part();
    return types::object(std::move(properties), std::move(key), std::move(value));
  }

  std::string_view text_;
  std::size_t at_ = 0;
  bool bad_ = false;
};

std::string join(const std::vector<TypePtr>& list) {
  std::string out;
  for (const TypePtr& type : list) {
    if (!out.empty()) out += ", ";
    out += to_string(type);
  }
  return out;
}

}  // namespace

TypePtr parse_type(std::string_view text) {
  TypePtr type = TypeReader(text).read();
  return type ? type : types::any();
}

std::string to_string(const TypePtr& type) { return type ? to_string(*type) : "???"; }

std::string to_string(const Type& type) {
  switch (type.kind) {
    case TypeKind::kNull: return "null";
    case TypeKind::kBoolean: return "boolean";
    case TypeKind::kNumber: return "number";
    case TypeKind::kString: return "string";
    case TypeKind::kAny: return type.alternatives.empty() ? "any" : "any<" + join(type.alternatives) + ">";
    case TypeKind::kSet: return type.dynamic ? "set[" + to_string(*type.dynamic) + "]" : "set";
    case TypeKind::kArray: {
      std::string out = "array";
      if (!type.items.empty()) out += "<" + join(type.items) + ">";
      if (type.dynamic) out += "[" + to_string(*type.dynamic) + "]";
      return out;
    }
    case TypeKind::kObject: {
      std::string out = "object";
      for (std::size_t i = 0; i < type.properties.size(); ++i) {
        out += i == 0 ? "<" : ", ";
        out += types::key_to_string(type.properties[i].first) + ": " + to_string(type.properties[i].second);
      }
      if (!type.properties.empty()) out += ">";
      if (type.has_dynamic) {
        out += "[" + to_string(type.dynamic_key) + ": " + to_string(type.dynamic_value) + "]";
      }
      return out;
    }
    case TypeKind::kFunction: return arguments_to_string(type) + " => " + to_string(type.dynamic);
  }
  return "???";
}

std::string arguments_to_string(const Type& function) {
  std::string out = "(" + join(function.items);
  if (function.rest) out += (function.items.empty() ? "" : ", ") + to_string(function.rest) + "...";
  return out + ")";
}

}  // namespace portcullis::rego
