#include "engine/rego/builtins/sprintf.h"

#include <algorithm>
#include <charconv>
#include <string>
#include <vector>

#include "base/text.h"
#include "engine/rego/builtins/big_int.h"
#include "engine/rego/builtins/go_float_format.h"
#include "engine/rego/builtins/go_numbers.h"
#include "engine/value/json.h"
#include "engine/value/number.h"

namespace portcullis::rego::builtins {
namespace {

constexpr int kTooLarge = 1000000;  // Go's bound on widths and precisions

// One argument in the Go type that OPA hands to fmt.
struct Argument {
  enum class Type { kInt, kBig, kFloat, kString, kNil } type = Type::kString;
  std::int64_t integer = 0;
  double real = 0;
  std::string text;           // kString owned; kBig: decimal digits with sign
  std::string_view borrowed;  // kString when the argument was a string
  std::string_view named;     // how the type is called, where not by its own name

  std::string_view string() const { return borrowed.data() != nullptr ? borrowed : std::string_view(text); }
  std::string_view type_name() const {
    if (!named.empty()) return named;
    switch (type) {
      case Type::kInt: return "int64";
      case Type::kBig: return "*big.Int";
      case Type::kFloat: return "float64";
      case Type::kNil: return "<nil>";
      case Type::kString: break;
    }
    return "string";
  }
};

Argument argument_of(const Value& value) {
  Argument out;
  if (value.is_string()) {
    out.borrowed = value.as_string();
    if (out.borrowed.data() == nullptr) out.borrowed = "";
    return out;
  }
  if (!value.defined()) {
    out.type = Argument::Type::kNil;
    return out;
  }
  if (!value.is_number()) {
    append_rego(out.text, value);
    return out;
  }
  if (value.is_integer()) {
    out.type = Argument::Type::kInt;
    out.integer = value.as_integer();
    return out;
  }
  out.text = number_text(value);
  if (out.text.find_first_of(".eE") != std::string::npos) {
    if (check_go_float(out.text) == GoFloat::kValid) {
      out.type = Argument::Type::kFloat;
      out.real = go_float_value(out.text);
    }
  } else if (const auto integer = plain_int(value)) {
    out.type = Argument::Type::kInt;
    out.integer = *integer;
  } else {
    out.type = Argument::Type::kBig;
  }
  return out;
}

struct Flags {
  bool sharp = false;
  bool zero = false;
  bool plus = false;
  bool minus = false;
  bool space = false;
  bool sharp_v = false;
  bool plus_v = false;
  std::optional<int> width;
  std::optional<int> precision;
};

// Writes one argument under one verb. Follows Go's fmt step by step, oddities included.
class Printer {
 public:
  explicit Printer(std::string& out) : out_(out) {}

  Flags flags;

  void print(const Argument& argument, char32_t verb) {
    if (verb == 'T') return padded(truncated(argument.type_name()));
    if (argument.type == Argument::Type::kNil) return print_nil(verb);
    if (verb == 'p') return bad_verb(argument, verb);
    switch (argument.type) {
      case Argument::Type::kInt: return print_int(argument, verb);
      case Argument::Type::kBig: return print_big(argument, verb);
      case Argument::Type::kFloat: return print_float(argument, verb);
      case Argument::Type::kString: return print_string(argument, verb);
      case Argument::Type::kNil: return;
    }
  }

 private:
  void pad(int count) {
    if (count > 0) out_.append(static_cast<std::size_t>(count), flags.zero && !flags.minus ? '0' : ' ');
  }

  void padded(std::string_view text) {
    const int width = flags.width.value_or(0);
    if (width == 0) {
      out_ += text;
      return;
    }
    const int missing = width - static_cast<int>(rune_count(text));
    if (!flags.minus) pad(missing);
    out_ += text;
    if (flags.minus) pad(missing);
  }

