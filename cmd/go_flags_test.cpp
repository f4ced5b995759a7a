// Go's flag syntax, durations, and the manager's flags as Gatekeeper's manifests give them.
#include "cmd/go_flags.h"

#include <gtest/gtest.h>

#include "cmd/manager_options.h"

namespace portcullis::cmd {
namespace {

TEST(GoDuration, ParsesAndPrintsAsGo) {
  using namespace std::chrono_literals;
  EXPECT_EQ(parse_go_duration("1h30m").value(), 90min);
  EXPECT_EQ(parse_go_duration("1.5s").value(), 1500ms);
  EXPECT_EQ(parse_go_duration("-3m").value(), -3min);
  EXPECT_EQ(parse_go_duration("0").value(), 0ns);
  for (const char* bad : {"", "3", "x", "1d", "1.2.3s", "-"}) EXPECT_FALSE(parse_go_duration(bad).ok()) << bad;
  EXPECT_EQ(go_duration(3min), "3m0s");
  EXPECT_EQ(go_duration(10s), "10s");
  EXPECT_EQ(go_duration(1500ms), "1.5s");
  EXPECT_EQ(go_duration(0ns), "0s");
}

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

}  // namespace
}  // namespace portcullis::cmd
