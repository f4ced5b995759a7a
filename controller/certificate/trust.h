// Which authorities the webhook configurations must trust while replicas change over from one to another.
// Replicas do not talk to each other. Each adds what it needs and takes out only what has been out of use for long, so
// that they agree in the end and none withdraws the trust that another still lives on.
// Threads: one at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "engine/value/value.h"

namespace portcullis::controller {

inline constexpr std::int64_t kKeepOldTrust = 10 * 60;    // seconds that an authority out of use stays trusted
inline constexpr std::size_t kMaxTrustedAuthorities = 8;  // in one caBundle; above, the oldest out of use go

// The certificates in a bundle, each as a PEM block of its own; what is no certificate is left out.
std::vector<std::string> bundle_certificates(std::string_view pem);

class TrustKeeper {
 public:
  // The authority whose certificates are to be served from now on (PEM). The one before goes out of use.
  void use(const std::string& authority_pem, std::int64_t now);

  // The caBundle (PEM) to write over `present`; empty when `present` will do as it is. Remembers what it saw.
  std::string wanted_bundle(std::string_view present, std::int64_t now);

  // Before a round of wanted_bundle() and after it: what no configuration holds any more is forgotten.
  void begin_round() { seen_.clear(); }
  void end_round(std::int64_t now);

  bool has_old() const noexcept { return !old_.empty(); }

 private:
  struct Old {
    std::int64_t since = 0;  // out of use, as far as this process knows
    bool needed = false;     // this process served with it: put back when somebody takes it out
  };
  std::string current_;
  std::map<std::string, Old> old_;
  std::vector<std::string> seen_;
};

// Whether every webhook of the configuration trusts `authority_pem`, and whether some webhook trusts any other.
struct TrustState {
  bool all_trust = true;
  bool others_trusted = false;
};
TrustState trust_state(const Value& configuration, std::string_view authority_pem);

// The configuration with the bundles that `keeper` wants, as JSON to send; "" when nothing changes.
std::string plan_injection(const Value& configuration, TrustKeeper& keeper, std::int64_t now);

}  // namespace portcullis::controller
