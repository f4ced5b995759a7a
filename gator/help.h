// Help texts, as gator prints them.
#pragma once

#include <string>
#include <string_view>

namespace portcullis::gator {

enum class Command { kRoot, kTest, kVerify, kVersion };

std::string_view usage(Command command) noexcept;  // from "Usage:" on
std::string help(Command command);                 // what it is, then the usage
std::string version_line();                        // gator --version
std::string version_text(bool json);               // gator version

}  // namespace portcullis::gator
