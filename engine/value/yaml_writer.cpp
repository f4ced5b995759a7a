// YAML text with the layout of go-yaml's emitters, v2 and v3.
#include <algorithm>
#include <limits>
#include <vector>

#include "base/text.h"
#include "engine/value/json.h"
#include "engine/value/number.h"
#include "engine/value/sort.h"
#include "engine/value/yaml.h"
#include "engine/value/yaml_scalar.h"

namespace portcullis {

namespace {

// --- characters ---

bool is_break(char32_t rune) noexcept {
  return rune == '\r' || rune == '\n' || rune == 0x85 || rune == 0x2028 || rune == 0x2029;
}

// What go-yaml prints as it is. Nothing beyond the basic plane is.
bool is_printable(char32_t rune) noexcept {
  return rune == '\n' || (rune >= 0x20 && rune <= 0x7E) || (rune >= 0xA0 && rune <= 0xD7FF) ||
         (rune >= 0xE000 && rune <= 0xFFFD && rune != 0xFEFF);
}

bool is_digit(char32_t rune) noexcept { return rune >= '0' && rune <= '9'; }

// Unicode letters, near enough for the order of keys: beyond ASCII all but punctuation, symbols and signs.
bool is_letter(char32_t rune) noexcept {
  if (rune < 0x80) return (rune >= 'a' && rune <= 'z') || (rune >= 'A' && rune <= 'Z');
  if (rune < 0xC0) return rune == 0xAA || rune == 0xB5 || rune == 0xBA;
  if (rune == 0xD7 || rune == 0xF7) return false;
  if (rune >= 0x2000 && rune <= 0x2BFF) return rune >= 0x2C00 || (rune >= 0x2100 && rune <= 0x2188);
  if (rune >= 0x3000 && rune <= 0x3004) return false;
  if (rune >= 0xE000 && rune <= 0xF8FF) return false;
  return rune < 0xFE00 || (rune > 0xFFFF && rune < 0x1F000) || rune >= 0x20000;
}

std::u32string runes_of(std::string_view text) {
  std::u32string runes;
  for (std::size_t at = 0; at < text.size();) {
    const text::Rune rune = text::decode_rune(text, at);
    runes += rune.value;
    at += rune.size;
  }
  return runes;
}

// go-yaml's order of keys: letters by code point, runs of digits by their number, letters after other characters
// (v3: before them when a digit precedes).
bool key_less(const std::u32string& a, const std::u32string& b, bool v3) {
  bool after_digit = false;
  for (std::size_t i = 0; i < a.size() && i < b.size(); ++i) {
    if (a[i] == b[i]) {
      after_digit = is_digit(a[i]);
      continue;
    }
    const bool a_letter = is_letter(a[i]);
    const bool b_letter = is_letter(b[i]);
    if (a_letter && b_letter) return a[i] < b[i];
    if (a_letter || b_letter) return v3 && after_digit ? a_letter : b_letter;
    std::uint64_t a_number = 0;
    std::uint64_t b_number = 0;
    if (a[i] == '0' || b[i] == '0') {
      for (std::size_t k = i; k > 0 && is_digit(a[k - 1]); --k) {
        if (a[k - 1] != '0') {
          a_number = b_number = 1;
          break;
        }
      }
    }
    std::size_t a_end = i;
    std::size_t b_end = i;
    while (a_end < a.size() && is_digit(a[a_end])) a_number = a_number * 10 + (a[a_end++] - '0');
    while (b_end < b.size() && is_digit(b[b_end])) b_number = b_number * 10 + (b[b_end++] - '0');
    if (a_number != b_number) return a_number < b_number;
    if (a_end != b_end) return a_end < b_end;
    return a[i] < b[i];
  }
  return a.size() < b.size();
}

// [-+]? digits (":" [0-5]? digit)+ ("." digits*)?: a number of base 60 in YAML 1.1, quoted for those who read that.
bool is_base60(std::string_view text) {
  std::size_t i = 0;
  const auto digit = [&](std::size_t at) { return at < text.size() && is_digit(static_cast<unsigned char>(text[at])); };
  if (i < text.size() && (text[i] == '+' || text[i] == '-')) ++i;
  if (!digit(i)) return false;
  while (digit(i) || (i < text.size() && text[i] == '_')) ++i;
  bool any = false;
  while (i < text.size() && text[i] == ':' && digit(i + 1)) {
    const bool two = text[i + 1] <= '5' && digit(i + 2);
    i += two ? 3 : 2;
    any = true;
  }
  if (!any) return false;
  if (i < text.size() && text[i] == '.') {
    ++i;
    while (digit(i) || (i < text.size() && text[i] == '_')) ++i;
  }
  return i == text.size();
}

enum class ScalarStyle : std::uint8_t { kPlain, kSingleQuoted, kDoubleQuoted, kLiteral };

// What of a text rules out which style.
struct Analysis {
  bool multiline = false;
  bool flow_plain = true;
  bool block_plain = true;
  bool single_quoted = true;
  bool literal = true;
};

struct Indicators {
  bool flow = false;
  bool block = false;
};

Indicators indicators_at(const std::u32string& runes, std::size_t i) {
  static constexpr std::u32string_view kAlways = U"#,[]{}&*!|>'\"%@`";
  const char32_t c = runes[i];
  const auto blank = [](char32_t rune) { return rune == ' ' || rune == '\t'; };
  const bool followed = i + 1 >= runes.size() || blank(runes[i + 1]);
  if (i == 0) {
    if (kAlways.find(c) != std::u32string_view::npos) return {true, true};
    if (c == '?' || c == ':') return {true, followed};
    if (c == '-') return {followed, followed};
    return {};
  }
  if (c == ',' || c == '?' || c == '[' || c == ']' || c == '{' || c == '}') return {true, false};
  if (c == ':') return {true, followed};
  const char32_t before = runes[i - 1];
  if (c == '#' && (blank(before) || is_break(before) || before == 0)) return {true, true};
  return {};
}

Analysis analyze(std::string_view text, const std::u32string& runes, bool v3) {
  Analysis result;
  if (runes.empty()) {
    result.flow_plain = false;
    result.literal = false;
    return result;
  }
  Indicators indicators;
  if (text::starts_with(text, "---") || text::starts_with(text, "...")) indicators = {true, true};
  bool special = false;
  bool tab = false;
  bool break_space = false;
  bool space_break = false;
  bool previous_space = false;
  bool previous_break = false;
  for (std::size_t i = 0; i < runes.size(); ++i) {
    const Indicators found = indicators_at(runes, i);
    indicators.flow = indicators.flow || found.flow;
    indicators.block = indicators.block || found.block;
    const char32_t c = runes[i];
    if (c == '\t' && v3)
      tab = true;
    else if (!is_printable(c))
      special = true;
    const bool space = c == ' ';
    const bool line_break = is_break(c);
    if (space && previous_break) break_space = true;
    if (line_break && previous_space) space_break = true;
    result.multiline = result.multiline || line_break;
    previous_space = space;
    previous_break = line_break;
  }
  const auto edge = [](char32_t c) { return c == ' ' || is_break(c); };
  if (edge(runes.front()) || edge(runes.back()) || result.multiline || special || tab || break_space || space_break) {
    result.flow_plain = result.block_plain = false;
  }
  if (indicators.flow) result.flow_plain = false;
  if (indicators.block) result.block_plain = false;
  result.single_quoted = !(break_space || space_break || tab || special);
  result.literal = !(runes.back() == ' ' || space_break || special);
  return result;
}

}  // namespace

// The emitter proper: output with the column and the white-space state that go-yaml's decisions hang on.
struct YamlEmitter::State {
  explicit State(const YamlStyle& yaml_style) : style(yaml_style), v3(yaml_style.indent_sequences) {}

