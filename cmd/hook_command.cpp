// apply, label and delete against the API server; probe against the webhook. Runs to its end, retries within a bound.
#include "cmd/hook_command.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <thread>

#include "base/deadline.h"
#include "base/error.h"
#include "base/text.h"
#include "engine/value/json.h"
#include "engine/value/yaml.h"
#include "kube/client/client.h"
#include "kube/client/config.h"
#include "net/blocking.h"
#include "net/http_client.h"
#include "net/io_thread.h"
#include "net/tls.h"

namespace portcullis::cmd {

namespace {

constexpr std::chrono::seconds kCallTimeout{30};
constexpr std::chrono::seconds kRetryEvery{1};
constexpr int kTries = 30;  // an API server that is just coming up, a webhook that is
constexpr std::size_t kMaxFileBytes = std::size_t{16} << 20;
constexpr int kUsage = 2;
constexpr const char* kHelp =
    "usage: portcullis hook apply -f PATH\n"
    "       portcullis hook label ns NAME... KEY=VALUE... [--overwrite]\n"
    "         (a label that is there is always replaced, with or without --overwrite)\n"
    "       portcullis hook delete KIND/NAME...\n"
    "       portcullis hook probe URL [--cacert=FILE] [--insecure] [--wait=SECONDS] [--timeout=SECONDS]\n";

// Flags by name ("-f" and "--f" are one), and the rest in order.
struct Parsed {
  std::map<std::string, std::string> flags;
  std::vector<std::string> rest;
};
Parsed parse(const std::vector<std::string>& arguments) {
  Parsed parsed;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string& argument = arguments[i];
    if (argument.empty() || argument[0] != '-') {
      parsed.rest.push_back(argument);
      continue;
    }
    const std::size_t equals = argument.find('=');
    std::string name = argument.substr(0, equals);
    name.erase(0, name.find_first_not_of('-'));
    std::string value = equals == std::string::npos ? "" : argument.substr(equals + 1);
    if (name == "f" && equals == std::string::npos && i + 1 < arguments.size()) value = arguments[++i];
    parsed.flags[name] = std::move(value);
  }
  return parsed;
}

Result<std::string> read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return make_error(Code::kNotFound, "cannot read " + path);
  std::string content;
  std::array<char, 65536> buffer;
  while (file.read(buffer.data(), buffer.size()) || file.gcount() > 0) {
    content.append(buffer.data(), static_cast<std::size_t>(file.gcount()));
    if (content.size() > kMaxFileBytes) return make_error(Code::kLimit, path + " is too large");
  }
  return content;
}

bool worth_retrying(const Error& error) {
  return error.code == Code::kUnavailable || error.code == Code::kTimeout || error.code == Code::kThrottled ||
         error.code == Code::kConflict;
}

class Cluster {
 public:
  Result<void> connect() {
    PC_TRY(kube::ClientConfig config, kube::find_config());
    kube::ClientOptions options;
    options.user_agent = "portcullis-hook";
    PC_TRY(client_, kube::Client::create(io_.context(), std::move(config), options));
    return ok();
  }

  // `call` makes the coroutine of one try.
  template <typename Call>
  auto retried(Call call) -> decltype(net::run_blocking(std::declval<boost::asio::io_context&>(), call())) {
    for (int attempt = 1;; ++attempt) {
      auto result = net::run_blocking(io_.context(), call());
      if (result.ok() || attempt == kTries || !worth_retrying(result.error())) return result;
      std::this_thread::sleep_for(kRetryEvery);
    }
  }

  Result<void> apply(const Value& object) {
    const kube::Meta meta(object);
    const kube::GroupVersionKind gvk = kube::parse_api_version(meta.api_version(), meta.kind());
    PC_TRY(const kube::ApiResource resource,
           retried([&] { return client_->resource_of(gvk, Deadline::after(kCallTimeout)); }));
    kube::WriteOptions options;
    options.force = true;
    PC_TRY(const kube::Object applied, retried([&] {
             return client_->patch(resource, std::string(meta.ns()), std::string(meta.name()), kube::PatchType::kApply,
                                   to_json(object), Deadline::after(kCallTimeout), options);
           }));
    std::printf("%s/%s applied\n", resource.plural.c_str(), std::string(applied.meta().name()).c_str());
    return ok();
  }

