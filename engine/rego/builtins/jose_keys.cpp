#include "engine/rego/builtins/jose_keys.h"

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include <array>

#include "engine/rego/builtins/base64.h"
#include "engine/value/document.h"

namespace portcullis::rego::builtins {

void FreePkey::operator()(evp_pkey_st* key) const noexcept { EVP_PKEY_free(key); }

namespace {

template <auto Function>
struct Free {
  template <typename T>
  void operator()(T* pointer) const noexcept {
    Function(pointer);
  }
};
using Bio = std::unique_ptr<BIO, Free<BIO_free_all>>;
using Number = std::unique_ptr<BIGNUM, Free<BN_free>>;
using Builder = std::unique_ptr<OSSL_PARAM_BLD, Free<OSSL_PARAM_BLD_free>>;
using Params = std::unique_ptr<OSSL_PARAM, Free<OSSL_PARAM_free>>;
using PkeyContext = std::unique_ptr<EVP_PKEY_CTX, Free<EVP_PKEY_CTX_free>>;
using DigestContext = std::unique_ptr<EVP_MD_CTX, Free<EVP_MD_CTX_free>>;
using EcSignature = std::unique_ptr<ECDSA_SIG, Free<ECDSA_SIG_free>>;
using Certificate = std::unique_ptr<X509, Free<X509_free>>;

Error invalid(std::string message) {
  ERR_clear_error();
  return make_error(Code::kInvalid, std::move(message));
}

const unsigned char* bytes_of(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }

constexpr Algorithm kAlgorithms[] = {
    {"HS256", SignatureKind::kHmac, 256},   {"HS384", SignatureKind::kHmac, 384},
    {"HS512", SignatureKind::kHmac, 512},   {"RS256", SignatureKind::kRsa, 256},
    {"RS384", SignatureKind::kRsa, 384},    {"RS512", SignatureKind::kRsa, 512},
    {"PS256", SignatureKind::kRsaPss, 256}, {"PS384", SignatureKind::kRsaPss, 384},
    {"PS512", SignatureKind::kRsaPss, 512}, {"ES256", SignatureKind::kEcdsa, 256},
    {"ES384", SignatureKind::kEcdsa, 384},  {"ES512", SignatureKind::kEcdsa, 512},
    {"EdDSA", SignatureKind::kEddsa, 0},
};

const EVP_MD* hash_of(int bits) { return bits == 256 ? EVP_sha256() : bits == 384 ? EVP_sha384() : EVP_sha512(); }

// --- PEM ---

Result<std::vector<Key>> one_key(Pkey pkey) {
  std::vector<Key> out;
  out.push_back(Key{{}, {}, std::move(pkey), {}});
  return out;
}

Result<std::vector<Key>> parse_pem(std::string_view text, std::size_t begin) {
  const std::size_t name_end = text.find("-----", begin + 11);
  if (name_end == std::string_view::npos) return invalid("failed to extract a Key from the PEM certificate");
  const std::string name(text.substr(begin + 11, name_end - begin - 11));
  const std::string end_line = "-----END " + name + "-----";
  const std::size_t end = text.find(end_line, name_end);
  if (end != std::string_view::npos) {
    std::string_view rest = text.substr(end + end_line.size());
    while (!rest.empty() && (rest.front() == ' ' || rest.front() == '\t' || rest.front() == '\r'))
      rest.remove_prefix(1);
    if (rest.starts_with('\n')) rest.remove_prefix(1);
    if (!rest.empty()) return invalid("extra data after a PEM certificate block");
  }
  const Bio bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
  if (name == "CERTIFICATE") {
    const Certificate certificate(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
    if (!certificate) return invalid("failed to parse a PEM certificate: x509: malformed certificate");
    Pkey key(X509_get_pubkey(certificate.get()));
    if (!key) return invalid("failed to parse a PEM certificate: x509: unknown public key");
    return one_key(std::move(key));
  }
  if (name == "PUBLIC KEY") {
    Pkey key(PEM_read_bio_PUBKEY(bio.get(), nullptr, nullptr, nullptr));
    if (!key) return invalid("failed to parse a PEM public key: x509: malformed public key");
    return one_key(std::move(key));
  }
  return invalid("failed to extract a Key from the PEM certificate");
}

// --- JWK ---

std::optional<std::string> member_bytes(const Value& jwk, std::string_view name) {
  const Value text = jwk.get(name);
  if (!text.is_string()) return std::nullopt;
  std::string error;
  return from_base64url(text.as_string(), error);
}

Pkey from_params(const char* type, int selection, OSSL_PARAM_BLD* builder) {
  const Params params(OSSL_PARAM_BLD_to_param(builder));
  const PkeyContext context(EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
  EVP_PKEY* key = nullptr;
  if (!params || !context || EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &key, selection, params.get()) != 1) {
    ERR_clear_error();
    return nullptr;
  }
  return Pkey(key);
}

struct RsaMember {
  const char* jwk;
  const char* openssl;
};
constexpr RsaMember kRsaMembers[] = {{"n", OSSL_PKEY_PARAM_RSA_N},          {"e", OSSL_PKEY_PARAM_RSA_E},
                                     {"d", OSSL_PKEY_PARAM_RSA_D},          {"p", OSSL_PKEY_PARAM_RSA_FACTOR1},
                                     {"q", OSSL_PKEY_PARAM_RSA_FACTOR2},    {"dp", OSSL_PKEY_PARAM_RSA_EXPONENT1},
                                     {"dq", OSSL_PKEY_PARAM_RSA_EXPONENT2}, {"qi", OSSL_PKEY_PARAM_RSA_COEFFICIENT1}};

Pkey rsa_key(const Value& jwk) {
  const Builder builder(OSSL_PARAM_BLD_new());
  std::vector<Number> numbers;
  const bool is_private = jwk.get("d").is_string();
  const bool has_factors = jwk.get("p").is_string() && jwk.get("q").is_string();
  for (std::size_t i = 0; i < std::size(kRsaMembers); ++i) {
    if (i >= 3 && !(is_private && has_factors)) break;
    const auto bytes = member_bytes(jwk, kRsaMembers[i].jwk);
    if (!bytes) {
      if (i < 2) return nullptr;
      continue;
    }
    numbers.emplace_back(BN_bin2bn(bytes_of(*bytes), static_cast<int>(bytes->size()), nullptr));
    OSSL_PARAM_BLD_push_BN(builder.get(), kRsaMembers[i].openssl, numbers.back().get());
  }
  return from_params("RSA", is_private ? EVP_PKEY_KEYPAIR : EVP_PKEY_PUBLIC_KEY, builder.get());
}

Pkey ec_key(const Value& jwk) {
  struct Curve {
    std::string_view name;
    const char* group;
    std::size_t size;
  };
  static constexpr Curve kCurves[] = {{"P-256", "P-256", 32}, {"P-384", "P-384", 48}, {"P-521", "P-521", 66}};
  const Curve* curve = nullptr;
  for (const Curve& each : kCurves) {
    if (each.name == jwk.string_or("crv")) curve = &each;
  }
  auto x = member_bytes(jwk, "x");
  auto y = member_bytes(jwk, "y");
  if (curve == nullptr || !x || !y || x->size() > curve->size || y->size() > curve->size) return nullptr;
  x->insert(0, curve->size - x->size(), '\0');
  y->insert(0, curve->size - y->size(), '\0');
  const std::string point = "\x04" + *x + *y;
  const Builder builder(OSSL_PARAM_BLD_new());
  OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, curve->group, 0);
  OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size());
  const auto d = member_bytes(jwk, "d");
  Number secret;
  if (d) {
    secret.reset(BN_bin2bn(bytes_of(*d), static_cast<int>(d->size()), nullptr));
    OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_PRIV_KEY, secret.get());
  }
  return from_params("EC", d ? EVP_PKEY_KEYPAIR : EVP_PKEY_PUBLIC_KEY, builder.get());
}

