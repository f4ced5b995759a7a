// The JSON reader: one pass over the text, values built bottom-up on a stack and laid into the arena when their
// container closes. No recursion, so the depth limit guards later walkers rather than this file.
#include <charconv>
#include <cstring>
#include <memory>
#include <system_error>
#include <vector>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "base/text.h"
#include "engine/value/document.h"
#include "engine/value/number.h"
#include "engine/value/sort.h"

namespace portcullis {

namespace {

enum class Strings : std::uint8_t { kBorrow, kCopy };

// Grown as needed, kept per thread so that a steady state does not touch the heap; given back when it got large.
class ValueStack {
 public:
  static constexpr std::size_t kKeep = std::size_t{1} << 16;

  std::size_t size() const noexcept { return size_; }
  Value* from(std::size_t index) noexcept { return slots_.get() + index; }
  void cut(std::size_t size) noexcept { size_ = size; }
  void push(const Value& value) {
    if (size_ == capacity_) [[unlikely]]
      grow();
    slots_[size_++] = value;
  }
  void trim() noexcept {
    size_ = 0;
    if (capacity_ > kKeep) {
      slots_.reset();
      capacity_ = 0;
    }
  }

 private:
  void grow() {
    const std::size_t capacity = capacity_ == 0 ? 256 : capacity_ * 2;
    std::unique_ptr<Value[]> slots(new Value[capacity]);
    if (size_ != 0) std::memcpy(static_cast<void*>(slots.get()), slots_.get(), size_ * sizeof(Value));
    slots_ = std::move(slots);
    capacity_ = capacity;
  }

  std::unique_ptr<Value[]> slots_;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
};

struct Frame {
  std::uint32_t base;  // where the container's values start on the stack
  bool object;
  bool sorted;  // keys came in strictly ascending order so far
};

struct Scratch {
  ValueStack values;
  std::vector<Frame> frames;
  std::string decoded;
};

std::uint64_t load_big_endian(std::string_view from) noexcept {
  std::uint64_t word;
  std::memcpy(&word, from.data(), 8);
  return __builtin_bswap64(word);
}

// Byte order. Most keys differ in the first byte, most others in the first eight.
int compare_keys(std::string_view a, std::string_view b) noexcept {
  const std::size_t common = a.size() < b.size() ? a.size() : b.size();
  if (common != 0) {
    const auto a_first = static_cast<unsigned char>(*a.data());
    const auto b_first = static_cast<unsigned char>(*b.data());
    if (a_first != b_first) return a_first < b_first ? -1 : 1;
    if (common >= 8) {
      const std::uint64_t left = load_big_endian(a);
      const std::uint64_t right = load_big_endian(b);
      if (left != right) return left < right ? -1 : 1;
    }
    if (const int order = std::memcmp(a.data(), b.data(), common); order != 0) return order;
  }
  return a.size() < b.size() ? -1 : (a.size() > b.size() ? 1 : 0);
}

bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

class Reader {
 public:
  Reader(Arena& arena, std::string_view text, const ParseLimits& limits, Strings strings, Scratch& scratch)
      : arena_(arena),
        limits_(limits),
        start_(text.data()),
        at_(text.data()),
        end_(text.data() + text.size()),
        symbols_(symbol_count()),
        strings_(strings),
        values_(scratch.values),
        frames_(scratch.frames),
        decoded_(scratch.decoded) {}

  // With `consumed`, one value of several: what follows it is left alone.
  Result<Value> read(std::size_t* consumed) {
    frames_.clear();
    values_.cut(0);
    if (!read_value_and_rest()) return std::move(error_);
    if (consumed != nullptr) {
      *consumed = static_cast<std::size_t>(at_ - start_);
    } else {
      skip_space();
    }
    if (at_ != end_ && consumed == nullptr) {
      fail(at_, "unexpected " + here() + " after the value");
      return std::move(error_);
    }
    if (arena_.exceeded()) {
      fail_limit(at_, "the document takes more memory than allowed");
      return std::move(error_);
    }
    return *values_.from(0);
  }

