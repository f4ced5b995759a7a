// Makes and inspects X.509 certificates: a certificate authority of our own and the webhook server's certificate.
// Threads: any. Cost: an RSA 2048 key takes tens of milliseconds, so not on an I/O thread that serves requests.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace portcullis::net {

struct CertificatePair {
  std::string certificate_pem;
  std::string private_key_pem;  // PKCS#1 "RSA PRIVATE KEY", the form the field's tools write
};

struct CertificateInfo {
  std::string common_name;
  std::string organization;
  std::vector<std::string> dns_names;
  std::int64_t not_before = 0;  // Unix seconds
  std::int64_t not_after = 0;
  bool is_ca = false;
  bool server_auth = false;
  bool client_auth = false;
};

struct AuthorityRequest {
  std::string common_name = "gatekeeper-ca";
  std::string organization = "gatekeeper";
  std::int64_t now = 0;  // Unix seconds; NotBefore is one hour earlier
  std::int64_t lifetime_seconds = 10LL * 365 * 24 * 3600;
};
Result<CertificatePair> make_authority(const AuthorityRequest& request);

struct ServerCertificateRequest {
  std::string common_name;
  std::vector<std::string> dns_names;     // subject alternative names
  std::vector<std::string> ip_addresses;  // the same, for what is not dialled by name
  bool client_auth = false;               // extended key usage clientAuth besides serverAuth
  std::int64_t now = 0;
  std::int64_t lifetime_seconds = 365LL * 24 * 3600;
};
// Signed by `authority`; NotAfter is never later than the authority's. kInvalid: the authority cannot be read.
Result<CertificatePair> issue_server_certificate(const CertificatePair& authority,
                                                 const ServerCertificateRequest& request);

// The first certificate in `pem`. kInvalid.
Result<CertificateInfo> inspect_certificate(std::string_view pem);

// Success when key and certificate belong together, the chain leads to `ca_pem`, `dns_name` (or an IP address) is
// covered, and all of it is valid at `at` (Unix seconds). kInvalid says which one is not.
Result<void> check_server_certificate(std::string_view ca_pem, const CertificatePair& server, std::string_view dns_name,
                                      std::int64_t at);
// The same for an authority alone: readable, a CA, key matching, valid at `at`.
Result<void> check_authority(const CertificatePair& authority, std::int64_t at);

}  // namespace portcullis::net
