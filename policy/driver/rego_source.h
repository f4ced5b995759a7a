// What Gatekeeper allows in a template's Rego, and how it rewrites it before compiling.
#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "engine/rego/syntax/ast.h"
#include "policy/model/template.h"

namespace portcullis::policy {

struct RegoSource {
  std::string rego;
  std::vector<std::string> libs;
  rego::RegoVersion version = rego::RegoVersion::kV0;
};

// Errors (kInvalid): "could not recognize the type", "rego source missing required field: rego", accessor errors.
Result<RegoSource> read_rego_source(const Value& source);

// Parses and checks all modules (the entry module first), with packages and data references rewritten: the entry module
// becomes data.template, data.lib.x becomes data.libs.lib.x.
// Errors (kInvalid): "invalid ConstraintTemplate: …".
Result<std::vector<rego::Module>> prepare_modules(const RegoSource& source, bool referential);

// Whether any rule refers to data.inventory.
bool reads_inventory(const std::vector<rego::Module>& modules);

}  // namespace portcullis::policy
