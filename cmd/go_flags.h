// Command-line flags with the syntax of Go's flag package, which Gatekeeper's manager uses: -x and --x, --x=v or --x v,
// booleans only as -x or -x=true, "--" ends the flags, repeatable flags collect.
// Threads: one. Errors: kInvalid with Go's wording ("flag provided but not defined: -nope"); the caller prints usage
// and exits with 2, as Go does.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/error.h"

namespace portcullis::cmd {

class GoFlags {
 public:
  explicit GoFlags(std::string program) : program_(std::move(program)) {}

  // Heads what is added from now on, for list().
  void section(std::string name) { section_ = std::move(name); }
  // Each binds a flag to a variable that already holds its default; the variable must outlive parse().
  void add(std::string name, bool& target, std::string usage);
  void add(std::string name, std::int64_t& target, std::string usage);
  void add(std::string name, std::string& target, std::string usage);
  void add(std::string name, std::chrono::nanoseconds& target, std::string usage);  // Go durations: 3m, 1h30m, 500ms
  void add(std::string name, std::vector<std::string>& target, std::string usage);  // repeatable; the first use clears
  // Accepted and ignored (its value is still taken, unless `boolean`).
  void add_ignored(std::string name, bool boolean, std::string usage);

  struct Parsed {
    bool help = false;                   // -h or -help was given
    std::vector<std::string> arguments;  // what follows the flags
  };
  Result<Parsed> parse(const std::vector<std::string>& arguments);

  // Go's PrintDefaults layout, sorted by name.
  std::string usage() const;
  struct Listed {
    std::string section;
    std::string name;
    std::string type;           // bool, int, string, duration, list; "" for what is ignored
    std::string default_value;  // as Go prints it; "" for an empty one
    std::string usage;
  };
  std::vector<Listed> list() const;  // sorted by name
  // Names given on the command line.
  bool given(std::string_view name) const;

 private:
  struct Ignored {
    bool boolean;
  };
  using Target =
      std::variant<bool*, std::int64_t*, std::string*, std::chrono::nanoseconds*, std::vector<std::string>*, Ignored>;
  struct Flag {
    Target target;
    std::string usage;
    std::string default_text;
    std::string section;
    bool given = false;
  };
  void insert(std::string name, Target target, std::string usage, std::string default_text);
  Result<void> assign(const std::string& name, Flag& flag, const std::string& value, bool has_value);

  std::string program_;
  std::string section_;
  std::map<std::string, Flag, std::less<>> flags_;
};

}  // namespace portcullis::cmd
