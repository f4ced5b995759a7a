#include "engine/rego/builtins/globs_intersect.h"

#include <algorithm>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "base/text.h"

namespace portcullis::rego::builtins {
namespace {

constexpr std::size_t kMaxTokens = 2000;

enum class Repeat : std::uint8_t { kOnce, kPlus, kStar };

struct Token {
  bool any = false;
  std::vector<std::pair<char32_t, char32_t>> ranges;  // sorted, merged
  Repeat repeat = Repeat::kOnce;
};

void normalise(Token& token) {
  std::sort(token.ranges.begin(), token.ranges.end());
  std::vector<std::pair<char32_t, char32_t>> merged;
  for (const auto& range : token.ranges) {
    if (!merged.empty() && range.first <= merged.back().second + 1) {
      merged.back().second = std::max(merged.back().second, range.second);
    } else {
      merged.push_back(range);
    }
  }
  token.ranges = std::move(merged);
}

bool tokens_meet(const Token& a, const Token& b) {
  if (a.any || b.any) return true;
  for (const auto& x : a.ranges) {
    for (const auto& y : b.ranges) {
      if (x.first <= y.second && y.first <= x.second) return true;
    }
  }
  return false;
}

class Tokenizer {
 public:
  explicit Tokenizer(std::string_view text) : text_(text) {
    for (std::size_t at = 0; at < text.size();) {
      const text::Rune rune = text::decode_rune(text, at);
      runes_.push_back(rune.value);
      at += rune.size;
    }
  }

  bool run(std::vector<Token>& out) {
    while (at_ < runes_.size()) {
      Token token;
      if (!token_body(token)) return false;
      if (at_ < runes_.size() && (runes_[at_] == '+' || runes_[at_] == '*')) {
        token.repeat = runes_[at_++] == '+' ? Repeat::kPlus : Repeat::kStar;
      }
      add(out, std::move(token));
      if (out.size() > kMaxTokens) return fail("the input is too long");
    }
    return true;
  }

  std::string error;

 private:
  bool fail(const std::string& what) {
    error = "input:" + std::string(text_) + ", pos:" + std::to_string(at_) + ", " + what +
            ": the input provided is invalid";
    return false;
  }

  // x*x+ and its like become one token.
  static void add(std::vector<Token>& out, Token token) {
    if (!out.empty() && token.repeat != Repeat::kOnce && out.back().repeat != Repeat::kOnce &&
        token.any == out.back().any && token.ranges == out.back().ranges) {
      if (token.repeat == Repeat::kPlus) out.back().repeat = Repeat::kPlus;
      return;
    }
    out.push_back(std::move(token));
  }

  // The next rune; `escaped` when a backslash stood before it.
  bool next(char32_t& rune, bool& escaped) {
    escaped = runes_[at_] == '\\';
    if (escaped && ++at_ >= runes_.size()) {
      --at_;
      return fail("input ends with a \\ (escape) character");
    }
    rune = runes_[at_++];
    return true;
  }

  bool token_body(Token& token) {
    char32_t rune = 0;
    bool escaped = false;
    if (!next(rune, escaped)) return false;
    if (!escaped) {
      if (rune == '.') {
        token.any = true;
        return true;
      }
      if (rune == '[') return set(token);
      if (rune == ']') return fail("set-close ']' with no preceding '['");
      if (rune == '+' || rune == '*') {
        return fail("flag '" + std::string(1, static_cast<char>(rune)) + "' must be preceded by a non-flag");
      }
    }
    token.ranges.emplace_back(rune, rune);
    return true;
  }

  bool set(Token& token) {
    std::optional<char32_t> previous;
    while (at_ < runes_.size()) {
      char32_t rune = 0;
      bool escaped = false;
      if (!next(rune, escaped)) return false;
      if (!escaped && rune == ']') {
        normalise(token);
        return true;
      }
      if (escaped || rune != '-') {
        token.ranges.emplace_back(rune, rune);
        previous = rune;
        continue;
      }
      if (!previous) return fail("range character '-' must be preceded by a Unicode character");
      if (at_ + 1 >= runes_.size()) return fail("range character '-' must be followed by a Unicode character");
      char32_t high = 0;
      if (!next(high, escaped)) return false;
      if (!escaped && (high == ']' || high == '-')) {
        return fail("range character '-' cannot be followed by a special symbol");
      }
      if (high < *previous) return fail("range is out of order");
      token.ranges.emplace_back(*previous, high);
      previous.reset();
    }
    return fail("found [ without matching ]");
  }