Pkey okp_key(const Value& jwk) {
  if (jwk.string_or("crv") != "Ed25519") return nullptr;
  if (const auto d = member_bytes(jwk, "d")) {
    return Pkey(EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, bytes_of(*d), d->size()));
  }
  const auto x = member_bytes(jwk, "x");
  if (!x) return nullptr;
  return Pkey(EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, bytes_of(*x), x->size()));
}

Result<Key> key_of_jwk(const Value& jwk) {
  Key out;
  out.alg = jwk.string_or("alg");
  out.kid = jwk.string_or("kid");
  const std::string_view type = jwk.string_or("kty");
  if (type == "oct") {
    const auto secret = member_bytes(jwk, "k");
    if (!secret) return invalid("failed to unmarshal JWK: required field \"k\" is missing");
    out.secret = *secret;
    return out;
  }
  if (type == "RSA") {
    out.pkey = rsa_key(jwk);
  } else if (type == "EC") {
    out.pkey = ec_key(jwk);
  } else if (type == "OKP") {
    out.pkey = okp_key(jwk);
  } else {
    return invalid("failed to unmarshal JWK: unknown key type \"" + std::string(type) + "\"");
  }
  ERR_clear_error();
  if (!out.pkey) return invalid("failed to unmarshal JWK: the " + std::string(type) + " key is incomplete or wrong");
  return out;
}

}  // namespace

