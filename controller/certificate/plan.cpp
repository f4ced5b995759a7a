// The pure decisions of the certificate controller.
#include "controller/certificate/plan.h"

#include <algorithm>

#include "base/text.h"

namespace portcullis::controller {

namespace {

std::string decoded(const Value& secret, std::string_view key) {
  return text::base64_decode(secret.get("data").string_or(key)).value_or("");
}

Result<void> check_all(const CertificateSet& set, const CertificateNames& names, std::int64_t at) {
  PC_TRY_VOID(net::check_authority(set.authority, at));
  PC_TRY_VOID(net::check_server_certificate(set.authority.certificate_pem, set.server, names.service_name, at));
  for (const std::string& host : names.hosts) {
    PC_TRY_VOID(net::check_server_certificate(set.authority.certificate_pem, set.server, host, at));
  }
  return ok();
}

bool is_address(const std::string& host) {
  return host.find(':') != std::string::npos || host.find_first_not_of("0123456789.") == std::string::npos;
}

}  // namespace

CertificateSet read_certificate_secret(const Value& secret) {
  return {{decoded(secret, "ca.crt"), decoded(secret, "ca.key")},
          {decoded(secret, "tls.crt"), decoded(secret, "tls.key")}};
}

CertificatePlan plan_certificates(const CertificateSet& stored, const CertificateSet& mine,
                                  const CertificateNames& names, std::int64_t now) {
  const std::int64_t at = now + kLookaheadSeconds;
  const Result<void> stored_good = check_all(stored, names, at);
  if (stored_good.ok()) return {CertificatePlan::Do::kUse, ""};
  const std::string reason = stored.empty() ? "the secret is missing or empty" : stored_good.error().to_string();
  if (check_all(mine, names, at).ok()) return {CertificatePlan::Do::kRestore, reason};
  if (net::check_authority(stored.authority, at).ok() || net::check_authority(mine.authority, at).ok()) {
    return {CertificatePlan::Do::kIssue, reason};
  }
  return {CertificatePlan::Do::kRenewAll, reason};
}

Result<CertificateSet> make_certificates(const CertificatePlan& plan, const CertificateSet& stored,
                                         const CertificateSet& mine, const CertificateNames& names, std::int64_t now) {
  if (plan.what == CertificatePlan::Do::kUse) return stored;
  if (plan.what == CertificatePlan::Do::kRestore) return mine;
  CertificateSet set;
  if (plan.what == CertificatePlan::Do::kIssue) {
    const std::int64_t at = now + kLookaheadSeconds;
    set.authority = net::check_authority(stored.authority, at).ok() ? stored.authority : mine.authority;
  } else {
    net::AuthorityRequest request;
    request.now = now;
    PC_TRY(set.authority, net::make_authority(request));
  }
  net::ServerCertificateRequest request;
  request.common_name = names.service_name;
  request.dns_names.push_back(names.service_name);
  for (const std::string& host : names.hosts) {
    (is_address(host) ? request.ip_addresses : request.dns_names).push_back(host);
  }
  request.now = now;
  PC_TRY(set.server, net::issue_server_certificate(set.authority, request));
  return set;
}

std::vector<std::string> url_hosts(const Value& configuration) {
  std::vector<std::string> hosts;
  for (const Value& webhook : configuration.get("webhooks").elements()) {
    std::string_view url = webhook.get("clientConfig").string_or("url");
    const std::size_t scheme = url.find("://");
    if (scheme == std::string_view::npos) continue;
    url.remove_prefix(scheme + 3);
    url = url.substr(0, url.find_first_of("/?"));
    if (!url.empty() && url.front() == '[') {
      url = url.substr(1, url.find(']') - 1);
    } else {
      url = url.substr(0, url.rfind(':'));
    }
    if (!url.empty() && std::find(hosts.begin(), hosts.end(), url) == hosts.end()) hosts.emplace_back(url);
  }
  std::sort(hosts.begin(), hosts.end());
  return hosts;
}

}  // namespace portcullis::controller
