// Certificates while they change: what is served is trusted at every moment, replicas agree, files may be half
// replaced.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <future>
#include <thread>

#include "base/text.h"
#include "controller/certificate/reconcile.h"
#include "engine/value/json.h"
#include "net/io.h"
#include "net/io_thread.h"
#include "test/fakeapi/fakeapi.h"

namespace portcullis::controller {
namespace {

constexpr std::int64_t kNow = 1'800'000'000;
constexpr const char* kNs = "gatekeeper-system";
constexpr const char* kSecret = "gatekeeper-webhook-server-cert";
constexpr const char* kGroup = "admissionregistration.k8s.io";
constexpr const char* kPlural = "validatingwebhookconfigurations";

const CertificateNames& names() {
  static const CertificateNames kNames{"gatekeeper-webhook-service.gatekeeper-system.svc", {}};
  return kNames;
}

// Made once: keys are slow.
const CertificateSet& set_number(std::size_t i) {
  static std::vector<CertificateSet> sets = [] {
    std::vector<CertificateSet> made;
    for (int n = 0; n < 4; ++n)
      made.push_back(make_certificates({CertificatePlan::Do::kRenewAll, ""}, {}, {}, names(), kNow).value());
    return made;
  }();
  return sets[i % sets.size()];
}
const std::string& authority(std::size_t i) { return set_number(i).authority.certificate_pem; }

TEST(TrustKeeper, AddsItsOwnAndLeavesTheOthers) {
  TrustKeeper keeper;
  keeper.use(authority(0), kNow);
  EXPECT_EQ(bundle_certificates(keeper.wanted_bundle("", kNow)).size(), 1u);
  EXPECT_EQ(bundle_certificates(keeper.wanted_bundle("\n", kNow)).size(), 1u);  // as Gatekeeper's manifest ships it
  EXPECT_EQ(keeper.wanted_bundle(authority(0), kNow), "");
  const std::string both = keeper.wanted_bundle(authority(1), kNow);
  EXPECT_EQ(bundle_certificates(both), (std::vector<std::string>{authority(0), authority(1)}));
  // The order is nobody's business: two replicas must not write it back and forth.
  EXPECT_EQ(keeper.wanted_bundle(authority(1) + authority(0), kNow), "");
}

TEST(TrustKeeper, WhatIsOutOfUseGoesInTheEndAndStaysGone) {
  TrustKeeper keeper;
  keeper.use(authority(0), kNow);
  keeper.use(authority(1), kNow);
  const auto round = [&](const std::string& present, std::int64_t now) {
    keeper.begin_round();
    std::string wanted = keeper.wanted_bundle(present, now);
    keeper.end_round(now);
    return wanted;
  };
  const std::string both = round(authority(1), kNow);
  EXPECT_EQ(bundle_certificates(both).size(), 2u);  // put back: served a moment ago
  EXPECT_EQ(round(both, kNow + kKeepOldTrust - 1), "");
  EXPECT_EQ(bundle_certificates(round(both, kNow + kKeepOldTrust)), std::vector<std::string>{authority(1)});
  EXPECT_EQ(bundle_certificates(round(both, kNow + 2 * kKeepOldTrust)).size(), 1u);  // still old when it is seen again
  EXPECT_EQ(round(authority(1), kNow + 2 * kKeepOldTrust), "");
  EXPECT_FALSE(keeper.has_old());
}

TEST(TrustKeeper, IsBounded) {
  TrustKeeper keeper;
  std::string bundle;
  net::AuthorityRequest request;
  request.now = kNow;
  std::string latest;
  for (std::size_t i = 0; i < kMaxTrustedAuthorities + 2; ++i) {
    latest = net::make_authority(request).value().certificate_pem;
    keeper.use(latest, kNow + static_cast<std::int64_t>(i));
    bundle = keeper.wanted_bundle(bundle, kNow + static_cast<std::int64_t>(i));
  }
  EXPECT_EQ(bundle_certificates(bundle).size(), kMaxTrustedAuthorities);
  EXPECT_EQ(bundle_certificates(bundle).front(), latest);
}

class Rotation : public testing::Test {
 protected:
  struct Replica {
    net::TlsServerCell cell;
    std::unique_ptr<kube::Client> client;
    std::unique_ptr<CertificateReconciler> reconciler;
  };
  ~Rotation() override {
    for (auto& replica : replicas_) on_thread([&] { replica->reconciler->stop(); });
    io_.stop();
  }
  void on_thread(std::function<void()> what) {
    std::promise<void> done;
    net::post(io_.context(), [&] {
      what();
      done.set_value();
    });
    done.get_future().wait();
  }
  Replica& add_replica() {
    auto replica = std::make_unique<Replica>();
    replica->client = kube::Client::create(io_.context(), api_.config()).value();
    CertificateOptions options;
    options.validating_configurations = {"hook"};
    options.now = [] { return kNow; };
    options.trust_delay = kDelay;
    replica->reconciler = std::make_unique<CertificateReconciler>(*replica->client, replica->cell, std::move(options));
    replicas_.push_back(std::move(replica));
    on_thread([&] { replicas_.back()->reconciler->start(); });
    return *replicas_.back();
  }
  void put_configuration() {
    api_.put(R"({"apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingWebhookConfiguration",
                 "metadata": {"name": "hook"}, "webhooks": [{"name": "a", "clientConfig": {"service": {}}}]})");
  }
  void put_secret(const CertificateSet& set) {
    const auto entry = [](const std::string& pem) { return "\"" + text::base64_encode(pem) + "\""; };
    api_.put(R"({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "gatekeeper-webhook-server-cert",
                 "namespace": "gatekeeper-system"}, "data": {"ca.crt": )" +
             entry(set.authority.certificate_pem) + ", \"ca.key\": " + entry(set.authority.private_key_pem) +
             ", \"tls.crt\": " + entry(set.server.certificate_pem) +
             ", \"tls.key\": " + entry(set.server.private_key_pem) + "}}");
  }
  std::vector<std::string> trusted() {
    const std::optional<std::string> text = api_.get(kGroup, kPlural, "", "hook");
    if (!text) return {};
    const kube::Object object = kube::Object::parse(*text).value();
    std::string bundle;
    for (const Value& webhook : object.root().get("webhooks").elements())
      bundle = text::base64_decode(webhook.get("clientConfig").string_or("caBundle")).value_or("");
    return bundle_certificates(bundle);
  }
  static std::string served(const Replica& replica) {
    const auto context = replica.cell.current();
    return context == nullptr ? "" : context->certificate_chain_pem();
  }
  bool served_by_all(const CertificateSet& set) {
    return api_.wait_for([&] {
      return std::all_of(replicas_.begin(), replicas_.end(),
                         [&](const auto& replica) { return served(*replica) == set.server.certificate_pem; });
    });
  }

