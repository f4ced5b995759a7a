// Gathers policies, data and what is reviewed, from files or from a cluster, and explains the review.
#include "cmd/explain_command.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <map>
#include <utility>

#include "base/text.h"
#include "cmd/engine_host.h"
#include "engine/value/json.h"
#include "engine/value/yaml.h"
#include "gator/files.h"
#include "gator/flags.h"
#include "gator/gator.h"
#include "gator/sources.h"
#include "gator/templates.h"
#include "kube/client/client.h"
#include "kube/client/config.h"
#include "net/blocking.h"
#include "net/io_thread.h"
#include "policy/explain/explain.h"
#include "policy/match/exclusions.h"
#include "policy/model/resources.h"
#include "policy/model/sync.h"

namespace portcullis::cmd {

namespace {

constexpr std::chrono::seconds kCallTimeout{30};
constexpr std::size_t kMaxListed = 1'000'000;
constexpr int kCouldNot = 2;
constexpr const char* kHelp =
    R"(Explain why an object is allowed or refused: which constraints matched, which did not and on which field, which rule
on which line fired, with what message, and how long each took.

Usage:
  portcullis explain -f POLICIES [-f ...] --review FILE        everything from files
  portcullis explain [--kubeconfig FILE] --review FILE         policies and namespaces of the cluster, the object from a file
  portcullis explain [--kubeconfig FILE] [-n NS] KIND/NAME     all of it from the cluster

What is reviewed is an object, or an AdmissionReview as the API server sends it (then with its user, operation and old
object). Policies are files or directories, read as `gator test` reads them: templates, constraints, Config, and every
other object as data (Namespaces for matching, the rest for data.inventory).

Flags:
  -f, --filename PATH             policies and data, file or directory; any number of times
  -r, --review FILE               what to review; "-" is standard input
  -n, --namespace NAME            of the live object (the kubeconfig's without it)
      --kubeconfig FILE           without it $KUBECONFIG, then the pod's own account, then ~/.kube/config
      --context NAME              of the kubeconfig
      --operation NAME            CREATE (default), UPDATE or DELETE, for a plain object
      --enforcement-point NAME    webhook (default), audit or gator
  -o, --output FORMAT             table (default) or json
  -h, --help

Exit code: 0 allowed, 1 refused, 2 it could not be found out.

Examples:
  portcullis explain -f policies/ --review pod.yaml
  kubectl create deployment web --image=web:latest --dry-run=server -o yaml | portcullis explain --review -
  portcullis explain -n shop pod/web
  portcullis explain -f new-policies/ -n shop deployment/web -o json      would these policies let it in?
)";

struct Options {
  std::vector<std::string> filenames;
  std::string review;
  std::string ns;
  std::string kubeconfig;
  std::string context;
  std::string operation = "CREATE";
  std::string point = "webhook";
  std::string output = "table";
  bool help = false;
  std::string live;  // KIND/NAME
};

Result<Options> parse(const std::vector<std::string>& arguments) {
  Options options;
  gator::FlagSet flags;
  flags.add("filename", 'f', &options.filenames);
  flags.add("review", 'r', &options.review);
  flags.add("namespace", 'n', &options.ns);
  flags.add("kubeconfig", 0, &options.kubeconfig);
  flags.add("context", 0, &options.context);
  flags.add("operation", 0, &options.operation);
  flags.add("enforcement-point", 0, &options.point);
  flags.add("output", 'o', &options.output);
  flags.add("help", 'h', &options.help);
  const std::vector<std::string_view> views(arguments.begin(), arguments.end());
  PC_TRY(const std::vector<std::string> rest, flags.parse(views));
  if (options.help) return options;
  if (rest.size() > 1) return make_error(Code::kInvalid, "more than one object is named: " + rest[1]);
  if (!rest.empty()) options.live = rest[0];
  if (options.live.empty() == options.review.empty()) {
    return make_error(Code::kInvalid, "name what to review: either --review FILE, or KIND/NAME of a live object");
  }
  if (!options.live.empty() && options.live.find('/') == std::string::npos) {
    return make_error(Code::kInvalid, "a live object is named KIND/NAME, for example pod/web: " + options.live);
  }
  if (options.operation != "CREATE" && options.operation != "UPDATE" && options.operation != "DELETE") {
    return make_error(Code::kInvalid, "--operation must be CREATE, UPDATE or DELETE");
  }
  if (options.point != "webhook" && options.point != "audit" && options.point != "gator") {
    return make_error(Code::kInvalid, "--enforcement-point must be webhook, audit or gator");
  }
  if (options.output != "table" && options.output != "json") {
    return make_error(Code::kInvalid, "--output must be table or json");
  }
  return options;
}

// What a cluster is asked for. Every call is bounded in time.
class Cluster {
 public:
  static Result<std::unique_ptr<Cluster>> connect(const Options& options) {
    kube::ClientConfig config;
    if (!options.context.empty() && !options.kubeconfig.empty()) {
      PC_TRY(config, kube::load_kubeconfig(options.kubeconfig, options.context));
    } else {
      PC_TRY(config, kube::find_config(options.kubeconfig));
    }
    auto cluster = std::make_unique<Cluster>();
    cluster->default_namespace_ = config.ns;
    PC_TRY(cluster->client_, kube::Client::create(cluster->io_.context(), std::move(config)));
    return cluster;
  }
  ~Cluster() { io_.stop(); }

