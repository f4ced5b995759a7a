// Go's flag syntax, its errors and its usage text.
#include "cmd/go_flags.h"

#include <charconv>
#include <cmath>
#include <limits>
#include <optional>

#include "base/go_duration.h"
#include "base/text.h"

namespace portcullis::cmd {

namespace {

std::optional<bool> parse_bool(std::string_view text) {
  for (const std::string_view yes : {"1", "t", "T", "true", "TRUE", "True"}) {
    if (text == yes) return true;
  }
  for (const std::string_view no : {"0", "f", "F", "false", "FALSE", "False"}) {
    if (text == no) return false;
  }
  return std::nullopt;
}

// Base 10, 0x, 0o and 0b with an optional sign, as strconv.ParseInt(s, 0, 64).
std::optional<std::int64_t> parse_int(std::string_view text) {
  bool negative = false;
  if (!text.empty() && (text[0] == '-' || text[0] == '+')) {
    negative = text[0] == '-';
    text.remove_prefix(1);
  }
  int base = 10;
  if (text.size() > 2 && text[0] == '0') {
    const char mark = static_cast<char>(text[1] | 0x20);
    if (mark == 'x')
      base = 16;
    else if (mark == 'o')
      base = 8;
    else if (mark == 'b')
      base = 2;
    if (base != 10) text.remove_prefix(2);
  }
  std::int64_t value = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (code != std::errc{} || end != text.data() + text.size() || text.empty() || text[0] == '-') return std::nullopt;
  return negative ? -value : value;
}

std::string invalid_value(std::string_view kind, const std::string& value, const std::string& name) {
  return "invalid " + std::string(kind) + " " + text::go_quote(value) + " for flag -" + name + ": parse error";
}

std::string_view type_name(std::size_t index) {
  constexpr std::string_view kNames[] = {"", "int", "string", "duration", "value", "value"};
  return kNames[index];
}

}  // namespace

void GoFlags::insert(std::string name, Target target, std::string usage, std::string default_text) {
  flags_.insert_or_assign(std::move(name), Flag{target, std::move(usage), std::move(default_text), section_});
}

void GoFlags::add(std::string name, bool& target, std::string usage) {
  insert(std::move(name), &target, std::move(usage), target ? "true" : "");
}
void GoFlags::add(std::string name, std::int64_t& target, std::string usage) {
  insert(std::move(name), &target, std::move(usage), target == 0 ? "" : std::to_string(target));
}
void GoFlags::add(std::string name, std::string& target, std::string usage) {
  insert(std::move(name), &target, std::move(usage), target.empty() ? "" : text::go_quote(target));
}
void GoFlags::add(std::string name, std::chrono::nanoseconds& target, std::string usage) {
  insert(std::move(name), &target, std::move(usage), target.count() == 0 ? "" : go_duration(target));
}
void GoFlags::add(std::string name, std::vector<std::string>& target, std::string usage) {
  insert(std::move(name), &target, std::move(usage), target.empty() ? "" : text::join(target, ","));
}
void GoFlags::add_ignored(std::string name, bool boolean, std::string usage) {
  insert(std::move(name), Ignored{boolean}, std::move(usage), "");
}

Result<void> GoFlags::assign(const std::string& name, Flag& flag, const std::string& value, bool has_value) {
  if (auto* const* target = std::get_if<bool*>(&flag.target)) {
    const std::optional<bool> parsed = has_value ? parse_bool(value) : true;
    if (!parsed) {
      return make_error(Code::kInvalid,
                        "invalid boolean value " + text::go_quote(value) + " for -" + name + ": parse error");
    }
    **target = *parsed;
  } else if (auto* const* number = std::get_if<std::int64_t*>(&flag.target)) {
    const std::optional<std::int64_t> parsed = parse_int(value);
    if (!parsed) return make_error(Code::kInvalid, invalid_value("value", value, name));
    **number = *parsed;
  } else if (auto* const* string = std::get_if<std::string*>(&flag.target)) {
    **string = value;
  } else if (auto* const* span = std::get_if<std::chrono::nanoseconds*>(&flag.target)) {
    const std::optional<std::chrono::nanoseconds> parsed = parse_go_duration(value);
    if (!parsed) return make_error(Code::kInvalid, invalid_value("value", value, name));
    **span = *parsed;
  } else if (auto* const* list = std::get_if<std::vector<std::string>*>(&flag.target)) {
    if (!flag.given) (*list)->clear();
    (*list)->push_back(value);
  }
  flag.given = true;
  return ok();
}

Result<GoFlags::Parsed> GoFlags::parse(const std::vector<std::string>& arguments) {
  Parsed parsed;
  std::size_t i = 0;
  for (; i < arguments.size(); ++i) {
    std::string_view argument = arguments[i];
    if (argument.size() < 2 || argument[0] != '-') break;
    argument.remove_prefix(argument[1] == '-' ? 2 : 1);
    if (argument.empty()) {  // "--"
      ++i;
      break;
    }
    if (argument[0] == '-' || argument[0] == '=') {
      return make_error(Code::kInvalid, "bad flag syntax: " + arguments[i]);
    }
    const std::size_t equals = argument.find('=');
    const std::string name(argument.substr(0, equals));
    bool has_value = equals != std::string_view::npos;
    std::string value = has_value ? std::string(argument.substr(equals + 1)) : std::string();
    const auto found = flags_.find(name);
    if (found == flags_.end()) {
      if (name == "h" || name == "help") {
        parsed.help = true;
        return parsed;
      }
      return make_error(Code::kInvalid, "flag provided but not defined: -" + name);
    }
    Flag& flag = found->second;
    const auto* ignored = std::get_if<Ignored>(&flag.target);
    const bool boolean = std::holds_alternative<bool*>(flag.target) || (ignored != nullptr && ignored->boolean);
    if (!has_value && !boolean) {
      if (i + 1 == arguments.size()) return make_error(Code::kInvalid, "flag needs an argument: -" + name);
      value = arguments[++i];
      has_value = true;
    }
    PC_TRY_VOID(assign(name, flag, value, has_value));
  }
  parsed.arguments.assign(arguments.begin() + static_cast<std::ptrdiff_t>(i), arguments.end());
  return parsed;
}

bool GoFlags::given(std::string_view name) const {
  const auto found = flags_.find(name);
  return found != flags_.end() && found->second.given;
}

std::vector<GoFlags::Listed> GoFlags::list() const {
  constexpr std::string_view kTypes[] = {"bool", "int", "string", "duration", "list", ""};
  std::vector<Listed> out;
  for (const auto& [name, flag] : flags_) {
    out.push_back({flag.section, name, std::string(kTypes[flag.target.index()]), flag.default_text, flag.usage});
  }
  return out;
}

std::string GoFlags::usage() const {
  std::string out = "Usage of " + program_ + ":\n";
  for (const auto& [name, flag] : flags_) {
    out += "  -" + name;
    const std::string_view type = type_name(flag.target.index());
    if (!type.empty()) out += " " + std::string(type);
    out += "\n    \t" + flag.usage;
    if (!flag.default_text.empty()) out += " (default " + flag.default_text + ")";
    out += "\n";
  }
  return out;
}

}  // namespace portcullis::cmd
