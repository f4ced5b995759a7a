#include "engine/rego/builtins/glob_syntax.h"

#include <charconv>

#include "base/text.h"

namespace portcullis::rego::builtins {
namespace {

void append_class_rune(std::string& out, char32_t rune) {
  char buffer[12];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, static_cast<std::uint32_t>(rune), 16);
  out += "\\x{";
  out.append(buffer, end.ptr);
  out += '}';
}

class Translator {
 public:
  Translator(std::string_view pattern, const std::vector<char32_t>& delimiters) : pattern_(pattern) {
    if (delimiters.empty()) {
      one_ = "(?s:.)";
    } else {
      one_ = "[^";
      for (const char32_t rune : delimiters) append_class_rune(one_, rune);
      one_ += "]";
    }
  }

  bool run() {
    while (error_.empty() && at_ < pattern_.size()) step();
    if (error_.empty() && level_ > 0) fail("unclosed `{`");
    return error_.empty();
  }

  std::string out() { return "(?:" + out_ + ")"; }
  std::string error() { return "glob: syntax error at " + std::to_string(at_) + ": " + error_; }

 private:
  void fail(std::string reason) {
    if (error_.empty()) error_ = std::move(reason);
  }

  // The next rune, or 0xffffffff at the end.
  char32_t read() {
    if (at_ >= pattern_.size()) return kEnd;
    const text::Rune rune = text::decode_rune(pattern_, at_);
    if (rune.value == 0xfffd && rune.size == 1) {
      fail("invalid UTF-8 sequence");
      return kEnd;
    }
    at_ += rune.size;
    return rune.value;
  }

  void step() {
    const char c = pattern_[at_];
    if (c == '{') {
      ++at_;
      ++level_;
      out_ += "(?:";
    } else if (c == ',' && level_ > 0) {
      ++at_;
      out_ += '|';
    } else if (c == '}' && level_ > 0) {
      ++at_;
      --level_;
      out_ += ')';
    } else if (c == '[') {
      ++at_;
      character_class();
    } else if (c == '?') {
      ++at_;
      out_ += one_;
    } else if (c == '*') {
      ++at_;
      const bool super = at_ < pattern_.size() && pattern_[at_] == '*';
      if (super) ++at_;
      out_ += super ? "(?s:.*)" : one_ + "*";
    } else {
      for (const char32_t rune : text_until(level_ > 0 ? "?*[{}," : "?*[{")) append_class_rune(out_, rune);
    }
  }

  std::vector<char32_t> text_until(std::string_view breakers) {
    std::vector<char32_t> out;
    while (at_ < pattern_.size()) {
      if (breakers.find(pattern_[at_]) != std::string_view::npos) break;
      char32_t rune = read();
      if (rune == '\\') {
        rune = read();
        if (rune == kEnd) fail("trailing backslash");
      }
      if (rune == kEnd) break;
      out.push_back(rune);
    }
    return out;
  }

  void character_class() {
    bool negated = false;
    std::size_t start = at_;
    char32_t low = read();
    if (low == '!') {
      negated = true;
      start = at_;
      low = read();
    }
    if (low == kEnd) return fail("unexpected end of input");
    std::string body;
    if (at_ < pattern_.size() && pattern_[at_] == '-') {
      ++at_;
      const char32_t high = read();
      if (high == kEnd) return fail("unexpected end of input");
      if (high < low) return fail("range hi character is less than lo");
      append_class_rune(body, low);
      body += '-';
      append_class_rune(body, high);
    } else {
      at_ = start;
      for (const char32_t rune : text_until("]")) append_class_rune(body, rune);
    }
    const char32_t close = read();
    if (close == kEnd) return fail("unexpected end of input");
    if (close != ']') return fail("expected close range character");
    if (body.empty()) return fail("could not parse range");
    out_ += negated ? "[^" : "[";
    out_ += body + "]";
  }

  static constexpr char32_t kEnd = 0xffffffff;

  std::string_view pattern_;
  std::string one_;
  std::string out_;
  std::string error_;
  std::size_t at_ = 0;
  int level_ = 0;
};

}  // namespace

std::optional<std::string> glob_to_regex(std::string_view pattern, const std::vector<char32_t>& delimiters,
                                         std::string& error) {
  Translator translator(pattern, delimiters);
  if (translator.run()) return translator.out();
  error = translator.error();
  return std::nullopt;
}

std::string glob_quote_meta(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (std::string_view("*?\\[]{}").find(c) != std::string_view::npos) out += '\\';
    out += c;
  }
  return out;
}

}  // namespace portcullis::rego::builtins
