// Resolution of plain scalars.
#include "engine/value/yaml_scalar.h"

#include <charconv>
#include <cmath>
#include <cstdio>
#include <limits>
#include <optional>

#include "base/arena.h"
#include "engine/value/number.h"

namespace portcullis::yaml {

namespace {

using Type = Scalar::Type;

struct Word {
  std::string_view text;
  Type type;
  bool boolean;
  double real;
  bool yaml11_only;
};

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

constexpr Word kWords[] = {
    {"", Type::kNull, false, 0, false},
    {"~", Type::kNull, false, 0, false},
    {"null", Type::kNull, false, 0, false},
    {"Null", Type::kNull, false, 0, false},
    {"NULL", Type::kNull, false, 0, false},
    {"true", Type::kBool, true, 0, false},
    {"True", Type::kBool, true, 0, false},
    {"TRUE", Type::kBool, true, 0, false},
    {"false", Type::kBool, false, 0, false},
    {"False", Type::kBool, false, 0, false},
    {"FALSE", Type::kBool, false, 0, false},
    {"y", Type::kBool, true, 0, true},
    {"Y", Type::kBool, true, 0, true},
    {"yes", Type::kBool, true, 0, true},
    {"Yes", Type::kBool, true, 0, true},
    {"YES", Type::kBool, true, 0, true},
    {"on", Type::kBool, true, 0, true},
    {"On", Type::kBool, true, 0, true},
    {"ON", Type::kBool, true, 0, true},
    {"n", Type::kBool, false, 0, true},
    {"N", Type::kBool, false, 0, true},
    {"no", Type::kBool, false, 0, true},
    {"No", Type::kBool, false, 0, true},
    {"NO", Type::kBool, false, 0, true},
    {"off", Type::kBool, false, 0, true},
    {"Off", Type::kBool, false, 0, true},
    {"OFF", Type::kBool, false, 0, true},
    {".nan", Type::kFloat, false, kNan, false},
    {".NaN", Type::kFloat, false, kNan, false},
    {".NAN", Type::kFloat, false, kNan, false},
    {".inf", Type::kFloat, false, kInfinity, false},
    {".Inf", Type::kFloat, false, kInfinity, false},
    {".INF", Type::kFloat, false, kInfinity, false},
    {"+.inf", Type::kFloat, false, kInfinity, false},
    {"+.Inf", Type::kFloat, false, kInfinity, false},
    {"+.INF", Type::kFloat, false, kInfinity, false},
    {"-.inf", Type::kFloat, false, -kInfinity, false},
    {"-.Inf", Type::kFloat, false, -kInfinity, false},
    {"-.INF", Type::kFloat, false, -kInfinity, false},
};

bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

struct Magnitude {
  bool negative = false;
  bool signed_text = false;
  std::uint64_t value = 0;
};

std::optional<std::uint64_t> parse_digits(std::string_view digits, int base) {
  std::uint64_t value = 0;
  if (digits.empty()) return std::nullopt;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value, base);
  if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  return value;
}

// An integer as Go's strconv reads it with base 0: 0x, 0o, 0b and a leading 0 choose the base.
std::optional<Magnitude> parse_based(std::string_view text) {
  Magnitude result;
  if (!text.empty() && (text[0] == '+' || text[0] == '-')) {
    result.negative = text[0] == '-';
    result.signed_text = true;
    text.remove_prefix(1);
  }
  int base = 10;
  if (text.size() > 1 && text[0] == '0') {
    const char letter = text[1];
    if (letter == 'x' || letter == 'X')
      base = 16;
    else if (letter == 'o' || letter == 'O')
      base = 8;
    else if (letter == 'b' || letter == 'B')
      base = 2;
    if (base != 10) {
      text.remove_prefix(2);
    } else {
      base = 8;
      text.remove_prefix(1);
    }
  }
  const auto value = parse_digits(text, base);
  if (!value) return std::nullopt;
  result.value = *value;
  return result;
}

std::optional<Scalar> integer_scalar(const Magnitude& magnitude) {
  Scalar scalar;
  constexpr auto kMax = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  if (magnitude.value <= kMax + (magnitude.negative ? 1 : 0)) {
    scalar.type = Type::kInt;
    scalar.integer = static_cast<std::int64_t>(magnitude.negative ? 0 - magnitude.value : magnitude.value);
    return scalar;
  }
  if (magnitude.signed_text) return std::nullopt;  // neither an int64 nor an unsigned one
  scalar.type = Type::kUint;
  scalar.natural = magnitude.value;
  return scalar;
}

// [-+]? ( .digits | digits [. digits*] ) ( [eE] [-+]? digits )?
bool looks_like_float(std::string_view text) {
  std::size_t i = 0;
  const auto skip_digits = [&] {
    const std::size_t from = i;
    while (i < text.size() && is_digit(text[i])) ++i;
    return i - from;
  };
  if (i < text.size() && (text[i] == '+' || text[i] == '-')) ++i;
  const std::size_t whole = skip_digits();
  if (i < text.size() && text[i] == '.') {
    ++i;
    if (skip_digits() == 0 && whole == 0) return false;
  } else if (whole == 0) {
    return false;
  }
  if (i < text.size() && (text[i] == 'e' || text[i] == 'E')) {
    ++i;
    if (i < text.size() && (text[i] == '+' || text[i] == '-')) ++i;
    if (skip_digits() == 0) return false;
  }
  return i == text.size();
}

std::optional<double> parse_float(std::string_view text) {
  if (!looks_like_float(text)) return std::nullopt;
  if (text[0] == '+') text.remove_prefix(1);
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc() && end == text.data() + text.size()) return value;
  // Too small is zero, too large is no number at all, as Go has it.
  if (error != std::errc::result_out_of_range) return std::nullopt;
  Arena arena(0, 256);
  const double rounded = to_double(make_number(arena, text));
  if (std::isinf(rounded)) return std::nullopt;
  return std::signbit(rounded) || text[0] != '-' ? rounded : -rounded;
}

