// Aggregation, counting and limits of Events.
#include "kube/runtime/event_correlator.h"

#include <algorithm>
#include <cstdio>
#include <random>

#include "base/text.h"

namespace portcullis::kube {

namespace {

constexpr std::int64_t kNanos = 1'000'000'000;
constexpr char kSeparator = '\x1f';
constexpr std::size_t kLongestName = 253;

std::string joined(std::initializer_list<std::string_view> parts) {
  std::string out;
  for (const std::string_view part : parts) {
    out += part;
    out += kSeparator;
  }
  return out;
}

bool is_dns_subdomain(std::string_view name) noexcept {
  if (name.empty() || name.size() > kLongestName) return false;
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
  char before = '.';
  for (const char c : name) {
    if (!letter(c) && c != '-' && c != '.') return false;
    if (!letter(c) && before == '.') return false;
    if (c == '.' && before == '-') return false;
    before = c;
  }
  return letter(before);
}

std::string random_uuid() {
  std::random_device device;
  std::uint32_t parts[4];
  for (std::uint32_t& part : parts) part = device();
  char buffer[40];
  std::snprintf(buffer, sizeof buffer, "%08x-%04x-4%03x-%04x-%04x%08x", parts[0], parts[1] >> 16, parts[1] & 0xfff,
                ((parts[2] >> 16) & 0x3fff) | 0x8000, parts[2] & 0xffff, parts[3]);
  return buffer;
}

class Writer {
 public:
  Writer& text(std::string_view key, std::string_view value) {
    head(key);
    text::append_json_string(out_, value);
    return *this;
  }
  Writer& text_unless_empty(std::string_view key, std::string_view value) {
    return value.empty() ? *this : text(key, value);
  }
  Writer& raw(std::string_view key, std::string_view json) {
    head(key);
    out_ += json;
    return *this;
  }
  std::string finish() { return out_ + "}"; }

 private:
  void head(std::string_view key) {
    out_ += out_.size() > 1 ? "," : "";
    text::append_json_string(out_, key);
    out_ += ':';
  }
  std::string out_ = "{";
};

std::string time_text(std::int64_t ns) { return text::rfc3339(ns / kNanos); }

}  // namespace

std::string event_name(const std::string& object_name, std::int64_t now_ns) {
  char suffix[24];
  std::snprintf(suffix, sizeof suffix, ".%llx", static_cast<unsigned long long>(now_ns));
  std::string name = object_name + suffix;
  return is_dns_subdomain(name) ? name : random_uuid();
}

EventCorrelator::EventCorrelator(EventLimits limits)
    : limits_(limits), similar_(limits.keys), seen_(limits.keys), buckets_(limits.keys) {}

bool EventCorrelator::allowed(const std::string& key, std::int64_t now_ns) {
  Bucket& bucket = buckets_.touch(key);
  if (!bucket.known) {
    bucket = {true, limits_.burst, now_ns};
  } else {
    const double seconds = static_cast<double>(std::max<std::int64_t>(0, now_ns - bucket.last_ns)) / kNanos;
    bucket.tokens = std::min(limits_.burst, bucket.tokens + seconds * limits_.refill_per_second);
    bucket.last_ns = now_ns;
  }
  if (bucket.tokens < 1) return false;
  bucket.tokens -= 1;
  return true;
}

EventCorrelator::Decision EventCorrelator::correlate(const Event& event, std::int64_t now_ns) {
  const EventTarget& target = event.target;
  const std::string object_key = joined({event.component, target.kind, target.ns, target.name, target.uid, event.type});
  const std::string similar_key = joined({object_key, event.reason});
  std::string key = joined({similar_key, event.message});
  std::string message = event.message;
  bool combined = false;

  Similar& similar = similar_.touch(similar_key);
  if (now_ns - similar.last_ns > limits_.similar_seconds * kNanos) similar.messages.clear();
  similar.messages.insert(event.message);
  similar.last_ns = now_ns;
  if (similar.messages.size() >= limits_.similar) {
    similar.messages.erase(similar.messages.begin());
    key = similar_key;
    message = "(combined from similar events): " + message;
    combined = true;
  }

  Seen& seen = seen_.touch(key);
  const bool known = seen.count > 0;
  if (!known) {
    seen.first_ns = now_ns;
    seen.name = event_name(target.name, now_ns);
  }
  ++seen.count;
  if (!allowed(object_key, now_ns)) return {};

  Decision decision;
  decision.action = known ? Action::kPatch : Action::kCreate;
  decision.ns = target.ns.empty() ? "default" : target.ns;
  decision.name = seen.name;
  Writer metadata;
  metadata.text("name", seen.name).text("namespace", decision.ns);
  if (!combined && !event.annotations.empty()) {
    Writer annotations;
    for (const auto& [name, value] : event.annotations) annotations.text(name, value);
    metadata.raw("annotations", annotations.finish());
  }
  Writer involved;
  involved.text_unless_empty("kind", target.kind)
      .text_unless_empty("namespace", target.ns)
      .text_unless_empty("name", target.name)
      .text_unless_empty("uid", target.uid)
      .text_unless_empty("resourceVersion", target.resource_version);
  Writer body;
  body.text("apiVersion", "v1")
      .text("kind", "Event")
      .raw("metadata", metadata.finish())
      .raw("involvedObject", involved.finish())
      .text("reason", event.reason)
      .text("message", message)
      .raw("source", Writer().text("component", event.component).finish())
      .text("firstTimestamp", time_text(seen.first_ns))
      .text("lastTimestamp", time_text(now_ns))
      .raw("count", std::to_string(seen.count))
      .text("type", event.type)
      .text("reportingComponent", event.component)
      .text("reportingInstance", "");
  decision.body = body.finish();
  if (known) {
    Writer patch;
    patch.raw("count", std::to_string(seen.count)).text("lastTimestamp", time_text(now_ns)).text("message", message);
    decision.patch = patch.finish();
  }
  return decision;
}

}  // namespace portcullis::kube
