// Kubeconfig files and the service account of a pod.
#include "kube/client/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

namespace portcullis::kube {
namespace {

using testing::HasSubstr;

constexpr const char* kConfig = R"(
apiVersion: v1
kind: Config
current-context: one
clusters:
- name: c1
  cluster: {server: "https://10.0.0.1:6443", certificate-authority: ca.pem, tls-server-name: kube}
- name: c2
  cluster: {server: "https://10.0.0.2", insecure-skip-tls-verify: true}
- name: c3
  cluster: {certificate-authority-data: "AAAA"}
- name: c4
  cluster: {server: "https://10.0.0.4", certificate-authority-data: "not base64!"}
users:
- name: u1
  user: {client-certificate-data: Y2VydA==, client-key-data: a2V5, token: t0}
- name: u2
  user: {tokenFile: tokens/t}
- name: u3
  user: {exec: {command: aws}}
- name: u4
  user: {auth-provider: {name: gcp}}
- name: u5
  user: {client-certificate: missing.pem}
contexts:
- {name: one, context: {cluster: c1, user: u1, namespace: apps}}
- {name: two, context: {cluster: c2, user: u2}}
- {name: exec, context: {cluster: c2, user: u3}}
- {name: provider, context: {cluster: c2, user: u4}}
- {name: no-server, context: {cluster: c3, user: u1}}
- {name: bad-ca, context: {cluster: c4, user: u1}}
- {name: no-cluster, context: {cluster: x, user: u1}}
- {name: no-user, context: {cluster: c1, user: x}}
- {name: no-file, context: {cluster: c2, user: u5}}
)";

class ConfigTest : public testing::Test {
 protected:
  ConfigTest() : directory(testing::TempDir() + "portcullis-config-" + std::to_string(getpid())) {
    std::filesystem::create_directories(directory);
    write("ca.pem", "CA");
    write("config", kConfig);
  }
  ~ConfigTest() override { std::filesystem::remove_all(directory); }
  void write(const std::string& name, const std::string& text) const { std::ofstream(directory + "/" + name) << text; }
  Result<ClientConfig> load(const std::string& context) const {
    return load_kubeconfig(directory + "/config", context);
  }
  std::string directory;
};

TEST_F(ConfigTest, CurrentContextWithCertificates) {
  const Result<ClientConfig> got = load("");
  ASSERT_TRUE(got.ok()) << got.error().to_string();
  EXPECT_EQ(got->server, "https://10.0.0.1:6443");
  EXPECT_EQ(got->ca_pem, "CA");
  EXPECT_EQ(got->tls_server_name, "kube");
  EXPECT_EQ(got->client_certificate_pem, "cert");
  EXPECT_EQ(got->client_key_pem, "key");
  EXPECT_EQ(got->token, "t0");
  EXPECT_EQ(got->ns, "apps");
  EXPECT_FALSE(got->insecure_skip_verify);
}

TEST_F(ConfigTest, OtherContext) {
  const Result<ClientConfig> got = load("two");
  ASSERT_TRUE(got.ok()) << got.error().to_string();
  EXPECT_TRUE(got->insecure_skip_verify);
  EXPECT_EQ(got->token_file, directory + "/tokens/t");
  EXPECT_EQ(got->ns, "default");
}

TEST_F(ConfigTest, ErrorsSayWhatIsWrong) {
  struct Case {
    const char* context;
    Code code;
    const char* text;
  };
  for (const Case& c :
       {Case{"exec", Code::kUnsupported, "user \"u3\" uses an exec credential plugin"},
        Case{"provider", Code::kUnsupported, "auth-provider"},
        Case{"no-server", Code::kInvalid, "cluster \"c3\" has no server"},
        Case{"bad-ca", Code::kInvalid, "certificate-authority-data is not base64"},
        Case{"no-cluster", Code::kInvalid, "no cluster \"x\""}, Case{"no-user", Code::kInvalid, "no user \"x\""},
        Case{"no-file", Code::kInvalid, "missing.pem"}, Case{"nothing", Code::kInvalid, "no context \"nothing\""}}) {
    const Result<ClientConfig> got = load(c.context);
    ASSERT_FALSE(got.ok()) << c.context;
    EXPECT_EQ(got.error().code, c.code) << c.context;
    EXPECT_THAT(got.error().to_string(), HasSubstr(c.text));
    EXPECT_THAT(got.error().to_string(), HasSubstr(directory + "/config"));
  }
  EXPECT_EQ(load_kubeconfig(directory + "/none").error().code, Code::kNotFound);
  EXPECT_EQ(parse_kubeconfig("a: [", "").error().code, Code::kInvalid);
  EXPECT_EQ(parse_kubeconfig("", "").error().code, Code::kInvalid);
}

TEST_F(ConfigTest, InCluster) {
  write("token", "tok\n");
  write("ca.crt", "CA");
  write("namespace", "gatekeeper-system");
  unsetenv("KUBERNETES_SERVICE_HOST");
  EXPECT_EQ(in_cluster_config(directory).error().code, Code::kNotFound);
  setenv("KUBERNETES_SERVICE_HOST", "fd00::1", 1);
  setenv("KUBERNETES_SERVICE_PORT", "443", 1);
  const Result<ClientConfig> got = in_cluster_config(directory);
  ASSERT_TRUE(got.ok()) << got.error().to_string();
  EXPECT_EQ(got->server, "https://[fd00::1]:443");
  EXPECT_EQ(got->token, "tok");
  EXPECT_EQ(got->token_file, directory + "/token");
  EXPECT_EQ(got->ca_pem, "CA");
  EXPECT_EQ(got->ns, "gatekeeper-system");
  unsetenv("KUBERNETES_SERVICE_HOST");
  unsetenv("KUBERNETES_SERVICE_PORT");
}

TEST_F(ConfigTest, SearchOrder) {
  setenv("KUBECONFIG", (directory + "/none:" + directory + "/config").c_str(), 1);
  const Result<ClientConfig> got = find_config();
  ASSERT_TRUE(got.ok()) << got.error().to_string();
  EXPECT_EQ(got->server, "https://10.0.0.1:6443");
  setenv("KUBECONFIG", (directory + "/none").c_str(), 1);
  setenv("HOME", directory.c_str(), 1);
  unsetenv("KUBERNETES_SERVICE_HOST");
  const Result<ClientConfig> none = find_config();
  ASSERT_FALSE(none.ok());
  EXPECT_EQ(none.error().code, Code::kNotFound);
  EXPECT_THAT(none.error().message, HasSubstr("$KUBECONFIG"));
  unsetenv("KUBECONFIG");
}

}  // namespace
}  // namespace portcullis::kube