  static constexpr std::chrono::milliseconds kDelay{300};
  test::FakeApi api_;
  net::IoThread io_{"control"};
  std::vector<std::unique_ptr<Replica>> replicas_;
};

TEST_F(Rotation, WhatIsServedIsTrustedAtEveryMoment) {
  put_configuration();
  put_secret(set_number(0));
  add_replica();
  add_replica();
  ASSERT_TRUE(served_by_all(set_number(0)));

  // A client that knows the configuration since a moment ago, as an API server does.
  std::atomic<bool> stop{false};
  std::atomic<int> checks{0}, failures{0};
  std::thread client([&] {
    while (!stop) {
      const auto began = std::chrono::steady_clock::now();
      const std::vector<std::string> bundle = trusted();
      for (const auto& replica : replicas_) {
        const net::CertificatePair* pair = nullptr;
        const std::string leaf = served(*replica);
        for (std::size_t i = 0; i < 4; ++i) {
          if (set_number(i).server.certificate_pem == leaf) pair = &set_number(i).server;
        }
        if (std::chrono::steady_clock::now() - began > kDelay / 2) break;  // too slow to know anything
        bool good = false;
        for (const std::string& ca : bundle) {
          good = good || (pair != nullptr && net::check_server_certificate(ca, *pair, names().service_name, kNow).ok());
        }
        ++checks;
        if (!good) ++failures;
      }
    }
  });
  for (std::size_t round = 1; round <= 5; ++round) {
    put_secret(set_number(round));
    if (round % 2 == 0) put_secret(set_number(round + 1));  // twice within the delay: the first is never served
    api_.erase("", "secrets", kNs, kSecret);                // and it is gone at the worst moment
    ASSERT_TRUE(api_.wait_for([&] { return api_.get("", "secrets", kNs, kSecret).has_value(); }));
    put_secret(set_number(round));
    ASSERT_TRUE(served_by_all(set_number(round))) << round;
  }
  stop = true;
  client.join();
  EXPECT_GT(checks, 10);
  EXPECT_EQ(failures, 0);
}