  struct Level {
    bool sequence;
    bool flow;
    bool first;
    bool empty;
    bool simple_key;  // of the mapping's current key
    bool expects_value;
  };

  // --- output ---

  void put(char c) {
    out += c;
    ++column;
  }
  void put_break() {
    out += '\n';
    column = 0;
    if (v3) indention = true;
  }
  void write_rune(char32_t rune) {
    text::append_rune(out, rune);
    ++column;
  }
  void write_break(char32_t rune) {
    if (rune == '\n') {
      put_break();
      return;
    }
    text::append_rune(out, rune);
    column = 0;
    if (v3) indention = true;
  }
  void write_indent() {
    const int to = std::max(indent, 0);
    if (!indention || column > to || (column == to && !whitespace)) put_break();
    while (column < to) put(' ');
    whitespace = true;
    if (!v3) indention = true;
  }
  void write_indicator(std::string_view text, bool need_space, bool is_space, bool is_indention) {
    if (need_space && !whitespace) put(' ');
    for (const char c : text) put(c);
    whitespace = is_space;
    indention = indention && is_indention;
  }

  // Inside an item of a list, v3 skips just the "- "; all else aligns to a multiple of the indentation.
  void increase_indent(bool flow, bool indentless, bool in_sequence) {
    indents.push_back(indent);
    if (indent < 0) {
      indent = flow ? style.indent : 0;
    } else if (!indentless) {
      if (!v3)
        indent += style.indent;
      else if (in_sequence)
        indent += 2;
      else
        indent = style.indent * ((indent + style.indent) / style.indent);
    }
  }
  void restore_indent() {
    indent = indents.back();
    indents.pop_back();
  }

