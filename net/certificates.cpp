// Certificates of our own making, over OpenSSL 3.
#include "net/certificates.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <ctime>
#include <memory>

#include "net/tls.h"

namespace portcullis::net {

namespace {

template <auto Free>
struct Deleter {
  template <typename T>
  void operator()(T* pointer) const noexcept {
    Free(pointer);
  }
};
using Certificate = std::unique_ptr<X509, Deleter<X509_free>>;
using Key = std::unique_ptr<EVP_PKEY, Deleter<EVP_PKEY_free>>;
using Bio = std::unique_ptr<BIO, Deleter<BIO_free>>;
using Names = std::unique_ptr<GENERAL_NAMES, Deleter<GENERAL_NAMES_free>>;

constexpr int kKeyBits = 2048;
constexpr std::int64_t kBackdate = 3600;  // clocks of a cluster differ a little

Error failed(const std::string& what) {
  return make_error(Code::kInvalid, what + ": " + take_openssl_errors("not readable"));
}

std::string text_of(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return {data, static_cast<std::size_t>(size)};
}

Result<Certificate> read_certificate(std::string_view pem) {
  ERR_clear_error();
  const Bio bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  Certificate certificate(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
  if (!certificate) return failed("certificate");
  return certificate;
}

int no_password(char*, int, int, void*) { return 0; }

Result<Key> read_key(std::string_view pem) {
  ERR_clear_error();
  const Bio bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  Key key(PEM_read_bio_PrivateKey(bio.get(), nullptr, no_password, nullptr));
  if (!key) return failed("private key");
  return key;
}

Result<CertificatePair> to_pem(X509* certificate, EVP_PKEY* key) {
  const Bio certificate_text(BIO_new(BIO_s_mem()));
  const Bio key_text(BIO_new(BIO_s_mem()));
  if (PEM_write_bio_X509(certificate_text.get(), certificate) != 1 ||
      PEM_write_bio_PrivateKey_traditional(key_text.get(), key, nullptr, nullptr, 0, nullptr, nullptr) != 1) {
    return PC_BUG("cannot write a certificate: " + take_openssl_errors("no reason given"));
  }
  return CertificatePair{text_of(certificate_text.get()), text_of(key_text.get())};
}

bool add_extension(X509* certificate, X509* issuer, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str());
  if (extension == nullptr) return false;
  const bool added = X509_add_ext(certificate, extension, -1) == 1;
  X509_EXTENSION_free(extension);
  return added;
}

bool set_subject(X509* certificate, const std::string& common_name, const std::string& organization) {
  X509_NAME* name = X509_get_subject_name(certificate);
  const auto add = [name](const char* field, const std::string& value) {
    return value.empty() ||
           X509_NAME_add_entry_by_txt(name, field, MBSTRING_UTF8, reinterpret_cast<const unsigned char*>(value.data()),
                                      static_cast<int>(value.size()), -1, 0) == 1;
  };
  return add("O", organization) && add("CN", common_name);
}

bool set_serial_and_validity(X509* certificate, std::int64_t not_before, std::int64_t not_after) {
  unsigned char serial[16];
  if (RAND_bytes(serial, sizeof serial) != 1) return false;
  serial[0] &= 0x7F;  // positive
  BIGNUM* number = BN_bin2bn(serial, sizeof serial, nullptr);
  const bool serial_set =
      number != nullptr && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate)) != nullptr;
  BN_free(number);
  return serial_set && X509_set_version(certificate, X509_VERSION_3) == 1 &&
         ASN1_TIME_set(X509_getm_notBefore(certificate), not_before) != nullptr &&
         ASN1_TIME_set(X509_getm_notAfter(certificate), not_after) != nullptr;
}

std::int64_t seconds_of(const ASN1_TIME* time) {
  std::tm parts{};
  if (ASN1_TIME_to_tm(time, &parts) != 1) return 0;
  return static_cast<std::int64_t>(timegm(&parts));
}

