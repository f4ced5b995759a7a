// Section by section what Gatekeeper's webhook refuses of its own resources.
#include "webhook/own_resources.h"

#include <algorithm>
#include <optional>

#include "base/text.h"
#include "engine/value/json.h"
#include "net/certificates.h"
#include "policy/model/action.h"
#include "policy/model/template.h"
#include "policy/schema/crd.h"

namespace portcullis::webhook {

namespace {

constexpr std::size_t kLongestName = 63;

bool is_own_group(std::string_view group) noexcept {
  for (const std::string_view own :
       {"templates.gatekeeper.sh", "constraints.gatekeeper.sh", "mutations.gatekeeper.sh", "config.gatekeeper.sh",
        "externaldata.gatekeeper.sh", "expansion.gatekeeper.sh", "status.gatekeeper.sh"}) {
    if (group == own) return true;
  }
  return false;
}

OwnResourceVerdict refuse(int code, std::string message) { return {false, code, std::move(message)}; }

OwnResourceVerdict check_template(const Value& object) {
  policy::TemplateDecodeOptions options;
  options.default_legacy_schema = false;  // the API server's defaulting has been at work already
  const Result<policy::TemplatePtr> decoded = policy::decode_template(object, options);
  if (!decoded.ok()) return refuse(500, decoded.error().to_string());
  const Result<void> operations = policy::validate_operations(**decoded);
  if (!operations.ok()) return refuse(500, operations.error().to_string());
  const Result<void> valid = policy::validate_template(**decoded);
  if (!valid.ok()) return refuse(422, valid.error().to_string());
  const Result<Document> crd = policy::make_constraint_crd(**decoded);
  if (!crd.ok()) return refuse(422, crd.error().to_string());
  return {};
}

OwnResourceVerdict check_constraint(const Value& object, const policy::Snapshot& snapshot, bool validate_action) {
  const Result<void> metadata = policy::validate_constraint_metadata(object);
  if (!metadata.ok()) return refuse(422, metadata.error().to_string());
  const std::string_view kind = policy::kind_of(object).kind;
  const policy::LoadedTemplate* loaded = snapshot.find_template(kind);
  if (loaded == nullptr || loaded->schema == nullptr) {
    return refuse(422,
                  "missing ConstraintTemplate: template " + text::go_quote(text::to_lower_ascii(kind)) + " not found");
  }
  const Result<void> valid = policy::validate_constraint(object, *loaded->schema);
  if (!valid.ok()) return refuse(422, valid.error().to_string());
  if (validate_action) {
    const Result<void> action = policy::validate_enforcement(object, true);
    if (!action.ok()) return refuse(500, action.error().to_string());
  }
  return {};
}

bool holds(const Value& list, std::string_view wanted) noexcept {
  for (const Value& element : list.elements()) {
    if (element.is_string() && element.as_string() == wanted) return true;
  }
  return false;
}

OwnResourceVerdict check_expansion_template(const Value& object) {
  const std::string name(policy::name_of(object));
  const Value spec = object.get("spec");
  const std::string subject = "ExpansionTemplate " + name;
  if (name.empty()) return refuse(422, "ExpansionTemplate has empty name field");
  if (name.size() > kLongestName) return refuse(422, "ExpansionTemplate name must be less than 64 characters");
  if (spec.string_or("templateSource").empty()) return refuse(422, subject + " has empty source field");
  const Value generated = spec.get("generatedGVK");
  const policy::ObjectKind kind{generated.string_or("group"), generated.string_or("version"),
                                generated.string_or("kind")};
  if (kind == policy::ObjectKind{}) return refuse(422, subject + " has empty generatedGVK field");
  const Value apply_to = spec.get("applyTo");
  if (apply_to.elements().empty()) return refuse(422, subject + " must specify ApplyTo");
  for (const Value& entry : apply_to.elements()) {
    if (holds(entry.get("groups"), kind.group) && holds(entry.get("versions"), kind.version) &&
        holds(entry.get("kinds"), kind.kind)) {
      return refuse(422, subject + " generates GVK " + kind.to_string() + ", but also applies to that same GVK");
    }
  }
  return {};
}

// The scheme of a URL in lower case; "" when there is none.
std::string scheme_of(std::string_view url) {
  const std::size_t colon = url.find(':');
  if (colon == std::string_view::npos || colon == 0) return {};
  for (std::size_t i = 0; i < colon; ++i) {
    const char c = url[i];
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    if (!letter && (i == 0 || !((c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.'))) return {};
  }
  return text::to_lower_ascii(url.substr(0, colon));
}

OwnResourceVerdict check_ca_bundle(std::string_view bundle) {
  if (bundle.empty()) return refuse(422, "caBundle should be set for HTTPS scheme");
  const std::optional<std::string> pem = text::base64_decode(bundle);
  if (!pem) {
    constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const std::size_t at = std::min(bundle.find_first_not_of(kAlphabet), bundle.size());
    return refuse(422, "failed to base64 decode caBundle: illegal base64 data at input byte " + std::to_string(at));
  }
  if (pem->find("-----BEGIN ") == std::string::npos) return refuse(422, "bad caBundle");
  const Result<net::CertificateInfo> certificate = net::inspect_certificate(*pem);
  if (!certificate.ok()) return refuse(422, "failed to parse caBundle: " + certificate.error().to_string());
  return {};
}

OwnResourceVerdict check_provider(const Value& object) {
  const Value spec = object.get("spec");
  const std::string url(spec.string_or("url"));
  if (policy::name_of(object).empty()) return refuse(422, "provider name can not be empty. value ");
  if (url.empty()) return refuse(422, "invalid provider url. value: ");
  const Value timeout = spec.get("timeout");
  if (timeout.is_integer() && timeout.as_integer() < 0) {
    return refuse(422, "provider timeout should be a positive integer. value: " + std::to_string(timeout.as_integer()));
  }
  if (scheme_of(url) != "https") return refuse(422, "only HTTPS scheme is supported for Providers");
  return check_ca_bundle(spec.string_or("caBundle"));
}

// What the API server's schema lets through and the mutators' own code refuses before it looks at locations.
OwnResourceVerdict check_mutator(const Value& object) {
  if (policy::name_of(object).size() > kLongestName) return refuse(422, "maximum name length is 63 characters");
  return {};
}

}  // namespace

std::string undecodable(const Value& object) {
  if (!object.defined()) return "Object 'Kind' is missing in ''";
  if (!object.is_object()) return "couldn't get version/kind; json parse error: " + policy::version_kind_error(object);
  const std::string_view version = object.string_or("apiVersion");
  if (std::count(version.begin(), version.end(), '/') > 1) {
    return "unexpected GroupVersion string: " + std::string(version);
  }
  if (object.string_or("kind").empty()) return "Object 'Kind' is missing in '" + to_json(object) + "'";
  return {};
}

OwnResourceVerdict check_own_resource(const policy::Review& review, const policy::Snapshot& snapshot,
                                      bool validate_enforcement_action) {
  if (!is_own_group(review.group)) return {};
  const bool removal = review.operation == policy::Operation::kDelete;
  if (removal && review.name.empty()) return {};  // deletecollection
  const Value object = removal ? review.old_object : review.object;
  const std::string_view name = review.name;  // of the request, as in Gatekeeper: empty with generateName
  if (name.size() > kLongestName && review.group != "status.gatekeeper.sh") {
    return refuse(500,
                  "resource cannot have metadata.name larger than 63 char; length: " + std::to_string(name.size()));
  }
  if (review.group == "config.gatekeeper.sh") {
    if (review.kind == "Config" && name != "config") return refuse(422, "config resource must have name 'config'");
    return {};
  }
  if (review.group == "status.gatekeeper.sh") return {};
  if (std::string failure = undecodable(object); !failure.empty()) return refuse(500, std::move(failure));
  if (review.group == policy::kTemplatesGroup && review.kind == "ConstraintTemplate") return check_template(object);
  if (review.group == policy::kConstraintsGroup) {
    return check_constraint(object, snapshot, validate_enforcement_action);
  }
  if (review.group == "expansion.gatekeeper.sh" && review.kind == "ExpansionTemplate") {
    return check_expansion_template(object);
  }
  if (review.group == "externaldata.gatekeeper.sh" && review.kind == "Provider") return check_provider(object);
  if (review.group == "mutations.gatekeeper.sh") return check_mutator(object);
  return {};
}

}  // namespace portcullis::webhook