 private:
  // --- errors ---

  std::string here() const {
    if (at_ == end_) return "end of input";
    const auto c = static_cast<unsigned char>(*at_);
    if (c >= 0x21 && c < 0x7F) return std::string("'") + *at_ + "'";
    static constexpr char kHex[] = "0123456789abcdef";
    return std::string("byte 0x") + kHex[c >> 4] + kHex[c & 15];
  }

  void set_error(Code code, const char* where, std::string_view what) {
    std::size_t line = 1;
    const char* line_start = start_;
    for (const char* p = start_; p < where; ++p) {
      if (*p == '\n') {
        ++line;
        line_start = p + 1;
      }
    }
    const auto column = static_cast<std::size_t>(where - line_start) + 1;
    std::string message(limits_.source);
    message += ':';
    message += std::to_string(line);
    message += ':';
    message += std::to_string(column);
    message += ": ";
    message += what;
    error_ = make_error(code, std::move(message));
  }
  bool fail(const char* where, std::string_view what) {
    set_error(Code::kInvalid, where, what);
    return false;
  }
  bool fail_limit(const char* where, std::string_view what) {
    set_error(Code::kLimit, where, what);
    return false;
  }
  bool unexpected(std::string_view wanted) {
    std::string what = "unexpected " + here();
    what += ", expected ";
    what += wanted;
    return fail(at_, what);
  }

  // --- white space and comments ---

  static bool is_space(char c) noexcept { return c == ' ' || c == '\n' || c == '\t' || c == '\r'; }

  void skip_space() {
    if (at_ != end_ && (is_space(*at_) || *at_ == '/')) [[unlikely]]
      skip_more_space();
  }

  __attribute__((noinline)) void skip_more_space() {
    for (;;) {
      while (at_ != end_ && is_space(*at_)) {
        const bool newline = *at_ == '\n';
        ++at_;
        if (newline) skip_blanks();
      }
      if (at_ == end_ || *at_ != '/' || !limits_.allow_comments || !skip_comment()) return;
    }
  }

  // Indentation: sixteen bytes at a time.
  void skip_blanks() noexcept {
#if defined(__SSE2__)
    const __m128i blank = _mm_set1_epi8(' ');
    while (end_ - at_ >= 16) {
      const __m128i block = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at_));
      const auto others = ~static_cast<unsigned>(_mm_movemask_epi8(_mm_cmpeq_epi8(block, blank))) & 0xFFFFu;
      if (others != 0) {
        at_ += __builtin_ctz(others);
        return;
      }
      at_ += 16;
    }
#else
    while (at_ != end_ && *at_ == ' ') ++at_;
#endif
  }

  // False leaves at_ where the '/' is, which the caller then reports as unexpected.
  bool skip_comment() noexcept {
    if (end_ - at_ < 2) return false;
    if (at_[1] == '/') {
      const void* newline = std::memchr(at_, '\n', static_cast<std::size_t>(end_ - at_));
      at_ = newline == nullptr ? end_ : static_cast<const char*>(newline) + 1;
      return true;
    }
    if (at_[1] != '*') return false;
    const std::string_view rest(at_ + 2, static_cast<std::size_t>(end_ - at_ - 2));
    const std::size_t close = rest.find("*/");
    if (close == std::string_view::npos) return false;
    at_ += close + 4;
    return true;
  }

  // --- structure ---

  // Reads one value with all that it contains.
  bool read_value_and_rest() {
    for (;;) {
      skip_space();
      if (at_ == end_) return unexpected("a value");
      bool opened = false;
      switch (*at_) {
        case '{':
        case '[':
          if (!open(opened)) return false;
          break;
        case '"':
          if (!read_string(false)) return false;
          break;
        case 't':
          if (!read_word("true", Value::boolean(true))) return false;
          break;
        case 'f':
          if (!read_word("false", Value::boolean(false))) return false;
          break;
        case 'n':
          if (!read_word("null", Value::null())) return false;
          break;
        default:
          if (!read_number()) return false;
      }
      if (opened) continue;
      bool more = false;
      if (!after_value(more)) return false;
      if (!more) return true;
    }
  }

