// spec.match of constraints (and later mutators), compiled.
// Threads: immutable. Errors of matching are data: the constraint then rejects with "unable to match constraints: …".
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "engine/value/value.h"
#include "policy/model/object.h"

namespace portcullis::policy {

// Where an object came from; kNone: nobody said (audit from the cache).
enum class Source : std::uint8_t { kNone, kOriginal, kGenerated };

// "*x*" contains, "*x" suffix, "x*" prefix, else equal; "*" matches everything.
bool wildcard_matches(std::string_view pattern, std::string_view candidate) noexcept;
// For metadata.generateName: only patterns that end in "*" ever match.
bool wildcard_matches_generate_name(std::string_view pattern, std::string_view candidate) noexcept;

// One object to match. `ns` is its Namespace: undefined when unknown, an object (possibly {}) when known.
struct Matchable {
  explicit Matchable(const Value& o) noexcept;
  Value object;
  ObjectKind kind;
  std::string_view name;
  std::string_view generate_name;
  std::string_view ns_name;  // metadata.namespace
};

enum class MatchOutcome : std::uint8_t { kNo, kYes, kError };

class LabelSelector {
 public:
  // Errors (kInvalid): as metav1.LabelSelectorAsSelector, raised when the selector is first used.
  static LabelSelector compile(const Value& selector);
  // Undefined labels are an empty set. kError: invalid selector, error() says how.
  MatchOutcome matches(const Value& labels) const noexcept;
  const std::string& error() const noexcept { return error_; }
  bool empty() const noexcept { return requirements_.empty() && error_.empty(); }

 private:
  enum class Operator : std::uint8_t { kIn, kNotIn, kExists, kDoesNotExist };
  struct Requirement {
    std::string key;
    Operator op;
    std::vector<std::string> values;  // sorted
  };
  std::vector<Requirement> requirements_;
  std::string error_;
};

class Match {
 public:
  // `match` may be undefined or null: matches everything. Copied.
  // Errors (kInvalid): "unable to create matcher: could not convert JSON to Match: json: cannot unmarshal …".
  static Result<Match> compile(const Value& match);

  // Tests object, then old object; either is enough. Both undefined: kError. `ns` as in Matchable's comment.
  // On kError `error` gets "error matching the requested object: <name> :failed to run Match criteria: …".
  MatchOutcome matches(const Value& object, const Value& old_object, const Value& ns, Source source,
                       std::string& error) const;

  // Every field of spec.match that keeps this object out, in the order in which they are tested, for people to read.
  // Not on the review path: it tests all of them. Empty when the object matches, or matching it is an error.
  struct Refusal {
    std::string_view field;  // "kinds", "scope", "namespaces", "excludedNamespaces", "labelSelector", …
    std::string found;       // what the object has there
  };
  std::vector<Refusal> refusals(const Value& object, const Value& ns, Source source) const;

  // Whether it is there at all (a constraint without `match` evaluates even a review without objects).
  bool present() const noexcept { return present_; }
  struct KindEntry {
    std::vector<std::string> groups;
    std::vector<std::string> kinds;
    bool any_group = true;  // the list is empty or holds "*"
    bool any_kind = true;
  };
  const std::vector<KindEntry>& kinds() const noexcept { return kinds_; }

 private:
  MatchOutcome match_one(const Matchable& target, const Value& ns, Source source, std::string& error) const;
  bool kinds_match(const ObjectKind& kind) const noexcept;
  bool names_match(const Matchable& target) const noexcept;
  bool scope_matches(const Matchable& target, bool has_namespace) const noexcept;
  bool namespaces_match(const Matchable& target, const Value& ns) const noexcept;
  MatchOutcome namespace_selector_matches(const Matchable& target, const Value& ns, std::string& error) const;
  MatchOutcome source_matches(const Matchable& target, Source source, std::string& error) const;

  enum class Scope : std::uint8_t { kAny, kCluster, kNamespaced };
  bool present_ = false;
  Scope scope_ = Scope::kAny;
  bool has_label_selector_ = false;
  bool has_namespace_selector_ = false;
  std::string source_;
  std::string name_;
  std::vector<KindEntry> kinds_;
  std::vector<std::string> namespaces_;
  std::vector<std::string> excluded_namespaces_;
  LabelSelector label_selector_;
  LabelSelector namespace_selector_;
};

}  // namespace portcullis::policy
