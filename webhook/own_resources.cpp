// Section by section what Gatekeeper's webhook refuses of its own resources.
#include "webhook/own_resources.h"

#include "base/text.h"
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

}  // namespace

OwnResourceVerdict check_own_resource(const policy::Review& review, const policy::Snapshot& snapshot,
                                      bool validate_enforcement_action) {
  if (!is_own_group(review.group)) return {};
  const bool removal = review.operation == policy::Operation::kDelete;
  if (removal && review.name.empty()) return {};  // deletecollection
  const Value object = removal ? review.old_object : review.object;
  const std::string_view name = policy::name_of(object);
  if (name.size() > kLongestName && review.group != "status.gatekeeper.sh") {
    return refuse(500,
                  "resource cannot have metadata.name larger than 63 char; length: " + std::to_string(name.size()));
  }
  if (review.group == policy::kTemplatesGroup && review.kind == "ConstraintTemplate") return check_template(object);
  if (review.group == policy::kConstraintsGroup) {
    return check_constraint(object, snapshot, validate_enforcement_action);
  }
  if (review.group == "config.gatekeeper.sh" && review.kind == "Config" && name != "config") {
    return refuse(422, "config resource must have name 'config'");
  }
  return {};
}

}  // namespace portcullis::webhook
