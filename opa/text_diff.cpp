// Myers' "An O(ND) Difference Algorithm" from both ends, with the shortcuts and the tidying that decide which of
// several shortest edits is shown.
#include "opa/text_diff.h"

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "base/text.h"

namespace portcullis::opa {
namespace {

using Text = std::u32string;
using TextView = std::u32string_view;

enum class Kind : std::uint8_t { kEqual, kDelete, kInsert };
struct Edit {
  Kind kind;
  Text text;
};
using Edits = std::vector<Edit>;

constexpr std::uint64_t kMaxSteps = 50'000'000;  // of the search for an overlap, in all

std::size_t common_prefix(TextView a, TextView b) {
  return static_cast<std::size_t>(std::mismatch(a.begin(), a.end(), b.begin(), b.end()).first - a.begin());
}

std::size_t common_suffix(TextView a, TextView b) {
  return static_cast<std::size_t>(std::mismatch(a.rbegin(), a.rend(), b.rbegin(), b.rend()).first - a.rbegin());
}

// First pass: neighbouring edits become one deletion and one insertion, what they have in common becomes equal.
Edits merge_runs(const Edits& edits) {
  Edits out;
  Text deleted, inserted;
  std::size_t deletions = 0, insertions = 0;
  const auto flush = [&](Text equal) {
    if (deletions != 0 && insertions != 0) {
      if (const std::size_t length = common_prefix(inserted, deleted); length != 0) {
        if (!out.empty()) {
          out.back().text += inserted.substr(0, length);
        } else {
          out.push_back({Kind::kEqual, inserted.substr(0, length)});
        }
        inserted.erase(0, length);
        deleted.erase(0, length);
      }
      if (const std::size_t length = common_suffix(inserted, deleted); length != 0) {
        equal.insert(0, inserted.substr(inserted.size() - length));
        inserted.resize(inserted.size() - length);
        deleted.resize(deleted.size() - length);
      }
    }
    // What became empty stays, and is shown as colours around nothing.
    if (deletions != 0) out.push_back({Kind::kDelete, std::exchange(deleted, {})});
    if (insertions != 0) out.push_back({Kind::kInsert, std::exchange(inserted, {})});
    deletions = insertions = 0;
    if (equal.empty()) return;
    if (!out.empty() && out.back().kind == Kind::kEqual) {
      out.back().text += equal;
    } else {
      out.push_back({Kind::kEqual, std::move(equal)});
    }
  };
  for (const Edit& edit : edits) {
    if (edit.kind == Kind::kEqual) {
      flush(edit.text);
      continue;
    }
    ++(edit.kind == Kind::kDelete ? deletions : insertions);
    (edit.kind == Kind::kDelete ? deleted : inserted) += edit.text;
  }
  flush({});
  return out;
}

// Second pass: an edit between two equal parts is moved sideways where that makes one of them go. True: something
// moved.
bool shift_edits(Edits& edits) {
  bool changed = false;
  for (std::size_t i = 1; i + 1 < edits.size(); ++i) {
    Edit& before = edits[i - 1];
    Edit& edit = edits[i];
    Edit& after = edits[i + 1];
    if (before.kind != Kind::kEqual || after.kind != Kind::kEqual) continue;
    if (TextView(edit.text).ends_with(before.text)) {
      edit.text.resize(edit.text.size() - before.text.size());
      edit.text.insert(0, before.text);
      after.text.insert(0, before.text);
      edits.erase(edits.begin() + static_cast<std::ptrdiff_t>(i) - 1);
      changed = true;
    } else if (TextView(edit.text).starts_with(after.text)) {
      before.text += after.text;
      edit.text.erase(0, after.text.size());
      edit.text += after.text;
      edits.erase(edits.begin() + static_cast<std::ptrdiff_t>(i) + 1);
      changed = true;
    }
  }
  return changed;
}

Edits merged(Edits edits) {
  do {
    edits = merge_runs(edits);
  } while (shift_edits(edits));
  return edits;
}

// A common part at least half as long as the longer text.
struct HalfMatch {
  TextView long_before, long_after, short_before, short_after, common;
};

bool half_match_at(TextView longer, TextView shorter, std::size_t at, HalfMatch& best) {
  const TextView seed = longer.substr(at, longer.size() / 4);
  best.common = {};
  for (std::size_t j = shorter.find(seed); j != TextView::npos; j = shorter.find(seed, j + 1)) {
    const std::size_t ahead = common_prefix(longer.substr(at), shorter.substr(j));
    const std::size_t behind = common_suffix(longer.substr(0, at), shorter.substr(0, j));
    if (best.common.size() >= ahead + behind) continue;
    best = {longer.substr(0, at - behind), longer.substr(at + ahead), shorter.substr(0, j - behind),
            shorter.substr(j + ahead), shorter.substr(j - behind, behind + ahead)};
  }
  return best.common.size() * 2 >= longer.size();
}

bool half_match(TextView longer, TextView shorter, HalfMatch& best) {
  if (longer.size() < 4 || shorter.size() * 2 < longer.size()) return false;
  HalfMatch second, third;
  const bool at_second = half_match_at(longer, shorter, (longer.size() + 3) / 4, second);
  const bool at_third = half_match_at(longer, shorter, (longer.size() + 1) / 2, third);
  if (!at_second && !at_third) return false;
  best = at_second && (!at_third || second.common.size() > third.common.size()) ? second : third;
  return true;
}

class Differ {
 public:
  Edits diff(TextView a, TextView b) {
    if (a == b) return a.empty() ? Edits{} : Edits{{Kind::kEqual, Text(a)}};
    const std::size_t prefix = common_prefix(a, b);
    const TextView head = a.substr(0, prefix);
    a.remove_prefix(prefix);
    b.remove_prefix(prefix);
    const std::size_t suffix = common_suffix(a, b);
    const TextView tail = a.substr(a.size() - suffix);
    a.remove_suffix(suffix);
    b.remove_suffix(suffix);
    Edits edits;
    if (!head.empty()) edits.push_back({Kind::kEqual, Text(head)});
    append(edits, middle(a, b));
    if (!tail.empty()) edits.push_back({Kind::kEqual, Text(tail)});
    return merged(std::move(edits));
  }

