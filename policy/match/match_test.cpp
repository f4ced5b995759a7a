#include "policy/match/match.h"

#include <gtest/gtest.h>

#include "engine/value/document.h"
#include "policy/match/index.h"

namespace portcullis::policy {
namespace {

Document parse(std::string_view text) {
  Result<Document> document = Document::parse_json(text);
  EXPECT_TRUE(document.ok()) << document.error().to_string() << "\n" << text;
  return document.ok() ? std::move(*document) : Document();
}

TEST(Wildcard, Table) {
  EXPECT_TRUE(wildcard_matches("kube-*", "kube-system"));
  EXPECT_TRUE(wildcard_matches("*-system", "kube-system"));
  EXPECT_TRUE(wildcard_matches("*e-s*", "kube-system"));
  EXPECT_TRUE(wildcard_matches("*", ""));
  EXPECT_TRUE(wildcard_matches("**", "x"));
  EXPECT_FALSE(wildcard_matches("kube-", "kube-system"));
  EXPECT_FALSE(wildcard_matches("k*m", "kube-system"));
  EXPECT_TRUE(wildcard_matches_generate_name("a-*", "a-"));
  EXPECT_FALSE(wildcard_matches_generate_name("*-", "a-"));
  EXPECT_FALSE(wildcard_matches_generate_name("a-", "a-"));
}

constexpr std::string_view kPod =
    R"({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "namespace": "web", "labels": {"app": "x"}}})";
constexpr std::string_view kRole =
    R"({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": "r"}})";
constexpr std::string_view kNamespace =
    R"({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "web", "labels": {"team": "a"}}})";
constexpr std::string_view kNoLabels = R"({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "web"}})";
constexpr std::string_view kGenerated =
    R"({"apiVersion": "v1", "kind": "Pod", "metadata": {"generateName": "job-", "namespace": "web"}})";

struct Case {
  std::string_view match, object, old_object, ns;
  Source source;
  std::string_view want;  // "yes", "no", or the error
};

const Case kCases[] = {
    {"null", kPod, "", "", Source::kNone, "yes"},
    {"{}", kPod, "", "", Source::kNone, "yes"},
    {R"({"kinds": [{"apiGroups": [""], "kinds": ["Pod"]}]})", kPod, "", "", Source::kNone, "yes"},
    {R"({"kinds": [{"apiGroups": ["apps"], "kinds": ["Pod"]}]})", kPod, "", "", Source::kNone, "no"},
    {R"({"kinds": [{"apiGroups": ["*"], "kinds": ["*"]}]})", kRole, "", "", Source::kNone, "yes"},
    {R"({"kinds": [{"kinds": ["pod"]}]})", kPod, "", "", Source::kNone, "no"},
    {R"({"scope": "Cluster"})", kPod, "", "", Source::kNone, "no"},
    {R"({"scope": "Cluster"})", kRole, "", "", Source::kNone, "yes"},
    {R"({"scope": "Cluster"})", kRole, "", "{}", Source::kNone, "no"},
    {R"({"scope": "Cluster"})", kNamespace, "", "", Source::kNone, "yes"},
    {R"({"scope": "Namespaced"})", kNamespace, "", "", Source::kNone, "no"},
    {R"({"scope": "cluster"})", kPod, "", "", Source::kNone, "yes"},
    {R"({"namespaces": ["w*"]})", kPod, "", "", Source::kNone, "yes"},
    {R"({"namespaces": ["x"]})", kPod, "", "", Source::kNone, "no"},
    {R"({"namespaces": ["x"]})", kRole, "", "", Source::kNone, "yes"},
    {R"({"namespaces": ["x"]})", kRole, "", "{}", Source::kNone, "no"},
    {R"({"namespaces": ["web"]})", kNamespace, "", "", Source::kNone, "yes"},
    {R"({"excludedNamespaces": ["web"]})", kPod, "", "", Source::kNone, "no"},
    {R"({"excludedNamespaces": ["web"]})", kRole, "", "", Source::kNone, "yes"},
    {R"({"labelSelector": {"matchLabels": {"app": "x"}}})", kPod, "", "", Source::kNone, "yes"},
    {R"({"labelSelector": {"matchExpressions": [{"key": "app", "operator": "NotIn", "values": ["y", "x"]}]}})", kPod,
     "", "", Source::kNone, "no"},
    {R"({"labelSelector": {"matchExpressions": [{"key": "zone", "operator": "NotIn", "values": ["y"]}]}})", kPod, "",
     "", Source::kNone, "yes"},
    {R"({"labelSelector": {"matchExpressions": [{"key": "zone", "operator": "DoesNotExist"}]}})", kPod, "", "",
     Source::kNone, "yes"},
    {R"({"namespaceSelector": {"matchLabels": {"team": "a"}}})", kPod, "", kNamespace, Source::kNone, "yes"},
    {R"({"namespaceSelector": {"matchLabels": {"team": "a"}}})", kPod, "", kNoLabels, Source::kNone, "no"},
    {R"({"namespaceSelector": {"matchLabels": {"team": "a"}}})", kRole, "", "", Source::kNone, "yes"},
    {R"({"namespaceSelector": {"matchLabels": {"team": "a"}}})", kNamespace, "", "", Source::kNone, "yes"},
    {R"({"namespaceSelector": {}})", kPod, "", "", Source::kNone,
     "error matching the requested object: p :failed to run Match criteria: namespace selector for namespace-scoped "
     "object but missing Namespace"},
    {R"({"kinds": [{"kinds": ["Job"]}], "namespaceSelector": {}})", kPod, "", "", Source::kNone, "no"},
    {R"({"name": "p"})", kPod, "", "", Source::kNone, "yes"},
    {R"({"name": "job-*"})", kGenerated, "", "", Source::kNone, "yes"},
    {R"({"name": "job-"})", kGenerated, "", "", Source::kNone, "no"},
    {R"({"source": "All"})", kPod, "", "", Source::kNone, "yes"},
    {R"({"source": "Generated"})", kPod, "", "", Source::kOriginal, "no"},
    {R"({"source": "Original"})", kPod, "", "", Source::kNone,
     "error matching the requested object: p :failed to run Match criteria: source field not specified for resource p"},
    {R"({"labelSelector": {"matchLabels": {"app": "x"}}})", kGenerated, kPod, "", Source::kNone, "yes"},
    {"{}", "", "", "", Source::kNone, "invalid request object: neither object nor old object are defined"},
    {"{}", R"({"a": 1})", "", "", Source::kNone,
     R"(invalid request object: failed to unmarshal gkReview object {"a":1})"},
};

