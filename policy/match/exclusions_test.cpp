#include "policy/match/exclusions.h"

#include <gtest/gtest.h>

#include <thread>

#include "engine/value/document.h"

namespace portcullis::policy {
namespace {

Document parse(std::string_view text) { return Document::parse_json(text).value(); }

Exclusions from(std::string_view config) {
  const Document object = parse(config);
  const Result<Config> decoded = decode_config(object.root());
  EXPECT_TRUE(decoded.ok()) << decoded.error().to_string();
  return Exclusions(decoded->match);
}

TEST(Exclusions, PerProcessWithWildcards) {
  const Exclusions all = from(R"({"spec": {"match": [
      {"excludedNamespaces": ["kube-*", "team"], "processes": ["webhook", "audit"]},
      {"excludedNamespaces": ["*-dev"], "processes": ["*"]},
      {"excludedNamespaces": ["nobody"], "processes": ["publish", ""]}]}})");
  struct Case {
    Process process;
    std::string_view ns;
    bool excluded;
  };
  for (const Case& c : {Case{Process::kWebhook, "kube-system", true}, Case{Process::kSync, "kube-system", false},
                        Case{Process::kAudit, "team", true}, Case{Process::kAudit, "team-2", false},
                        Case{Process::kSync, "a-dev", true}, Case{Process::kMutation, "a-dev", true},
                        Case{Process::kWebhook, "nobody", false}, Case{Process::kWebhook, "", false}}) {
    EXPECT_EQ(all.excluded(c.process, c.ns), c.excluded) << c.ns;
  }
}

TEST(Exclusions, NamespaceObjectsByTheirNameOthersByTheirNamespace) {
  const Exclusions all = from(R"({"spec": {"match": [{"excludedNamespaces": ["a"], "processes": ["sync"]}]}})");
  const Document ns = parse(R"({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "a"}})");
  const Document pod = parse(R"({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "x", "namespace": "a"}})");
  const Document node = parse(R"({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "a"}})");
  EXPECT_TRUE(all.excluded(Process::kSync, ns.root()));
  EXPECT_TRUE(all.excluded(Process::kSync, pod.root()));
  EXPECT_FALSE(all.excluded(Process::kSync, node.root()));
}

TEST(Exclusions, AStarAlsoTakesClusterScopedObjects) {
  const Exclusions all = from(R"({"spec": {"match": [{"excludedNamespaces": ["*"], "processes": ["sync"]}]}})");
  EXPECT_TRUE(all.excluded(Process::kSync, std::string_view()));
}

TEST(Exclusions, OrderAndRepetitionMakeNoDifference) {
  EXPECT_EQ(from(R"({"spec": {"match": [{"excludedNamespaces": ["a", "b", "a"], "processes": ["sync", "sync"]}]}})"),
            from(R"({"spec": {"match": [{"excludedNamespaces": ["b"], "processes": ["sync"]},
                                        {"excludedNamespaces": ["a"], "processes": ["sync"]}]}})"));
  EXPECT_EQ(from("{}"), Exclusions());
}

TEST(ExclusionsCell, ReadersSeeWhatWasPublished) {
  ExclusionsCell cell;
  CachedExclusions mine;
  EXPECT_FALSE(cell.refresh(mine).excluded(Process::kWebhook, "a"));
  const auto next = std::make_shared<const Exclusions>(
      from(R"({"spec": {"match": [{"excludedNamespaces": ["a"], "processes": ["webhook"]}]}})"));
  std::thread writer([&] { cell.publish(next); });
  while (!cell.refresh(mine).excluded(Process::kWebhook, "a")) std::this_thread::yield();
  writer.join();
  EXPECT_EQ(cell.load(), next);
}

}  // namespace
}  // namespace portcullis::policy