 private:
  static void append(Edits& to, Edits from) {
    to.insert(to.end(), std::make_move_iterator(from.begin()), std::make_move_iterator(from.end()));
  }
  static Edits replaced(TextView a, TextView b) { return {{Kind::kDelete, Text(a)}, {Kind::kInsert, Text(b)}}; }

  Edits middle(TextView a, TextView b) {
    if (a.empty()) return {{Kind::kInsert, Text(b)}};
    if (b.empty()) return {{Kind::kDelete, Text(a)}};
    const bool a_longer = a.size() > b.size();
    const TextView longer = a_longer ? a : b;
    const TextView shorter = a_longer ? b : a;
    if (const std::size_t at = longer.find(shorter); at != TextView::npos) {
      const Kind kind = a_longer ? Kind::kDelete : Kind::kInsert;
      return {{kind, Text(longer.substr(0, at))},
              {Kind::kEqual, Text(shorter)},
              {kind, Text(longer.substr(at + shorter.size()))}};
    }
    if (shorter.size() == 1) return replaced(a, b);
    if (HalfMatch half; half_match(longer, shorter, half)) {
      Edits edits = a_longer ? diff(half.long_before, half.short_before) : diff(half.short_before, half.long_before);
      edits.push_back({Kind::kEqual, Text(half.common)});
      append(edits, a_longer ? diff(half.long_after, half.short_after) : diff(half.short_after, half.long_after));
      return edits;
    }
    return bisect(a, b);
  }

  // One direction of the search: how far each diagonal reaches.
  struct Front {
    std::vector<std::ptrdiff_t> reach;
    std::ptrdiff_t begin = 0;  // diagonals that ran off the grid
    std::ptrdiff_t end = 0;
  };