  const std::string& default_namespace() const noexcept { return default_namespace_; }

  Result<kube::Object> get(const kube::ApiResource& resource, const std::string& ns, const std::string& name) {
    return net::run_blocking(io_.context(), client_->get(resource, ns, name, soon()));
  }
  // Calls `take` for every object of the kind.
  Result<void> list(const kube::ApiResource& resource, const std::function<Result<void>(const Value&)>& take) {
    kube::ListOptions page;
    page.limit = 500;
    for (std::size_t seen = 0;;) {
      const Result<kube::ListPage> got = net::run_blocking(io_.context(), client_->list(resource, "", page, soon()));
      if (!got.ok()) return make_error(got.error().code, "listing " + resource.plural + ": " + got.error().message);
      for (const Value& item : got->items()) {
        if (++seen > kMaxListed) return make_error(Code::kLimit, "too many " + resource.plural);
        PC_TRY_VOID(take(item));
      }
      if (got->continue_token().empty()) return ok();
      page.continue_token = std::string(got->continue_token());
    }
  }
  Result<kube::ApiResource> resource_of(const kube::GroupVersionKind& gvk) {
    return net::run_blocking(io_.context(), client_->resource_of(gvk, soon()));
  }
  // By kind or plural, with its group where that is needed ("deployments.apps").
  Result<kube::ApiResource> resource_named(std::string_view wanted) {
    PC_TRY(const kube::Discovery discovery, net::run_blocking(io_.context(), client_->discover(soon())));
    const std::string name = text::to_lower_ascii(wanted);
    const std::size_t dot = name.find('.');
    const std::string word = name.substr(0, dot);
    for (const kube::ApiResource& resource : kube::preferred_listable(discovery.resources)) {
      if (dot != std::string::npos && resource.group != name.substr(dot + 1)) continue;
      if (text::to_lower_ascii(resource.kind) == word || resource.plural == word) return resource;
    }
    return make_error(Code::kNotFound, "the cluster serves no kind " + std::string(wanted));
  }

 private:
  static Deadline soon() { return Deadline::after(kCallTimeout); }
  net::IoThread io_{"explain"};
  std::unique_ptr<kube::Client> client_;
  std::string default_namespace_;
};

class Explain {
 public:
  Explain(const Options& options, const ExplainIo& io) : options_(options), io_(io) {}

  Result<policy::Explanation> run() {
    if (options_.filenames.empty() || !options_.live.empty()) {
      PC_TRY(cluster_, Cluster::connect(options_));
    }
    PC_TRY_VOID(options_.filenames.empty() ? load_live_policies() : load_files());
    PC_TRY_VOID(load_subject());
    PC_TRY_VOID(find_namespace());
    snapshot_ = builder_.build();
    if (options_.filenames.empty()) PC_TRY_VOID(load_live_data());
    policy::ExplainOptions how;
    how.review.point = options_.point == "audit"   ? policy::EnforcementPoint::kAudit
                       : options_.point == "gator" ? policy::EnforcementPoint::kGator
                                                   : policy::EnforcementPoint::kWebhook;
    how.exclusion = exclusion();
    policy::RuleProbes probes;
    policy::CachedInventory cached;
    return policy::explain(*snapshot_, review_, inventory_.refresh(cached), scratch_, host_, probes, how);
  }

 private:
  void warn(const std::string& what) { *io_.err += "warning: " + what + "\n"; }

  // A template or constraint that does not load is worth a word, and no reason to explain nothing.
  void add_template(const Value& object) {
    const auto added = builder_.set_template(object);
    if (!added.ok()) warn("template " + std::string(policy::name_of(object)) + ": " + added.error().message);
  }
  void add_constraint(const Value& object) {
    const auto added = builder_.set_constraint(object);
    if (!added.ok()) warn("constraint " + std::string(policy::name_of(object)) + ": " + added.error().message);
  }

