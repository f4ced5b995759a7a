// Names of kinds, lookups along text paths.
#include "engine/value/value.h"

namespace portcullis {

std::string_view kind_name(Kind kind) noexcept {
  switch (kind) {
    case Kind::kUndefined: return "undefined";
    case Kind::kNull: return "null";
    case Kind::kBool: return "boolean";
    case Kind::kNumber: return "number";
    case Kind::kString: return "string";
    case Kind::kArray: return "array";
    case Kind::kObject: return "object";
    case Kind::kSet: return "set";
  }
  return "undefined";
}

}  // namespace portcullis