  // At '{' or '['. `opened`: a value must follow (for an object, its key has been read); else it was empty and is done.
  bool open(bool& opened) {
    const bool object = *at_ == '{';
    if (frames_.size() >= limits_.max_depth) {
      return fail_limit(at_, "nested deeper than " + std::to_string(limits_.max_depth) + " levels");
    }
    ++at_;
    skip_space();
    if (at_ != end_ && *at_ == (object ? '}' : ']')) {
      ++at_;
      values_.push(object ? empty_object() : empty_array());
      return true;
    }
    frames_.push_back({static_cast<std::uint32_t>(values_.size()), object, true});
    opened = true;
    return !object || read_key();
  }

  // After a value: closes what ends here, or stands before the next value (`more`).
  bool after_value(bool& more) {
    while (!frames_.empty()) {
      const Frame frame = frames_.back();
      skip_space();
      if (at_ == end_) return unexpected(frame.object ? "',' or '}'" : "',' or ']'");
      if (*at_ == ',') {
        ++at_;
        more = true;
        if (!frame.object) return true;
        skip_space();
        return read_key();
      }
      if (*at_ != (frame.object ? '}' : ']')) return unexpected(frame.object ? "',' or '}'" : "',' or ']'");
      ++at_;
      const Value closed = frame.object ? close_object(frame) : close_array(frame);
      frames_.pop_back();
      values_.cut(frame.base);
      values_.push(closed);
      if (arena_.exceeded()) return fail_limit(at_, "the document takes more memory than allowed");
    }
    return true;
  }

  bool read_key() {
    if (at_ == end_ || *at_ != '"') return unexpected("a key in double quotes");
    if (!read_string(true)) return false;
    Frame& frame = frames_.back();
    const std::size_t size = values_.size();
    if (frame.sorted && size - frame.base > 1) {
      const Value* keys = values_.from(size - 3);
      frame.sorted = compare_keys(keys[0].as_string(), keys[2].as_string()) < 0;
    }
    skip_space();
    if (at_ == end_ || *at_ != ':') return unexpected("':'");
    ++at_;
    return true;
  }

  Value empty_object() {
    auto* rep = static_cast<ObjectRep*>(arena_.allocate(sizeof(ObjectRep), alignof(ObjectRep)));
    rep->size = 0;
    rep->symbols = symbols_;
    return Value::object(rep);
  }

  Value empty_array() {
    auto* rep = static_cast<ArrayRep*>(arena_.allocate(sizeof(ArrayRep), alignof(ArrayRep)));
    rep->size = 0;
    return Value::array(rep);
  }

  Value close_array(const Frame& frame) {
    const std::size_t count = values_.size() - frame.base;
    auto* rep = static_cast<ArrayRep*>(arena_.allocate(sizeof(ArrayRep) + count * sizeof(Value), alignof(ArrayRep)));
    rep->size = static_cast<std::uint32_t>(count);
    std::memcpy(static_cast<void*>(rep + 1), values_.from(frame.base), count * sizeof(Value));
    return Value::array(rep);
  }

  Value close_object(const Frame& frame) {
    std::size_t count = (values_.size() - frame.base) / 2;
    auto* members = reinterpret_cast<Member*>(values_.from(frame.base));
    if (!frame.sorted) count = sort_members(members, count);
    auto* rep =
        static_cast<ObjectRep*>(arena_.allocate(sizeof(ObjectRep) + count * sizeof(Member), alignof(ObjectRep)));
    rep->size = static_cast<std::uint32_t>(count);
    rep->symbols = symbols_;
    auto* slots = reinterpret_cast<Value*>(rep + 1);
    for (std::size_t i = 0; i < count; ++i) {
      slots[i] = members[i].key;
      slots[count + i] = members[i].value;
    }
    return Value::object(rep);
  }

