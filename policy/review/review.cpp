#include "policy/review/review.h"

#include <utility>

#include "engine/value/document.h"
#include "policy/model/go_error.h"
#include "policy/model/object.h"

namespace portcullis::policy {
namespace {

// Kubernetes accepts 10,000 levels; nothing real comes near.
constexpr std::uint32_t kMaxDepth = 1000;
constexpr std::string_view kReviewVersion = "admission.k8s.io/v1";
constexpr std::string_view kReviewKind = "AdmissionReview";

Error invalid(std::string message) { return make_error(Code::kInvalid, std::move(message)); }

bool absent(const Value& value) noexcept { return !value.defined() || value.is_null(); }

Operation parse_operation(std::string_view text) noexcept {
  if (text.empty()) return Operation::kNone;
  if (text == "CREATE") return Operation::kCreate;
  if (text == "UPDATE") return Operation::kUpdate;
  if (text == "DELETE") return Operation::kDelete;
  if (text == "CONNECT") return Operation::kConnect;
  return Operation::kOther;
}

// Takes typed fields out of an object and keeps the first complaint.
class Fields {
 public:
  Fields(const Value& object, std::string_view struct_name, std::string_view path)
      : object_(object), struct_name_(struct_name), path_(path) {}

  std::string_view text(std::string_view key, std::string_view go_type_name = "string") {
    const Value value = object_.get(key);
    if (absent(value)) return {};
    if (value.is_string()) return value.as_string();
    complain(value, key, go_type_name);
    return {};
  }
  Value object(std::string_view key, std::string_view go_type_name) {
    const Value value = object_.get(key);
    if (absent(value)) return Value::undefined();
    if (!value.is_object()) complain(value, key, go_type_name);
    return value;
  }
  Value any(std::string_view key) const {
    const Value value = object_.get(key);
    return absent(value) ? Value::undefined() : value;
  }
  Value boolean(std::string_view key) {
    const Value value = object_.get(key);
    if (absent(value)) return Value::undefined();
    if (!value.is_bool()) complain(value, key, "bool");
    return value;
  }

  const std::string& error() const noexcept { return error_; }

 private:
  void complain(const Value& value, std::string_view key, std::string_view go_type_name) {
    if (!error_.empty()) return;
    std::string field(struct_name_);
    field += '.';
    field += path_;
    field += key;
    error_ = json_type_error(value, field, go_type_name);
  }