  Result<void> load_files() {
    std::string warnings;
    PC_TRY(files_, gator::read_sources(options_.filenames, {[] { return std::nullopt; }, nullptr, &warnings}));
    *io_.err += warnings;
    for (const gator::SourceObject& file : files_) {
      if (gator::is_template(file.object)) add_template(file.object);
    }
    for (const gator::SourceObject& file : files_) {
      const policy::ObjectKind kind = policy::kind_of(file.object);
      if (gator::is_template(file.object)) continue;
      if (gator::is_constraint(file.object)) {
        add_constraint(file.object);
      } else if (kind.group == "config.gatekeeper.sh" && kind.kind == "Config") {
        PC_TRY_VOID(take_config(file.object));
      } else {
        PC_TRY_VOID(inventory_.upsert(file.object));
        if (kind.is_namespace()) namespaces_.emplace(policy::name_of(file.object), Document::copy_of(file.object));
      }
    }
    return ok();
  }

  Result<void> take_config(const Value& object) {
    if (policy::name_of(object) != policy::kConfigName) return ok();
    PC_TRY(config_, policy::decode_config(object).with_context("Config"));
    exclusions_ = policy::Exclusions(config_.match);
    return ok();
  }

  Result<void> load_live_policies() {
    std::vector<std::string> kinds;
    PC_TRY_VOID(cluster_->list(policy::constraint_templates(), [&](const Value& object) -> Result<void> {
      add_template(object);
      kinds.emplace_back(object.path({"spec", "crd", "spec", "names"}).string_or("kind"));
      return ok();
    }));
    for (const std::string& kind : kinds) {
      const Result<void> listed =
          cluster_->list(policy::constraints_of(kind), [&](const Value& object) -> Result<void> {
            add_constraint(object);
            return ok();
          });
      if (!listed.ok() && listed.error().code != Code::kNotFound) return listed;
    }
    return cluster_->list(policy::configs(), [&](const Value& object) { return take_config(object); });
  }

  // Only where some template reads it.
  Result<void> load_live_data() {
    bool wanted = false;
    snapshot_->for_each_constraint([&](const policy::LoadedConstraint& loaded) {
      wanted = wanted || loaded.compiled.constraint_template->reads_inventory();
    });
    if (!wanted) return ok();
    std::vector<kube::GroupVersionKind> kinds = config_.sync_only;
    PC_TRY_VOID(cluster_->list(policy::sync_sets(), [&](const Value& object) -> Result<void> {
      PC_TRY(const auto more, policy::decode_sync_set(object));
      kinds.insert(kinds.end(), more.begin(), more.end());
      return ok();
    }));
    std::sort(kinds.begin(), kinds.end());
    kinds.erase(std::unique(kinds.begin(), kinds.end()), kinds.end());
    for (const kube::GroupVersionKind& kind : kinds) {
      const Result<kube::ApiResource> resource = cluster_->resource_of(kind);
      if (!resource.ok()) {
        warn("no data of " + kind.to_string() + ": " + resource.error().message);
        continue;
      }
      PC_TRY_VOID(cluster_->list(*resource, [&](const Value& object) -> Result<void> {
        return exclusions_.excluded(policy::Process::kSync, object) ? ok() : inventory_.upsert(object);
      }));
    }
    return ok();
  }

  Result<void> load_subject() {
    if (!options_.live.empty()) return load_live_subject();
    std::string text;
    if (options_.review == "-") {
      std::optional<std::string> piped = io_.read_stdin ? io_.read_stdin() : std::nullopt;
      if (!piped) return make_error(Code::kInvalid, "--review -: nothing is piped in");
      text = std::move(*piped);
    } else {
      PC_TRY(text, gator::read_file(options_.review, options_.review));
    }
    ParseLimits limits;
    limits.source = options_.review;
    PC_TRY(subject_, parse_yaml(text, YamlSchema::kKubernetes, limits));
    if (!subject_.root().is_object()) return make_error(Code::kInvalid, options_.review + ": holds no object");
    if (subject_.root().string_or("kind") != "AdmissionReview") return synthetic();
    body_ = to_json(subject_.root());
    PC_TRY(review_, policy::decode_admission_review(body_, scratch_).with_context(options_.review));
    if (review_.group.empty() && review_.kind == "Namespace") review_.ns = {};
    review_.source = policy::Source::kOriginal;
    return ok();
  }

  Result<void> load_live_subject() {
    const std::size_t slash = options_.live.find('/');
    PC_TRY(const kube::ApiResource resource, cluster_->resource_named(options_.live.substr(0, slash)));
    std::string ns;
    if (resource.namespaced) ns = options_.ns.empty() ? cluster_->default_namespace() : options_.ns;
    PC_TRY(const kube::Object object, cluster_->get(resource, ns, options_.live.substr(slash + 1)));
    subject_ = Document::copy_of(object.root());
    return synthetic();
  }