  void padded_with_spaces(std::string_view text) {
    const bool zero = flags.zero;
    flags.zero = false;
    padded(text);
    flags.zero = zero;
  }

  std::string_view truncated(std::string_view text) const {
    if (!flags.precision) return text;
    std::size_t at = 0;
    for (int left = *flags.precision; at < text.size() && left > 0; --left) at += text::decode_rune(text, at).size;
    return text.substr(0, at);
  }

  void print_nil(char32_t verb) {
    if (verb == 'v') return padded("<nil>");
    out_ += "%!";
    text::append_rune(out_, verb);
    out_ += "(<nil>)";
  }

  void bad_verb(const Argument& argument, char32_t verb) {
    out_ += "%!";
    text::append_rune(out_, verb);
    out_ += '(';
    out_ += argument.type_name();
    out_ += '=';
    print(argument, 'v');
    out_ += ')';
  }

  void print_string(const Argument& argument, char32_t verb) {
    switch (verb) {
      case 'v': return flags.sharp_v ? quoted(argument.string()) : padded(truncated(argument.string()));
      case 's': return padded(truncated(argument.string()));
      case 'x':
      case 'X': return hex_string(argument.string(), verb == 'X');
      case 'q': return quoted(argument.string());
      default: return bad_verb(argument, verb);
    }
  }

  static bool can_backquote(std::string_view text) {
    for (std::size_t at = 0; at < text.size();) {
      const text::Rune rune = text::decode_rune(text, at);
      at += rune.size;
      if (rune.size > 1) {
        if (rune.value == 0xfeff) return false;
        continue;
      }
      if (rune.value == 0xfffd || (rune.value < ' ' && rune.value != '\t') || rune.value == '`' || rune.value == 0x7f) {
        return false;
      }
    }
    return true;
  }

  static std::string quote_ascii(std::string_view text) {
    std::string out;
    for (std::size_t at = 0; at < text.size();) {
      const text::Rune rune = text::decode_rune(text, at);
      if (rune.size > 1) {
        char buffer[16];
        const auto end = std::to_chars(buffer, buffer + sizeof buffer, static_cast<std::uint32_t>(rune.value), 16);
        const std::string digits(buffer, end.ptr);
        const std::size_t want = rune.value < 0x10000 ? 4 : 8;
        out += want == 4 ? "\\u" : "\\U";
        out += std::string(want - digits.size(), '0') + digits;
      } else {
        const std::string quoted_byte = text::go_quote(text.substr(at, 1));
        out += quoted_byte.substr(1, quoted_byte.size() - 2);
      }
      at += rune.size;
    }
    return "\"" + out + "\"";
  }

  void quoted(std::string_view text) {
    text = truncated(text);
    if (flags.sharp && can_backquote(text)) return padded("`" + std::string(text) + "`");
    padded(flags.plus ? quote_ascii(text) : text::go_quote(text));
  }

  void hex_string(std::string_view text, bool upper) {
    const char* digits = upper ? "0123456789ABCDEF" : "0123456789abcdef";
    const char* prefix = upper ? "0X" : "0x";
    std::size_t length = text.size();
    if (flags.precision) length = std::min(length, static_cast<std::size_t>(*flags.precision));
    if (length == 0) return pad(flags.width.value_or(0));
    std::string body;
    for (std::size_t i = 0; i < length; ++i) {
      if (flags.space && i > 0) body += ' ';
      if (flags.sharp && (i == 0 || flags.space)) body += prefix;
      const auto byte = static_cast<unsigned char>(text[i]);
      body += digits[byte >> 4];
      body += digits[byte & 15];
    }
    padded(body);
  }

  void print_int(const Argument& argument, char32_t verb) {
    switch (verb) {
      case 'v':
      case 'd': return integer(argument.integer, 10, verb, false);
      case 'b': return integer(argument.integer, 2, verb, false);
      case 'o':
      case 'O': return integer(argument.integer, 8, verb, false);
      case 'x':
      case 'X': return integer(argument.integer, 16, verb, verb == 'X');
      case 'c':
      case 'q': return character(argument.integer, verb == 'q');
      case 'U': return unicode(static_cast<std::uint64_t>(argument.integer));
      default: return bad_verb(argument, verb);
    }
  }