  // --- scalars ---

  bool plain_reads_back(std::string_view text) const {
    const auto schema = v3 ? YamlSchema::kYaml12 : YamlSchema::kKubernetes;
    if (yaml::resolve_plain(text, schema).type != yaml::Scalar::Type::kString || is_base60(text)) return false;
    // v3 quotes what YAML 1.1 takes for a boolean.
    return !v3 || yaml::resolve_plain(text, YamlSchema::kKubernetes).type != yaml::Scalar::Type::kBool;
  }

  void write_string(std::string_view text, bool key_context, bool in_sequence) {
    const std::u32string runes = runes_of(text);
    const Analysis analysis = analyze(text, runes, v3);
    ScalarStyle chosen = ScalarStyle::kPlain;
    if (text.find('\n') != std::string_view::npos)
      chosen = ScalarStyle::kLiteral;
    else if (!plain_reads_back(text))
      chosen = ScalarStyle::kDoubleQuoted;
    if (key_context && analysis.multiline) chosen = ScalarStyle::kDoubleQuoted;
    const bool flow = flow_level > 0;
    if (chosen == ScalarStyle::kPlain && !(flow ? analysis.flow_plain : analysis.block_plain)) {
      chosen = ScalarStyle::kSingleQuoted;
    }
    if (chosen == ScalarStyle::kSingleQuoted && !analysis.single_quoted) chosen = ScalarStyle::kDoubleQuoted;
    if (chosen == ScalarStyle::kLiteral && (!analysis.literal || flow || key_context)) {
      chosen = ScalarStyle::kDoubleQuoted;
    }
    increase_indent(true, false, in_sequence);
    switch (chosen) {
      case ScalarStyle::kPlain: write_plain(runes, !key_context); break;
      case ScalarStyle::kSingleQuoted: write_single_quoted(runes, !key_context); break;
      case ScalarStyle::kDoubleQuoted: write_double_quoted(runes, !key_context); break;
      case ScalarStyle::kLiteral: write_literal(runes); break;
    }
    restore_indent();
  }

  void write_word(std::string_view text) {
    if (!whitespace) put(' ');
    for (const char c : text) put(c);
    whitespace = false;
    indention = false;
  }

  bool folds() const { return !v3 && column > 80; }

  void write_plain(const std::u32string& runes, bool allow_breaks) {
    if (!whitespace && !(v3 && runes.empty())) put(' ');
    bool spaces = false;
    for (std::size_t i = 0; i < runes.size(); ++i) {
      if (runes[i] == ' ') {
        const bool next_space = i + 1 < runes.size() && runes[i + 1] == ' ';
        if (allow_breaks && !spaces && folds() && !next_space)
          write_indent();
        else
          write_rune(runes[i]);
        spaces = true;
      } else {
        write_rune(runes[i]);
        indention = false;
        spaces = false;
      }
    }
    whitespace = whitespace && v3 && runes.empty();
    indention = false;
  }

  void write_single_quoted(const std::u32string& runes, bool allow_breaks) {
    write_indicator("'", true, false, false);
    bool spaces = false;
    bool breaks = false;
    for (std::size_t i = 0; i < runes.size(); ++i) {
      const char32_t c = runes[i];
      if (c == ' ') {
        const bool inside = i > 0 && i + 1 < runes.size() && runes[i + 1] != ' ';
        if (allow_breaks && !spaces && folds() && inside)
          write_indent();
        else
          write_rune(c);
        spaces = true;
      } else if (is_break(c)) {
        if (!breaks && c == '\n') put_break();
        write_break(c);
        if (!v3) indention = true;
        breaks = true;
      } else {
        if (breaks) write_indent();
        if (c == '\'') put('\'');
        write_rune(c);
        indention = false;
        spaces = false;
        breaks = false;
      }
    }
    write_indicator("'", false, false, false);
    whitespace = false;
    indention = false;
  }

