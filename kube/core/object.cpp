// Objects, list pages and Status objects.
#include "kube/core/object.h"

#include <algorithm>

#include "engine/value/json.h"

namespace portcullis::kube {

namespace {

// Kubernetes' own view of numbers: int64 where it fits, else float64.
ParseLimits kubernetes_limits(std::size_t size, std::string_view source) {
  ParseLimits limits;
  limits.max_bytes = std::max(limits.max_bytes, size);
  limits.source = source;
  limits.numbers = ParseLimits::Numbers::kFloat64;
  return limits;
}

std::int64_t integer_or_zero(const Value& value) noexcept { return value.is_integer() ? value.as_integer() : 0; }

Code code_of(int status) noexcept {
  switch (status) {
    case 400:
    case 422: return Code::kInvalid;
    case 401:
    case 403: return Code::kDenied;
    case 404: return Code::kNotFound;
    case 405:
    case 406:
    case 415: return Code::kUnsupported;
    case 408:
    case 504: return Code::kTimeout;
    case 409: return Code::kConflict;
    case 410: return Code::kGone;
    case 413: return Code::kLimit;
    case 429: return Code::kThrottled;
    default: return status >= 500 ? Code::kUnavailable : Code::kInvalid;
  }
}

constexpr std::string_view kAlreadyExists = "AlreadyExists";
constexpr std::string_view kForbidden = "Forbidden";
constexpr std::size_t kShownBody = 300;

Error from_status(int http_status, const Value& status) {
  Error error = make_error(code_of(http_status), std::string(status.string_or("message")));
  const std::string_view reason = status.string_or("reason");
  if (error.message.empty()) error.message = reason.empty() ? "HTTP status " + std::to_string(http_status) : reason;
  if (reason == "Expired") error.code = Code::kGone;
  if (reason == kAlreadyExists) error.context.emplace_back(kAlreadyExists);
  if (http_status == 403) error.context.emplace_back(kForbidden);
  return error;
}

// "PodList" -> "Pod": what the items of a list without a kind of their own are.
std::string_view item_kind(std::string_view list_kind) noexcept {
  constexpr std::string_view kSuffix = "List";
  if (list_kind.size() <= kSuffix.size() || list_kind.substr(list_kind.size() - kSuffix.size()) != kSuffix) return {};
  return list_kind.substr(0, list_kind.size() - kSuffix.size());
}

Value with_types(Arena& arena, const Value& item, const Value& api_version, const Value& kind) {
  if (!item.is_object() || item.get("kind").defined()) return item;
  std::vector<Member> members;
  members.reserve(item.size() + 2);
  members.push_back({make_symbol_or_string(arena, "apiVersion"), api_version});
  members.push_back({make_symbol_or_string(arena, "kind"), kind});
  for (std::uint32_t i = 0; i < item.size(); ++i) members.push_back({item.keys()[i], item.values()[i]});
  return make_object(arena, members);
}

}  // namespace

std::int64_t Meta::generation() const noexcept { return integer_or_zero(metadata_.get("generation")); }

bool Meta::has_finalizer(std::string_view name) const noexcept {
  const auto all = metadata_.get("finalizers").elements();
  return std::any_of(all.begin(), all.end(), [name](const Value& v) { return v.is_string() && v.as_string() == name; });
}

std::string Meta::key() const { return object_key(ns(), name()); }

Value without_managed_fields(Arena& arena, const Value& object) {
  const Value metadata = object.get("metadata");
  if (!metadata.get("managedFields").defined()) return object;
  std::vector<Member> kept;
  kept.reserve(metadata.size());
  for (std::uint32_t i = 0; i < metadata.size(); ++i) {
    const Value key = metadata.keys()[i];
    if (!(key.is_string() && key.as_string() == "managedFields")) kept.push_back({key, metadata.values()[i]});
  }
  return with_member(arena, object, make_symbol_or_string(arena, "metadata"), make_object(arena, kept));
}

std::string object_key(std::string_view ns, std::string_view name) {
  std::string key;
  key.reserve(ns.size() + name.size() + 1);
  if (!ns.empty()) {
    key += ns;
    key += '/';
  }
  key += name;
  return key;
}

KeyParts split_key(std::string_view key) {
  const std::size_t slash = key.find('/');
  if (slash == std::string_view::npos) return {"", std::string(key)};
  return {std::string(key.substr(0, slash)), std::string(key.substr(slash + 1))};
}

Result<Object> Object::parse(std::string_view json) {
  PC_TRY(Document document, Document::parse_json(json, kubernetes_limits(json.size(), "API server response")));
  return Object(std::move(document));
}

std::string Object::to_json() const { return portcullis::to_json(root_); }

Result<ListPage> ListPage::parse(std::string body) {
  ListPage page;
  page.text_ = std::make_unique<const std::string>(std::move(body));
  Arena arena(0, page.text_->size() * 2 + 1024);
  PC_TRY(const Value root, parse_json_into(arena, *page.text_, kubernetes_limits(page.text_->size(), "list")));
  const Value items = root.get("items");
  if (!root.is_object() || !root.get("metadata").is_object() ||
      !(items.is_array() || items.is_null() || !items.defined())) {
    return make_error(Code::kInvalid, "response is no list");
  }
  const Value api_version = root.get("apiVersion");
  const Value kind = make_string(arena, item_kind(root.string_or("kind")));
  std::vector<Value> typed;
  typed.reserve(items.size());
  for (const Value& item : items.elements()) {
    typed.push_back(kind.size() == 0 ? item : with_types(arena, item, api_version, kind));
  }
  const Value key = make_symbol_or_string(arena, "items");
  const Value whole = with_member(arena, root, key, make_array(arena, typed));
  page.document_ = Document::adopt(std::move(arena), whole);
  return page;
}

std::int64_t ListPage::remaining() const noexcept { return integer_or_zero(metadata().get("remainingItemCount")); }

Error status_error(int http_status, std::string_view body) {
  const Result<Document> parsed = Document::parse_json(body, kubernetes_limits(body.size(), "status"));
  if (parsed.ok() && parsed->root().string_or("kind") == "Status") return from_status(http_status, parsed->root());
  std::string shown(body.substr(0, kShownBody));
  while (!shown.empty() && (shown.back() == '\n' || shown.back() == '\r')) shown.pop_back();
  Error error = make_error(code_of(http_status),
                           "HTTP status " + std::to_string(http_status) + (shown.empty() ? "" : ": " + shown));
  if (http_status == 403) error.context.emplace_back(kForbidden);
  return error;
}

Error status_error(const Value& status) {
  const std::int64_t code = integer_or_zero(status.get("code"));
  return from_status(code == 0 ? 500 : static_cast<int>(code), status);
}

bool is_already_exists(const Error& error) noexcept {
  return error.code == Code::kConflict &&
         std::find(error.context.begin(), error.context.end(), kAlreadyExists) != error.context.end();
}

bool is_forbidden(const Error& error) noexcept {
  return error.code == Code::kDenied &&
         std::find(error.context.begin(), error.context.end(), kForbidden) != error.context.end();
}

}  // namespace portcullis::kube
