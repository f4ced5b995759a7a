// Keys of JSON Web Tokens (PEM certificates and public keys, JWK and JWK sets), and signatures with them, by OpenSSL.
// Threads: any. Ownership: a Key owns its OpenSSL object.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

struct evp_pkey_st;

namespace portcullis::rego::builtins {

struct FreePkey {
  void operator()(evp_pkey_st* key) const noexcept;
};
using Pkey = std::unique_ptr<evp_pkey_st, FreePkey>;

struct Key {
  std::string alg;  // empty: none given
  std::string kid;
  Pkey pkey;           // RSA, EC or Ed25519
  std::string secret;  // oct keys
};

// What io.jwt's key arguments hold. Errors (kInvalid): OPA's wording where the case is common.
Result<std::vector<Key>> parse_verification_keys(std::string_view text);
// A JWK or JWK set for signing: private parts are read.
Result<std::vector<Key>> parse_jwks(std::string_view text);

enum class SignatureKind { kHmac, kRsa, kRsaPss, kEcdsa, kEddsa };
struct Algorithm {
  std::string_view name;  // RS256 …
  SignatureKind kind;
  int bits;  // of the hash: 256, 384, 512; 0 for EdDSA
};
const Algorithm* find_algorithm(std::string_view name);

bool verify_signature(const Algorithm& algorithm, const Key& key, std::string_view text, std::string_view signature);
Result<std::string> make_signature(const Algorithm& algorithm, const Key& key, std::string_view text);

}  // namespace portcullis::rego::builtins
