#include "gator/flags.h"

#include <algorithm>
#include <iterator>

#include "base/text.h"

namespace portcullis::gator {
namespace {

Error invalid(std::string message) { return make_error(Code::kInvalid, std::move(message)); }

}  // namespace

void FlagSet::add(std::string_view name, char short_name, bool* value) {
  flags_.push_back({std::string(name), short_name, value, nullptr, nullptr});
}
void FlagSet::add(std::string_view name, char short_name, std::string* value) {
  flags_.push_back({std::string(name), short_name, nullptr, value, nullptr});
}
void FlagSet::add(std::string_view name, char short_name, std::vector<std::string>* values) {
  flags_.push_back({std::string(name), short_name, nullptr, nullptr, values});
}

const FlagSet::Flag* FlagSet::find(std::string_view name) const {
  const auto found = std::find_if(flags_.begin(), flags_.end(), [&](const Flag& flag) { return flag.name == name; });
  return found == flags_.end() ? nullptr : &*found;
}

const FlagSet::Flag* FlagSet::find(char short_name) const {
  const auto found =
      std::find_if(flags_.begin(), flags_.end(), [&](const Flag& flag) { return flag.short_name == short_name; });
  return found == flags_.end() ? nullptr : &*found;
}

Result<void> FlagSet::set(const Flag& flag, std::string_view value) {
  if (flag.text != nullptr) {
    *flag.text = std::string(value);
    return ok();
  }
  if (flag.texts != nullptr) {
    flag.texts->emplace_back(value);
    return ok();
  }
  static constexpr std::string_view kTrue[] = {"1", "t", "T", "TRUE", "true", "True"};
  static constexpr std::string_view kFalse[] = {"0", "f", "F", "FALSE", "false", "False"};
  if (std::find(std::begin(kTrue), std::end(kTrue), value) != std::end(kTrue)) {
    *flag.boolean = true;
    return ok();
  }
  if (std::find(std::begin(kFalse), std::end(kFalse), value) != std::end(kFalse)) {
    *flag.boolean = false;
    return ok();
  }
  const std::string names =
      flag.short_name != 0 ? std::string("-") + flag.short_name + ", --" + flag.name : "--" + flag.name;
  const std::string quoted = text::go_quote(value);
  return invalid("invalid argument " + quoted + " for " + text::go_quote(names) + " flag: strconv.ParseBool: parsing " +
                 quoted + ": invalid syntax");
}

Result<void> FlagSet::parse_long(std::span<const std::string_view> args, std::size_t& at) const {
  const std::string_view whole = args[at];
  const std::string_view body = whole.substr(2);
  if (body.empty() || body.front() == '-' || body.front() == '=') {
    return invalid("bad flag syntax: " + std::string(whole));
  }
  const std::size_t equals = body.find('=');
  const std::string_view name = body.substr(0, equals);
  const Flag* flag = find(name);
  if (flag == nullptr) return invalid("unknown flag: --" + std::string(name));
  if (equals != std::string_view::npos) return set(*flag, body.substr(equals + 1));
  if (flag->boolean != nullptr) return set(*flag, "true");
  if (at + 1 >= args.size()) return invalid("flag needs an argument: --" + std::string(name));
  return set(*flag, args[++at]);
}

Result<void> FlagSet::parse_short(std::span<const std::string_view> args, std::size_t& at) const {
  std::string_view rest = args[at].substr(1);
  while (!rest.empty()) {
    const char name = rest.front();
    const Flag* flag = find(name);
    if (flag == nullptr) {
      return invalid(std::string("unknown shorthand flag: '") + name + "' in -" + std::string(rest));
    }
    if (rest.size() > 2 && rest[1] == '=') return set(*flag, rest.substr(2));
    if (flag->boolean != nullptr) {
      PC_TRY_VOID(set(*flag, "true"));
      rest.remove_prefix(1);
      continue;
    }
    if (rest.size() > 1) return set(*flag, rest.substr(1));
    if (at + 1 >= args.size()) {
      return invalid(std::string("flag needs an argument: '") + name + "' in -" + std::string(rest));
    }
    return set(*flag, args[++at]);
  }
  return ok();
}

Result<std::vector<std::string>> FlagSet::parse(std::span<const std::string_view> args) const {
  std::vector<std::string> positional;
  for (std::size_t at = 0; at < args.size(); ++at) {
    const std::string_view arg = args[at];
    if (arg.size() < 2 || arg.front() != '-') {
      positional.emplace_back(arg);
    } else if (arg == "--") {
      for (++at; at < args.size(); ++at) positional.emplace_back(args[at]);
    } else if (arg[1] == '-') {
      PC_TRY_VOID(parse_long(args, at));
    } else {
      PC_TRY_VOID(parse_short(args, at));
    }
  }
  return positional;
}

}  // namespace portcullis::gator
