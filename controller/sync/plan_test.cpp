// Tables for what Config and SyncSets ask for, exclusions, and the texts of statuses.
#include "controller/sync/plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "controller/config/plan.h"
#include "controller/syncset/plan.h"
#include "engine/value/json.h"

namespace portcullis::controller {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

kube::GroupVersionKind gvk(std::string_view text) {  // "apps/v1/Deployment", "v1/Pod"
  const std::size_t slash = text.rfind('/');
  return kube::parse_api_version(text.substr(0, slash), text.substr(slash + 1));
}
Kinds kinds(std::initializer_list<std::string_view> list) {
  Kinds out;
  for (const std::string_view text : list) out.push_back(gvk(text));
  std::sort(out.begin(), out.end());
  return out;
}
kube::Object object(std::string_view json) { return std::move(kube::Object::parse(json)).value(); }

TEST(SyncSources, AKindIsWantedAsLongAsOneSourceAsksForIt) {
  struct Step {
    const char* source;
    Kinds wanted, added, removed;
  };
  const Step steps[] = {
      {"config", kinds({"v1/Pod", "v1/Namespace"}), kinds({"v1/Namespace", "v1/Pod"}), {}},
      {"syncset/a", kinds({"v1/Pod", "apps/v1/Deployment"}), kinds({"apps/v1/Deployment"}), {}},
      {"config", kinds({"v1/Namespace"}), {}, {}},  // the SyncSet still asks for Pods
      {"syncset/a", kinds({"apps/v1/Deployment"}), {}, kinds({"v1/Pod"})},
      {"syncset/b", kinds({"apps/v1/Deployment"}), {}, {}},
      {"syncset/a", {}, {}, {}},
      {"syncset/b", {}, {}, kinds({"apps/v1/Deployment"})},
      {"never", {}, {}, {}},
      {"config", kinds({"apps/v1/Deployment"}), kinds({"apps/v1/Deployment"}), kinds({"v1/Namespace"})},
  };
  SyncSources sources;
  int number = 0;
  for (const Step& step : steps) {
    const SyncSources::Change change = sources.set(step.source, step.wanted);
    EXPECT_EQ(change.added, step.added) << "step " << number;
    EXPECT_EQ(change.removed, step.removed) << "step " << number;
    ++number;
  }
  EXPECT_EQ(sources.size(), 1u);
  EXPECT_TRUE(sources.wants(gvk("apps/v1/Deployment")));
}

policy::Exclusions excluding(std::vector<std::string> namespaces) {
  const policy::ExclusionEntry entry{{"sync"}, std::move(namespaces)};
  return policy::Exclusions({&entry, 1});
}

TEST(Exclusions, DropsWhatIsExcludedAndRelistsForWhatIsNot) {
  using State = KeptObject::State;
  const KeptObjects objects = {{"a/x", {State::kKept, 1}},
                               {"a/y", {State::kRefused, 1}},
                               {"b/x", {State::kExcluded, 1}},
                               {"c/x", {State::kKept, 1}},
                               {"node", {State::kKept, 1}}};
  struct Case {
    std::vector<std::string> namespaces, drop;
    bool relist;
  };
  for (const Case& c : {Case{{"a", "b"}, {"a/x", "a/y"}, false}, Case{{"b"}, {}, false}, Case{{}, {}, true},
                        Case{{"c*"}, {"c/x"}, true}, Case{{"*"}, {"a/x", "a/y", "c/x", "node"}, false}}) {
    const ExclusionPlan plan = plan_exclusions(objects, false, excluding(c.namespaces));
    EXPECT_EQ(plan.drop, c.drop);
    EXPECT_EQ(plan.relist, c.relist);
  }
  const ExclusionPlan namespaces = plan_exclusions({{"node", {}}}, true, excluding({"node"}));
  EXPECT_THAT(namespaces.drop, ElementsAre("node"));
}

TEST(WatchErrors, AreGatekeepersWords) {
  EXPECT_EQ(watch_errors({}), "");
  EXPECT_EQ(watch_errors({{gvk("v1/Nope"), "no matches for kind \"Nope\" in version \"v1\""}}),
            "error establishing watches: error for gvk: /v1, Kind=Nope: adding watch for /v1, Kind=Nope getting "
            "informer for kind: /v1, Kind=Nope no matches for kind \"Nope\" in version \"v1\"");
}

TEST(ConfigPlan, WhatAConfigAsksFor) {
  const kube::Object config = object(R"({"metadata": {"name": "config"}, "spec": {
      "sync": {"syncOnly": [{"version": "v1", "kind": "Pod"}, {"group": "", "version": "v1", "kind": "Namespace"},
                            {"version": "v1", "kind": "Pod"}]},
      "match": [{"excludedNamespaces": ["kube-*"], "processes": ["*"]}], "readiness": {"statsEnabled": true}}})");
  const ConfigPlan plan = plan_config(&config);
  EXPECT_TRUE(plan.exists);
  EXPECT_EQ(plan.kinds, kinds({"v1/Namespace", "v1/Pod"}));
  EXPECT_TRUE(plan.exclusions->excluded(policy::Process::kWebhook, "kube-system"));
  EXPECT_TRUE(plan.readiness_stats);

  const ConfigPlan none = plan_config(nullptr);
  EXPECT_FALSE(none.exists);
  EXPECT_THAT(none.kinds, IsEmpty());
  const kube::Object dying = object(R"({"metadata": {"deletionTimestamp": "2026-01-01T00:00:00Z"}, "spec": {
      "sync": {"syncOnly": [{"version": "v1", "kind": "Pod"}]}}})");
  EXPECT_FALSE(plan_config(&dying).exists);
  EXPECT_THAT(plan_config(&dying).kinds, IsEmpty());
  const kube::Object broken = object(R"({"spec": {"sync": {"syncOnly": {"version": "v1"}}}})");
  EXPECT_TRUE(plan_config(&broken).unusable);
  EXPECT_THAT(plan_config(&broken).problem, testing::HasSubstr("Config.spec.sync.syncOnly"));

  EXPECT_TRUE(is_the_config("gatekeeper-system/config", "gatekeeper-system"));
  EXPECT_FALSE(is_the_config("gatekeeper-system/other", "gatekeeper-system"));
  EXPECT_FALSE(is_the_config("default/config", "gatekeeper-system"));
}

TEST(SyncSetPlan, WhatASyncSetAsksFor) {
  const kube::Object sync_set = object(
      R"({"metadata": {"name": "s"}, "spec": {"gvks": [{"group": "apps", "version": "v1", "kind": "Deployment"}]}})");
  const SyncSetPlan plan = plan_sync_set("s", &sync_set);
  EXPECT_EQ(plan.source, "syncset/s");
  EXPECT_EQ(plan.kinds, kinds({"apps/v1/Deployment"}));
  EXPECT_THAT(plan_sync_set("s", nullptr).kinds, IsEmpty());
  const kube::Object broken = object(R"({"spec": {"gvks": ["v1/Pod"]}})");
  EXPECT_TRUE(plan_sync_set("s", &broken).unusable);
}

}  // namespace
}  // namespace portcullis::controller