  std::string_view text_;
  std::vector<char32_t> runes_;
  std::size_t at_ = 0;
};

using Tokens = std::span<const Token>;

// The library that OPA uses walks both expressions with backtracking. The same steps here, with what is known about a
// pair of positions remembered, so that it ends in quadratic time.
class Walk {
 public:
  Walk(Tokens a, Tokens b)
      : sides_{a, b}, known_(2 * (a.size() + 1) * (b.size() + 1), kUnknown), stride_(b.size() + 1) {}

  // `first` says which side stands first (0 or 1); i and j are positions in that side and the other.
  bool normal(int first, std::size_t i, std::size_t j) {
    std::uint8_t& memory = known_[slot(first, i, j)];
    if (memory != kUnknown) return memory == kYes;
    memory = kNo;
    const bool out = compute(first, i, j);
    known_[slot(first, i, j)] = out ? kYes : kNo;
    return out;
  }

 private:
  static constexpr std::uint8_t kUnknown = 0;
  static constexpr std::uint8_t kYes = 1;
  static constexpr std::uint8_t kNo = 2;

  std::size_t slot(int first, std::size_t i, std::size_t j) const {
    const std::size_t a = first == 0 ? i : j;
    const std::size_t b = first == 0 ? j : i;
    return 2 * (a * stride_ + b) + static_cast<std::size_t>(first);
  }
  const Token& at(int side, std::size_t i) const { return sides_[side][i]; }
  std::size_t size(int side) const { return sides_[side].size(); }

  bool compute(int first, std::size_t i, std::size_t j) {
    const int second = 1 - first;
    while (i < size(first) && j < size(second)) {
      if (at(first, i).repeat != Repeat::kOnce) return repeated(first, i, j);
      if (at(second, j).repeat != Repeat::kOnce) return repeated(second, j, i);
      if (!tokens_meet(at(first, i), at(second, j))) return false;
      ++i;
      ++j;
    }
    return i == size(first) && j == size(second);
  }

  bool repeated(int side, std::size_t i, std::size_t j) {
    return at(side, i).repeat == Repeat::kPlus ? plus(side, i, j) : star(side, i, j);
  }

  bool plus(int side, std::size_t i, std::size_t j) {
    const int other = 1 - side;
    if (!tokens_meet(at(side, i), at(other, j))) return false;
    if (star(side, i, j + 1)) return true;
    return at(other, j).repeat != Repeat::kOnce && normal(side, i + 1, j);
  }

  bool star(int side, std::size_t i, std::size_t j) {
    const int other = 1 - side;
    const bool has_next = i + 1 < size(side);
    for (; j < size(other); ++j) {
      if (has_next && tokens_meet(at(other, j), at(side, i + 1)) && normal(side, i + 1, j)) return true;
      if (!tokens_meet(at(other, j), at(side, i))) return false;
    }
    return !has_next;
  }

  Tokens sides_[2];
  std::vector<std::uint8_t> known_;
  std::size_t stride_;
};

// Cuts equal plain ends off. False: they differ there.
bool trim(Tokens& a, Tokens& b) {
  const auto plain = [](const Token& token) { return token.repeat == Repeat::kOnce; };
  std::size_t left = 0;
  while (left < a.size() && left < b.size() && plain(a[left]) && plain(b[left])) {
    if (!tokens_meet(a[left], b[left])) return false;
    ++left;
  }
  if (left > 0) --left;
  std::size_t end_a = a.size();
  std::size_t end_b = b.size();
  while (end_a > left && end_b > left && plain(a[end_a - 1]) && plain(b[end_b - 1])) {
    if (!tokens_meet(a[end_a - 1], b[end_b - 1])) return false;
    --end_a;
    --end_b;
  }
  if (end_a < a.size()) {
    ++end_a;
    ++end_b;
  }
  a = a.subspan(left, end_a - left);
  b = b.subspan(left, end_b - left);
  return true;
}

}  // namespace

std::optional<bool> globs_intersect(std::string_view left, std::string_view right, std::string& error) {
  std::vector<Token> sides[2];
  for (int i = 0; i < 2; ++i) {
    Tokenizer tokenizer(i == 0 ? left : right);
    if (!tokenizer.run(sides[i])) {
      error = std::move(tokenizer.error);
      return std::nullopt;
    }
  }
  Tokens a = sides[0];
  Tokens b = sides[1];
  if (!trim(a, b)) return false;
  return Walk(a, b).normal(0, 0, 0);
}

}  // namespace portcullis::rego::builtins
