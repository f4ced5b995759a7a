// Command-line flags in the syntax of Go's pflag (GNU style), with its error texts.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace portcullis::gator {

// Registers where values go, then parses once. Threads: one at a time.
class FlagSet {
 public:
  // `short_name` 0: none.
  void add(std::string_view name, char short_name, bool* value);
  void add(std::string_view name, char short_name, std::string* value);
  void add(std::string_view name, char short_name, std::vector<std::string>* values);

  // Returns the arguments that are no flags. Errors (kInvalid): "unknown flag: --x", "flag needs an argument: --x", …
  Result<std::vector<std::string>> parse(std::span<const std::string_view> args) const;

 private:
  struct Flag {
    std::string name;
    char short_name = 0;
    bool* boolean = nullptr;
    std::string* text = nullptr;
    std::vector<std::string>* texts = nullptr;
  };
  const Flag* find(std::string_view name) const;
  const Flag* find(char short_name) const;
  static Result<void> set(const Flag& flag, std::string_view value);
  Result<void> parse_long(std::span<const std::string_view> args, std::size_t& at) const;
  Result<void> parse_short(std::span<const std::string_view> args, std::size_t& at) const;

  std::vector<Flag> flags_;
};

}  // namespace portcullis::gator
