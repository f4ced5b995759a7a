#include "engine/rego/builtins/private_keys.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include <memory>
#include <string>

#include "engine/rego/builtins/base64.h"
#include "engine/rego/builtins/der.h"
#include "engine/rego/builtins/pem.h"
#include "engine/value/number.h"

namespace portcullis::rego::builtins {
namespace {

struct FreeNumber {
  void operator()(BIGNUM* number) const noexcept { BN_clear_free(number); }
};
using Number = std::unique_ptr<BIGNUM, FreeNumber>;

const unsigned char* bytes_of(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }

Number number_of(const Pkey& key, const char* name) {
  BIGNUM* out = nullptr;
  EVP_PKEY_get_bn_param(key.get(), name, &out);
  return Number(out);
}

// Big-endian, at least `width` bytes.
std::string big_endian(const BIGNUM* number, int width = 0) {
  if (number == nullptr) return {};
  const int size = std::max(BN_num_bytes(number), width);
  std::string out(static_cast<std::size_t>(size), '\0');
  BN_bn2binpad(number, reinterpret_cast<unsigned char*>(out.data()), size);
  return out;
}

// OpenSSL reads RSA keys whose primes are another key's.
bool factors_fit(const Pkey& key) {
  if (EVP_PKEY_get_base_id(key.get()) != EVP_PKEY_RSA) return true;
  const Number p = number_of(key, OSSL_PKEY_PARAM_RSA_FACTOR1);
  const Number q = number_of(key, OSSL_PKEY_PARAM_RSA_FACTOR2);
  const Number n = number_of(key, OSSL_PKEY_PARAM_RSA_N);
  const Number product(BN_new());
  BN_CTX* scratch = BN_CTX_new();
  const bool fit =
      p && q && n && BN_mul(product.get(), p.get(), q.get(), scratch) == 1 && BN_cmp(product.get(), n.get()) == 0;
  BN_CTX_free(scratch);
  return fit;
}

std::string raw_key(const Pkey& key, bool secret) {
  unsigned char out[64];
  std::size_t size = sizeof out;
  const int done =
      secret ? EVP_PKEY_get_raw_private_key(key.get(), out, &size) : EVP_PKEY_get_raw_public_key(key.get(), out, &size);
  return done == 1 ? std::string(reinterpret_cast<const char*>(out), size) : std::string();
}

struct Object {
  Arena& arena;
  std::vector<Member> members;
  void put(std::string_view name, const Value& value) { members.push_back({Value::string(name), value}); }
  void number(std::string_view name, const Number& value) {
    put(name, make_number(arena, unsigned_decimal(big_endian(value.get()))));
  }
  void url64(std::string_view name, std::string_view bytes) {
    put(name, make_string(arena, to_base64(bytes, kBase64Url, false)));
  }
  Value finish() { return make_object(arena, members); }
};

Value rsa_value(Arena& arena, const Pkey& key) {
  Object precomputed{arena, {}};
  precomputed.number("Dp", number_of(key, OSSL_PKEY_PARAM_RSA_EXPONENT1));
  precomputed.number("Dq", number_of(key, OSSL_PKEY_PARAM_RSA_EXPONENT2));
  precomputed.number("Qinv", number_of(key, OSSL_PKEY_PARAM_RSA_COEFFICIENT1));
  precomputed.put("CRTValues", make_array(arena, {}));
  Object primes{arena, {}};
  primes.number("p", number_of(key, OSSL_PKEY_PARAM_RSA_FACTOR1));
  primes.number("q", number_of(key, OSSL_PKEY_PARAM_RSA_FACTOR2));
  const Value factors[] = {primes.members[0].value, primes.members[1].value};
  Object out{arena, {}};
  out.number("N", number_of(key, OSSL_PKEY_PARAM_RSA_N));
  out.number("E", number_of(key, OSSL_PKEY_PARAM_RSA_E));
  out.number("D", number_of(key, OSSL_PKEY_PARAM_RSA_D));
  out.put("Primes", make_array(arena, factors));
  out.put("Precomputed", precomputed.finish());
  return out.finish();
}

Value ec_value(Arena& arena, const Pkey& key) {
  Object out{arena, {}};
  out.put("Curve", make_object(arena, {}));
  out.number("X", number_of(key, OSSL_PKEY_PARAM_EC_PUB_X));
  out.number("Y", number_of(key, OSSL_PKEY_PARAM_EC_PUB_Y));
  out.number("D", number_of(key, OSSL_PKEY_PARAM_PRIV_KEY));
  return out.finish();
}

std::string_view curve_name(int bits) {
  if (bits == 256) return "P-256";
  if (bits == 384) return "P-384";
  return bits == 521 ? "P-521" : "";
}

}  // namespace

Result<Pkey> private_key_of_block(std::string_view type, std::string_view der) {
  const unsigned char* at = bytes_of(der);
  const auto size = static_cast<long>(der.size());
  EVP_PKEY* key = nullptr;
  if (type == "RSA PRIVATE KEY") {
    key = d2i_PrivateKey(EVP_PKEY_RSA, nullptr, &at, size);
  } else if (type == "EC PRIVATE KEY") {
    key = d2i_PrivateKey(EVP_PKEY_EC, nullptr, &at, size);
  } else if (type == "PRIVATE KEY") {
    if (PKCS8_PRIV_KEY_INFO* info = d2i_PKCS8_PRIV_KEY_INFO(nullptr, &at, size)) {
      key = EVP_PKCS82PKEY(info);
      PKCS8_PRIV_KEY_INFO_free(info);
    }
  } else {
    return Pkey();
  }
  ERR_clear_error();
  if (key == nullptr) return Error{Code::kInvalid, "x509: failed to parse private key", {}};
  Pkey out(key);
  if (!factors_fit(out)) return Error{Code::kInvalid, "crypto/rsa: p * q != n", {}};
  return out;
}

Result<std::vector<Pkey>> private_keys_of_pem(BuiltinContext& context, std::string_view text) {
  std::string error;
  const std::optional<std::string> decoded = from_base64(text, kBase64Standard, error);
  std::string_view rest = decoded ? std::string_view(*decoded) : text;
  std::vector<Pkey> out;
  while (const auto block = next_pem_block(rest)) {
    if (context.over_budget()) return Error{Code::kLimit, "timed out before finishing", {}};
    PC_TRY(Pkey key, private_key_of_block(block->type, block->bytes));
    if (key != nullptr) out.push_back(std::move(key));
  }
  return out;
}

Value private_key_value(Arena& arena, const Pkey& key) {
  switch (EVP_PKEY_get_base_id(key.get())) {
    case EVP_PKEY_RSA: return rsa_value(arena, key);
    case EVP_PKEY_EC: return ec_value(arena, key);
    case EVP_PKEY_ED25519:
      return make_string(arena, to_base64(raw_key(key, true) + raw_key(key, false), kBase64Standard, true));
    default: return make_object(arena, {});
  }
}

Value private_key_jwk(Arena& arena, const Pkey& key) {
  Object out{arena, {}};
  const auto number = [&](std::string_view name, const char* parameter, int width = 0) {
    out.url64(name, big_endian(number_of(key, parameter).get(), width));
  };
  switch (EVP_PKEY_get_base_id(key.get())) {
    case EVP_PKEY_RSA:
      out.put("kty", Value::string("RSA"));
      number("n", OSSL_PKEY_PARAM_RSA_N);
      number("e", OSSL_PKEY_PARAM_RSA_E);
      number("d", OSSL_PKEY_PARAM_RSA_D);
      number("p", OSSL_PKEY_PARAM_RSA_FACTOR1);
      number("q", OSSL_PKEY_PARAM_RSA_FACTOR2);
      number("dp", OSSL_PKEY_PARAM_RSA_EXPONENT1);
      number("dq", OSSL_PKEY_PARAM_RSA_EXPONENT2);
      number("qi", OSSL_PKEY_PARAM_RSA_COEFFICIENT1);
      return out.finish();
    case EVP_PKEY_EC: {
      const int bits = EVP_PKEY_get_bits(key.get());
      const int width = (bits + 7) / 8;
      if (curve_name(bits).empty()) return {};
      out.put("kty", Value::string("EC"));
      out.put("crv", Value::string(curve_name(bits)));
      number("x", OSSL_PKEY_PARAM_EC_PUB_X, width);
      number("y", OSSL_PKEY_PARAM_EC_PUB_Y, width);
      number("d", OSSL_PKEY_PARAM_PRIV_KEY, width);
      return out.finish();
    }
    case EVP_PKEY_ED25519:
      out.put("kty", Value::string("OKP"));
      out.put("crv", Value::string("Ed25519"));
      out.url64("x", raw_key(key, false));
      out.url64("d", raw_key(key, true));
      return out.finish();
    default: return {};
  }
}

Result<void> match_certificate(const Pkey& key, std::string_view certificate_der) {
  const unsigned char* at = bytes_of(certificate_der);
  X509* certificate = d2i_X509(nullptr, &at, static_cast<long>(certificate_der.size()));
  EVP_PKEY* own = certificate == nullptr ? nullptr : X509_get0_pubkey(certificate);
  const bool same_type = own != nullptr && EVP_PKEY_get_base_id(own) == EVP_PKEY_get_base_id(key.get());
  const bool same = same_type && X509_check_private_key(certificate, key.get()) == 1;
  X509_free(certificate);
  ERR_clear_error();
  if (same) return ok();
  return make_error(Code::kInvalid, same_type ? "tls: private key does not match public key"
                                              : "tls: private key type does not match public key type");
}

}  // namespace portcullis::rego::builtins