TEST(Match, Table) {
  for (const Case& c : kCases) {
    const Document match_document = parse(c.match);
    const Document object = c.object.empty() ? Document() : parse(c.object);
    const Document old_object = c.old_object.empty() ? Document() : parse(c.old_object);
    const Document ns = c.ns.empty() ? Document() : parse(c.ns);
    const Result<Match> match = Match::compile(match_document.root());
    ASSERT_TRUE(match.ok()) << match.error().message;
    std::string error;
    const MatchOutcome outcome = match->matches(object.root(), old_object.root(), ns.root(), c.source, error);
    const std::string got = outcome == MatchOutcome::kYes ? "yes" : outcome == MatchOutcome::kNo ? "no" : error;
    EXPECT_EQ(got, c.want) << c.match << " on " << c.object;
  }
}

TEST(KindIndex, FindsCandidatesInOrder) {
  const auto compile = [](std::string_view text) {
    const Document document = parse(text);
    return std::move(*Match::compile(document.root()));
  };
  KindIndex index;
  index.add(2, compile(R"({"kinds": [{"kinds": ["Pod", "Job"]}]})"));
  index.add(0, compile(R"({"kinds": [{"kinds": ["Pod"]}, {"kinds": ["Pod"]}]})"));
  index.add(1, compile(R"({})"));
  index.add(3, compile(R"({"kinds": [{"kinds": ["Service"]}]})"));
  index.finish();
  const auto found = [&](std::string_view kind, std::string_view other) {
    std::vector<std::uint32_t> ids;
    index.for_each(kind, other, [&](std::uint32_t id) { ids.push_back(id); });
    return ids;
  };
  EXPECT_EQ(found("Pod", ""), (std::vector<std::uint32_t>{0, 1, 2}));
  EXPECT_EQ(found("Job", "Service"), (std::vector<std::uint32_t>{1, 2, 3}));
  EXPECT_EQ(found("Secret", "Secret"), (std::vector<std::uint32_t>{1}));
}

}  // namespace
}  // namespace portcullis::policy
