// regex.* over RE2, with Go's rules for what a list of matches, a split and a replacement are.
#include <re2/re2.h>

#include <algorithm>
#include <string>
#include <vector>

#include "base/text.h"
#include "engine/rego/builtins/common.h"
#include "engine/rego/builtins/families.h"
#include "engine/rego/builtins/globs_intersect.h"
#include "engine/rego/builtins/go_numbers.h"
#include "engine/rego/builtins/patterns.h"

namespace portcullis::rego::builtins {
namespace {

using Piece = re2::StringPiece;

std::string_view view(const Piece& piece) { return {piece.data(), piece.size()}; }

const re2::RE2* compiled(BuiltinContext& c, std::string_view pattern) {
  std::string error;
  const re2::RE2* out = patterns_of(c).regex(pattern, error);
  if (out == nullptr) c.fail(std::move(error));
  return out;
}

struct Match {
  Kept<Piece> kept;
  std::vector<Piece>& groups = *kept;  // [0] is the whole; an unmatched group has null data
  std::size_t begin = 0;
  std::size_t end = 0;
};

// Go's sequence of matches: leftmost, not overlapping, no empty one right after another. `visit` returns false to stop.
// False: out of budget.
template <typename Visit>
bool for_each_match(BuiltinContext& c, const re2::RE2& re, std::string_view text, int groups, Visit&& visit) {
  const Piece subject(text.data() == nullptr ? "" : text.data(), text.size());
  Match match;
  match.groups.resize(static_cast<std::size_t>(groups) + 1);
  std::size_t at = 0;
  std::size_t previous_end = std::string_view::npos;
  std::size_t steps = 0;
  while (at <= text.size()) {
    if ((++steps & 255u) == 0 && c.over_budget()) return false;
    if (!re.Match(subject, at, text.size(), re2::RE2::UNANCHORED, match.groups.data(), groups + 1)) break;
    match.begin = static_cast<std::size_t>(match.groups[0].data() - subject.data());
    match.end = match.begin + match.groups[0].size();
    bool accept = true;
    if (match.end == at) {
      accept = match.begin != previous_end;
      at += at < text.size() ? text::decode_rune(text, at).size : 1;
    } else {
      at = match.end;
    }
    previous_end = match.end;
    if (accept && !visit(match)) break;
  }
  return true;
}

Value is_valid(BuiltinContext& c, Args a) {
  if (!a[0].is_string()) return Value::boolean(false);
  std::string error;
  return Value::boolean(patterns_of(c).regex(a[0].as_string(), error) != nullptr);
}

struct PatternAndText {
  const re2::RE2* re;
  std::string_view text;
};

std::optional<PatternAndText> pattern_and_text(BuiltinContext& c, Args a) {
  const auto pattern = string_operand(c, a, 0);
  if (!pattern) return std::nullopt;
  const auto text = string_operand(c, a, 1);
  if (!text) return std::nullopt;
  const re2::RE2* re = compiled(c, *pattern);
  if (re == nullptr) return std::nullopt;
  return PatternAndText{re, *text};
}

Value match(BuiltinContext& c, Args a) {
  const auto in = pattern_and_text(c, a);
  if (!in) return {};
  const Piece subject(in->text.data(), in->text.size());
  return Value::boolean(in->re->Match(subject, 0, subject.size(), re2::RE2::UNANCHORED, nullptr, 0));
}

Value split(BuiltinContext& c, Args a) {
  const auto in = pattern_and_text(c, a);
  if (!in) return {};
  Kept<Value> kept;
  std::vector<Value>& out = *kept;
  if (in->text.empty() && !in->re->pattern().empty()) {
    out.push_back(a[1]);
    return make_array(c.arena, out);
  }
  std::size_t begin = 0;
  std::size_t end = 0;
  const bool finished = for_each_match(c, *in->re, in->text, 0, [&](const Match& found) {
    end = found.begin;
    if (found.end != 0) out.push_back(Value::string(in->text.substr(begin, end - begin)));
    begin = found.end;
    return true;
  });
  if (!finished) return {};
  if (end != in->text.size()) out.push_back(Value::string(in->text.substr(begin)));
  return make_array(c.arena, out);
}

// Arguments as pattern_and_text plus the count in the third.
std::optional<std::int64_t> match_limit(BuiltinContext& c, Args a) {
  if (!string_operand(c, a, 0) || !string_operand(c, a, 1)) return std::nullopt;
  return int_operand(c, a, 2);
}

Value find_n(BuiltinContext& c, Args a) {
  const auto limit = match_limit(c, a);
  if (!limit) return {};
  const auto in = pattern_and_text(c, a);
  if (!in) return {};
  Kept<Value> kept;
  std::vector<Value>& out = *kept;
  if (*limit != 0) {
    const bool finished = for_each_match(c, *in->re, in->text, 0, [&](const Match& found) {
      out.push_back(Value::string(in->text.substr(found.begin, found.end - found.begin)));
      return *limit < 0 || static_cast<std::int64_t>(out.size()) < *limit;
    });
    if (!finished) return {};
  }
  return make_array(c.arena, out);
}

Value find_all_submatches(BuiltinContext& c, Args a) {
  const auto limit = match_limit(c, a);
  if (!limit) return {};
  const auto in = pattern_and_text(c, a);
  if (!in) return {};
  Kept<Value> kept;
  std::vector<Value>& out = *kept;
  if (*limit != 0) {
    Kept<Value> kept_groups;
    std::vector<Value>& groups = *kept_groups;
    const int count = in->re->NumberOfCapturingGroups();
    const bool finished = for_each_match(c, *in->re, in->text, count, [&](const Match& found) {
      groups.clear();
      for (const Piece& piece : found.groups)
        groups.push_back(Value::string(piece.data() == nullptr ? "" : view(piece)));
      out.push_back(make_array(c.arena, groups));
      return *limit < 0 || static_cast<std::int64_t>(out.size()) < *limit;
    });
    if (!finished) return {};
  }
  return make_array(c.arena, out);
}

bool is_name_byte(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
         (static_cast<unsigned char>(c) & 0x80u) != 0;
}

// Go's Regexp.Expand: $1, ${1}, $name, $$. The longest run of letters, digits and _ is the name.
void expand(std::string& out, std::string_view text, const re2::RE2& re, const Match& match) {
  while (!text.empty()) {
    const std::size_t dollar = text.find('$');
    out += text.substr(0, dollar);
    if (dollar == std::string_view::npos) return;
    text.remove_prefix(dollar + 1);
    if (text.starts_with('$')) {
      out += '$';
      text.remove_prefix(1);
      continue;
    }
    const bool brace = text.starts_with('{');
    std::size_t end = brace ? 1 : 0;
    const std::size_t start = end;
    while (end < text.size() && is_name_byte(text[end])) ++end;
    if (end == start || (brace && (end >= text.size() || text[end] != '}'))) {
      out += '$';
      continue;
    }
    const std::string name(text.substr(start, end - start));
    text.remove_prefix(brace ? end + 1 : end);
    const bool digits = std::all_of(name.begin(), name.end(), [](char c) { return c >= '0' && c <= '9'; });
    std::size_t group = match.groups.size();
    if (digits && name.size() < 9 && (name.size() == 1 || name.front() != '0')) {
      group = static_cast<std::size_t>(std::stoul(name));
    } else if (!digits) {
      const auto& names = re.NamedCapturingGroups();
      const auto found = names.find(name);
      if (found != names.end()) group = static_cast<std::size_t>(found->second);
    }
    if (group < match.groups.size() && match.groups[group].data() != nullptr) out += view(match.groups[group]);
  }
}

Value replace(BuiltinContext& c, Args a) {
  const auto base = string_operand(c, a, 0);
  if (!base) return {};
  const auto pattern = string_operand(c, a, 1);
  if (!pattern) return {};
  const auto with = string_operand(c, a, 2);
  if (!with) return {};
  const re2::RE2* re = compiled(c, *pattern);
  if (re == nullptr) return {};
  std::string out;
  std::size_t from = 0;
  const bool finished = for_each_match(c, *re, *base, re->NumberOfCapturingGroups(), [&](const Match& found) {
    out += base->substr(from, found.begin - from);
    expand(out, *with, *re, found);
    from = found.end;
    return out.size() <= kMaxResultBytes;
  });
  if (!finished || out.size() > kMaxResultBytes) return out_of_budget(c, "regex.replace");
  out += base->substr(from);
  return text_or_argument(c, a[0], out);
}

// The text between the delimiters is an expression, the rest is literal.
std::optional<std::string> template_pattern(BuiltinContext& c, std::string_view text, char start, char end) {
  std::string out = "^";
  std::size_t literal = 0;
  std::size_t open = 0;
  int level = 0;
  const auto unbalanced = [&] {
    c.fail("unbalanced braces in " + go_quoted(text));
    return std::nullopt;
  };
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == start) {
      if (++level == 1) open = i;
    } else if (text[i] == end) {
      if (--level < 0) return unbalanced();
      if (level > 0) continue;
      const std::string inner(text.substr(open + 1, i - open - 1));
      const std::string_view raw = text.substr(literal, open - literal);
      if (compiled(c, "^" + inner + "$") == nullptr) return std::nullopt;
      out += re2::RE2::QuoteMeta(Piece(raw.data(), raw.size())) + "(" + inner + ")";
      literal = i + 1;
    }
  }
  if (level != 0) return unbalanced();
  const std::string_view raw = text.substr(literal);
  return out + re2::RE2::QuoteMeta(Piece(raw.data(), raw.size())) + "$";
}

