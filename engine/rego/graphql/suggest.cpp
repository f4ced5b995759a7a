#include "engine/rego/graphql/suggest.h"

#include <algorithm>

#include "base/text.h"

namespace portcullis::graphql {
namespace {

std::u32string lower_runes(std::string_view text) {
  std::u32string out;
  for (std::size_t at = 0; at < text.size();) {
    const text::Rune rune = text::decode_rune(text, at);
    at += rune.size;
    out += rune.value >= 'A' && rune.value <= 'Z' ? rune.value + 32 : rune.value;
  }
  return out;
}

// Insertions, deletions and substitutions; a difference in case alone is one.
std::size_t distance(std::string_view a, std::string_view b) {
  if (a == b) return 0;
  const std::u32string x = lower_runes(a);
  const std::u32string y = lower_runes(b);
  if (x == y) return 1;
  std::vector<std::size_t> row(y.size() + 1);
  for (std::size_t j = 0; j <= y.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= x.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= y.size(); ++j) {
      const std::size_t above = row[j];
      row[j] = std::min({above + 1, row[j - 1] + 1, diagonal + (x[i - 1] == y[j - 1] ? 0 : 1)});
      diagonal = above;
    }
  }
  return row[y.size()];
}

}  // namespace

std::vector<std::string_view> similar(Budget& budget, std::string_view name,
                                      const std::vector<std::string_view>& options) {
  // ⌊0.4 n⌋ + 1, as a double computes it.
  const auto threshold = static_cast<std::size_t>(static_cast<double>(name.size()) * 0.4) + 1;
  std::vector<std::pair<std::size_t, std::string_view>> found;
  for (const std::string_view option : options) {
    if (!budget.spend(1 + name.size() * option.size() / 16)) break;
    const std::size_t far = distance(name, option);
    if (far <= threshold) found.emplace_back(far, option);
  }
  std::stable_sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<std::string_view> out;
  for (const auto& [far, option] : found) out.push_back(option);
  return out;
}

std::string or_list(const std::vector<std::string_view>& items, bool quoted) {
  const std::size_t count = std::min<std::size_t>(items.size(), 5);
  std::string out;
  for (std::size_t i = 0; i < count; ++i) {
    if (i != 0 && count > 2) out += ",";
    if (i != 0) out += i + 1 == count ? " or " : " ";
    if (quoted) out += '"';
    out += items[i];
    if (quoted) out += '"';
  }
  return out;
}

}  // namespace portcullis::graphql
