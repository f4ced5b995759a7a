#include "engine/rego/compile/checked.h"

namespace portcullis::rego {
std::string well_formed(const CheckedModules&) { return {}; }
}  // namespace portcullis::rego