  // Sorts by key; of duplicates the last one in the text stays. Returns how many are left.
  static std::size_t sort_members(Member* members, std::size_t count) {
    sort_stable(members, count, [](const Member& a, const Member& b) {
      return compare_keys(a.key.as_string(), b.key.as_string()) < 0;
    });
    std::size_t kept = 0;
    for (std::size_t i = 0; i < count; ++i) {
      if (kept != 0 && members[kept - 1].key.as_string() == members[i].key.as_string()) --kept;
      members[kept++] = members[i];
    }
    return kept;
  }

  // --- scalars ---

  bool read_word(std::string_view word, const Value& value) {
    if (static_cast<std::size_t>(end_ - at_) < word.size() || std::memcmp(at_, word.data(), word.size()) != 0) {
      for (const char c : word) {
        if (at_ == end_ || *at_ != c) break;
        ++at_;
      }
      return unexpected(std::string("'") + std::string(word) + "'");
    }
    at_ += word.size();
    values_.push(value);
    return true;
  }

  bool read_number() {
    const char* const first = at_;
    if (*at_ == '-') ++at_;
    if (at_ == end_ || !is_digit(*at_)) return unexpected(first == at_ ? "a value" : "a digit");
    std::uint64_t magnitude = 0;
    const char* const digits = at_;
    if (*at_ == '0') {
      ++at_;
      if (at_ != end_ && is_digit(*at_)) return unexpected("no digit after a leading zero");
    } else {
      while (at_ != end_ && is_digit(*at_)) magnitude = magnitude * 10 + static_cast<std::uint64_t>(*at_++ - '0');
    }
    const auto digit_count = at_ - digits;
    bool plain = true;
    if (at_ != end_ && *at_ == '.') {
      plain = false;
      ++at_;
      if (at_ == end_ || !is_digit(*at_)) return unexpected("a digit after the point");
      while (at_ != end_ && is_digit(*at_)) ++at_;
    }
    if (at_ != end_ && (*at_ == 'e' || *at_ == 'E')) {
      plain = false;
      ++at_;
      if (at_ != end_ && (*at_ == '+' || *at_ == '-')) ++at_;
      if (at_ == end_ || !is_digit(*at_)) return unexpected("a digit in the exponent");
      while (at_ != end_ && is_digit(*at_)) ++at_;
    }
    const bool negative = *first == '-';
    // Integers below a million are spelled alike in every mode.
    const bool as_written = digit_count <= 6 || limits_.numbers != ParseLimits::Numbers::kAllFloat64;
    if (plain && digit_count <= 18 && as_written && !(negative && magnitude == 0)) {
      const auto integer = static_cast<std::int64_t>(magnitude);
      values_.push(Value::integer(negative ? -integer : integer));
      return true;
    }
    return push_unusual_number(first, plain);
  }

  // Long integers, fractions, exponents, -0.
  bool push_unusual_number(const char* first, bool plain) {
    const std::string_view literal(first, static_cast<std::size_t>(at_ - first));
    if (limits_.numbers == ParseLimits::Numbers::kExact) {
      if (number_too_big(literal)) return fail(first, "number too big: " + std::string(literal.substr(0, 40)));
      values_.push(make_number(arena_, literal));
      return true;
    }
    if (plain && limits_.numbers == ParseLimits::Numbers::kFloat64) {
      std::int64_t integer = 0;
      const auto [end, error] = std::from_chars(first, at_, integer);
      if (error == std::errc()) {
        values_.push(Value::integer(integer));
        return true;
      }
    }
    double value = 0;
    const auto [end, error] = std::from_chars(first, at_, value);
    if (error == std::errc::result_out_of_range) {
      const double rounded = to_double(make_number(arena_, literal));
      if (rounded != 0) return fail(first, "number too big: " + std::string(literal.substr(0, 40)));
      value = rounded;
    }
    values_.push(make_number(arena_, value));
    return true;
  }