std::string name_entry(X509* certificate, int nid) {
  char text[256];
  const int size = X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), nid, text, sizeof text);
  return size < 0 ? std::string() : std::string(text, static_cast<std::size_t>(size));
}

// A name or address that the configuration syntax of extensions would read as something else is refused.
bool plain(const std::string& name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '-' ||
           c == ':' || c == '*' || c == '_';
  });
}

Result<std::string> alternative_names(const ServerCertificateRequest& request) {
  std::string text;
  const auto add = [&text](const char* kind, const std::string& name) {
    if (!plain(name)) return false;
    text += (text.empty() ? "" : ",") + std::string(kind) + name;
    return true;
  };
  for (const std::string& name : request.dns_names) {
    if (!add("DNS:", name)) return make_error(Code::kInvalid, "certificate: \"" + name + "\" is no DNS name");
  }
  for (const std::string& address : request.ip_addresses) {
    if (!add("IP:", address)) return make_error(Code::kInvalid, "certificate: \"" + address + "\" is no IP address");
  }
  return text;
}

Result<void> check_time(X509* certificate, std::int64_t at, const std::string& what) {
  if (at < seconds_of(X509_get0_notBefore(certificate))) return make_error(Code::kInvalid, what + ": not valid yet");
  if (at > seconds_of(X509_get0_notAfter(certificate))) return make_error(Code::kInvalid, what + ": expired");
  return ok();
}

}  // namespace

Result<CertificatePair> make_authority(const AuthorityRequest& request) {
  ERR_clear_error();
  const Key key(EVP_RSA_gen(kKeyBits));
  const Certificate certificate(X509_new());
  if (!key || !certificate) return PC_BUG("cannot make a key: " + take_openssl_errors("no reason given"));
  X509* c = certificate.get();
  const bool made = set_serial_and_validity(c, request.now - kBackdate, request.now + request.lifetime_seconds) &&
                    set_subject(c, request.common_name, request.organization) &&
                    X509_set_issuer_name(c, X509_get_subject_name(c)) == 1 && X509_set_pubkey(c, key.get()) == 1 &&
                    add_extension(c, c, NID_basic_constraints, "critical,CA:TRUE") &&
                    add_extension(c, c, NID_key_usage, "critical,digitalSignature,keyEncipherment,keyCertSign") &&
                    add_extension(c, c, NID_subject_key_identifier, "hash") &&
                    X509_sign(c, key.get(), EVP_sha256()) > 0;
  if (!made) return PC_BUG("cannot make an authority: " + take_openssl_errors("no reason given"));
  return to_pem(c, key.get());
}

Result<CertificatePair> issue_server_certificate(const CertificatePair& authority,
                                                 const ServerCertificateRequest& request) {
  PC_TRY(const Certificate issuer, read_certificate(authority.certificate_pem).with_context("authority"));
  PC_TRY(const Key issuer_key, read_key(authority.private_key_pem).with_context("authority"));
  PC_TRY(const std::string names, alternative_names(request));
  const std::int64_t end =
      std::min(request.now + request.lifetime_seconds, seconds_of(X509_get0_notAfter(issuer.get())));
  const Key key(EVP_RSA_gen(kKeyBits));
  const Certificate certificate(X509_new());
  if (!key || !certificate) return PC_BUG("cannot make a key: " + take_openssl_errors("no reason given"));
  X509* c = certificate.get();
  const bool made =
      set_serial_and_validity(c, request.now - kBackdate, end) && set_subject(c, request.common_name, "") &&
      X509_set_issuer_name(c, X509_get_subject_name(issuer.get())) == 1 && X509_set_pubkey(c, key.get()) == 1 &&
      add_extension(c, issuer.get(), NID_basic_constraints, "critical,CA:FALSE") &&
      add_extension(c, issuer.get(), NID_key_usage, "critical,digitalSignature,keyEncipherment") &&
      add_extension(c, issuer.get(), NID_ext_key_usage, request.client_auth ? "serverAuth,clientAuth" : "serverAuth") &&
      add_extension(c, issuer.get(), NID_authority_key_identifier, "keyid") &&
      (names.empty() || add_extension(c, issuer.get(), NID_subject_alt_name, names)) &&
      X509_sign(c, issuer_key.get(), EVP_sha256()) > 0;
  if (!made) return make_error(Code::kInvalid, "cannot issue a certificate: " + take_openssl_errors("no reason given"));
  return to_pem(c, key.get());
}

