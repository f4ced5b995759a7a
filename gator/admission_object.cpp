#include "gator/admission_object.h"

#include <algorithm>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/text.h"
#include "engine/value/json.h"
#include "policy/model/go_error.h"
#include "policy/model/object.h"

namespace portcullis::gator {
namespace {

Error invalid(std::string message) { return make_error(Code::kInvalid, std::move(message)); }

constexpr std::string_view kReviewFields[] = {"apiVersion", "kind", "request", "response"};
constexpr std::string_view kRequestFields[] = {"dryRun",
                                               "kind",
                                               "name",
                                               "namespace",
                                               "object",
                                               "oldObject",
                                               "operation",
                                               "options",
                                               "requestKind",
                                               "requestResource",
                                               "requestSubResource",
                                               "resource",
                                               "subResource",
                                               "uid",
                                               "userInfo"};
constexpr std::string_view kKindFields[] = {"group", "kind", "version"};
constexpr std::string_view kResourceFields[] = {"group", "resource", "version"};
constexpr std::string_view kUserFields[] = {"extra", "groups", "uid", "username"};

void find_unknown(const Value& object, std::span<const std::string_view> known, const std::string& path,
                  std::vector<std::string>& out) {
  for (const Value& key : object.keys()) {
    if (std::find(known.begin(), known.end(), key.as_string()) == known.end()) {
      out.push_back("unknown field " + text::go_quote(path + std::string(key.as_string())));
    }
  }
}

std::vector<std::string> unknown_fields(const Value& review) {
  std::vector<std::string> out;
  find_unknown(review, kReviewFields, "", out);
  const Value request = review.get("request");
  find_unknown(request, kRequestFields, "request.", out);
  for (const std::string_view name : {"kind", "requestKind"}) {
    find_unknown(request.get(name), kKindFields, "request." + std::string(name) + ".", out);
  }
  for (const std::string_view name : {"resource", "requestResource"}) {
    find_unknown(request.get(name), kResourceFields, "request." + std::string(name) + ".", out);
  }
  find_unknown(request.get("userInfo"), kUserFields, "request.userInfo.", out);
  std::sort(out.begin(), out.end());
  return out;
}

// A field of a struct type that holds something else. Go names the kind of what it found.
Result<void> check_structs(const Value& request) {
  for (const std::string_view name : {"kind", "resource", "requestKind", "requestResource", "userInfo"}) {
    const Value value = request.get(name);
    if (!value.defined() || value.is_null() || value.is_object()) continue;
    const std::string kind(value.is_array() ? "slice" : policy::go_type(value));
    return invalid(
        "not a valid AdmissionReview object: unable to convert to an AdmissionReview object, error: cannot restore "
        "struct "
        "from: " +
        kind);
  }
  return ok();
}

Result<void> check_object(const Value& object) {
  if (!object.defined()) return ok();
  constexpr std::string_view kPrefix = "object or oldObject cannot be unmarshalled: ";
  if (!object.is_object()) {
    return invalid(std::string(kPrefix) + policy::json_value_error(object, "map[string]interface {}"));
  }
  if (!policy::kind_of(object).kind.empty()) return ok();
  JsonStyle style;
  style.escape_html = true;
  return invalid(std::string(kPrefix) + "Object 'Kind' is missing in '" + to_json(object, style) + "'");
}

}  // namespace

Result<policy::Review> review_of_admission_object(const Value& object, rego::EvalScratch& scratch) {
  PC_TRY_VOID(check_structs(object.get("request")));
  const std::vector<std::string> unknown = unknown_fields(object);
  if (!unknown.empty()) {
    return invalid(
        "not a valid AdmissionReview object: unable to convert to an AdmissionReview object, error: strict decoding "
        "error: " +
        text::join(unknown, ", "));
  }
  const Value request = object.get("request");
  if (!request.defined() || request.is_null()) {
    return invalid("missing an AdmissionRequest object: request did not actually pass in an AdmissionRequest");
  }
  Result<policy::Review> review = policy::review_of_request(request, scratch);
  if (!review.ok()) {
    return invalid("not a valid AdmissionReview object: unable to convert to an AdmissionReview object, error: " +
                   review.error().message);
  }
  if (!review->object.defined() && !review->old_object.defined()) {
    return invalid(
        "no object or oldObject found to review: AdmissionRequest does not contain an \"object\" or "
        "\"oldObject\" to review");
  }
  PC_TRY_VOID(check_object(review->object));
  PC_TRY_VOID(check_object(review->old_object));
  return review;
}

}  // namespace portcullis::gator