  Result<void> synthetic() {
    const policy::Operation operation = options_.operation == "DELETE"   ? policy::Operation::kDelete
                                        : options_.operation == "UPDATE" ? policy::Operation::kUpdate
                                                                         : policy::Operation::kCreate;
    review_ = policy::review_of_object(subject_.root(), policy::Source::kOriginal, operation);
    if (operation == policy::Operation::kUpdate) review_.old_object = subject_.root();
    review_.operation_text = options_.operation;
    return ok();
  }

  // As webhook and audit look it up; what is not known is said, since selectors then cannot match.
  Result<void> find_namespace() {
    const Value object = review_.operation == policy::Operation::kDelete ? review_.old_object : review_.object;
    std::string name(review_.ns.empty() ? policy::namespace_of(object) : review_.ns);
    if (name.empty() || policy::kind_of(object).is_namespace()) return ok();
    const auto file = namespaces_.find(name);
    if (file != namespaces_.end()) {
      namespace_ = Document::copy_of(file->second.root());
    } else if (cluster_ != nullptr) {
      const Result<kube::Object> live = cluster_->get(policy::namespaces(), "", name);
      if (!live.ok()) {
        warn("namespace " + name + ": " + live.error().message);
        return ok();
      }
      namespace_ = Document::copy_of(live->root());
    } else {
      warn("namespace " + name + " is in none of the files: namespaceSelectors cannot be decided without it");
      return ok();
    }
    review_.match_namespace = namespace_.root();
    review_.input_namespace = policy::typed_namespace(scratch_.arena(), namespace_.root());
    return ok();
  }

  std::string exclusion() const {
    const Value object = review_.operation == policy::Operation::kDelete ? review_.old_object : review_.object;
    const policy::ObjectKind kind = policy::kind_of(object);
    if (kind.kind.empty() || options_.point == "gator") return {};
    std::string_view name = kind.is_namespace() ? policy::name_of(object) : review_.ns;
    if (!kind.is_namespace() && name.empty()) name = policy::namespace_of(object);
    const bool audit = options_.point == "audit";
    if (!exclusions_.excluded(audit ? policy::Process::kAudit : policy::Process::kWebhook, name)) return {};
    return "Config excludes namespace " + std::string(name) + " from the process " + options_.point;
  }

  const Options& options_;
  const ExplainIo& io_;
  std::unique_ptr<Cluster> cluster_;
  std::vector<gator::SourceObject> files_;
  std::map<std::string, Document, std::less<>> namespaces_;
  policy::Config config_;
  policy::Exclusions exclusions_;
  policy::SnapshotBuilder builder_;
  std::shared_ptr<const policy::Snapshot> snapshot_;
  policy::Inventory inventory_;
  EngineHost host_;
  rego::EvalScratch scratch_;
  Document subject_;
  Document namespace_;
  std::string body_;
  policy::Review review_;
};

}  // namespace

int run_explain_command(const std::vector<std::string>& arguments, const ExplainIo& io) {
  const Result<Options> options = parse(arguments);
  if (!options.ok()) {
    *io.err += "portcullis explain: " + options.error().message + "\nRun 'portcullis explain --help' for the flags.\n";
    return kCouldNot;
  }
  if (options->help) {
    *io.out += kHelp;
    return 0;
  }
  Explain explain(*options, io);
  const Result<policy::Explanation> explanation = explain.run();
  if (!explanation.ok()) {
    *io.err += "portcullis explain: " + explanation.error().to_string() + "\n";
    return kCouldNot;
  }
  *io.out +=
      options->output == "json" ? policy::explanation_json(*explanation) : policy::explanation_text(*explanation);
  return explanation->response.allowed ? 0 : 1;
}

int run_explain_command(const std::vector<std::string>& arguments) {
  std::string out;
  std::string err;
  const auto read_stdin = []() -> std::optional<std::string> {
    if (::isatty(STDIN_FILENO) != 0) return std::nullopt;
    std::string text;
    char buffer[65536];
    for (std::size_t n = 0; (n = std::fread(buffer, 1, sizeof buffer, stdin)) > 0;) text.append(buffer, n);
    return text;
  };
  const int code = run_explain_command(arguments, {read_stdin, &out, &err});
  std::fwrite(err.data(), 1, err.size(), stderr);
  std::fwrite(out.data(), 1, out.size(), stdout);
  return std::fflush(stdout) == 0 ? code : kCouldNot;
}

}  // namespace portcullis::cmd