Result<std::vector<Key>> parse_jwks(std::string_view text) {
  const Result<Document> document = Document::parse_json(text);
  if (!document.ok() || !document->root().is_object()) return invalid("failed to unmarshal JWK: invalid JSON");
  const Value root = document->root();
  std::vector<Key> out;
  const Value set = root.get("keys");
  if (!set.is_array()) {
    PC_TRY(Key key, key_of_jwk(root));
    out.push_back(std::move(key));
    return out;
  }
  for (const Value& jwk : set.elements()) {
    PC_TRY(Key key, key_of_jwk(jwk));
    out.push_back(std::move(key));
  }
  return out;
}

Result<std::vector<Key>> parse_verification_keys(std::string_view text) {
  const std::size_t begin = text.find("-----BEGIN ");
  if (begin != std::string_view::npos) return parse_pem(text, begin);
  Result<std::vector<Key>> keys = parse_jwks(text);
  if (!keys.ok()) return invalid("failed to parse a JWK key (set): " + keys.error().message);
  std::erase_if(*keys, [](const Key& key) { return !key.alg.empty() && find_algorithm(key.alg) == nullptr; });
  return keys;
}

const Algorithm* find_algorithm(std::string_view name) {
  for (const Algorithm& each : kAlgorithms) {
    if (each.name == name) return &each;
  }
  return nullptr;
}

namespace {

std::string hmac(int bits, std::string_view secret, std::string_view text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> out{};
  unsigned int size = 0;
  HMAC(hash_of(bits), secret.empty() ? "" : secret.data(), static_cast<int>(secret.size()), bytes_of(text), text.size(),
       out.data(), &size);
  return {reinterpret_cast<const char*>(out.data()), size};
}

int key_type(SignatureKind kind) {
  switch (kind) {
    case SignatureKind::kRsa:
    case SignatureKind::kRsaPss: return EVP_PKEY_RSA;
    case SignatureKind::kEcdsa: return EVP_PKEY_EC;
    case SignatureKind::kEddsa: return EVP_PKEY_ED25519;
    case SignatureKind::kHmac: break;
  }
  return EVP_PKEY_NONE;
}

bool key_fits(const Algorithm& algorithm, const Key& key) {
  return key.pkey && EVP_PKEY_get_base_id(key.pkey.get()) == key_type(algorithm.kind);
}

bool set_padding(const Algorithm& algorithm, EVP_PKEY_CTX* context, int salt) {
  if (algorithm.kind != SignatureKind::kRsaPss) return true;
  return EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING) == 1 &&
         EVP_PKEY_CTX_set_rsa_pss_saltlen(context, salt) == 1;
}