  Result<void> label_namespace(const std::string& name, const std::string& labels) {
    const kube::ApiResource namespaces{"", "v1", "Namespace", "namespaces", false, {}, {}};
    PC_TRY(const kube::Object labeled, retried([&] {
             return client_->patch(namespaces, {}, name, kube::PatchType::kMerge,
                                   R"({"metadata":{"labels":)" + labels + "}}", Deadline::after(kCallTimeout));
           }));
    std::printf("namespace/%s labeled\n", std::string(labeled.meta().name()).c_str());
    return ok();
  }

  Result<void> remove(const kube::ApiResource& resource, const std::string& name) {
    Result<void> removed = retried([&] { return client_->remove(resource, {}, name, Deadline::after(kCallTimeout)); });
    if (!removed.ok() && removed.error().code != Code::kNotFound) return removed;
    std::printf("%s/%s %s\n", resource.plural.c_str(), name.c_str(), removed.ok() ? "deleted" : "was not there");
    return ok();
  }

 private:
  net::IoThread io_{"hook"};
  std::unique_ptr<kube::Client> client_;
};

Result<std::vector<std::string>> files_of(const std::string& path) {
  std::error_code failed;
  std::vector<std::string> files;
  if (!std::filesystem::is_directory(path, failed)) return std::vector<std::string>{path};
  for (const auto& entry : std::filesystem::directory_iterator(path, failed)) {
    const std::string extension = entry.path().extension().string();
    if (extension == ".yaml" || extension == ".yml" || extension == ".json") files.push_back(entry.path().string());
  }
  if (failed) return make_error(Code::kNotFound, "cannot list " + path + ": " + failed.message());
  std::sort(files.begin(), files.end());
  return files;
}

Result<void> apply(const Parsed& parsed) {
  PC_TRY(const std::vector<std::string> files, files_of(parsed.flags.at("f")));
  if (files.empty()) return make_error(Code::kNotFound, "no YAML or JSON files in " + parsed.flags.at("f"));
  Cluster cluster;
  PC_TRY_VOID(cluster.connect());
  for (const std::string& file : files) {
    PC_TRY(const std::string content, read_file(file));
    PC_TRY(const std::vector<YamlDocument> documents,
           parse_yaml_stream(content, YamlSchema::kKubernetes).with_context(file));
    for (const YamlDocument& document : documents) {
      if (!document.document.root().is_object()) continue;  // a document of nothing but comments
      PC_TRY_VOID(cluster.apply(document.document.root()).with_context(file));
    }
  }
  return ok();
}

Result<void> label(const Parsed& parsed) {
  std::vector<std::string> names;
  std::string labels;
  for (std::size_t i = 1; i < parsed.rest.size(); ++i) {
    const std::string& word = parsed.rest[i];
    const std::size_t equals = word.find('=');
    if (equals == std::string::npos) {
      names.push_back(word);
      continue;
    }
    labels += labels.empty() ? "{" : ",";
    text::append_json_string(labels, word.substr(0, equals));
    labels += ':';
    text::append_json_string(labels, word.substr(equals + 1));
  }
  labels += '}';
  Cluster cluster;
  PC_TRY_VOID(cluster.connect());
  for (const std::string& name : names) PC_TRY_VOID(cluster.label_namespace(name, labels).with_context(name));
  return ok();
}

Result<void> remove(const Parsed& parsed) {
  Cluster cluster;
  PC_TRY_VOID(cluster.connect());
  for (const std::string& word : parsed.rest) {
    const std::size_t slash = word.find('/');
    std::string kind = text::to_lower_ascii(word.substr(0, slash));
    if (!kind.empty() && kind.back() != 's') kind += 's';
    const bool known = kind == "validatingwebhookconfigurations" || kind == "mutatingwebhookconfigurations";
    if (slash == std::string::npos || !known)
      return make_error(Code::kUnsupported, "cannot delete " + text::go_quote(word) +
                                                ": want validatingwebhookconfiguration/NAME or "
                                                "mutatingwebhookconfiguration/NAME");
    const kube::ApiResource resource{"admissionregistration.k8s.io", "v1", "", kind, false, {}, {}};
    PC_TRY_VOID(cluster.remove(resource, word.substr(slash + 1)).with_context(word));
  }
  return ok();
}

