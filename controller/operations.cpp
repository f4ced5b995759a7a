// Names of operations.
#include "controller/operations.h"

#include <algorithm>

#include "base/text.h"

namespace portcullis::controller {

namespace {

struct Name {
  const char* text;
  bool Operations::* flag;
};
// In alphabetical order, as statuses list them.
constexpr Name kNames[] = {
    {"audit", &Operations::audit},
    {"generate", &Operations::generate},
    {"mutation-controller", &Operations::mutation_controller},
    {"mutation-status", &Operations::mutation_status},
    {"mutation-webhook", &Operations::mutation_webhook},
    {"status", &Operations::status},
    {"webhook", &Operations::webhook},
};

}  // namespace

std::vector<std::string> Operations::names() const {
  std::vector<std::string> list;
  for (const Name& name : kNames) {
    if (this->*name.flag) list.emplace_back(name.text);
  }
  return list;
}

Result<Operations> parse_operations(const std::vector<std::string>& flags) {
  Operations operations;
  for (const std::string& flag : flags) {
    for (const std::string_view part : text::split(flag, ',')) {
      const auto found =
          std::find_if(std::begin(kNames), std::end(kNames), [&](const Name& n) { return n.text == part; });
      if (found == std::end(kNames)) {
        return make_error(Code::kInvalid,
                          "operation " + std::string(part) +
                              " is not a valid operation: want one of audit, generate, "
                              "mutation-controller, mutation-status, mutation-webhook, status, webhook");
      }
      operations.*(found->flag) = true;
    }
  }
  if (flags.empty()) {
    for (const Name& name : kNames) operations.*name.flag = true;
  }
  return operations;
}

}  // namespace portcullis::controller
