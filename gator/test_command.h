// gator test.
#pragma once

#include <span>
#include <string_view>

#include "gator/gator.h"

namespace portcullis::gator {

int test_command(std::span<const std::string_view> args, const Io& io);

}  // namespace portcullis::gator
