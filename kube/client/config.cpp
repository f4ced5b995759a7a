// Kubeconfig files and the in-cluster service account.
#include "kube/client/config.h"

#include <cstdlib>
#include <fstream>
#include <optional>
#include <sstream>
#include <vector>

#include "base/text.h"
#include "engine/value/yaml.h"

namespace portcullis::kube {

namespace {

constexpr std::size_t kMaxFile = 16u << 20;

Result<std::string> read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return make_error(Code::kNotFound, "cannot read " + path);
  std::ostringstream text;
  text << in.rdbuf();
  if (in.bad()) return make_error(Code::kInvalid, "cannot read " + path);
  std::string all = std::move(text).str();
  if (all.size() > kMaxFile) return make_error(Code::kLimit, path + " is too large");
  return all;
}

std::string resolve_path(const std::string& directory, std::string_view path) {
  if (path.empty() || path.front() == '/' || directory.empty()) return std::string(path);
  return directory + "/" + std::string(path);
}

// The entry called `name` in a kubeconfig list: its member `member`. Undefined when absent.
Value named(const Value& root, std::string_view list, std::string_view name, std::string_view member) {
  for (const Value& entry : root.get(list).elements()) {
    if (entry.string_or("name") == name) return entry.get(member);
  }
  return Value::undefined();
}

// "<field>-data" (base64) or the file that "<field>" names. Empty when neither is there.
Result<std::string> data_or_file(const Value& from, const std::string& field, const std::string& directory) {
  const std::string_view data = from.string_or(field + "-data");
  if (!data.empty()) {
    std::optional<std::string> decoded = text::base64_decode(data);
    if (!decoded) return make_error(Code::kInvalid, field + "-data is not base64");
    return std::move(*decoded);
  }
  const std::string_view path = from.string_or(field);
  if (path.empty()) return std::string();
  Result<std::string> content = read_file(resolve_path(directory, path));
  if (!content.ok()) content.error().code = Code::kInvalid;  // the file exists, what it points at does not
  return std::move(content).with_context(field);
}

Result<void> read_user(const Value& user, const std::string& name, const std::string& directory, ClientConfig& config) {
  if (user.get("exec").is_object()) {
    return make_error(Code::kUnsupported,
                      "user \"" + name +
                          "\" uses an exec credential plugin, which is not supported; "
                          "use a token, tokenFile or client certificate (for example a service account token)");
  }
  if (user.get("auth-provider").is_object()) {
    return make_error(Code::kUnsupported, "user \"" + name +
                                              "\" uses an auth-provider, which is not supported; "
                                              "use a token, tokenFile or client certificate");
  }
  PC_TRY(config.client_certificate_pem, data_or_file(user, "client-certificate", directory));
  PC_TRY(config.client_key_pem, data_or_file(user, "client-key", directory));
  config.token = user.string_or("token");
  if (const std::string_view file = user.string_or("tokenFile"); !file.empty()) {
    config.token_file = resolve_path(directory, file);
  }
  config.username = user.string_or("username");
  config.password = user.string_or("password");
  return ok();
}

std::string env(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string() : std::string(value);
}

}  // namespace