  static std::string magnitude_text(std::uint64_t value, int base, bool upper) {
    char buffer[72];
    const auto end = std::to_chars(buffer, buffer + sizeof buffer, value, base);
    std::string out(buffer, end.ptr);
    if (upper)
      std::transform(out.begin(), out.end(), out.begin(),
                     [](char c) { return c >= 'a' ? static_cast<char>(c - 32) : c; });
    return out;
  }

  void integer(std::int64_t value, int base, char32_t verb, bool upper) {
    const bool negative = value < 0;
    const std::uint64_t size = negative ? 0 - static_cast<std::uint64_t>(value) : static_cast<std::uint64_t>(value);
    int precision = 0;
    if (flags.precision) {
      precision = *flags.precision;
      if (precision == 0 && size == 0) {
        const bool zero = flags.zero;
        flags.zero = false;
        pad(flags.width.value_or(0));
        flags.zero = zero;
        return;
      }
    } else if (flags.zero && !flags.minus && flags.width) {
      precision = *flags.width - (negative || flags.plus || flags.space ? 1 : 0);
    }
    std::string digits = magnitude_text(size, base, upper);
    if (static_cast<int>(digits.size()) < precision)
      digits.insert(0, static_cast<std::size_t>(precision) - digits.size(), '0');
    if (flags.sharp) {
      if (base == 2) digits.insert(0, "0b");
      if (base == 8 && digits.front() != '0') digits.insert(0, "0");
      if (base == 16) digits.insert(0, upper ? "0X" : "0x");
    }
    if (verb == 'O') digits.insert(0, "0o");
    if (negative) {
      digits.insert(0, "-");
    } else if (flags.plus) {
      digits.insert(0, "+");
    } else if (flags.space) {
      digits.insert(0, " ");
    }
    padded_with_spaces(digits);
  }

  static char32_t rune_of(std::int64_t value) {
    return value < 0 || value > 0x10ffff ? char32_t{0xfffd} : static_cast<char32_t>(value);
  }

  void character(std::int64_t value, bool quote) {
    std::string text;
    text::append_rune(text, rune_of(value));
    if (!quote) return padded(text);
    if (text == "'") return padded("'\\''");
    if (text == "\"") return padded("'\"'");
    std::string quoted_text = flags.plus ? quote_ascii(text) : text::go_quote(text);
    quoted_text.front() = '\'';
    quoted_text.back() = '\'';
    padded(quoted_text);
  }

  void unicode(std::uint64_t value) {
    std::string digits = magnitude_text(value, 16, true);
    const std::size_t want = static_cast<std::size_t>(std::max(4, flags.precision.value_or(4)));
    if (digits.size() < want) digits.insert(0, want - digits.size(), '0');
    std::string text = "U+" + digits;
    if (flags.sharp && value <= 0x10ffff) {
      std::string rune;
      text::append_rune(rune, static_cast<char32_t>(value));
      if (text::go_quote(rune) == "\"" + rune + "\"" || rune == "\"" || rune == "\\") text += " '" + rune + "'";
    }
    padded_with_spaces(text);
  }