  // At '"'. Pushes the string; a key is looked up among the symbols.
  bool read_string(bool key) {
    const char* const first = ++at_;
    bool ascii = true;
    const char* stop = find_special(first, ascii);
    if (stop != end_ && *stop == '"') [[likely]] {
      const std::string_view text(first, static_cast<std::size_t>(stop - first));
      at_ = stop + 1;
      if (ascii || text::valid_utf8(text)) {
        push_text(text, key, strings_ == Strings::kBorrow);
        return true;
      }
    }
    at_ = first;
    return read_unusual_string(key);
  }

  void push_text(std::string_view text, bool key, bool borrow) {
    if (key) {
      if (const Symbol* symbol = find_symbol(text)) {
        values_.push(Value::string(*symbol));
        return;
      }
    }
    values_.push(Value::string(borrow ? text : arena_.copy(text)));
  }

  // The first quote, backslash or control character from `p` on; `ascii` turns false when a byte above 0x7F was passed.
  const char* find_special(const char* p, bool& ascii) const noexcept {
#if defined(__SSE2__)
    const __m128i quote = _mm_set1_epi8('"');
    const __m128i backslash = _mm_set1_epi8('\\');
    const __m128i last_control = _mm_set1_epi8(0x1F);
    while (end_ - p >= 16) {
      const __m128i block = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
      const __m128i control = _mm_cmpeq_epi8(_mm_min_epu8(block, last_control), block);
      const __m128i special =
          _mm_or_si128(control, _mm_or_si128(_mm_cmpeq_epi8(block, quote), _mm_cmpeq_epi8(block, backslash)));
      const auto found = static_cast<unsigned>(_mm_movemask_epi8(special));
      const auto high = static_cast<unsigned>(_mm_movemask_epi8(block));
      if (found != 0) {
        const int index = __builtin_ctz(found);
        if ((high & ((1u << index) - 1)) != 0) ascii = false;
        return p + index;
      }
      if (high != 0) ascii = false;
      p += 16;
    }
#endif
    for (; p != end_; ++p) {
      const auto c = static_cast<unsigned char>(*p);
      if (c == '"' || c == '\\' || c < 0x20) break;
      if (c >= 0x80) ascii = false;
    }
    return p;
  }

  // Strings with escapes or invalid UTF-8: decoded aside and copied into the arena. Never longer than three times the
  // input (one bad byte becomes U+FFFD).
  __attribute__((noinline)) bool read_unusual_string(bool key) {
    bool ascii = true;
    std::string& out = decoded_;
    out.clear();
    for (;;) {
      const char* const first = at_;
      ascii = true;
      at_ = find_special(first, ascii);
      const std::string_view part(first, static_cast<std::size_t>(at_ - first));
      if (ascii || text::valid_utf8(part))
        out.append(part);
      else
        append_valid(part, out);
      if (at_ == end_) return unexpected("the closing quote of a string");
      if (*at_ == '"') break;
      if (*at_ != '\\') return unexpected("no control character in a string");
      if (!read_escape(out)) return false;
    }
    ++at_;
    push_text(out, key, false);
    return true;
  }

  static void append_valid(std::string_view part, std::string& out) {
    for (std::size_t at = 0; at < part.size();) {
      const text::Rune rune = text::decode_rune(part, at);
      text::append_rune(out, rune.value);
      at += rune.size;
    }
  }

  bool read_escape(std::string& out) {
    ++at_;
    if (at_ == end_) return unexpected("an escape sequence");
    switch (*at_) {
      case '"':
      case '\\':
      case '/': out += *at_; break;
      case 'b': out += '\b'; break;
      case 'f': out += '\f'; break;
      case 'n': out += '\n'; break;
      case 'r': out += '\r'; break;
      case 't': out += '\t'; break;
      case 'u': return read_unicode_escape(out);
      default: return unexpected("an escape sequence");
    }
    ++at_;
    return true;
  }

