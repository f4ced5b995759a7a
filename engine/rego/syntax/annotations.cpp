// `# METADATA` blocks.
#include "engine/rego/syntax/parser_impl.h"

namespace portcullis::rego {

void read_annotations(Module& module, Diagnostics& errors) {
  static_cast<void>(module);
  static_cast<void>(errors);
}

}  // namespace portcullis::rego