  void print_big(const Argument& argument, char32_t verb) {
    int base = 10;
    switch (verb) {
      case 'b': base = 2; break;
      case 'o':
      case 'O': base = 8; break;
      case 'd':
      case 's':
      case 'v': break;
      case 'x':
      case 'X': base = 16; break;
      default:
        out_ += "%!";
        text::append_rune(out_, verb);
        out_ += "(big.Int=" + argument.text + ")";
        return;
    }
    std::string digits = BigInt(argument.text).text(base);
    const bool negative = digits.front() == '-';
    if (negative) digits.erase(0, 1);
    if (verb == 'X')
      std::transform(digits.begin(), digits.end(), digits.begin(),
                     [](char c) { return c >= 'a' ? static_cast<char>(c - 32) : c; });
    const bool plus = flags.plus || flags.plus_v;
    std::string sign = negative ? "-" : plus ? "+" : flags.space ? " " : "";
    std::string prefix;
    if (flags.sharp || flags.sharp_v)
      prefix = verb == 'b' ? "0b" : verb == 'o' ? "0" : verb == 'x' ? "0x" : verb == 'X' ? "0X" : "";
    if (verb == 'O') prefix = "0o";
    int zeros = 0;
    if (flags.precision) zeros = std::max(0, *flags.precision - static_cast<int>(digits.size()));
    const int length = static_cast<int>(sign.size() + prefix.size() + digits.size()) + zeros;
    int left = 0;
    int right = 0;
    if (flags.width && length < *flags.width) {
      const int missing = *flags.width - length;
      if (flags.minus) {
        right = missing;
      } else if (flags.zero && !flags.precision) {
        zeros = missing;
      } else {
        left = missing;
      }
    }
    out_.append(static_cast<std::size_t>(left), ' ');
    out_ += sign + prefix;
    out_.append(static_cast<std::size_t>(zeros), '0');
    out_ += digits;
    out_.append(static_cast<std::size_t>(right), ' ');
  }

  void print_float(const Argument& argument, char32_t verb) {
    switch (verb) {
      case 'v': return real(argument.real, 'g', -1);
      case 'b':
      case 'g':
      case 'G':
      case 'x':
      case 'X': return real(argument.real, static_cast<char>(verb), -1);
      case 'f':
      case 'e':
      case 'E': return real(argument.real, static_cast<char>(verb), 6);
      case 'F': return real(argument.real, 'f', 6);
      default: return bad_verb(argument, verb);
    }
  }

  // The '#' flag: keeps the point and, for g, the zeros.
  static std::string with_point(const std::string& number, char verb, int precision) {
    int digits = 0;
    if (verb == 'g' || verb == 'G' || verb == 'x') digits = precision == -1 ? 6 : precision;
    std::string body;
    std::string tail;
    bool point = false;
    bool nonzero = false;
    for (std::size_t i = 1; i < number.size(); ++i) {
      const char c = number[i];
      if (c == 'p' || c == 'P' || ((c == 'e' || c == 'E') && verb != 'x' && verb != 'X')) {
        tail = number.substr(i);
        break;
      }
      if (c == '.') {
        point = true;
      } else {
        if (c != '0') nonzero = true;
        if (nonzero) --digits;
      }
      body += c;
    }
    if (!point) {
      if (body == "0") --digits;
      body += '.';
    }
    if (digits > 0) body.append(static_cast<std::size_t>(digits), '0');
    return number.front() + body + tail;
  }

  void real(double value, char verb, int precision) {
    if (flags.precision) precision = *flags.precision;
    std::string number = go_format_float(value, verb, precision);
    if (number.front() != '-') number.insert(0, "+");
    if (flags.space && number.front() == '+' && !flags.plus) number.front() = ' ';
    if (flags.sharp && verb != 'b') number = with_point(number, verb, precision);
    if (!flags.plus && number.front() == '+') return padded(std::string_view(number).substr(1));
    if (flags.zero && !flags.minus && flags.width && *flags.width > static_cast<int>(number.size())) {
      out_ += number.front();
      pad(*flags.width - static_cast<int>(number.size()));
      out_ += std::string_view(number).substr(1);
      return;
    }
    padded(number);
  }