// r and s side by side, as tokens have them, to the DER that OpenSSL reads.
std::string der_of(std::string_view signature) {
  const std::size_t half = signature.size() / 2;
  Number r(BN_bin2bn(bytes_of(signature), static_cast<int>(half), nullptr));
  Number s(BN_bin2bn(bytes_of(signature) + half, static_cast<int>(signature.size() - half), nullptr));
  const EcSignature pair(ECDSA_SIG_new());
  ECDSA_SIG_set0(pair.get(), r.release(), s.release());
  unsigned char* bytes = nullptr;
  const int size = i2d_ECDSA_SIG(pair.get(), &bytes);
  if (size <= 0) return {};
  const std::string out(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(size));
  OPENSSL_free(bytes);
  return out;
}

std::string raw_of(std::string_view der, std::size_t half) {
  const unsigned char* at = bytes_of(der);
  const EcSignature pair(d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(der.size())));
  if (!pair) return {};
  std::string out(2 * half, '\0');
  auto* to = reinterpret_cast<unsigned char*>(out.data());
  BN_bn2binpad(ECDSA_SIG_get0_r(pair.get()), to, static_cast<int>(half));
  BN_bn2binpad(ECDSA_SIG_get0_s(pair.get()), to + half, static_cast<int>(half));
  return out;
}

}  // namespace

bool verify_signature(const Algorithm& algorithm, const Key& key, std::string_view text, std::string_view signature) {
  if (algorithm.kind == SignatureKind::kHmac) {
    if (key.secret.empty()) return false;
    const std::string want = hmac(algorithm.bits, key.secret, text);
    return want.size() == signature.size() && CRYPTO_memcmp(want.data(), signature.data(), want.size()) == 0;
  }
  if (!key_fits(algorithm, key)) return false;
  const std::string held = algorithm.kind == SignatureKind::kEcdsa ? der_of(signature) : std::string(signature);
  const DigestContext context(EVP_MD_CTX_new());
  EVP_PKEY_CTX* pkey_context = nullptr;
  const EVP_MD* hash = algorithm.kind == SignatureKind::kEddsa ? nullptr : hash_of(algorithm.bits);
  const bool valid = EVP_DigestVerifyInit(context.get(), &pkey_context, hash, nullptr, key.pkey.get()) == 1 &&
                     set_padding(algorithm, pkey_context, RSA_PSS_SALTLEN_AUTO) &&
                     EVP_DigestVerify(context.get(), bytes_of(held), held.size(), bytes_of(text), text.size()) == 1;
  ERR_clear_error();
  return valid;
}

Result<std::string> make_signature(const Algorithm& algorithm, const Key& key, std::string_view text) {
  if (algorithm.kind == SignatureKind::kHmac) {
    if (key.secret.empty()) return invalid("the key is no secret for " + std::string(algorithm.name));
    return hmac(algorithm.bits, key.secret, text);
  }
  if (!key_fits(algorithm, key)) return invalid("the key does not fit " + std::string(algorithm.name));
  const DigestContext context(EVP_MD_CTX_new());
  EVP_PKEY_CTX* pkey_context = nullptr;
  const EVP_MD* hash = algorithm.kind == SignatureKind::kEddsa ? nullptr : hash_of(algorithm.bits);
  std::size_t size = 0;
  if (EVP_DigestSignInit(context.get(), &pkey_context, hash, nullptr, key.pkey.get()) != 1 ||
      !set_padding(algorithm, pkey_context, RSA_PSS_SALTLEN_DIGEST) ||
      EVP_DigestSign(context.get(), nullptr, &size, bytes_of(text), text.size()) != 1) {
    return invalid("the key cannot sign");
  }
  std::string out(size, '\0');
  if (EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(out.data()), &size, bytes_of(text), text.size()) !=
      1) {
    return invalid("the key cannot sign");
  }
  out.resize(size);
  if (algorithm.kind != SignatureKind::kEcdsa) return out;
  return raw_of(out, static_cast<std::size_t>((EVP_PKEY_get_bits(key.pkey.get()) + 7) / 8));
}

}  // namespace portcullis::rego::builtins