Value template_match(BuiltinContext& c, Args a) {
  for (std::size_t i = 0; i < 4; ++i) {
    if (!string_operand(c, a, i)) return {};
  }
  const std::string_view start = a[2].as_string();
  const std::string_view end = a[3].as_string();
  if (start.size() != 1) {
    return c.fail("start delimiter has to be exactly one character long but is " + std::to_string(start.size()) +
                  " long");
  }
  if (end.size() != 1) {
    return c.fail("end delimiter has to be exactly one character long but is " + std::to_string(start.size()) +
                  " long");
  }
  const auto pattern = template_pattern(c, a[0].as_string(), start.front(), end.front());
  if (!pattern) return {};
  const re2::RE2* re = compiled(c, *pattern);
  if (re == nullptr) return {};
  const Piece subject(a[1].as_string().data(), a[1].as_string().size());
  return Value::boolean(re->Match(subject, 0, subject.size(), re2::RE2::UNANCHORED, nullptr, 0));
}

Value globs_match(BuiltinContext& c, Args a) {
  const auto left = string_operand(c, a, 0);
  if (!left) return {};
  const auto right = string_operand(c, a, 1);
  if (!right) return {};
  std::string error;
  const std::optional<bool> out = globs_intersect(*left, *right, error);
  return out ? Value::boolean(*out) : c.fail(std::move(error));
}

constexpr BuiltinDecl kTable[] = {
    {"regex.is_valid", {"string"}, "boolean", &is_valid},
    {"regex.match", {"string", "string"}, "boolean", &match},
    {"re_match", {"string", "string"}, "boolean", &match, kDeprecated},
    {"regex.split", {"string", "string"}, "array[string]", &split},
    {"regex.find_n", {"string", "string", "number"}, "array[string]", &find_n},
    {"regex.find_all_string_submatch_n", {"string", "string", "number"}, "array[array[string]]", &find_all_submatches},
    {"regex.replace", {"string", "string", "string"}, "string", &replace},
    {"regex.template_match", {"string", "string", "string", "string"}, "boolean", &template_match},
    {"regex.globs_match", {"string", "string"}, "boolean", &globs_match},
};

}  // namespace

std::span<const BuiltinDecl> regex_builtins() { return kTable; }

}  // namespace portcullis::rego::builtins
