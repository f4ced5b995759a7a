// `portcullis explain` on files (cmd/testdata/explain, golden texts beside them) and on a cluster.
#include "cmd/explain_command.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "engine/value/document.h"
#include "engine/value/json.h"
#include "engine/value/yaml.h"
#include "policy/model/resources.h"
#include "test/fakeapi/fakeapi.h"

namespace portcullis::cmd {
namespace {

using testing::HasSubstr;

const std::string kData = std::string(PC_SOURCE_DIR) + "/cmd/testdata/explain/";

std::string read(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

struct Ran {
  int code = 0;
  std::string out, err;
};
Ran run(const std::vector<std::string>& arguments, std::optional<std::string> input = {}) {
  Ran ran;
  ran.code = run_explain_command(arguments, {[&] { return input; }, &ran.out, &ran.err});
  return ran;
}

// Every time is T, and columns are two blanks apart: how wide they are depends on the times.
std::string without_times(const std::string& text) {
  std::string out;
  for (std::size_t i = 0; i < text.size();) {
    std::size_t end = i;
    while (end < text.size() && (std::isdigit(static_cast<unsigned char>(text[end])) != 0 || text[end] == '.')) ++end;
    const std::string_view unit = std::string_view(text).substr(end);
    const std::size_t length = unit.starts_with("ms") ? 2 : unit.starts_with("µs") ? 3 : 0;
    if (end > i && length > 0 && text.find('.', i) < end) {
      out += 'T';
      i = end + length;
    } else if (text[i] == ' ' && out.ends_with("  ")) {
      ++i;
    } else {
      out += text[i++];
    }
  }
  return out;
}

struct GoldenCase {
  const char* name;
  std::vector<std::string> arguments;  // after -f policies.yaml
  int code;
};
class Golden : public testing::TestWithParam<GoldenCase> {};
TEST_P(Golden, Text) {
  std::vector<std::string> arguments{"-f", kData + "policies.yaml"};
  for (std::string argument : GetParam().arguments) {
    if (const std::size_t at = argument.find("@"); at != std::string::npos) argument.replace(at, 1, kData);
    arguments.push_back(std::move(argument));
  }
  const Ran ran = run(arguments);
  EXPECT_EQ(ran.code, GetParam().code) << ran.err;
  EXPECT_EQ(ran.err, "");
  const std::string path = kData + GetParam().name + ".want";
  const std::string got = without_times(ran.out);
  if (std::getenv("UPDATE_GOLDEN") != nullptr) std::ofstream(path, std::ios::binary) << got;
  EXPECT_EQ(got, read(path));
}
INSTANTIATE_TEST_SUITE_P(
    All, Golden,
    testing::Values(GoldenCase{"pod", {"--review", "@pod.yaml"}, 1}, GoldenCase{"review", {"-r", "@review.json"}, 1},
                    GoldenCase{"excluded", {"-r", "@excluded.yaml"}, 0},
                    GoldenCase{"excluded_audit", {"-r", "@excluded.yaml", "--enforcement-point", "audit"}, 1},
                    GoldenCase{"deleted", {"-r", "@pod.yaml", "--operation", "DELETE"}, 1}),
    [](const auto& one) { return std::string(one.param.name); });

TEST(ExplainCommand, JsonHasTheSame) {
  const Ran ran = run({"-f", kData + "policies.yaml", "-r", "-", "-o", "json"}, read(kData + "pod.yaml"));
  EXPECT_EQ(ran.code, 1) << ran.err;
  const Result<Document> json = Document::parse_json(ran.out);
  ASSERT_TRUE(json.ok()) << ran.out;
  EXPECT_FALSE(json->root().get("allowed").is_true());
  EXPECT_EQ(json->root().get("constraints").size(), 3u);
  const Value first = json->root().get("constraints").elements()[0];
  EXPECT_EQ(first.string_or("name"), "pods-have-a-team");
  EXPECT_EQ(to_json(first.get("violations").elements()[0].get("rules").elements()[0].get("line")), "3");
}

TEST(ExplainCommand, UsageErrors) {
  const std::vector<std::vector<std::string>> all{
      {},
      {"--review"},
      {"pod"},
      {"pod/web", "pod/other"},
      {"pod/web", "--review", "x"},
      {"--review", "x", "-o", "yaml"},
      {"--review", "x", "--operation", "PATCH"},
      {"--review", "x", "--enforcement-point", "vap"},
      {"--unknown"},
      {"-f", "/nowhere.yaml", "--review", "x"},
      {"-f", kData + "policies.yaml", "--review", "/nowhere.yaml"},
      {"-f", kData + "policies.yaml", "--review", "-"},
  };
  for (const std::vector<std::string>& arguments : all) {
    const Ran ran = run(arguments);
    EXPECT_EQ(ran.code, 2) << testing::PrintToString(arguments);
    EXPECT_THAT(ran.err, HasSubstr("portcullis explain: ")) << testing::PrintToString(arguments);
  }
  EXPECT_EQ(run({"--help"}).code, 0);
}

TEST(ExplainCommand, WhatIsNotKnownIsSaid) {
  const Ran ran = run({"-f", kData + "policies.yaml", "-r", "-"},
                      R"({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "x", "namespace": "elsewhere"}})");
  EXPECT_EQ(ran.code, 1);
  EXPECT_THAT(ran.err, HasSubstr("namespace elsewhere is in none of the files"));
}

TEST(ExplainCommand, OfACluster) {
  test::FakeApi api;
  api.serve(policy::constraint_templates());
  api.serve(policy::constraints_of("K8sRequiredLabels"));
  api.serve(policy::configs());
  api.serve(policy::sync_sets());
  const auto documents = parse_yaml_stream(read(kData + "policies.yaml"), YamlSchema::kKubernetes);
  ASSERT_TRUE(documents.ok());
  for (const YamlDocument& document : *documents) api.put(to_json(document.document.root()));
  const auto pod = parse_yaml(read(kData + "pod.yaml"), YamlSchema::kKubernetes);
  api.put(to_json(pod->root()));
  const std::string kubeconfig = testing::TempDir() + "/explain.kubeconfig";
  std::ofstream(kubeconfig)
      << "apiVersion: v1\nkind: Config\ncurrent-context: c\nclusters: [{name: c, cluster: {server: \""
      << api.config().server
      << "\"}}]\nusers: [{name: c, user: {token: t}}]\n"
         "contexts: [{name: c, context: {cluster: c, user: c, namespace: shop}}]\n";
  const Ran live = run({"--kubeconfig", kubeconfig, "pod/web"});
  EXPECT_EQ(live.code, 1) << live.err;
  EXPECT_EQ(without_times(live.out), read(kData + "pod.want")) << live.err;
  const Ran from_file = run({"--kubeconfig", kubeconfig, "-r", kData + "pod.yaml"});
  EXPECT_EQ(without_times(from_file.out), read(kData + "pod.want")) << from_file.err;
  EXPECT_EQ(run({"--kubeconfig", kubeconfig, "pod/absent"}).code, 2);
  EXPECT_EQ(run({"--kubeconfig", kubeconfig, "unheard/of"}).code, 2);
  // Policies that are not applied yet, on what is there.
  const Ran mixed = run({"--kubeconfig", kubeconfig, "-f", kData + "policies.yaml", "-n", "shop", "Pod/web"});
  EXPECT_EQ(without_times(mixed.out), read(kData + "pod.want")) << mixed.err;
  std::filesystem::remove(kubeconfig);
}

}  // namespace
}  // namespace portcullis::cmd
