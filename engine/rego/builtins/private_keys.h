// Private keys as OPA shows them: the fields of Go's key types, and JSON Web Keys. OpenSSL reads them.
// Threads: any. Ownership: a key owns its OpenSSL object. Errors: kInvalid.
#pragma once

#include <string_view>
#include <vector>

#include "base/arena.h"
#include "base/error.h"
#include "engine/rego/builtins/jose_keys.h"
#include "engine/rego/eval/builtin.h"
#include "engine/value/value.h"

namespace portcullis::rego::builtins {

// The keys of the PEM blocks that hold one, in order. `text` may be PEM or base64 of it. kLimit: the budget ran out.
Result<std::vector<Pkey>> private_keys_of_pem(BuiltinContext& context, std::string_view text);
// One block's key, by its type. Null for blocks that hold none.
Result<Pkey> private_key_of_block(std::string_view type, std::string_view der);

Value private_key_value(Arena& arena, const Pkey& key);  // Go's field names
Value private_key_jwk(Arena& arena, const Pkey& key);    // undefined for kinds that have no JWK

// Whether the certificate's public key is this one's. kInvalid: it is not.
Result<void> match_certificate(const Pkey& key, std::string_view certificate_der);

}  // namespace portcullis::rego::builtins