  void write_escape(char32_t c) {
    put('\\');
    switch (c) {
      case 0x00: put('0'); return;
      case 0x07: put('a'); return;
      case 0x08: put('b'); return;
      case 0x09: put('t'); return;
      case 0x0A: put('n'); return;
      case 0x0B: put('v'); return;
      case 0x0C: put('f'); return;
      case 0x0D: put('r'); return;
      case 0x1B: put('e'); return;
      case 0x22: put('"'); return;
      case 0x5C: put('\\'); return;
      case 0x85: put('N'); return;
      case 0xA0: put('_'); return;
      case 0x2028: put('L'); return;
      case 0x2029: put('P'); return;
      default: break;
    }
    static constexpr char kHex[] = "0123456789ABCDEF";
    const int digits = c <= 0xFF ? 2 : (c <= 0xFFFF ? 4 : 8);
    put(digits == 2 ? 'x' : (digits == 4 ? 'u' : 'U'));
    for (int shift = (digits - 1) * 4; shift >= 0; shift -= 4) put(kHex[(c >> shift) & 15]);
  }

  void write_double_quoted(const std::u32string& runes, bool allow_breaks) {
    write_indicator("\"", true, false, false);
    // go-yaml asks for a byte order mark at the start of the text for every character of it.
    const bool all_escaped = !runes.empty() && runes[0] == 0xFEFF;
    bool spaces = false;
    for (std::size_t i = 0; i < runes.size(); ++i) {
      const char32_t c = runes[i];
      if (!is_printable(c) || all_escaped || is_break(c) || c == '"' || c == '\\') {
        write_escape(c);
        spaces = false;
      } else if (c == ' ') {
        if (allow_breaks && !spaces && folds() && i > 0 && i + 1 < runes.size()) {
          write_indent();
          if (runes[i + 1] == ' ') put('\\');
        } else {
          write_rune(c);
        }
        spaces = true;
      } else {
        write_rune(c);
        spaces = false;
      }
    }
    write_indicator("\"", false, false, false);
    whitespace = false;
    indention = false;
  }

  void write_literal(const std::u32string& runes) {
    write_indicator("|", true, false, false);
    if (runes[0] == ' ' || is_break(runes[0])) {
      const char hint = static_cast<char>('0' + style.indent);
      write_indicator({&hint, 1}, false, false, false);
    }
    const std::size_t n = runes.size();
    if (!is_break(runes[n - 1]))
      write_indicator("-", false, false, false);
    else if (n == 1 || is_break(runes[n - 2]))
      write_indicator("+", false, false, false);
    put_break();
    indention = true;
    whitespace = true;
    bool breaks = true;
    for (const char32_t c : runes) {
      if (is_break(c)) {
        write_break(c);
        indention = true;
        breaks = true;
      } else {
        if (breaks) write_indent();
        write_rune(c);
        indention = false;
        breaks = false;
      }
    }
  }

  std::string number_word(const Value& number) const {
    if (style.numbers == YamlStyle::Numbers::kFloat) return finite(to_double(number));
    const std::string text = number_text(number);
    const yaml::Scalar scalar = yaml::resolve_plain(text, YamlSchema::kYaml12);
    if (scalar.type == yaml::Scalar::Type::kInt) return std::to_string(scalar.integer);
    if (scalar.type == yaml::Scalar::Type::kUint) return std::to_string(scalar.natural);
    return finite(to_double(number));
  }
  static std::string finite(double value) {
    if (value == std::numeric_limits<double>::infinity()) return ".inf";
    if (value == -std::numeric_limits<double>::infinity()) return "-.inf";
    return format_general(value);
  }

  // --- structure ---

  bool in_sequence() const { return !levels.empty() && levels.back().sequence && !levels.back().flow; }

  // What stands before a node: the dash of a list's item, the comma of a flow list, the colon after a key.
  void before_node() {
    if (levels.empty()) return;
    Level& level = levels.back();
    if (level.sequence) {
      if (level.flow) {
        if (!level.first) write_indicator(",", false, false, false);
        if (!v3 && column > 80) write_indent();
      } else {
        write_indent();
        write_indicator("-", true, false, true);
      }
      level.first = false;
      return;
    }
    if (level.simple_key) {
      write_indicator(":", false, false, false);
    } else {
      if (!level.flow) write_indent();
      write_indicator(":", true, false, !level.flow);
    }
    level.expects_value = false;
  }