Result<CertificateInfo> inspect_certificate(std::string_view pem) {
  PC_TRY(const Certificate certificate, read_certificate(pem));
  X509* c = certificate.get();
  CertificateInfo info;
  info.common_name = name_entry(c, NID_commonName);
  info.organization = name_entry(c, NID_organizationName);
  info.not_before = seconds_of(X509_get0_notBefore(c));
  info.not_after = seconds_of(X509_get0_notAfter(c));
  info.is_ca = X509_check_ca(c) != 0;
  const std::uint32_t usage = X509_get_extended_key_usage(c);
  info.server_auth = usage != UINT32_MAX && (usage & XKU_SSL_SERVER) != 0;
  info.client_auth = usage != UINT32_MAX && (usage & XKU_SSL_CLIENT) != 0;
  const Names names(static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(c, NID_subject_alt_name, nullptr, nullptr)));
  for (int i = 0; names && i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type != GEN_DNS) continue;
    info.dns_names.emplace_back(reinterpret_cast<const char*>(ASN1_STRING_get0_data(name->d.dNSName)),
                                static_cast<std::size_t>(ASN1_STRING_length(name->d.dNSName)));
  }
  return info;
}

Result<void> check_authority(const CertificatePair& authority, std::int64_t at) {
  PC_TRY(const Certificate certificate, read_certificate(authority.certificate_pem).with_context("authority"));
  PC_TRY(const Key key, read_key(authority.private_key_pem).with_context("authority"));
  if (X509_check_ca(certificate.get()) == 0) return make_error(Code::kInvalid, "authority: not a CA certificate");
  if (X509_check_private_key(certificate.get(), key.get()) != 1) {
    ERR_clear_error();
    return make_error(Code::kInvalid, "authority: key does not match certificate");
  }
  return check_time(certificate.get(), at, "authority");
}

Result<void> check_server_certificate(std::string_view ca_pem, const CertificatePair& server, std::string_view dns_name,
                                      std::int64_t at) {
  PC_TRY(const Certificate authority, read_certificate(ca_pem).with_context("authority"));
  PC_TRY(const Certificate certificate, read_certificate(server.certificate_pem).with_context("server"));
  PC_TRY(const Key key, read_key(server.private_key_pem).with_context("server"));
  if (X509_check_private_key(certificate.get(), key.get()) != 1) {
    ERR_clear_error();
    return make_error(Code::kInvalid, "server: key does not match certificate");
  }
  PC_TRY_VOID(check_time(authority.get(), at, "authority"));
  PC_TRY_VOID(check_time(certificate.get(), at, "server"));
  EVP_PKEY* issuer_key = X509_get0_pubkey(authority.get());
  if (issuer_key == nullptr || X509_verify(certificate.get(), issuer_key) != 1) {
    ERR_clear_error();
    return make_error(Code::kInvalid, "server: not signed by the authority");
  }
  const std::string name(dns_name);  // a host name or an IP address
  if (X509_check_host(certificate.get(), name.data(), name.size(), 0, nullptr) != 1 &&
      X509_check_ip_asc(certificate.get(), name.c_str(), 0) != 1) {
    ERR_clear_error();
    return make_error(Code::kInvalid, "server: does not cover " + std::string(dns_name));
  }
  return ok();
}

}  // namespace portcullis::net
