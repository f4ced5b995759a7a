// Kubernetes objects and lists as documents, and Status objects as Errors. Pure.
// Threads: immutable once made. Ownership: an Object owns its document; Values borrowed from it die with it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "engine/value/document.h"
#include "engine/value/value.h"
#include "kube/core/resource.h"

namespace portcullis::kube {

// Views into a Kubernetes object's usual fields. Each is a lookup, O(log n). Absent fields are "" or 0.
struct Meta {
  explicit Meta(const Value& object) noexcept : object_(object), metadata_(object.get("metadata")) {}
  std::string_view api_version() const noexcept { return object_.string_or("apiVersion"); }
  std::string_view kind() const noexcept { return object_.string_or("kind"); }
  std::string_view name() const noexcept { return metadata_.string_or("name"); }
  std::string_view ns() const noexcept { return metadata_.string_or("namespace"); }
  std::string_view uid() const noexcept { return metadata_.string_or("uid"); }
  std::string_view resource_version() const noexcept { return metadata_.string_or("resourceVersion"); }
  std::int64_t generation() const noexcept;
  bool being_deleted() const noexcept { return metadata_.get("deletionTimestamp").is_string(); }
  std::string_view label(std::string_view key) const noexcept { return metadata_.get("labels").string_or(key); }
  std::string_view annotation(std::string_view key) const noexcept {
    return metadata_.get("annotations").string_or(key);
  }
  bool has_finalizer(std::string_view name) const noexcept;
  Value metadata() const noexcept { return metadata_; }
  // "namespace/name", or "name" for a cluster-scoped object: the key of stores and work queues.
  std::string key() const;

 private:
  Value object_;
  Value metadata_;
};

// `object` without metadata.managedFields, which is often the largest part and which no policy reads. Shares the rest;
// `arena` holds what is new.
Value without_managed_fields(Arena& arena, const Value& object);

std::string object_key(std::string_view ns, std::string_view name);
struct KeyParts {
  std::string ns;
  std::string name;
};
KeyParts split_key(std::string_view key);

class Object {
 public:
  Object() = default;  // root() is undefined
  explicit Object(Document document) : document_(std::move(document)), root_(document_.root()) {}
  // `root` is the document's root or lies below it.
  Object(Document document, Value root) : document_(std::move(document)), root_(root) {}
  static Result<Object> parse(std::string_view json);
  static Object copy_of(const Value& value) { return Object(Document::copy_of(value)); }

  Value root() const& noexcept { return root_; }
  Value root() && = delete;
  Meta meta() const& noexcept { return Meta(root_); }
  Meta meta() && = delete;
  std::string to_json() const;
  std::size_t memory() const noexcept { return document_.memory(); }

 private:
  Document document_;
  Value root_;
};
using ObjectPtr = std::shared_ptr<const Object>;

// One page of a list. Items of built-in types come without apiVersion and kind; they are filled in here.
class ListPage {
 public:
  // Takes the response body. kInvalid: not a list.
  static Result<ListPage> parse(std::string body);
  std::span<const Value> items() const& noexcept { return document_.root().get("items").elements(); }
  std::span<const Value> items() && = delete;
  std::string_view resource_version() const noexcept { return metadata().string_or("resourceVersion"); }
  std::string_view continue_token() const noexcept { return metadata().string_or("continue"); }
  std::int64_t remaining() const noexcept;  // 0 when unknown

 private:
  Value metadata() const noexcept { return document_.root().get("metadata"); }
  std::unique_ptr<const std::string> text_;  // strings of the document point into it; behind a pointer so that it stays
  Document document_;
};

// The Error that a response with a failure status stands for: 400 and 422 kInvalid, 401 and 403 kDenied, 404 kNotFound,
// 405 and 415 kUnsupported, 409 kConflict, 410 kGone, 413 kLimit, 429 kThrottled, 504 and 408 kTimeout, other 5xx
// kUnavailable. The message is that of the Status object in `body`, else the beginning of the body.
Error status_error(int http_status, std::string_view body);
// The same for a Status object met inside a watch (type ERROR).
Error status_error(const Value& status);
// An object that exists already is kConflict like a lost update; this tells them apart by the Status reason.
bool is_already_exists(const Error& error) noexcept;
// Other kinds of kDenied (401, a certificate that is not accepted) often pass; only this one is the API server's word
// about the caller's rights: 403.
bool is_forbidden(const Error& error) noexcept;

}  // namespace portcullis::kube