Result<ClientConfig> parse_kubeconfig(std::string_view text, const std::string& directory, const std::string& context) {
  PC_TRY(const Document document, parse_yaml(text, YamlSchema::kKubernetes, ParseLimits{.source = "kubeconfig"}));
  const Value root = document.root();
  if (!root.is_object()) return make_error(Code::kInvalid, "kubeconfig is empty or no object");
  const std::string name = context.empty() ? std::string(root.string_or("current-context")) : context;
  if (name.empty()) return make_error(Code::kInvalid, "kubeconfig has no current-context");
  const Value chosen = named(root, "contexts", name, "context");
  if (!chosen.is_object()) return make_error(Code::kInvalid, "kubeconfig has no context \"" + name + "\"");
  const std::string cluster_name(chosen.string_or("cluster"));
  const Value cluster = named(root, "clusters", cluster_name, "cluster");
  if (!cluster.is_object()) return make_error(Code::kInvalid, "kubeconfig has no cluster \"" + cluster_name + "\"");

  ClientConfig config;
  config.server = cluster.string_or("server");
  if (config.server.empty()) return make_error(Code::kInvalid, "cluster \"" + cluster_name + "\" has no server");
  if (!cluster.string_or("proxy-url").empty()) {
    return make_error(Code::kUnsupported, "cluster \"" + cluster_name + "\" has a proxy-url, which is not supported");
  }
  config.tls_server_name = cluster.string_or("tls-server-name");
  config.insecure_skip_verify = cluster.get("insecure-skip-tls-verify").is_true();
  PC_TRY(config.ca_pem, data_or_file(cluster, "certificate-authority", directory));
  if (config.insecure_skip_verify && !config.ca_pem.empty()) {
    return make_error(Code::kInvalid,
                      "cluster \"" + cluster_name + "\" has both a certificate-authority and insecure-skip-tls-verify");
  }
  const std::string user_name(chosen.string_or("user"));
  const Value user = named(root, "users", user_name, "user");
  if (!user_name.empty() && !user.defined()) {
    return make_error(Code::kInvalid, "kubeconfig has no user \"" + user_name + "\"");
  }
  PC_TRY_VOID(read_user(user, user_name, directory, config));
  if (const std::string_view ns = chosen.string_or("namespace"); !ns.empty()) config.ns = ns;
  return config;
}

Result<ClientConfig> load_kubeconfig(const std::string& path, const std::string& context) {
  PC_TRY(const std::string text, read_file(path));
  const std::size_t slash = path.rfind('/');
  return parse_kubeconfig(text, slash == std::string::npos ? std::string() : path.substr(0, slash), context)
      .with_context(path);
}

Result<ClientConfig> in_cluster_config(const std::string& directory) {
  const std::string host = env("KUBERNETES_SERVICE_HOST");
  const std::string port = env("KUBERNETES_SERVICE_PORT");
  if (host.empty() || port.empty()) {
    return make_error(Code::kNotFound, "not in a pod: KUBERNETES_SERVICE_HOST or KUBERNETES_SERVICE_PORT is not set");
  }
  ClientConfig config;
  config.server = "https://" + (host.find(':') != std::string::npos ? "[" + host + "]" : host) + ":" + port;
  config.token_file = directory + "/token";
  PC_TRY(config.token, read_file(config.token_file).with_context("in-cluster configuration"));
  config.token = text::trim(config.token);
  PC_TRY(config.ca_pem, read_file(directory + "/ca.crt").with_context("in-cluster configuration"));
  const Result<std::string> ns = read_file(directory + "/namespace");
  if (ns.ok()) config.ns = text::trim(*ns);
  return config;
}

Result<ClientConfig> find_config(const std::string& path) {
  if (!path.empty()) return load_kubeconfig(path);
  std::string tried;
  const std::string list = env("KUBECONFIG");
  for (const std::string_view file : text::split(list, ':')) {
    if (file.empty()) continue;
    Result<ClientConfig> loaded = load_kubeconfig(std::string(file));
    if (loaded.ok() || loaded.error().code != Code::kNotFound) return loaded;
    tried += ", $KUBECONFIG (" + std::string(file) + ")";
  }
  Result<ClientConfig> inside = in_cluster_config();
  if (inside.ok() || inside.error().code != Code::kNotFound) return inside;
  tried += ", in-cluster service account";
  const std::string home = env("HOME") + "/.kube/config";
  Result<ClientConfig> own = load_kubeconfig(home);
  if (own.ok() || own.error().code != Code::kNotFound) return own;
  tried += ", " + home;
  return make_error(Code::kNotFound, "no Kubernetes configuration found; tried " + tried.substr(2));
}

}  // namespace portcullis::kube
