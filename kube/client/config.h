// Where the API server is and how to authenticate: kubeconfig files and the in-cluster service account.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"

namespace portcullis::kube {

struct ClientConfig {
  std::string server;  // "https://host:port[/prefix]"
  std::string ca_pem;  // empty: the system's trust store
  std::string tls_server_name;
  bool insecure_skip_verify = false;
  std::string client_certificate_pem;
  std::string client_key_pem;
  std::string token;
  std::string token_file;  // read again when it is older than a minute: service account tokens rotate
  std::string username;    // basic authentication, with password
  std::string password;
  std::string ns = "default";  // of the context, or of the pod
};

// Reads one kubeconfig text. `directory` resolves relative file names in it. `context` empty: current-context.
// kInvalid: malformed, context, cluster or user missing, or a file in it unreadable; kUnsupported: exec or
// auth-provider credentials (the text says which user and what to use instead).
Result<ClientConfig> parse_kubeconfig(std::string_view text, const std::string& directory,
                                      const std::string& context = {});
Result<ClientConfig> load_kubeconfig(const std::string& path, const std::string& context = {});

// The service account of the pod: KUBERNETES_SERVICE_HOST/PORT and the files below `directory`. kNotFound: not in a
// pod.
Result<ClientConfig> in_cluster_config(const std::string& directory = "/var/run/secrets/kubernetes.io/serviceaccount");

// As the field's tools decide: `path` when not empty, else $KUBECONFIG (the first file of the list that exists), else
// in-cluster, else ~/.kube/config. kNotFound names all that were tried.
Result<ClientConfig> find_config(const std::string& path = {});

}  // namespace portcullis::kube