  Value object_;
  std::string_view struct_name_;
  std::string_view path_;
  std::string error_;
};

Result<void> read_kinds(const Value& request, Review& out) {
  Fields fields(request, "AdmissionRequest", "AdmissionReview.request.");
  const Value kind = fields.object("kind", "v1.GroupVersionKind");
  const Value resource = fields.object("resource", "v1.GroupVersionResource");
  if (!fields.error().empty()) return invalid(fields.error());
  Fields kind_fields(kind, "GroupVersionKind", "AdmissionReview.request.kind.");
  out.group = kind_fields.text("group");
  out.version = kind_fields.text("version");
  out.kind = kind_fields.text("kind");
  if (!kind_fields.error().empty()) return invalid(kind_fields.error());
  Fields resource_fields(resource, "GroupVersionResource", "AdmissionReview.request.resource.");
  out.resource_group = resource_fields.text("group");
  out.resource_version = resource_fields.text("version");
  out.resource = resource_fields.text("resource");
  if (!resource_fields.error().empty()) return invalid(resource_fields.error());
  return ok();
}

Result<Review> read_request(const Value& request) {
  Review out;
  out.request = request;
  out.float64_numbers = true;
  if (absent(request)) return out;
  if (!request.is_object()) {
    return invalid(
        json_type_error(request, "unversionedAdmissionReview.AdmissionReview.request", "v1.AdmissionRequest"));
  }
  PC_TRY_VOID(read_kinds(request, out));
  Fields fields(request, "AdmissionRequest", "AdmissionReview.request.");
  out.uid = fields.text("uid", "types.UID");
  out.name = fields.text("name");
  out.ns = fields.text("namespace");
  out.sub_resource = fields.text("subResource");
  out.operation_text = fields.text("operation", "v1.Operation");
  out.operation = parse_operation(out.operation_text);
  out.user_info = fields.object("userInfo", "v1.UserInfo");
  const Value dry_run = fields.boolean("dryRun");
  out.has_dry_run = dry_run.defined();
  out.dry_run = dry_run.is_true();
  out.object = fields.any("object");
  out.old_object = fields.any("oldObject");
  out.options = fields.any("options");
  if (!fields.error().empty()) return invalid(fields.error());
  Fields user(out.user_info, "UserInfo", "AdmissionReview.request.userInfo.");
  out.username = user.text("username");
  if (!user.error().empty()) return invalid(user.error());
  return out;
}

}  // namespace

std::string version_kind_error(const Value& value) {
  return json_value_error(value,
                          "struct { APIVersion string \"json:\\\"apiVersion,omitempty\\\"\"; Kind string "
                          "\"json:\\\"kind,omitempty\\\"\" }");
}

std::string_view Review::display_name() const noexcept {
  if (!name.empty()) return name;
  const Value& shown = object.defined() ? object : old_object;
  const std::string_view own = name_of(shown);
  return own.empty() ? generate_name_of(shown) : own;
}

Result<Review> decode_admission_review(std::string_view body, rego::EvalScratch& scratch) {
  ParseLimits limits;
  limits.max_depth = kMaxDepth;
  limits.source = "request body";
  limits.numbers = ParseLimits::Numbers::kAllFloat64;
  // A byte order mark is passed over.
  if (body.substr(0, 3) == "\xEF\xBB\xBF") body.remove_prefix(3);
  Result<Value> parsed = parse_json_into(scratch.arena(), body, limits);
  if (!parsed.ok()) {
    Error error = std::move(parsed).error();
    if (error.message.find("unexpected end of input") != std::string::npos)
      error.message = "unexpected end of JSON input";
    if (error.code == Code::kInvalid) error.message = "couldn't get version/kind; json parse error: " + error.message;
    return error;
  }
  const Value root = *parsed;
  if (root.is_null()) {
    Review none;
    none.api_version = kReviewVersion;
    none.review_kind = kReviewKind;
    return none;
  }
  if (!root.is_object()) {
    return invalid("couldn't get version/kind; json parse error: " + version_kind_error(root));
  }
  Fields fields(root, "AdmissionReview", "");
  const std::string_view api_version = fields.text("apiVersion");
  const std::string_view kind = fields.text("kind");
  if (!fields.error().empty()) return invalid("couldn't get version/kind; json parse error: " + fields.error());
  PC_TRY(Review out, read_request(root.get("request")));
  // What is neither is answered as if it had been both; what is half is echoed.
  const bool unnamed = api_version.empty() && kind.empty();
  out.api_version = unnamed ? kReviewVersion : api_version;
  out.review_kind = unnamed ? kReviewKind : kind;
  return out;
}

Result<Review> review_of_request(const Value& request, rego::EvalScratch& scratch) {
  return read_request(as_float64(scratch.arena(), request));
}

Review review_of_object(const Value& object, Source source, Operation operation) {
  Review out;
  const ObjectKind kind = kind_of(object);
  out.group = kind.group;
  out.version = kind.version;
  out.kind = kind.kind;
  out.name = name_of(object);
  out.ns = namespace_of(object);
  out.source = source;
  out.operation = operation;
  switch (operation) {
    case Operation::kCreate: out.operation_text = "CREATE"; break;
    case Operation::kUpdate: out.operation_text = "UPDATE"; break;
    case Operation::kDelete: out.operation_text = "DELETE"; break;
    case Operation::kConnect: out.operation_text = "CONNECT"; break;
    default: break;
  }
  (operation == Operation::kDelete ? out.old_object : out.object) = object;
  return out;
}

Value typed_namespace(Arena& arena, const Value& ns) {
  if (!ns.is_object()) return ns;
  Value out = as_float64(arena, ns);
  for (const std::string_view key : {"spec", "status"}) {
    if (!out.get(key).is_object()) {
      out = with_member(arena, out, make_symbol_or_string(arena, key), make_object(arena, {}));
    }
  }
  return out;
}

}  // namespace portcullis::policy
