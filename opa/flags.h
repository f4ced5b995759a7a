// Command-line flags in the syntax of Go's pflag (GNU style), with its error texts.
// Threads: one at a time. Ownership: the variables bound must outlive parse().
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace portcullis::opa {

class Flags {
 public:
  // `short_name` 0: none. A setter returns what is wrong with the value, or nothing.
  using Setter = std::function<std::string(std::string_view)>;
  void add_switch(std::string name, char short_name, bool* value);
  void add_text(std::string name, char short_name, std::string* value);
  void add_texts(std::string name, char short_name, std::vector<std::string>* values);
  void add(std::string name, char short_name, Setter setter);
  // A flag of OPA's that is not there: naming it gives an error of its own instead of "unknown flag".
  void add_missing(std::string name, char short_name = 0);

  // The arguments that are no flags. Errors (kInvalid): "unknown flag: --x", "flag needs an argument: --x", …
  Result<std::vector<std::string>> parse(std::span<const std::string_view> args) const;

 private:
  struct Flag {
    std::string name;
    char short_name;
    bool is_switch;
    bool missing;
    Setter set;
  };
  const Flag* find(std::string_view name) const;
  const Flag* find(char short_name) const;
  static Result<void> assign(const Flag& flag, std::string_view value);
  Result<void> parse_long(std::span<const std::string_view> args, std::size_t& at) const;
  Result<void> parse_short(std::span<const std::string_view> args, std::size_t& at) const;

  std::vector<Flag> flags_;
};

}  // namespace portcullis::opa