  std::string& out_;
};

// Reads the format and hands each verb to the Printer.
class Formatter {
 public:
  Formatter(BuiltinContext& context, std::string_view format, std::span<const Value> values,
            std::span<const std::string_view> types = {})
      : c_(context), format_(format), values_(values), types_(types), out_(std::move(kept())), printer_(out_) {
    out_.clear();
  }
  ~Formatter() {
    constexpr std::size_t kKeptBytes = 16 * 1024;
    if (out_.capacity() <= kKeptBytes) kept() = std::move(out_);
  }
  Formatter(const Formatter&) = delete;
  Formatter& operator=(const Formatter&) = delete;

  // False: the result grew past the bound.
  bool run() {
    while (at_ < format_.size()) {
      const std::size_t percent = std::min(format_.find('%', at_), format_.size());
      out_ += format_.substr(at_, percent - at_);
      at_ = percent;
      if (at_ >= format_.size()) break;
      ++at_;
      if (simple_directive()) continue;
      if (!directive()) break;
      if (out_.size() > kMaxResultBytes || c_.over_budget()) return false;
    }
    extra_arguments();
    return out_.size() <= kMaxResultBytes;
  }

  std::string_view result() const { return out_; }

 private:
  bool done() const { return at_ >= format_.size(); }
  char peek() const { return format_[at_]; }

  void read_flags() {
    Flags& flags = printer_.flags;
    flags = {};
    for (; !done(); ++at_) {
      switch (peek()) {
        case '#': flags.sharp = true; break;
        case '0': flags.zero = true; break;
        case '+': flags.plus = true; break;
        case '-': flags.minus = true; break;
        case ' ': flags.space = true; break;
        default: return;
      }
    }
  }

  // Digits at the cursor, up to `end`. Too large a number swallows the rest, as in Go.
  std::optional<int> number(std::size_t end) {
    if (at_ >= end) {
      at_ = end;
      return std::nullopt;
    }
    std::optional<int> out;
    for (; at_ < end && peek() >= '0' && peek() <= '9'; ++at_) {
      if (out.value_or(0) > kTooLarge) {
        at_ = end;
        return std::nullopt;
      }
      out = out.value_or(0) * 10 + (peek() - '0');
    }
    return out;
  }

  bool argument_index() {
    if (done() || peek() != '[') return false;
    reordered_ = true;
    const std::size_t close = format_.size() - at_ < 3 ? std::string_view::npos : format_.find(']', at_ + 1);
    if (close == std::string_view::npos) {
      good_index_ = false;
      ++at_;
      return false;
    }
    ++at_;
    const std::optional<int> index = number(close);
    const bool ok = index && at_ == close;
    at_ = close + 1;
    if (ok && *index >= 1 && static_cast<std::size_t>(*index) <= values_.size()) {
      next_ = static_cast<std::size_t>(*index) - 1;
      return true;
    }
    good_index_ = false;
    return ok;
  }

  std::optional<int> int_argument() {
    if (next_ >= values_.size()) return std::nullopt;
    const Argument argument = argument_at(next_++);
    if (argument.type != Argument::Type::kInt || argument.integer > kTooLarge || argument.integer < -kTooLarge) {
      return std::nullopt;
    }
    return static_cast<int>(argument.integer);
  }

  void read_width(bool& after_index) {
    Flags& flags = printer_.flags;
    if (!done() && peek() == '*') {
      ++at_;
      flags.width = int_argument();
      if (!flags.width) out_ += "%!(BADWIDTH)";
      if (flags.width && *flags.width < 0) {
        flags.width = -*flags.width;
        flags.minus = true;
        flags.zero = false;
      }
      after_index = false;
      return;
    }
    flags.width = number(format_.size());
    if (after_index && flags.width) good_index_ = false;
  }

  void read_precision(bool& after_index) {
    if (done() || peek() != '.') return;
    Flags& flags = printer_.flags;
    ++at_;
    if (after_index) good_index_ = false;
    after_index = argument_index();
    if (!done() && peek() == '*') {
      ++at_;
      flags.precision = int_argument();
      if (flags.precision && *flags.precision < 0) flags.precision.reset();
      if (!flags.precision) out_ += "%!(BADPREC)";
      after_index = false;
      return;
    }
    flags.precision = number(format_.size());
    if (!flags.precision) flags.precision = 0;
  }

