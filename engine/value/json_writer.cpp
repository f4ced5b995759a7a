// Values as JSON text and as Rego terms.
#include <utility>
#include <vector>

#include "base/text.h"
#include "engine/value/json.h"
#include "engine/value/number.h"
#include "engine/value/sort.h"

namespace portcullis {

namespace {

class JsonWriter {
 public:
  JsonWriter(std::string& out, const JsonStyle& style) : out_(out), style_(style) {}

  void write(const Value& value, int depth) {
    switch (value.kind()) {
      case Kind::kUndefined: return;
      case Kind::kNull: out_ += "null"; return;
      case Kind::kBool: out_ += value.as_bool() ? "true" : "false"; return;
      case Kind::kNumber: write_number(value); return;
      case Kind::kString: text::append_json_string(out_, value.as_string(), style_.escape_html); return;
      case Kind::kArray:
      case Kind::kSet: write_array(value, depth); return;
      case Kind::kObject: write_object(value, depth); return;
    }
  }

 private:
  void write_number(const Value& value) {
    const bool small = value.is_integer() && value.as_integer() < (1LL << 53) && value.as_integer() > -(1LL << 53);
    if (!style_.float64_numbers || small)
      append_number(out_, value);
    else
      out_ += format_json(to_double(value));
  }

  void separate(bool first, int depth) {
    if (!first) out_ += ',';
    if (style_.indent > 0) {
      out_ += '\n';
      out_.append(static_cast<std::size_t>(style_.indent) * static_cast<std::size_t>(depth), ' ');
    } else if (!first && style_.spaced) {
      out_ += ' ';
    }
  }

  void close(char bracket, bool empty, int depth) {
    if (!empty && style_.indent > 0) separate(true, depth);
    out_ += bracket;
  }

  void write_array(const Value& value, int depth) {
    out_ += '[';
    bool first = true;
    for (const Value& element : value.elements()) {
      separate(first, depth + 1);
      first = false;
      write(element, depth + 1);
    }
    close(']', first, depth);
  }

  void write_member(std::string_view key, const Value& value, bool first, int depth) {
    separate(first, depth + 1);
    text::append_json_string(out_, key, style_.escape_html);
    out_ += style_.indent > 0 || style_.spaced ? ": " : ":";
    write(value, depth + 1);
  }

  void write_object(const Value& value, int depth) {
    out_ += '{';
    const auto keys = value.keys();
    const auto values = value.values();
    // Strings sort after null, booleans and numbers and before the rest: the ends tell whether all are strings.
    if (keys.empty() || (keys.front().is_string() && keys.back().is_string())) {
      for (std::size_t i = 0; i < keys.size(); ++i) write_member(keys[i].as_string(), values[i], i == 0, depth);
    } else {
      write_mixed(keys, values, depth);
    }
    close('}', keys.empty(), depth);
  }

  // Keys become text first and are sorted as text, as a Go map prints; of keys with the same text the last wins.
  void write_mixed(std::span<const Value> keys, std::span<const Value> values, int depth) {
    std::vector<std::pair<std::string, Value>> members;
    members.reserve(keys.size());
    for (std::size_t i = 0; i < keys.size(); ++i) {
      std::string name = keys[i].is_string() ? std::string(keys[i].as_string())
                                             : to_json(keys[i], JsonStyle{0, true, false, style_.float64_numbers});
      members.emplace_back(std::move(name), values[i]);
    }
    sort_stable(members.data(), members.size(), [](const auto& a, const auto& b) { return a.first < b.first; });
    bool first = true;
    for (std::size_t i = 0; i < members.size(); ++i) {
      if (i + 1 < members.size() && members[i].first == members[i + 1].first) continue;
      write_member(members[i].first, members[i].second, first, depth);
      first = false;
    }
  }

  std::string& out_;
  const JsonStyle& style_;
};

void append_rego_list(std::string& out, std::span<const Value> elements, char open, char close) {
  out += open;
  for (std::size_t i = 0; i < elements.size(); ++i) {
    if (i != 0) out += ", ";
    append_rego(out, elements[i]);
  }
  out += close;
}

}  // namespace

void append_json(std::string& out, const Value& value, const JsonStyle& style) {
  JsonWriter(out, style).write(value, 0);
}

std::string to_json(const Value& value, const JsonStyle& style) {
  std::string out;
  append_json(out, value, style);
  return out;
}

void append_rego(std::string& out, const Value& value) {
  switch (value.kind()) {
    case Kind::kUndefined: return;
    case Kind::kNull: out += "null"; return;
    case Kind::kBool: out += value.as_bool() ? "true" : "false"; return;
    case Kind::kNumber: append_number(out, value); return;
    case Kind::kString: out += text::go_quote(value.as_string()); return;
    case Kind::kArray: append_rego_list(out, value.elements(), '[', ']'); return;
    case Kind::kSet:
      if (value.size() == 0)
        out += "set()";
      else
        append_rego_list(out, value.elements(), '{', '}');
      return;
    case Kind::kObject:
      out += '{';
      for (std::size_t i = 0; i < value.size(); ++i) {
        if (i != 0) out += ", ";
        append_rego(out, value.keys()[i]);
        out += ": ";
        append_rego(out, value.values()[i]);
      }
      out += '}';
      return;
  }
}

std::string to_rego(const Value& value) {
  std::string out;
  append_rego(out, value);
  return out;
}

}  // namespace portcullis
