// Go's flag syntax, durations, and the manager's flags as Gatekeeper's manifests give them.
#include "cmd/go_flags.h"

#include <gtest/gtest.h>

#include <map>
#include <string>

#include "cmd/manager_options.h"

namespace portcullis::cmd {
namespace {

TEST(ManagerFlags, TakesWhatGatekeepersManifestsPass) {
  ManagerOptions options;
  GoFlags flags("manager");
  declare_manager_flags(flags, options);
  const auto parsed = flags.parse({"--port=8443", "--logtostderr", "--exempt-namespace=gatekeeper-system",
                                   "--operation=webhook", "--operation=mutation-webhook",
                                   "--disable-opa-builtin={http.send}", "-audit-interval", "5", "--log-denies"});
  ASSERT_TRUE(parsed.ok()) << parsed.error().message;
  EXPECT_EQ(options.port, 8443);
  EXPECT_EQ(options.operations, (std::vector<std::string>{"webhook", "mutation-webhook"}));
  EXPECT_EQ(options.audit_interval, 5);
  EXPECT_TRUE(options.log_denies);
  EXPECT_TRUE(flags.given("port"));
  EXPECT_FALSE(flags.given("host"));
}

TEST(ManagerFlags, RefusesWithGosWords) {
  const auto message = [](std::vector<std::string> arguments) {
    ManagerOptions options;
    GoFlags flags("manager");
    declare_manager_flags(flags, options);
    const auto parsed = flags.parse(arguments);
    return parsed.ok() ? std::string("ok") : parsed.error().message;
  };
  EXPECT_EQ(message({"--nope"}), "flag provided but not defined: -nope");
  EXPECT_EQ(message({"--port"}), "flag needs an argument: -port");
  EXPECT_EQ(message({"--port=x"}), "invalid value \"x\" for flag -port: parse error");
  EXPECT_EQ(message({"--log-denies=maybe"}), "invalid boolean value \"maybe\" for -log-denies: parse error");
  EXPECT_EQ(message({"---x"}), "bad flag syntax: ---x");
  EXPECT_EQ(message({"--", "--nope"}), "ok");
}

struct KnownFlag {
  const char* name;
  const char* type;  // "": ignored
  const char* default_value;
};
// Gatekeeper v3.23.1's own, as its --help lists them.
constexpr KnownFlag kGatekeepersFlags[] = {
    {"additional-mutating-webhook-configs-to-rotate-certs", "string", ""},
    {"additional-validating-webhook-configs-to-rotate-certs", "string", ""},
    {"admission-events-involved-namespace", "bool", ""},
    {"alsologtostderr", "", ""},
    {"api-cache-dir", "string", R"("/tmp/audit")"},
    {"audit-channel", "string", R"("audit-channel")"},
    {"audit-chunk-size", "int", "500"},
    {"audit-connection", "string", R"("audit-connection")"},
    {"audit-events-involved-namespace", "bool", ""},
    {"audit-from-cache", "bool", ""},
    {"audit-interval", "int", "60"},
    {"audit-match-kind-only", "bool", ""},
    {"cert-dir", "string", R"("/certs")"},
    {"cert-service-name", "string", R"("gatekeeper-webhook-service")"},
    {"client-ca-name", "string", ""},
    {"client-cn-name", "string", R"("kube-apiserver")"},
    {"constraint-violations-limit", "int", "20"},
    {"debug-use-fake-pod", "bool", ""},
    {"default-create-vap-binding-for-constraints", "bool", "true"},
    {"default-create-vap-for-templates", "bool", "true"},
    {"default-k8s-native-validation-failure-policy", "string", R"("Fail")"},
    {"default-wait-for-vapb-generation", "int", "30"},
    {"disable-cert-rotation", "bool", ""},
    {"disable-enforcementaction-validation", "bool", ""},
    {"disable-opa-builtin", "list", ""},
    {"emit-admission-events", "bool", ""},
    {"emit-audit-events", "bool", ""},
    {"enable-external-data", "bool", "true"},
    {"enable-generator-resource-expansion", "bool", "true"},
    {"enable-k8s-native-validation", "bool", "true"},
    {"enable-mutation", "bool", ""},
    {"enable-pprof", "bool", ""},
    {"enable-referential-rules", "bool", "true"},
    {"enable-remote-cluster", "bool", ""},
    {"enable-tls-healthcheck", "bool", ""},
    {"enable-violation-export", "bool", ""},
    {"exempt-namespace", "list", ""},
    {"exempt-namespace-prefix", "list", ""},
    {"exempt-namespace-suffix", "list", ""},
    {"external-data-provider-response-cache-ttl", "duration", "3m0s"},
    {"health-addr", "string", R"(":9090")"},
    {"host", "string", ""},
    {"kubeconfig", "string", ""},
    {"log-denies", "bool", ""},
    {"log-file", "string", ""},
    {"log-level", "string", R"("INFO")"},
    {"log-level-encoder", "string", R"("lower")"},
    {"log-level-key", "string", R"("level")"},
    {"log-mutations", "bool", ""},
    {"log-stats-admission", "bool", ""},
    {"log-stats-audit", "bool", ""},
    {"log_backtrace_at", "", ""},
    {"log_dir", "", ""},
    {"log_link", "", ""},
    {"logbuflevel", "", ""},
    {"logtostderr", "", ""},
    {"max-serving-threads", "int", "-1"},
    {"metrics-addr", "string", R"("0")"},
    {"metrics-backend", "list", "prometheus"},
    {"mutating-webhook-configuration-name", "string", R"("gatekeeper-mutating-webhook-configuration")"},
    {"mutation-annotations", "bool", ""},
    {"operation", "list", ""},
    {"otlp-endpoint", "string", ""},
    {"otlp-metric-interval", "duration", "10s"},
    {"port", "int", "443"},
    {"pprof-port", "int", "6060"},
    {"prometheus-port", "int", "8888"},
    {"readiness-retries", "int", ""},
    {"shutdown-delay", "int", "10"},
    {"stackdriver-metric-interval", "duration", "10s"},
    {"stackdriver-only-when-available", "bool", ""},
    {"stderrthreshold", "", ""},
    {"sync-vap-enforcement-scope", "bool", "true"},
    {"tls-min-version", "string", R"("1.3")"},
    {"v", "", ""},
    {"validating-webhook-configuration-name", "string", R"("gatekeeper-validating-webhook-configuration")"},
    {"vmodule", "", ""},
};

TEST(ManagerFlags, EveryFlagOfGatekeeperWithTypeAndDefault) {
  ManagerOptions options;
  GoFlags flags("manager");
  declare_manager_flags(flags, options);
  std::map<std::string, GoFlags::Listed> ours;
  for (GoFlags::Listed& flag : flags.list()) ours.emplace(flag.name, flag);
  for (const KnownFlag& known : kGatekeepersFlags) {
    const auto found = ours.find(known.name);
    ASSERT_NE(found, ours.end()) << known.name;
    EXPECT_EQ(found->second.type, known.type) << known.name;
    EXPECT_EQ(found->second.default_value, known.default_value) << known.name;
  }
}

}  // namespace
}  // namespace portcullis::cmd
