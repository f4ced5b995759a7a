// CA bundles: what is in one, what should be.
#include "controller/certificate/trust.h"

#include <algorithm>

#include "base/text.h"
#include "engine/value/json.h"
#include "net/certificates.h"

namespace portcullis::controller {

namespace {

constexpr std::string_view kBegin = "-----BEGIN CERTIFICATE-----";
constexpr std::string_view kEnd = "-----END CERTIFICATE-----";
constexpr std::size_t kMaxBundle = 1u << 20;

std::string bundle_of(const Value& webhook) {
  return text::base64_decode(webhook.get("clientConfig").string_or("caBundle")).value_or("");
}

bool contains(const std::vector<std::string>& list, const std::string& item) {
  return std::find(list.begin(), list.end(), item) != list.end();
}

// One form for equal certificates, however their lines end.
std::string normal(std::string_view block) {
  std::string out;
  for (const std::string_view line : text::split(block, '\n')) {
    const std::string_view trimmed = text::trim(line);
    if (trimmed.empty()) continue;
    out += trimmed;
    out += '\n';
  }
  return out;
}

}  // namespace

std::vector<std::string> bundle_certificates(std::string_view pem) {
  std::vector<std::string> blocks;
  if (pem.size() > kMaxBundle) return blocks;
  for (std::size_t at = pem.find(kBegin); at != std::string_view::npos; at = pem.find(kBegin, at)) {
    const std::size_t end = pem.find(kEnd, at);
    if (end == std::string_view::npos) break;
    std::string block = normal(pem.substr(at, end + kEnd.size() - at));
    at = end + kEnd.size();
    if (net::inspect_certificate(block).ok() && !contains(blocks, block)) blocks.push_back(std::move(block));
  }
  return blocks;
}

void TrustKeeper::use(const std::string& authority_pem, std::int64_t now) {
  const std::vector<std::string> blocks = bundle_certificates(authority_pem);
  const std::string next = blocks.empty() ? std::string() : blocks.front();
  if (next == current_) return;
  if (!current_.empty()) old_[current_] = {now, true};
  old_.erase(next);
  current_ = next;
}

std::string TrustKeeper::wanted_bundle(std::string_view present_pem, std::int64_t now) {
  const std::vector<std::string> present = bundle_certificates(present_pem);
  for (const std::string& block : present) {
    if (!contains(seen_, block)) seen_.push_back(block);
    if (block != current_) old_.try_emplace(block, Old{now, false});
  }
  std::vector<std::pair<std::int64_t, std::string>> kept;
  for (const auto& [block, old] : old_) {
    const bool wanted = old.needed || contains(present, block);
    if (wanted && now - old.since < kKeepOldTrust) kept.emplace_back(-old.since, block);
  }
  std::sort(kept.begin(), kept.end());  // the latest out of use first
  if (kept.size() > kMaxTrustedAuthorities - 1) kept.resize(kMaxTrustedAuthorities - 1);
  std::string bundle = current_;
  bool same = contains(present, current_) && present.size() == kept.size() + 1;
  for (const auto& [since, block] : kept) {
    same = same && contains(present, block);
    bundle += block;
  }
  return same ? std::string() : bundle;
}

void TrustKeeper::end_round(std::int64_t now) {
  for (auto entry = old_.begin(); entry != old_.end();) {
    const bool expired = now - entry->second.since >= kKeepOldTrust;
    // What is still in a bundle keeps its date, or it would begin its time anew.
    const bool forget = !contains(seen_, entry->first) && (expired || !entry->second.needed);
    entry = forget ? old_.erase(entry) : std::next(entry);
  }
  while (old_.size() > 4 * kMaxTrustedAuthorities) {
    old_.erase(std::min_element(old_.begin(), old_.end(),
                                [](const auto& a, const auto& b) { return a.second.since < b.second.since; }));
  }
}

TrustState trust_state(const Value& configuration, std::string_view authority_pem) {
  const std::string authority = normal(authority_pem);
  TrustState state;
  for (const Value& webhook : configuration.get("webhooks").elements()) {
    const std::vector<std::string> present = bundle_certificates(bundle_of(webhook));
    const bool trusts = contains(present, authority);
    state.all_trust = state.all_trust && trusts;
    state.others_trusted = state.others_trusted || present.size() > (trusts ? 1u : 0u);
  }
  return state;
}

std::string plan_injection(const Value& configuration, TrustKeeper& keeper, std::int64_t now) {
  Arena arena;
  const Value bundle_key = make_string(arena, "caBundle");
  const Value config_key = make_string(arena, "clientConfig");
  std::vector<Value> webhooks;
  bool changed = false;
  for (const Value& webhook : configuration.get("webhooks").elements()) {
    const std::string bundle = keeper.wanted_bundle(bundle_of(webhook), now);
    if (bundle.empty()) {
      webhooks.push_back(webhook);
      continue;
    }
    changed = true;
    const Value encoded = make_string(arena, text::base64_encode(bundle));
    webhooks.push_back(
        with_member(arena, webhook, config_key, with_member(arena, webhook.get("clientConfig"), bundle_key, encoded)));
  }
  if (!changed) return {};
  return to_json(with_member(arena, configuration, make_string(arena, "webhooks"), make_array(arena, webhooks)));
}

}  // namespace portcullis::controller
