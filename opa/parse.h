// `opa parse`.
#pragma once

#include <span>
#include <string_view>

#include "opa/opa.h"

namespace portcullis::opa {

int run_parse(std::span<const std::string_view> args, const Io& io);

}  // namespace portcullis::opa