  // Extends every diagonal of `front` by edit `d`. True: it met `other` at x, y.
  bool advance(TextView a, TextView b, std::ptrdiff_t d, bool reverse, bool look, Front& front, const Front& other,
               std::ptrdiff_t& x, std::ptrdiff_t& y) {
    const auto size_a = static_cast<std::ptrdiff_t>(a.size());
    const auto size_b = static_cast<std::ptrdiff_t>(b.size());
    const auto offset = static_cast<std::ptrdiff_t>(front.reach.size() / 2);
    const std::ptrdiff_t delta = size_a - size_b;
    const auto at = [](auto& reach, std::ptrdiff_t i) -> auto& { return reach[static_cast<std::size_t>(i)]; };
    for (std::ptrdiff_t k = -d + front.begin; k <= d - front.end; k += 2) {
      const std::ptrdiff_t i = offset + k;
      const bool down = k == -d || (k != d && at(front.reach, i - 1) < at(front.reach, i + 1));
      x = down ? at(front.reach, i + 1) : at(front.reach, i - 1) + 1;
      y = x - k;
      while (x < size_a && y < size_b) {
        const auto from_a = static_cast<std::size_t>(reverse ? size_a - x - 1 : x);
        const auto from_b = static_cast<std::size_t>(reverse ? size_b - y - 1 : y);
        if (a[from_a] != b[from_b]) break;
        ++x;
        ++y;
        ++steps_;
      }
      ++steps_;
      at(front.reach, i) = x;
      if (x > size_a) {
        front.end += 2;
      } else if (y > size_b) {
        front.begin += 2;
      } else if (look) {
        const std::ptrdiff_t j = offset + delta - k;
        if (j < 0 || j >= static_cast<std::ptrdiff_t>(other.reach.size()) || at(other.reach, j) == -1) continue;
        const std::ptrdiff_t reached = at(other.reach, j);
        if (x < size_a - reached) continue;
        if (reverse) {  // the place is the other's
          x = reached;
          y = offset + reached - j;
        }
        return true;
      }
    }
    return false;
  }

  Edits bisect(TextView a, TextView b) {
    const auto most = static_cast<std::ptrdiff_t>((a.size() + b.size() + 1) / 2);
    Front ahead, behind;
    ahead.reach.assign(static_cast<std::size_t>(2 * most), -1);
    ahead.reach[static_cast<std::size_t>(most) + 1] = 0;
    behind.reach = ahead.reach;
    const bool odd = (a.size() + b.size()) % 2 != 0;
    for (std::ptrdiff_t d = 0; d < most && steps_ < kMaxSteps; ++d) {
      std::ptrdiff_t x = 0, y = 0;
      if (advance(a, b, d, false, odd, ahead, behind, x, y) || advance(a, b, d, true, !odd, behind, ahead, x, y)) {
        const auto in_a = static_cast<std::size_t>(x), in_b = static_cast<std::size_t>(y);
        Edits edits = diff(a.substr(0, in_a), b.substr(0, in_b));
        append(edits, diff(a.substr(in_a), b.substr(in_b)));
        return edits;
      }
    }
    return replaced(a, b);
  }

  std::uint64_t steps_ = 0;
};

Text decoded(std::string_view text) {
  Text out;
  for (std::size_t i = 0; i < text.size();) {
    const text::Rune rune = text::decode_rune(text, i);
    out += rune.value;
    i += rune.size;
  }
  return out;
}

}  // namespace

std::string coloured_diff(std::string_view before, std::string_view after) {
  std::string out;
  for (const Edit& edit : Differ().diff(decoded(before), decoded(after))) {
    const std::string_view colour = edit.kind == Kind::kEqual    ? ""
                                    : edit.kind == Kind::kDelete ? "\x1b[31m"
                                                                 : "\x1b[32m";
    const std::string_view reset = edit.kind == Kind::kEqual ? "" : "\x1b[0m";
    out += colour;
    for (const char32_t c : edit.text) {
      if (c == U'\n') out += reset;
      text::append_rune(out, c);
      if (c == U'\n') out += colour;
    }
    out += reset;
  }
  return out;
}

}  // namespace portcullis::opa
