// A Document owns an arena with one tree of Values in it: a parsed AdmissionReview, a stored object, a parameter block.
// Threads: immutable after it is made. Ownership: Values borrowed from root() die with the Document; moving a Document
// keeps them valid (the arena's blocks do not move).
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/arena.h"
#include "base/error.h"
#include "engine/value/value.h"

namespace portcullis {

struct ParseLimits {
  std::size_t max_bytes = std::size_t{64} << 20;
  std::uint32_t max_depth = 512;      // nesting of arrays and objects
  bool allow_comments = false;        // // and /* */ (input files ending in .json)
  std::string_view source = "input";  // named in errors: a file name, "request body"
  // How numbers are kept. kExact: the text as written, for Rego and the command line. kFloat64: int64 where it fits,
  // else float64 (a Kubernetes unstructured object). kAllFloat64: what Go's json.Unmarshal into interface{} leaves and
  // OPA then prints; Gatekeeper's reviews and parameters reach Rego that way (1000000 is spelled 1e+06).
  enum class Numbers : std::uint8_t { kExact, kFloat64, kAllFloat64 } numbers = Numbers::kExact;
};

class Document {
 public:
  Document() = default;  // root() is undefined
  Document(Document&&) noexcept = default;
  Document& operator=(Document&&) noexcept = default;
  Document(const Document&) = delete;
  Document& operator=(const Document&) = delete;

  // Strict JSON (RFC 8259) in one pass; exactly one value, white space around it. Of duplicate keys the last wins; an
  // escaped lone surrogate or invalid UTF-8 becomes U+FFFD (all as Go's encoding/json does). Keys that a policy named
  // become symbols. Errors: kInvalid ("<source>:<line>:<column>: unexpected …"), kLimit. Cost: linear.
  static Result<Document> parse_json(std::string_view text, const ParseLimits& limits = {});
  // The same without copying string bytes: unescaped strings point into `text`, which the Document keeps.
  static Result<Document> parse_json_owned(std::string text, const ParseLimits& limits = {});
  // The same, borrowing: `text` must outlive the Document. For request bodies on the review path.
  static Result<Document> parse_json_borrowed(std::string_view text, const ParseLimits& limits = {});

  // One value at the start of `text` (white space before it allowed); `consumed` is where it ends. For texts that hold
  // JSON values one after the other.
  static Result<Document> parse_json_prefix(std::string_view text, std::size_t& consumed,
                                            const ParseLimits& limits = {});

  // Takes over an arena in which the caller built `root`.
  static Document adopt(Arena arena, Value root);
  // A deep copy of a value that lives elsewhere.
  static Document copy_of(const Value& value);

  Value root() const& noexcept { return root_; }
  Value root() && = delete;  // would dangle

  // Bytes held on the heap for this document.
  std::size_t memory() const noexcept { return arena_.bytes_held() + text_.capacity(); }

 private:
  Arena arena_{0, 1024};
  std::string text_;
  Value root_;
};

// Parses into an arena that the caller resets between reviews (steady state: no heap). Same rules as
// parse_json_borrowed.
Result<Value> parse_json_into(Arena& arena, std::string_view text, const ParseLimits& limits = {});

}  // namespace portcullis