// Go's ParseFloat lets an underscore stand between two digits; any other stays and spoils the number.
std::string without_separators(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool separator =
        text[i] == '_' && i > 0 && i + 1 < text.size() && is_digit(text[i - 1]) && is_digit(text[i + 1]);
    if (!separator) out += text[i];
  }
  return out;
}

Scalar real_scalar(double value) {
  Scalar scalar;
  scalar.type = Type::kFloat;
  scalar.real = value;
  return scalar;
}

// Forms that strconv's base 0 did not take: a binary or octal number with a second sign or an odd prefix.
std::optional<Scalar> prefixed_integer(std::string_view plain, std::string_view prefix, int base) {
  const bool negative = !plain.empty() && plain[0] == '-';
  std::string_view rest = negative ? plain.substr(1) : plain;
  if (rest.substr(0, prefix.size()) != prefix) return std::nullopt;
  rest.remove_prefix(prefix.size());
  Magnitude magnitude;
  magnitude.negative = negative;
  magnitude.signed_text = negative;
  if (!negative && !rest.empty() && (rest[0] == '+' || rest[0] == '-')) {
    magnitude.negative = rest[0] == '-';
    magnitude.signed_text = true;
    rest.remove_prefix(1);
  }
  const auto value = parse_digits(rest, base);
  if (!value) return std::nullopt;
  magnitude.value = *value;
  return integer_scalar(magnitude);
}

std::optional<Scalar> resolve_number(std::string_view text, YamlSchema schema) {
  std::string plain;
  for (const char c : text) {
    if (c != '_') plain += c;
  }
  if (const auto magnitude = parse_based(plain)) {
    if (const auto scalar = integer_scalar(*magnitude)) return scalar;
  }
  if (const auto real = parse_float(plain)) return real_scalar(*real);
  if (const auto scalar = prefixed_integer(plain, "0b", 2)) return scalar;
  if (schema != YamlSchema::kKubernetes) return prefixed_integer(plain, "0o", 8);
  return std::nullopt;
}

}  // namespace

std::string_view tag_name(Type type) noexcept {
  switch (type) {
    case Type::kNull: return "!!null";
    case Type::kBool: return "!!bool";
    case Type::kInt:
    case Type::kUint: return "!!int";
    case Type::kFloat: return "!!float";
    case Type::kTimestamp: return "!!timestamp";
    case Type::kBinary: return "!!binary";
    case Type::kString: break;
  }
  return "!!str";
}

std::string short_tag(std::string_view tag) {
  constexpr std::string_view kLong = "tag:yaml.org,2002:";
  if (tag.substr(0, kLong.size()) != kLong) return std::string(tag);
  return "!!" + std::string(tag.substr(kLong.size()));
}