int seconds_of(const Parsed& parsed, const std::string& name, int otherwise) {
  const auto found = parsed.flags.find(name);
  if (found == parsed.flags.end()) return otherwise;
  int seconds = otherwise;
  std::from_chars(found->second.data(), found->second.data() + found->second.size(), seconds);
  return std::clamp(seconds, 1, 3600);
}

// One request; any HTTP answer will do, for it shows that the webhook serves TLS under its own authority.
Result<void> probe_once(const Parsed& parsed, const net::Origin& origin, const std::string& target) {
  net::TlsClientOptions options;
  options.insecure_skip_verify = parsed.flags.count("insecure") != 0;
  if (const auto file = parsed.flags.find("cacert"); file != parsed.flags.end()) {
    PC_TRY(options.ca_bundle_pem, read_file(file->second));
    if (options.ca_bundle_pem.empty()) return make_error(Code::kUnavailable, file->second + " is empty");
  }
  PC_TRY(std::shared_ptr<const net::TlsClientContext> tls, net::TlsClientContext::create(options));
  net::IoThread io("probe");
  net::HttpClient client(io.context(), origin, std::move(tls));
  net::HttpRequest request;
  request.method = "GET";
  request.target = target;
  const std::chrono::seconds timeout(seconds_of(parsed, "timeout", 2));
  const Result<net::HttpResponse> response =
      net::run_blocking(io.context(), client.send(std::move(request), Deadline::after(timeout)));
  io.stop();
  if (!response.ok()) return response.error();
  std::printf("the webhook answers (HTTP %d)\n", static_cast<int>(response->status));
  return ok();
}

Result<void> probe(const Parsed& parsed) {
  const std::string& url = parsed.rest.front();
  const std::size_t path = url.find('/', std::string_view("https://").size());
  PC_TRY(const net::Origin origin, net::parse_origin(url.substr(0, path)));
  const std::string target = path == std::string::npos ? "/" : url.substr(path);
  const Deadline deadline = Deadline::after(std::chrono::seconds(seconds_of(parsed, "wait", 60)));
  for (;;) {
    const Result<void> answered = probe_once(parsed, origin, target);
    if (answered.ok() || deadline.passed()) return answered;
    std::fprintf(stderr, "not yet: %s\n", answered.error().to_string().c_str());
    std::this_thread::sleep_for(kRetryEvery);
  }
}

}  // namespace

bool is_hook_command(const std::vector<std::string>& arguments) {
  if (arguments.empty()) return false;
  const std::string& word = arguments.front();
  return word == "apply" || word == "label" || word == "delete" || word == "probe";
}

int run_hook_command(const std::vector<std::string>& arguments) {
  if (!is_hook_command(arguments)) {
    std::fputs(kHelp, stderr);
    return kUsage;
  }
  const std::string& command = arguments.front();
  const Parsed parsed = parse({arguments.begin() + 1, arguments.end()});
  // "ns", then at least one name and one KEY=VALUE, in any order.
  const auto words = parsed.rest.begin() + (parsed.rest.empty() ? 0 : 1);
  const auto pairs = std::count_if(words, parsed.rest.end(),
                                   [](const std::string& word) { return word.find('=') != std::string::npos; });
  const bool labels_namespace = !parsed.rest.empty() && (parsed.rest[0] == "ns" || parsed.rest[0] == "namespace") &&
                                pairs > 0 && pairs < parsed.rest.end() - words;
  const bool usable = command == "apply"   ? parsed.flags.count("f") != 0
                      : command == "label" ? labels_namespace
                                           : !parsed.rest.empty();
  if (!usable) {
    std::fputs(kHelp, stderr);
    return kUsage;
  }
  const Result<void> done = command == "apply"    ? apply(parsed)
                            : command == "label"  ? label(parsed)
                            : command == "delete" ? remove(parsed)
                                                  : probe(parsed);
  if (done.ok()) return 0;
  std::fprintf(stderr, "error: %s\n", done.error().to_string().c_str());
  return 1;
}

}  // namespace portcullis::cmd