  void marker(char32_t verb, std::string_view what) {
    out_ += "%!";
    text::append_rune(out_, verb);
    out_ += what;
  }

  // %s, %v and %d of what they fit, without flags: what nearly every policy writes.
  bool simple_directive() {
    if (done() || next_ >= values_.size()) return false;
    const Value& value = values_[next_];
    const char verb = peek();
    if (value.is_string() && (verb == 's' || verb == 'v')) {
      out_ += value.as_string();
    } else if (value.is_integer() && (verb == 'd' || verb == 'v')) {
      char buffer[24];
      const auto end = std::to_chars(buffer, buffer + sizeof buffer, value.as_integer());
      out_.append(buffer, end.ptr);
    } else if (verb == 'v' && value.defined() && !value.is_string() && !value.is_number()) {
      append_rego(out_, value);
    } else {
      return false;
    }
    ++at_;
    ++next_;
    return true;
  }

  bool directive() {
    good_index_ = true;
    read_flags();
    bool after_index = argument_index();
    read_width(after_index);
    read_precision(after_index);
    if (!after_index) argument_index();
    if (done()) {
      out_ += "%!(NOVERB)";
      return false;
    }
    const text::Rune verb = text::decode_rune(format_, at_);
    at_ += verb.size;
    if (verb.value == '%') {
      out_ += '%';
    } else if (!good_index_) {
      marker(verb.value, "(BADINDEX)");
    } else if (next_ >= values_.size()) {
      marker(verb.value, "(MISSING)");
    } else {
      Flags& flags = printer_.flags;
      if (verb.value == 'v' || verb.value == 'w') {
        flags.sharp_v = flags.sharp;
        flags.sharp = false;
        flags.plus_v = flags.plus;
        flags.plus = false;
      }
      printer_.print(argument_at(next_++), verb.value);
    }
    return true;
  }

  void extra_arguments() {
    if (reordered_ || next_ >= values_.size()) return;
    printer_.flags = {};
    out_ += "%!(EXTRA ";
    for (bool first = true; next_ < values_.size(); ++next_) {
      if (!first) out_ += ", ";
      first = false;
      const Argument argument = argument_at(next_);
      out_ += argument.type_name();
      if (argument.type == Argument::Type::kNil) continue;
      out_ += '=';
      printer_.print(argument, 'v');
    }
    out_ += ')';
  }

  // The text's memory goes from call to call, so that messages take nothing from the heap.
  static std::string& kept() {
    static thread_local std::string buffer;
    return buffer;
  }

  Argument argument_at(std::size_t index) const {
    Argument out = argument_of(values_[index]);
    if (index < types_.size()) out.named = types_[index];
    return out;
  }

  BuiltinContext& c_;
  std::string_view format_;
  std::span<const Value> values_;
  std::span<const std::string_view> types_;
  std::string out_;
  Printer printer_;
  std::size_t at_ = 0;
  std::size_t next_ = 0;
  bool good_index_ = true;
  bool reordered_ = false;
};

}  // namespace

Value builtin_sprintf(BuiltinContext& c, Args a) {
  const auto format = string_operand(c, a, 0);
  if (!format) return {};
  if (!array_operand(c, a, 1)) return {};
  Formatter formatter(c, *format, a[1].elements());
  if (!formatter.run()) return out_of_budget(c, "sprintf");
  return text_result(c, formatter.result());
}

Value go_printf(BuiltinContext& c, std::string_view format, std::span<const Value> values,
                std::span<const std::string_view> types) {
  Formatter formatter(c, format, values, types);
  if (!formatter.run()) return out_of_budget(c, "printf");
  return text_result(c, formatter.result());
}

}  // namespace portcullis::rego::builtins