  bool read_unicode_escape(std::string& out) {
    char32_t rune = 0;
    if (!read_hex(rune)) return false;
    if (rune >= 0xD800 && rune < 0xDC00 && end_ - at_ >= 6 && at_[0] == '\\' && at_[1] == 'u') {
      const char* const back = at_;
      ++at_;
      char32_t low = 0;
      if (!read_hex(low)) return false;
      if (low >= 0xDC00 && low < 0xE000)
        rune = 0x10000 + ((rune - 0xD800) << 10) + (low - 0xDC00);
      else
        at_ = back;  // a lone surrogate; what follows stands for itself
    }
    text::append_rune(out, rune);
    return true;
  }

  // At 'u': reads it and four hex digits.
  bool read_hex(char32_t& rune) {
    ++at_;
    rune = 0;
    for (int i = 0; i < 4; ++i, ++at_) {
      if (at_ == end_) return unexpected("four hexadecimal digits");
      const char c = *at_;
      unsigned digit = 0;
      if (is_digit(c))
        digit = static_cast<unsigned>(c - '0');
      else if (c >= 'a' && c <= 'f')
        digit = static_cast<unsigned>(c - 'a') + 10;
      else if (c >= 'A' && c <= 'F')
        digit = static_cast<unsigned>(c - 'A') + 10;
      else
        return unexpected("four hexadecimal digits");
      rune = rune << 4 | digit;
    }
    return true;
  }

  Arena& arena_;
  const ParseLimits& limits_;
  const char* const start_;
  const char* at_;
  const char* const end_;
  const std::uint32_t symbols_;
  const Strings strings_;
  ValueStack& values_;
  std::vector<Frame>& frames_;
  std::string& decoded_;
  Error error_;
};

Result<Value> parse(Arena& arena, std::string_view text, const ParseLimits& limits, Strings strings,
                    std::size_t* consumed = nullptr) {
  if (text.size() > limits.max_bytes || text.size() > UINT32_MAX) {
    return make_error(Code::kLimit, std::string(limits.source) + ": " + std::to_string(text.size()) +
                                        " bytes, more than the " + std::to_string(limits.max_bytes) + " allowed");
  }
  thread_local Scratch scratch;
  Result<Value> result = Reader(arena, text, limits, strings, scratch).read(consumed);
  scratch.values.trim();
  if (scratch.decoded.capacity() > ValueStack::kKeep) scratch.decoded = std::string();
  if (scratch.frames.capacity() > ValueStack::kKeep) scratch.frames = std::vector<Frame>();
  return result;
}

}  // namespace

Result<Document> Document::parse_json(std::string_view text, const ParseLimits& limits) {
  Document document;
  PC_TRY(document.root_, parse(document.arena_, text, limits, Strings::kCopy));
  return document;
}

Result<Document> Document::parse_json_owned(std::string text, const ParseLimits& limits) {
  if (text.size() < 64) return parse_json(text, limits);  // the bytes of a short std::string move with it
  Document document;
  document.text_ = std::move(text);
  PC_TRY(document.root_, parse(document.arena_, document.text_, limits, Strings::kBorrow));
  return document;
}

Result<Document> Document::parse_json_borrowed(std::string_view text, const ParseLimits& limits) {
  Document document;
  PC_TRY(document.root_, parse(document.arena_, text, limits, Strings::kBorrow));
  return document;
}

Result<Document> Document::parse_json_prefix(std::string_view text, std::size_t& consumed, const ParseLimits& limits) {
  Document document;
  PC_TRY(document.root_, parse(document.arena_, text, limits, Strings::kCopy, &consumed));
  return document;
}

Document Document::adopt(Arena arena, Value root) {
  Document document;
  document.arena_ = std::move(arena);
  document.root_ = root;
  return document;
}

Document Document::copy_of(const Value& value) {
  Document document;
  document.root_ = deep_copy(document.arena_, value);
  return document;
}

Result<Value> parse_json_into(Arena& arena, std::string_view text, const ParseLimits& limits) {
  return parse(arena, text, limits, Strings::kBorrow);
}

}  // namespace portcullis