Scalar resolve_plain(std::string_view text, YamlSchema schema, bool timestamps) {
  const char first = text.empty() ? '~' : text[0];
  const bool numeric = is_digit(first) || first == '+' || first == '-';
  if (numeric || first == '.' || std::string_view("yYnNtTfFoO~").find(first) != std::string_view::npos) {
    for (const Word& word : kWords) {
      if (word.text != text || (word.yaml11_only && schema != YamlSchema::kKubernetes)) continue;
      Scalar scalar;
      scalar.type = word.type;
      scalar.boolean = word.boolean;
      scalar.real = word.real;
      return scalar;
    }
  }
  if (numeric) {
    if (timestamps && !timestamp_to_rfc3339(text).empty()) {
      Scalar scalar;
      scalar.type = Type::kTimestamp;
      return scalar;
    }
    if (const auto scalar = resolve_number(text, schema)) return *scalar;
  } else if (first == '.') {
    if (const auto real = parse_float(without_separators(text))) return real_scalar(*real);
  }
  return {};
}

namespace {

// Reads the fields of a time the way Go's time.Parse does with layouts that have single-digit fields.
class TimeReader {
 public:
  explicit TimeReader(std::string_view text) : left_(text) {}

  bool literal(char c) {
    if (left_.empty() || left_[0] != c) return false;
    left_.remove_prefix(1);
    return true;
  }
  bool year(int& out) { return digits(4, 4, out); }
  bool field(int& out) { return digits(1, 2, out); }
  bool two(int& out) { return digits(2, 2, out); }

  // ".5" or ",5": kept as digits, trailing zeros dropped by the caller.
  void fraction(std::string& out) {
    if (left_.size() < 2 || (left_[0] != '.' && left_[0] != ',') || !is_digit(left_[1])) return;
    left_.remove_prefix(1);
    while (!left_.empty() && is_digit(left_[0])) {
      if (out.size() < 9) out += left_[0];
      left_.remove_prefix(1);
    }
  }
  bool done() const { return left_.empty(); }
  char peek() const { return left_.empty() ? '\0' : left_[0]; }
  void skip() { left_.remove_prefix(1); }

 private:
  bool digits(std::size_t least, std::size_t most, int& out) {
    std::size_t n = 0;
    out = 0;
    while (n < most && n < left_.size() && is_digit(left_[n])) out = out * 10 + (left_[n++] - '0');
    if (n < least) return false;
    left_.remove_prefix(n);
    return true;
  }
  std::string_view left_;
};

bool valid_date(int year, int month, int day) {
  if (month < 1 || month > 12 || day < 1) return false;
  constexpr int kDays[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
  return day <= kDays[month - 1] + (month == 2 && leap ? 1 : 0);
}

}  // namespace

std::string timestamp_to_rfc3339(std::string_view text) {
  if (text.size() < 8 || text[4] != '-') return {};
  TimeReader in(text);
  int year = 0;
  int month = 0;
  int day = 0;
  if (!in.year(year) || !in.literal('-') || !in.field(month) || !in.literal('-') || !in.field(day)) return {};
  if (!valid_date(year, month, day)) return {};
  int hour = 0;
  int minute = 0;
  int second = 0;
  std::string fraction;
  std::string zone = "Z";
  if (!in.done()) {
    const char between = in.peek();
    if (between != 'T' && between != 't' && between != ' ') return {};
    in.skip();
    if (between == ' ') {
      while (in.peek() == ' ') in.skip();  // Go lets several spaces stand for one
    }
    if (!in.field(hour) || !in.literal(':') || !in.field(minute) || !in.literal(':') || !in.field(second)) return {};
    if (hour > 23 || minute > 59 || second > 59) return {};
    in.fraction(fraction);
    if (between != ' ' && !in.literal('Z')) {
      const char sign = in.peek();
      int zone_hour = 0;
      int zone_minute = 0;
      if (sign != '+' && sign != '-') return {};
      in.skip();
      if (!in.two(zone_hour) || !in.literal(':') || !in.two(zone_minute)) return {};
      if (zone_hour > 24 || zone_minute > 60) return {};
      const int total = zone_hour * 60 + zone_minute;
      char buffer[16];
      std::snprintf(buffer, sizeof buffer, "%c%02d:%02d", sign, total / 60 % 100, total % 60);
      if (total != 0) zone = buffer;
    }
    if (!in.done()) return {};
  }
  while (!fraction.empty() && fraction.back() == '0') fraction.pop_back();
  char buffer[80];
  std::snprintf(buffer, sizeof buffer, "%04d-%02d-%02dT%02d:%02d:%02d", year, month, day, hour, minute, second);
  std::string out = buffer;
  if (!fraction.empty()) out += "." + fraction;
  return out + zone;
}

std::string key_double(double value) {
  if (std::isnan(value)) return ".nan";
  if (std::isinf(value)) return value > 0 ? ".inf" : "-.inf";
  const auto narrow = static_cast<float>(value);
  if (std::isinf(narrow)) return narrow > 0 ? ".inf" : "-.inf";
  return format_general(narrow);
}

}  // namespace portcullis::yaml
