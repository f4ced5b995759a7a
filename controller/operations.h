// What this process does (--operation), as Gatekeeper names it.
#pragma once

#include <string>
#include <vector>

#include "base/error.h"

namespace portcullis::controller {

struct Operations {
  bool audit = false;
  bool generate = false;
  bool mutation_controller = false;
  bool mutation_status = false;
  bool mutation_webhook = false;
  bool status = false;
  bool webhook = false;

  // Whether templates and constraints are watched and loaded.
  bool loads_policies() const noexcept { return audit || status || webhook; }
  std::vector<std::string> names() const;  // sorted
};

// Each entry may be a comma list; no entry at all means everything. Errors: kInvalid names the unknown operation.
Result<Operations> parse_operations(const std::vector<std::string>& flags);

}  // namespace portcullis::controller
