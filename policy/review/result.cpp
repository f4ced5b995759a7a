#include "policy/review/result.h"

#include <algorithm>

#include "base/text.h"

namespace portcullis::policy {

bool Violation::has_action(std::string_view wanted) const noexcept {
  if (scoped_actions == nullptr) return action() == wanted;
  return std::find(scoped_actions->begin(), scoped_actions->end(), wanted) != scoped_actions->end();
}

AdmissionResponse plain_response(bool allowed, int code, std::string message) {
  AdmissionResponse out;
  out.allowed = allowed;
  out.code = code;
  out.message = std::move(message);
  return out;
}

AdmissionResponse admission_response(const ReviewResult& result, std::string_view display_name) {
  if (result.failed()) {
    return plain_response(false, 500, "error reviewing resource " + std::string(display_name) + ": " + result.failure);
  }
  AdmissionResponse out;
  std::string denied;
  for (const Violation& violation : result.violations) {
    const bool deny = violation.has_action("deny");
    const bool warn = violation.has_action("warn");
    if (!deny && !warn) continue;
    std::string line = "[" + violation.constraint->name + "] " + violation.message;
    if (deny) {
      if (!out.allowed) denied += '\n';
      denied += line;
      out.allowed = false;
    }
    if (warn) out.warnings.push_back(std::move(line));
  }
  if (!out.allowed) {
    out.code = 403;
    out.reason = "Forbidden";
    out.message = std::move(denied);
  } else if (!out.warnings.empty()) {
    out.code = 299;
  }
  return out;
}

std::string encode_admission_response(std::string_view api_version, std::string_view kind, std::string_view uid,
                                      const AdmissionResponse& response) {
  std::string out;
  out.reserve(256 + response.message.size());
  out += '{';
  const auto field = [&out](std::string_view key, std::string_view value) {
    text::append_json_string(out, key);
    out += ':';
    text::append_json_string(out, value, true);
  };
  if (!kind.empty()) {
    field("kind", kind);
    out += ',';
  }
  if (!api_version.empty()) {
    field("apiVersion", api_version);
    out += ',';
  }
  out += "\"response\":{";
  field("uid", uid);
  out += response.allowed ? ",\"allowed\":true" : ",\"allowed\":false";
  out += ",\"status\":{\"metadata\":{}";
  if (!response.message.empty()) {
    out += ',';
    field("message", response.message);
  }
  if (!response.reason.empty()) {
    out += ',';
    field("reason", response.reason);
  }
  out += ",\"code\":" + std::to_string(response.code) + "}";
  if (!response.warnings.empty()) {
    out += ",\"warnings\":[";
    for (std::size_t i = 0; i < response.warnings.size(); ++i) {
      if (i != 0) out += ',';
      text::append_json_string(out, response.warnings[i], true);
    }
    out += ']';
  }
  out += "}}\n";
  return out;
}

}  // namespace portcullis::policy
