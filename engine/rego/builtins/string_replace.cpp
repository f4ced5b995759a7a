#include "engine/rego/builtins/string_replace.h"

#include <array>
#include <cstdint>
#include <vector>

namespace portcullis::rego::builtins {
namespace {

constexpr std::size_t kCheckEvery = std::size_t{1} << 20;  // bytes compared

// Pairs by their first byte, so that most places cost one look-up.
struct Index {
  std::array<std::vector<std::uint32_t>, 256> by_first;
  const Replacement* empty = nullptr;

  explicit Index(std::span<const Replacement> pairs) {
    for (std::uint32_t i = 0; i < pairs.size(); ++i) {
      if (pairs[i].from.empty()) {
        if (empty == nullptr) empty = &pairs[i];
      } else {
        by_first[static_cast<unsigned char>(pairs[i].from.front())].push_back(i);
      }
    }
  }
};

bool replace_one(std::string_view text, const Replacement& pair, std::size_t limit, std::string& out) {
  std::size_t from = 0;
  for (std::size_t at = find_text(text, pair.from); at != std::string_view::npos;
       at = find_text(text, pair.from, from)) {
    out.append(text.substr(from, at - from));
    out.append(pair.to);
    if (out.size() > limit) return false;
    from = at + pair.from.size();
  }
  out.append(text.substr(from));
  return true;
}

}  // namespace

bool replace_all(BuiltinContext& context, std::string_view text, std::span<const Replacement> pairs, std::size_t limit,
                 std::string& out) {
  if (pairs.size() == 1 && !pairs.front().from.empty()) return replace_one(text, pairs.front(), limit, out);
  const Index index(pairs);
  // An empty pattern matches at every byte, once, before the others are tried there (it sorts first).
  bool after_empty = false;
  std::size_t compared = 0;
  for (std::size_t at = 0; at <= text.size();) {
    const Replacement* match = after_empty ? nullptr : index.empty;
    after_empty = match != nullptr;
    if (match == nullptr && at < text.size()) {
      for (const std::uint32_t i : index.by_first[static_cast<unsigned char>(text[at])]) {
        compared += pairs[i].from.size();
        if (text.substr(at).starts_with(pairs[i].from)) {
          match = &pairs[i];
          break;
        }
      }
    }
    if (match != nullptr) {
      out.append(match->to);
      at += match->from.size();
    } else {
      if (at < text.size()) out += text[at];
      ++at;
    }
    if (out.size() > limit) return false;
    if (compared > kCheckEvery) {
      compared = 0;
      if (context.over_budget()) return false;
    }
  }
  return true;
}

}  // namespace portcullis::rego::builtins
