// crypto.md5, sha1, sha256 and the HMACs, by OpenSSL.
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <string>

#include "engine/rego/builtins/common.h"
#include "engine/rego/builtins/families.h"

namespace portcullis::rego::builtins {
namespace {

std::string hex(const unsigned char* bytes, std::size_t size) {
  std::string out;
  for (std::size_t i = 0; i < size; ++i) {
    out += "0123456789abcdef"[bytes[i] >> 4];
    out += "0123456789abcdef"[bytes[i] & 15];
  }
  return out;
}

using Algorithm = const EVP_MD* (*)();

template <Algorithm Hash>
Value digest(BuiltinContext& c, Args a) {
  const auto text = string_operand(c, a, 0);
  if (!text) return {};
  unsigned char out[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  if (EVP_Digest(text->data(), text->size(), out, &size, Hash(), nullptr) != 1) return c.fail("digest failed");
  return text_result(c, hex(out, size));
}

template <Algorithm Hash>
Value mac(BuiltinContext& c, Args a) {
  const auto message = string_operand(c, a, 0);
  if (!message) return {};
  const auto key = string_operand(c, a, 1);
  if (!key) return {};
  unsigned char out[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  const char* key_bytes = key->empty() ? "" : key->data();
  if (HMAC(Hash(), key_bytes, static_cast<int>(key->size()), reinterpret_cast<const unsigned char*>(message->data()),
           message->size(), out, &size) == nullptr) {
    return c.fail("hmac failed");
  }
  return text_result(c, hex(out, size));
}

Value mac_equal(BuiltinContext& c, Args a) {
  const auto x = string_operand(c, a, 0);
  if (!x) return {};
  const auto y = string_operand(c, a, 1);
  if (!y) return {};
  return Value::boolean(x->size() == y->size() && CRYPTO_memcmp(x->data(), y->data(), x->size()) == 0);
}

constexpr BuiltinDecl kTable[] = {
    {"crypto.md5", {"string"}, "string", &digest<&EVP_md5>},
    {"crypto.sha1", {"string"}, "string", &digest<&EVP_sha1>},
    {"crypto.sha256", {"string"}, "string", &digest<&EVP_sha256>},
    {"crypto.hmac.md5", {"string", "string"}, "string", &mac<&EVP_md5>},
    {"crypto.hmac.sha1", {"string", "string"}, "string", &mac<&EVP_sha1>},
    {"crypto.hmac.sha256", {"string", "string"}, "string", &mac<&EVP_sha256>},
    {"crypto.hmac.sha512", {"string", "string"}, "string", &mac<&EVP_sha512>},
    {"crypto.hmac.equal", {"string", "string"}, "boolean", &mac_equal},
};

}  // namespace

std::span<const BuiltinDecl> crypto_builtins() { return kTable; }

}  // namespace portcullis::rego::builtins
