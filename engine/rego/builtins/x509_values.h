// X.509 certificates and certificate requests as the objects that OPA makes of them (the fields of Go's x509 package).
// Threads: any. Errors: kInvalid with Go's kind of message. Cost: linear.
#pragma once

#include <string_view>
#include <vector>

#include "base/arena.h"
#include "base/error.h"
#include "engine/value/value.h"

namespace portcullis::rego::builtins {

// `der` is one certificate, exactly. With `uri_strings` the object has that field, which OPA adds in places.
Result<Value> certificate_value(Arena& arena, std::string_view der, bool uri_strings);
Result<Value> certificate_request_value(Arena& arena, std::string_view der);

// A certificate's usages as numbers of Go's ExtKeyUsage; nothing at all when it names none.
struct KeyUsages {
  bool any_named = false;
  std::vector<int> known;
};
KeyUsages extended_usages(std::string_view der);

}  // namespace portcullis::rego::builtins