  void write_key(std::string_view text) {
    Level& level = levels.back();
    const bool first = level.first;
    level.first = false;
    level.expects_value = true;
    if (level.flow) {
      if (!first) write_indicator(",", false, false, false);
      if (!v3 && column > 80) write_indent();
    } else {
      write_indent();
    }
    const bool multiline = std::any_of(text.begin(), text.end(), [](char c) { return c == '\n' || c == '\r'; }) ||
                           analyze(text, runes_of(text), v3).multiline;
    level.simple_key = !multiline && text.size() <= 128;
    if (!level.simple_key) write_indicator("?", true, false, !level.flow);
    write_string(text, level.simple_key, false);
  }

  void begin(bool sequence, std::size_t size, bool flow) {
    const bool mapping_context = !levels.empty() && !levels.back().sequence;
    const bool inside_item = in_sequence();
    before_node();
    const bool as_flow = flow || size == 0 || flow_level > 0;
    levels.push_back({sequence, as_flow, true, size == 0, true, false});
    if (as_flow) {
      write_indicator(sequence ? "[" : "{", true, true, false);
      increase_indent(true, false, inside_item);
      ++flow_level;
      return;
    }
    // v2 leaves a list below a key where the key stands.
    const bool indentless = sequence && !v3 && mapping_context && !indention;
    increase_indent(false, indentless, inside_item);
  }

  void end() {
    const Level level = levels.back();
    levels.pop_back();
    if (level.flow) {
      --flow_level;
      restore_indent();
      write_indicator(level.sequence ? "]" : "}", false, false, false);
      return;
    }
    restore_indent();
  }

  void write(const Value& value) {
    switch (value.kind()) {
      case Kind::kArray:
      case Kind::kSet:
        begin(true, value.size(), false);
        for (const Value& element : value.elements()) write(element);
        end();
        return;
      case Kind::kObject: write_object(value); return;
      default: break;
    }
    const bool inside_item = in_sequence();
    before_node();
    switch (value.kind()) {
      case Kind::kBool: write_word(value.as_bool() ? "true" : "false"); return;
      case Kind::kNumber: write_word(number_word(value)); return;
      case Kind::kString: write_string(value.as_string(), false, inside_item); return;
      default: write_word("null"); return;
    }
  }

  void write_object(const Value& value) {
    struct Entry {
      std::u32string runes;
      std::string key;
      Value value;
    };
    std::vector<Entry> entries;
    entries.reserve(value.size());
    for (std::size_t i = 0; i < value.size(); ++i) {
      const Value& key = value.keys()[i];
      std::string text = key.is_string() ? std::string(key.as_string()) : to_json(key);
      std::u32string runes = runes_of(text);
      entries.push_back({std::move(runes), std::move(text), value.values()[i]});
    }
    // go-yaml's order is not transitive in odd cases; this sort stays within bounds whatever it is told.
    sort_stable(entries.data(), entries.size(),
                [this](const Entry& a, const Entry& b) { return key_less(a.runes, b.runes, v3); });
    begin(false, entries.size(), false);
    for (const Entry& entry : entries) {
      write_key(entry.key);
      write(entry.value);
    }
    end();
  }

  YamlStyle style;
  bool v3;
  std::string out;
  int column = 0;
  int indent = -1;
  int flow_level = 0;
  bool whitespace = true;
  bool indention = true;
  std::vector<int> indents;
  std::vector<Level> levels;
};

YamlEmitter::YamlEmitter(const YamlStyle& style) : state_(std::make_unique<State>(style)) {}
YamlEmitter::~YamlEmitter() = default;

void YamlEmitter::begin_mapping(std::size_t size, bool flow) { state_->begin(false, size, flow); }
void YamlEmitter::key(std::string_view text) { state_->write_key(text); }
void YamlEmitter::end_mapping() { state_->end(); }
void YamlEmitter::begin_sequence(std::size_t size, bool flow) { state_->begin(true, size, flow); }
void YamlEmitter::end_sequence() { state_->end(); }
void YamlEmitter::value(const Value& value) { state_->write(value); }

std::string YamlEmitter::finish() {
  state_->write_indent();
  return std::move(state_->out);
}

std::string to_yaml(const Value& value, const YamlStyle& style) {
  YamlEmitter emitter(style);
  emitter.value(value);
  return emitter.finish();
}

}  // namespace portcullis
