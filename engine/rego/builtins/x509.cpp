// crypto.x509.* and crypto.parse_private_keys.
#include <openssl/err.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "base/text.h"
#include "engine/rego/builtins/base64.h"
#include "engine/rego/builtins/common.h"
#include "engine/rego/builtins/der.h"
#include "engine/rego/builtins/families.h"
#include "engine/rego/builtins/pem.h"
#include "engine/rego/builtins/private_keys.h"
#include "engine/rego/builtins/x509_values.h"
#include "engine/value/number.h"

namespace portcullis::rego::builtins {
namespace {

template <auto Free>
struct With {
  template <typename T>
  void operator()(T* pointer) const noexcept {
    Free(pointer);
  }
};
using Certificate = std::unique_ptr<X509, With<&X509_free>>;
using Store = std::unique_ptr<X509_STORE, With<&X509_STORE_free>>;
using StoreContext = std::unique_ptr<X509_STORE_CTX, With<&X509_STORE_CTX_free>>;

// Certificates of one call; more are refused (a chain has a few).
constexpr std::size_t kMaxCertificates = 1000;
constexpr std::string_view kCertificate = "CERTIFICATE";

Error invalid(std::string message) { return Error{Code::kInvalid, std::move(message), {}}; }
Error late() { return Error{Code::kLimit, "timed out before finishing", {}}; }

Result<std::string> decode_base64(std::string_view text) {
  std::string error;
  auto out = from_base64(text, kBase64Standard, error);
  if (!out) return invalid(error);
  return std::move(*out);
}

// The bytes of all certificates one after the other, as separate DER texts.
Result<std::vector<std::string>> split_der(std::string_view bytes) {
  std::vector<std::string> out;
  DerReader reader(bytes);
  while (!reader.empty()) {
    const auto item = reader.expect(kDerSequence);
    if (!item) return invalid("x509: malformed certificate");
    if (out.size() == kMaxCertificates) return invalid("x509: too many certificates");
    out.emplace_back(item->whole);
  }
  return out;
}

Result<std::vector<std::string>> certificates_of_pem(BuiltinContext& c, std::string_view text) {
  std::string bytes;
  while (const auto block = next_pem_block(text)) {
    if (c.over_budget()) return late();
    if (block->type != kCertificate) {
      return invalid("PEM block type is '" + block->type + "', expected " + std::string(kCertificate));
    }
    bytes += block->bytes;
  }
  return split_der(bytes);
}

Result<std::vector<std::string>> certificates_of(BuiltinContext& c, std::string_view text) {
  if (text.starts_with("-----BEGIN")) return certificates_of_pem(c, text);
  PC_TRY(const std::string bytes, decode_base64(text));
  return bytes.starts_with("-----BEGIN") ? certificates_of_pem(c, bytes) : split_der(bytes);
}

Result<Value> certificates_value(BuiltinContext& c, const std::vector<std::string>& ders, bool uri_strings) {
  std::vector<Value> out;
  for (const std::string& der : ders) {
    if (c.over_budget()) return late();
    PC_TRY(const Value value, certificate_value(c.arena, c.arena.copy(der), uri_strings));
    out.push_back(value);
  }
  return make_array(c.arena, out);
}

Value failure(BuiltinContext& c, const Error& error) {
  if (error.code == Code::kLimit) return out_of_budget(c, "crypto.x509");
  return c.fail(error.message);
}

Value value_or_error(BuiltinContext& c, const Result<Value>& result) {
  return result.ok() ? *result : failure(c, result.error());
}

Value parse_certificates(BuiltinContext& c, Args a) {
  const auto text = string_operand(c, a, 0);
  if (!text) return {};
  const auto ders = certificates_of(c, *text);
  if (!ders.ok()) return failure(c, ders.error());
  return value_or_error(c, certificates_value(c, *ders, true));
}

// --- verification ---

struct VerifyOptions {
  std::string dns_name;
  std::int64_t now_ns = 0;
  std::vector<int> usages;  // numbers of Go's ExtKeyUsage; empty: server authentication
};

Certificate read_certificate(const std::string& der) {
  const auto* at = reinterpret_cast<const unsigned char*>(der.data());
  return Certificate(d2i_X509(nullptr, &at, static_cast<long>(der.size())));
}

// Go refuses certificates signed with these.
bool weak_signature(const X509* certificate) {
  const int nid = X509_get_signature_nid(certificate);
  return nid == NID_sha1WithRSAEncryption || nid == NID_md5WithRSAEncryption || nid == NID_md2WithRSAEncryption ||
         nid == NID_ecdsa_with_SHA1 || nid == NID_dsaWithSHA1;
}

bool usages_allowed(const std::vector<std::string>& chain, std::vector<int> wanted) {
  if (wanted.empty()) wanted = {1};
  if (std::find(wanted.begin(), wanted.end(), 0) != wanted.end()) return true;
  for (auto each = chain.rbegin(); each != chain.rend(); ++each) {
    const KeyUsages own = extended_usages(*each);
    const auto names = [&](int usage) {
      return std::find(own.known.begin(), own.known.end(), usage) != own.known.end();
    };
    if (!own.any_named || names(0)) continue;
    std::erase_if(wanted, [&](int usage) { return !names(usage); });
    if (wanted.empty()) return false;
  }
  return true;
}

// The chain from the last certificate to the first, which is trusted; nothing when there is none.
std::vector<std::string> verified_chain(const std::vector<std::string>& ders, const VerifyOptions& options) {
  if (ders.size() < 2) return {};
  std::vector<Certificate> certificates;
  for (const std::string& der : ders) {
    certificates.push_back(read_certificate(der));
    if (certificates.back() == nullptr) return {};
  }
  const Store store(X509_STORE_new());
  const StoreContext context(X509_STORE_CTX_new());
  STACK_OF(X509)* between = sk_X509_new_null();
  for (std::size_t i = 1; i + 1 < certificates.size(); ++i) sk_X509_push(between, certificates[i].get());
  X509* leaf = certificates.back().get();
  X509_STORE_add_cert(store.get(), certificates.front().get());
  X509_STORE_CTX_init(context.get(), store.get(), leaf, between);
  X509_VERIFY_PARAM* parameters = X509_STORE_CTX_get0_param(context.get());
  X509_VERIFY_PARAM_set_flags(parameters, X509_V_FLAG_PARTIAL_CHAIN);
  X509_VERIFY_PARAM_set_time(parameters, static_cast<time_t>(options.now_ns / 1'000'000'000));
  bool valid = X509_verify_cert(context.get()) == 1;
  if (options.dns_name.starts_with('.')) valid = false;  // to OpenSSL any name below, to Go no name
  if (valid && !options.dns_name.empty()) {
    valid = X509_check_host(leaf, options.dns_name.data(), options.dns_name.size(), X509_CHECK_FLAG_NEVER_CHECK_SUBJECT,
                            nullptr) == 1 ||
            X509_check_ip_asc(leaf, options.dns_name.c_str(), 0) == 1;
  }
  std::vector<std::string> chain;
  if (valid) {
    STACK_OF(X509)* found = X509_STORE_CTX_get0_chain(context.get());
    for (int i = 0; i < sk_X509_num(found); ++i) {
      X509* each = sk_X509_value(found, i);
      if (i + 1 < sk_X509_num(found) && weak_signature(each)) valid = false;
      unsigned char* der = nullptr;
      const int size = i2d_X509(each, &der);
      if (size > 0) chain.emplace_back(reinterpret_cast<const char*>(der), static_cast<std::size_t>(size));
      OPENSSL_free(der);
    }
  }
  sk_X509_free(between);
  ERR_clear_error();
  return valid && usages_allowed(chain, options.usages) ? chain : std::vector<std::string>();
}

Value verdict(BuiltinContext& c, bool valid, const Value& chain) {
  const Value parts[] = {Value::boolean(valid), chain};
  return make_array(c.arena, parts);
}

// Certificates that all can be read; nothing when one can't.
std::vector<std::string> readable_certificates(BuiltinContext& c, std::string_view text) {
  auto ders = certificates_of(c, text);
  if (!ders.ok()) return {};
  for (const std::string& der : *ders) {
    Arena scratch;
    if (c.over_budget() || !certificate_value(scratch, der, false).ok()) return {};
  }
  return std::move(*ders);
}

Value verify(BuiltinContext& c, const std::vector<std::string>& ders, const VerifyOptions& options, bool uri_strings) {
  const std::vector<std::string> chain = verified_chain(ders, options);
  if (c.over_budget()) return out_of_budget(c, "crypto.x509");
  if (chain.empty()) return verdict(c, false, make_array(c.arena, {}));
  const Value value = value_or_error(c, certificates_value(c, chain, uri_strings));
  return value.defined() ? verdict(c, true, value) : value;
}

Value parse_and_verify(BuiltinContext& c, Args a) {
  const auto text = string_operand(c, a, 0);
  if (!text) return {};
  VerifyOptions options;
  options.now_ns = c.now_ns;
  return verify(c, readable_certificates(c, *text), options, true);
}

struct UsageName {
  std::string_view name;
  int number;
};
constexpr UsageName kUsageNames[] = {{"KeyUsageAny", 0},
                                     {"KeyUsageServerAuth", 1},
                                     {"KeyUsageClientAuth", 2},
                                     {"KeyUsageCodeSigning", 3},
                                     {"KeyUsageEmailProtection", 4},
                                     {"KeyUsageIPSECEndSystem", 5},
                                     {"KeyUsageIPSECTunnel", 6},
                                     {"KeyUsageIPSECUser", 7},
                                     {"KeyUsageTimeStamping", 8},
                                     {"KeyUsageOCSPSigning", 9},
                                     {"KeyUsageMicrosoftServerGatedCrypto", 10},
                                     {"KeyUsageNetscapeServerGatedCrypto", 11},
                                     {"KeyUsageMicrosoftCommercialCodeSigning", 12},
                                     {"KeyUsageMicrosoftKernelCodeSigning", 13}};

std::string_view unquoted(std::string_view text) {
  while (text.starts_with('"')) text.remove_prefix(1);
  while (text.ends_with('"')) text.remove_suffix(1);
  return text;
}

// Empty: all is well; else what is wrong.
std::string read_usages(const Value& value, VerifyOptions& out) {
  if (!value.is_array() && !value.is_set()) return "'KeyUsages' should be an Array or Set";
  std::string unknown;
  for (const Value& element : value.elements()) {
    if (!element.is_string()) continue;
    const std::string_view name = unquoted(element.as_string());
    const auto* found = std::find_if(std::begin(kUsageNames), std::end(kUsageNames),
                                     [&](const UsageName& each) { return each.name == name; });
    if (found != std::end(kUsageNames)) {
      out.usages.push_back(found->number);
    } else {
      unknown += (unknown.empty() ? "" : " ") + std::string(name);
    }
  }
  return unknown.empty() ? "" : "invalid entries for 'KeyUsages' found: [" + unknown + "]";
}

std::string read_option(std::string_view name, const Value& value, VerifyOptions& out) {
  if (name == "DNSName") {
    if (!value.is_string()) return "'DNSName' should be a string";
    out.dns_name = unquoted(value.as_string());
    return "";
  }
  if (name == "CurrentTime") {
    if (!value.is_number()) return "'CurrentTime' should be a number";
    const auto now = plain_int(value);
    if (!now) return "'CurrentTime' should be a valid int64 number";
    out.now_ns = *now;
    return "";
  }
  if (name == "MaxConstraintComparisons") {
    if (!value.is_number()) return "'MaxConstraintComparisons' should be a number";
    return plain_int(value) ? "" : "'MaxConstraintComparisons' should be a valid number";
  }
  return name == "KeyUsages" ? read_usages(value, out) : "invalid key option";
}

Value parse_and_verify_with_options(BuiltinContext& c, Args a) {
  const auto text = string_operand(c, a, 0);
  if (!text || !object_operand(c, a, 1)) return {};
  const std::vector<std::string> ders = readable_certificates(c, *text);
  if (ders.empty() && !c.over_budget()) return verdict(c, false, make_array(c.arena, {}));
  VerifyOptions options;
  options.now_ns = c.now_ns;
  for (std::uint32_t i = 0; i < a[1].size(); ++i) {
    const Value& key = a[1].keys()[i];
    if (!key.is_string()) continue;
    const std::string error = read_option(key.as_string(), a[1].values()[i], options);
    if (!error.empty()) return c.fail(error);
  }
  return verify(c, ders, options, false);
}

// --- requests, key pairs, private keys ---

Value parse_certificate_request(BuiltinContext& c, Args a) {
  const auto text = string_operand(c, a, 0);
  if (!text) return {};
  std::string bytes(*text);
  if (!text->starts_with("-----BEGIN CERTIFICATE REQUEST-----")) {
    const auto decoded = decode_base64(*text);
    if (!decoded.ok()) return c.fail(decoded.error().message);
    bytes = *decoded;
  }
  std::string_view rest = bytes;
  if (const auto block = next_pem_block(rest)) {
    if (block->type != "CERTIFICATE REQUEST") return c.fail("invalid PEM-encoded certificate signing request");
    bytes = block->bytes;
  }
  return value_or_error(c, certificate_request_value(c.arena, c.arena.copy(bytes)));
}

// The first block of a wanted type, or the DER itself.
Result<std::string> decoded_argument(std::string_view text) {
  if (text.starts_with("-----BEGIN ")) return std::string(text);
  return decode_base64(text);
}

Result<Pkey> key_of_pair(BuiltinContext& c, std::string_view text) {
  if (!text.starts_with("-----BEGIN")) return private_key_of_block("PRIVATE KEY", text);
  while (const auto block = next_pem_block(text)) {
    if (c.over_budget()) return late();
    if (!text::ends_with(block->type, "PRIVATE KEY")) continue;
    return private_key_of_block(block->type, block->bytes);
  }
  return invalid("tls: failed to find any PEM data in key input");
}

Result<Value> key_pair(BuiltinContext& c, std::string_view certificate_text, std::string_view key_text) {
  PC_TRY(const std::string certificate_bytes, decoded_argument(certificate_text));
  PC_TRY(const std::string key_bytes, decoded_argument(key_text));
  std::vector<std::string> ders;
  std::string_view rest = certificate_bytes;
  if (rest.starts_with("-----BEGIN ")) {
    while (const auto block = next_pem_block(rest)) {
      if (c.over_budget()) return late();
      if (block->type == kCertificate) ders.push_back(block->bytes);
    }
    if (ders.empty()) return invalid("tls: failed to find any PEM data in certificate input");
  } else {
    ders.emplace_back(rest);
  }
  PC_TRY(const Value leaf, certificate_value(c.arena, c.arena.copy(ders.front()), false));
  PC_TRY(const Pkey key, key_of_pair(c, key_bytes));
  if (key == nullptr) return invalid("tls: failed to parse private key");
  PC_TRY_VOID(match_certificate(key, ders.front()));
  std::vector<Value> encoded;
  for (const std::string& der : ders) encoded.push_back(make_string(c.arena, to_base64(der, kBase64Standard, true)));
  const Member members[] = {{Value::string("Certificate"), make_array(c.arena, encoded)},
                            {Value::string("PrivateKey"), private_key_value(c.arena, key)},
                            {Value::string("SupportedSignatureAlgorithms"), Value::null()},
                            {Value::string("OCSPStaple"), Value::null()},
                            {Value::string("SignedCertificateTimestamps"), Value::null()},
                            {Value::string("Leaf"), leaf}};
  return make_object(c.arena, members);
}

Value parse_keypair(BuiltinContext& c, Args a) {
  const auto certificate = string_operand(c, a, 0);
  if (!certificate) return {};
  const auto key = string_operand(c, a, 1);
  return key ? value_or_error(c, key_pair(c, *certificate, *key)) : Value::undefined();
}

Value parse_rsa_private_key(BuiltinContext& c, Args a) {
  const auto text = string_operand(c, a, 0);
  if (!text) return {};
  if (text->empty()) return c.fail("input PEM data was empty");
  std::string pem(*text);
  if (!text->starts_with("-----BEGIN")) {
    const auto decoded = decode_base64(*text);
    if (!decoded.ok()) return c.fail(decoded.error().message);
    pem = *decoded;
  }
  const auto keys = private_keys_of_pem(c, pem);
  if (!keys.ok()) return failure(c, keys.error());
  if (keys->empty()) return Value::null();
  const Value jwk = private_key_jwk(c.arena, keys->front());
  return jwk.defined() ? jwk : c.fail("failed to build key: the kind of key is not supported");
}

Value parse_private_keys(BuiltinContext& c, Args a) {
  const auto text = string_operand(c, a, 0);
  if (!text) return {};
  if (text->empty()) return Value::null();
  const auto keys = private_keys_of_pem(c, *text);
  if (!keys.ok()) return failure(c, keys.error());
  std::vector<Value> out;
  for (const Pkey& key : *keys) out.push_back(private_key_value(c.arena, key));
  return make_array(c.arena, out);
}

constexpr std::string_view kObject = "object[string:any]";
constexpr std::string_view kVerdict = "[boolean, array[object[string:any]]]";

// Whether a chain holds depends on the time.
constexpr BuiltinDecl kTable[] = {
    {"crypto.parse_private_keys", {"string"}, "array[object[string:any]]", &parse_private_keys},
    {"crypto.x509.parse_certificates", {"string"}, "array[object[string:any]]", &parse_certificates},
    {"crypto.x509.parse_and_verify_certificates", {"string"}, kVerdict, &parse_and_verify, kNondeterministic},
    {"crypto.x509.parse_and_verify_certificates_with_options",
     {"string", kObject},
     kVerdict,
     &parse_and_verify_with_options,
     kNondeterministic},
    {"crypto.x509.parse_certificate_request", {"string"}, kObject, &parse_certificate_request},
    {"crypto.x509.parse_keypair", {"string", "string"}, kObject, &parse_keypair},
    {"crypto.x509.parse_rsa_private_key", {"string"}, kObject, &parse_rsa_private_key},
};

}  // namespace

std::span<const BuiltinDecl> x509_builtins() { return kTable; }

}  // namespace portcullis::rego::builtins
