#include "gator/templates.h"

#include <string>

#include "base/text.h"
#include "policy/model/object.h"

namespace portcullis::gator {

bool is_template(const Value& object) noexcept {
  const policy::ObjectKind kind = policy::kind_of(object);
  return kind.group == policy::kTemplatesGroup && kind.kind == "ConstraintTemplate";
}

bool is_constraint(const Value& object) noexcept { return policy::kind_of(object).group == policy::kConstraintsGroup; }

Result<void> check_template_version(const Value& object) {
  const policy::ObjectKind kind = policy::kind_of(object);
  if (kind.version == "v1" || kind.version == "v1beta1" || kind.version == "v1alpha1") return ok();
  return make_error(Code::kInvalid, "adding template: no kind \"ConstraintTemplate\" is registered for version " +
                                        text::go_quote(kind.api_version()));
}

Error template_decode_error(const Error& error) {
  const bool decoding = text::starts_with(error.message, "json: ");
  return make_error(error.code, (decoding ? "adding template: " : "unable to convert template: ") + error.message);
}

}  // namespace portcullis::gator