TEST_F(Rotation, ANewReplicaDoesNotWithdrawTheOldOnesTrust) {
  put_configuration();
  put_secret(set_number(0));
  add_replica();
  ASSERT_TRUE(served_by_all(set_number(0)));
  put_secret(set_number(1));
  ASSERT_TRUE(served_by_all(set_number(1)));
  EXPECT_EQ(trusted().size(), 2u);
  add_replica();
  ASSERT_TRUE(served_by_all(set_number(1)));
  const std::size_t writes = api_.count("PUT", kPlural);
  api_.erase("", "secrets", kNs, kSecret);  // work for both
  ASSERT_TRUE(api_.wait_for([&] { return api_.get("", "secrets", kNs, kSecret).has_value(); }));
  EXPECT_EQ(trusted().size(), 2u);
  EXPECT_EQ(api_.count("PUT", kPlural), writes) << "replicas write over each other";
}

TEST_F(Rotation, ARegistrationThatLostItsBundleGetsItAtOnce) {
  put_configuration();
  put_secret(set_number(0));
  add_replica();
  ASSERT_TRUE(served_by_all(set_number(0)));
  for (int i = 0; i < 20; ++i) {
    put_configuration();  // without caBundle
    ASSERT_TRUE(api_.wait_for([&] { return trusted() == std::vector<std::string>{authority(0)}; }));
  }
  EXPECT_EQ(served(*replicas_[0]), set_number(0).server.certificate_pem);
}

// One file is new and the other is not, for a moment: what is served always belongs together.
TEST(CertificateFiles, AreReplacedAThousandTimes) {
  const std::filesystem::path folder = std::filesystem::path(testing::TempDir()) / "certificate-files";
  std::filesystem::create_directories(folder);
  const auto write = [&](const char* name, const std::string& text) {
    std::ofstream(folder / name, std::ios::binary | std::ios::trunc) << text;
  };
  net::TlsServerCell cell;
  std::vector<std::string> told;
  CertificateFiles files(folder.string(), "", {}, cell,
                         [&](const CertificateSet& set) { told.push_back(set.server.certificate_pem); });
  EXPECT_FALSE(files.reload().ok());
  EXPECT_EQ(cell.current(), nullptr);
  int half = 0;
  for (std::size_t i = 0; i < 1000; ++i) {
    write("tls.crt", set_number(i).server.certificate_pem);
    if (i > 0) {
      const std::string before = cell.current()->certificate_chain_pem();
      if (!files.reload().ok()) ++half;
      EXPECT_EQ(cell.current()->certificate_chain_pem(), before);
    }
    write("tls.key", set_number(i).server.private_key_pem);
    ASSERT_TRUE(files.reload().ok());
    ASSERT_EQ(cell.current()->certificate_chain_pem(), set_number(i).server.certificate_pem);
  }
  EXPECT_EQ(half, 999);
  EXPECT_EQ(told.size(), 1000u);
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace portcullis::controller
