// Which objects are templates and constraints, and what gator says about templates it cannot read.
#pragma once

#include "base/error.h"
#include "engine/value/value.h"

namespace portcullis::gator {

bool is_template(const Value& object) noexcept;
bool is_constraint(const Value& object) noexcept;

// "adding template: no kind …": an API version that does not exist.
Result<void> check_template_version(const Value& object);
// The prefix that an error of policy::decode_template gets.
Error template_decode_error(const Error& error);

}  // namespace portcullis::gator
