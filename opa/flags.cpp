#include "opa/flags.h"

#include <utility>

namespace portcullis::opa {
namespace {

std::string parse_switch(std::string_view text, bool* value) {
  for (const std::string_view yes : {"true", "1", "t", "T", "TRUE", "True"}) {
    if (text == yes) {
      *value = true;
      return {};
    }
  }
  for (const std::string_view no : {"false", "0", "f", "F", "FALSE", "False"}) {
    if (text == no) {
      *value = false;
      return {};
    }
  }
  return "strconv.ParseBool: parsing \"" + std::string(text) + "\": invalid syntax";
}

}  // namespace

void Flags::add_switch(std::string name, char short_name, bool* value) {
  flags_.push_back(
      {std::move(name), short_name, true, false, [value](std::string_view text) { return parse_switch(text, value); }});
}

void Flags::add_text(std::string name, char short_name, std::string* value) {
  add(std::move(name), short_name, [value](std::string_view text) {
    *value = text;
    return std::string();
  });
}

void Flags::add_texts(std::string name, char short_name, std::vector<std::string>* values) {
  add(std::move(name), short_name, [values](std::string_view text) {
    values->emplace_back(text);
    return std::string();
  });
}

void Flags::add(std::string name, char short_name, Setter setter) {
  flags_.push_back({std::move(name), short_name, false, false, std::move(setter)});
}

void Flags::add_missing(std::string name, char short_name) {
  flags_.push_back({std::move(name), short_name, false, true, {}});
}

const Flags::Flag* Flags::find(std::string_view name) const {
  for (const Flag& flag : flags_) {
    if (flag.name == name) return &flag;
  }
  return nullptr;
}

const Flags::Flag* Flags::find(char short_name) const {
  for (const Flag& flag : flags_) {
    if (short_name != 0 && flag.short_name == short_name) return &flag;
  }
  return nullptr;
}

Result<void> Flags::assign(const Flag& flag, std::string_view value) {
  const std::string problem = flag.set(value);
  if (problem.empty()) return ok();
  const std::string shown =
      flag.short_name != 0 ? std::string("-") + flag.short_name + ", --" + flag.name : "--" + flag.name;
  return make_error(Code::kInvalid,
                    "invalid argument \"" + std::string(value) + "\" for \"" + shown + "\" flag: " + problem);
}

Result<void> Flags::parse_long(std::span<const std::string_view> args, std::size_t& at) const {
  std::string_view text = args[at].substr(2);
  const std::size_t equals = text.find('=');
  const std::string_view name = text.substr(0, equals);
  const Flag* flag = find(name);
  if (flag == nullptr) return make_error(Code::kInvalid, "unknown flag: --" + std::string(name));
  if (flag->missing) return make_error(Code::kUnsupported, "the flag --" + flag->name + " is not supported");
  if (equals != std::string_view::npos) return assign(*flag, text.substr(equals + 1));
  if (flag->is_switch) return assign(*flag, "true");
  if (at + 1 >= args.size()) return make_error(Code::kInvalid, "flag needs an argument: --" + flag->name);
  return assign(*flag, args[++at]);
}

// -i x, -ix, -i=x, and switches in one word: -SI.
Result<void> Flags::parse_short(std::span<const std::string_view> args, std::size_t& at) const {
  const std::string_view whole = args[at].substr(1);
  std::string_view text = whole;
  while (!text.empty()) {
    const Flag* flag = find(text.front());
    if (flag == nullptr) {
      return make_error(Code::kInvalid,
                        "unknown shorthand flag: '" + std::string(text.substr(0, 1)) + "' in -" + std::string(whole));
    }
    if (flag->missing) {
      return make_error(Code::kUnsupported,
                        "the flag -" + std::string(1, flag->short_name) + ", --" + flag->name + " is not supported");
    }
    const std::string_view rest = text.substr(1);
    if (rest.starts_with('=')) return assign(*flag, rest.substr(1));
    if (flag->is_switch) {
      PC_TRY_VOID(assign(*flag, "true"));
      text = rest;
      continue;
    }
    if (!rest.empty()) return assign(*flag, rest);
    if (at + 1 >= args.size()) {
      return make_error(Code::kInvalid,
                        "flag needs an argument: '" + std::string(text.substr(0, 1)) + "' in -" + std::string(whole));
    }
    return assign(*flag, args[++at]);
  }
  return ok();
}

Result<std::vector<std::string>> Flags::parse(std::span<const std::string_view> args) const {
  std::vector<std::string> rest;
  for (std::size_t at = 0; at < args.size(); ++at) {
    const std::string_view arg = args[at];
    if (arg == "--") {
      rest.insert(rest.end(), args.begin() + static_cast<std::ptrdiff_t>(at) + 1, args.end());
      break;
    }
    if (arg.size() < 2 || arg.front() != '-') {
      rest.emplace_back(arg);
    } else if (arg[1] == '-') {
      PC_TRY_VOID(parse_long(args, at));
    } else {
      PC_TRY_VOID(parse_short(args, at));
    }
  }
  return rest;
}

}  // namespace portcullis::opa
