// OpenAPI v3 structural schemas as Kubernetes' apiextensions understands them: checking, defaulting, unknown fields.
// Only what custom resources may use; a keyword that is not allowed there is an error of compile().
// Threads: a compiled schema is immutable. Cost of each call: linear in the value.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/arena.h"
#include "base/error.h"
#include "engine/value/document.h"
#include "engine/value/value.h"

namespace portcullis::policy {

struct SchemaNode;

class Schema {
 public:
  Schema();
  Schema(Schema&&) noexcept;
  Schema& operator=(Schema&&) noexcept;
  ~Schema();

  // `root` is copied. Errors (kInvalid): apiextensions' field errors, e.g. `spec.validation.openAPIV3Schema.…: Required
  // value: must not be empty for specified object fields`, several joined as Kubernetes' aggregates print.
  static Result<Schema> compile(const Value& root, std::string_view path);
  // The same with the errors one by one.
  static Result<Schema, std::vector<std::string>> compile_listed(const Value& root, std::string_view path);

  // All violations, in property order, with the texts of apiextensions: `spec.replicas: Invalid value: "string": … in
  // body must be of type integer: "string"`. `path` is put before every field path.
  std::vector<std::string> validate(const Value& value, std::string_view path) const;
  // Paths of fields that the schema does not know and would prune: "spec.parameters.nope". Sorted.
  std::vector<std::string> unknown_fields(const Value& value) const;
  // `value` with defaults filled in; shares what does not change.
  Value with_defaults(Arena& arena, const Value& value) const;

 private:
  std::shared_ptr<const Document> document_;
  std::unique_ptr<const SchemaNode> root_;
};

// How Kubernetes prints several errors: one alone, else "[a, b]" without repetitions.
std::string aggregate(const std::vector<std::string>& messages);

}  // namespace portcullis::policy
