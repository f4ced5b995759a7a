// What has to be done about the webhook's certificate, decided without doing it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "engine/value/value.h"
#include "net/certificates.h"

namespace portcullis::controller {

// Authority and server certificate as the Secret holds them (ca.crt, ca.key, tls.crt, tls.key).
struct CertificateSet {
  net::CertificatePair authority;
  net::CertificatePair server;

  bool empty() const noexcept { return server.certificate_pem.empty(); }
  friend bool operator==(const CertificateSet& a, const CertificateSet& b) {
    return a.authority.certificate_pem == b.authority.certificate_pem &&
           a.authority.private_key_pem == b.authority.private_key_pem &&
           a.server.certificate_pem == b.server.certificate_pem && a.server.private_key_pem == b.server.private_key_pem;
  }
};
// From a Secret object's base64 data; missing or undecodable entries are empty.
CertificateSet read_certificate_secret(const Value& secret);

struct CertificateNames {
  std::string service_name;        // "<service>.<namespace>.svc": common name and first alternative name
  std::vector<std::string> hosts;  // further hosts (names or addresses) under which webhooks are registered by URL
};

inline constexpr std::int64_t kLookaheadSeconds = 90LL * 24 * 3600;  // renewed when it ends within that time

struct CertificatePlan {
  enum class Do : std::uint8_t {
    kUse,      // what the Secret holds is good
    kRestore,  // the Secret is gone or damaged, ours is good: write it back, nobody notices
    kIssue,    // the authority is good: a new server certificate
    kRenewAll  // everything new
  } what = Do::kUse;
  std::string reason;  // for the log
};
// `stored` is the Secret's content (empty when there is none), `mine` what this process serves. Pure.
CertificatePlan plan_certificates(const CertificateSet& stored, const CertificateSet& mine,
                                  const CertificateNames& names, std::int64_t now);
// The set that the plan asks for. `stored` as above. Cost: tens of milliseconds per key.
Result<CertificateSet> make_certificates(const CertificatePlan& plan, const CertificateSet& stored,
                                         const CertificateSet& mine, const CertificateNames& names, std::int64_t now);

// Hosts of webhooks that are registered by URL.
std::vector<std::string> url_hosts(const Value& configuration);

}  // namespace portcullis::controller
