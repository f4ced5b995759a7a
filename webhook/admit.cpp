// The order of checks is Gatekeeper's: own service account, own resources, Namespace, review, answer.
#include "webhook/admit.h"

#include <algorithm>

#include "base/log.h"
#include "base/text.h"
#include "engine/value/json.h"
#include "policy/review/result.h"
#include "webhook/own_resources.h"

namespace portcullis::webhook {

namespace {

constexpr std::string_view kJson = "application/json";
constexpr std::string_view kIgnoreLabel = "admission.gatekeeper.sh/ignore";
std::atomic<std::uint64_t> g_next_id{1};

void answer(net::HttpResponse& response, std::string body) {
  response.status = 200;
  response.content_type = "text/plain; charset=utf-8";  // what Gatekeeper's webhook sends
  response.body = std::move(body);
}

void answer(net::HttpResponse& response, const policy::Review& review, const policy::AdmissionResponse& verdict) {
  answer(response, policy::encode_admission_response(review.api_version, review.review_kind, review.uid, verdict));
}

void answer_undecodable(net::HttpResponse& response, int code, std::string message) {
  answer(response,
         policy::encode_admission_response({}, {}, {}, policy::plain_response(false, code, std::move(message))));
}

// False: the response is already made.
bool acceptable(const net::HttpRequest& request, net::HttpResponse& response) {
  if (request.body.empty()) {
    answer_undecodable(response, 400, "request body is empty");
    return false;
  }
  if (request.content_type() != kJson) {
    answer_undecodable(response, 400,
                       "contentType=" + std::string(request.content_type()) + ", expected application/json");
    return false;
  }
  return true;
}

bool is_namespace_request(const policy::Review& review) noexcept {
  return review.group.empty() && review.kind == "Namespace";
}

// What Gatekeeper's expansion refuses, whether or not there is anything to expand. Empty: the object is fine, or
// absent.
std::string undecodable_object(const policy::Review& review) {
  const Value object = review.operation == policy::Operation::kDelete ? review.old_object : review.object;
  if (!object.defined()) return {};
  if (std::string failure = undecodable(object); !failure.empty()) {
    return "error decoding generator resource " + std::string(review.name) + ": " + failure;
  }
  if (review.kind.empty() && review.group.empty() && review.version.empty()) {
    return "unable to expand object: cannot expand resource " + std::string(policy::name_of(object)) +
           " with empty GVK";
  }
  return {};
}

std::string_view status_of(const policy::AdmissionResponse& verdict) noexcept {
  if (verdict.code >= 500) return "error";
  return verdict.allowed ? "allow" : "deny";
}

}  // namespace

struct AdmitHandler::Worker {
  rego::EvalScratch scratch;
  policy::CachedSnapshot snapshot;
  policy::CachedInventory inventory;
  std::atomic<std::size_t> held{0};  // by the scratch
};

struct AdmitHandler::Outcome {
  policy::AdmissionResponse verdict;
};

AdmitHandler::AdmitHandler(AdmitOptions options, const policy::SnapshotCell& cell, const policy::Inventory& inventory,
                           std::shared_ptr<const kube::Store> namespaces, FetchNamespace fetch, rego::Host& host,
                           AdmitObserver observer)
    : options_(std::move(options)),
      own_user_("system:serviceaccount:" + options_.own_namespace + ":gatekeeper-admin"),
      cell_(cell),
      inventory_(inventory),
      namespaces_(std::move(namespaces)),
      fetch_(std::move(fetch)),
      host_(host),
      observer_(std::move(observer)),
      id_(g_next_id.fetch_add(1, std::memory_order_relaxed)) {}

AdmitHandler::~AdmitHandler() = default;

bool AdmitHandler::ready() {
  if (ready_.load(std::memory_order_acquire)) return true;
  if (options_.ready && !options_.ready()) return false;
  ready_.store(true, std::memory_order_release);
  return true;
}

AdmitHandler::Worker& AdmitHandler::worker() {
  thread_local std::uint64_t owner = 0;  // handlers of several tests may use one thread
  thread_local Worker* mine = nullptr;
  if (owner != id_) {
    const std::lock_guard lock(mutex_);
    std::unique_ptr<Worker>& slot = workers_[std::this_thread::get_id()];
    if (slot == nullptr) slot = std::make_unique<Worker>();
    mine = slot.get();
    owner = id_;
  }
  return *mine;
}

std::size_t AdmitHandler::memory() const {
  const std::lock_guard lock(mutex_);
  std::size_t bytes = 0;
  for (const auto& [thread, worker] : workers_) bytes += worker->held.load(std::memory_order_relaxed);
  return bytes;
}

net::HttpResponse AdmitHandler::reject(net::Reject why, const net::HttpRequest& request) {
  if (why != net::Reject::kBodyTooLarge) return net::HttpHandler::reject(why, request);
  net::HttpResponse response;
  answer_undecodable(response, 413, "request entity is too large; limit is " + std::to_string(kMaxBody) + " bytes");
  return response;
}

bool AdmitHandler::handle_now(net::HttpRequest& request, net::HttpResponse& response) {
  const std::string_view path = request.path();
  if (path == "/v1/admit" && options_.serve_admit) return admit(request, response, nullptr, nullptr, nullptr);
  if (path == "/v1/admitlabel") {
    label(request, response);
    return true;
  }
  response.status = 404;
  response.content_type = "text/plain; charset=utf-8";
  response.body = "404 page not found\n";
  return true;
}

// Only reached when handle_now() left a request because its Namespace is not in the store.
awaitable<net::HttpResponse> AdmitHandler::handle(net::HttpRequest request) {
  net::HttpResponse response;
  std::string name;
  if (admit(request, response, nullptr, nullptr, &name)) co_return response;  // it has arrived meanwhile
  auto fetched_call = fetch_(name, request.deadline);
  const Result<kube::Object> fetched = co_await std::move(fetched_call);
  if (fetched.ok()) {
    const Value ns = fetched->root();
    admit(request, response, &ns, nullptr, nullptr);
  } else {
    const std::string& error = fetched.error().message;  // without the request that met it, as Gatekeeper's text
    admit(request, response, nullptr, &error, nullptr);
  }
  co_return response;
}

bool AdmitHandler::admit(net::HttpRequest& request, net::HttpResponse& response, const Value* fetched_namespace,
                         const std::string* namespace_error, std::string* wanted_namespace) {
  if (!acceptable(request, response)) return true;
  const auto start = std::chrono::steady_clock::now();
  Worker& mine = worker();
  mine.scratch.reset();
  Result<policy::Review> decoded = policy::decode_admission_review(request.body, mine.scratch);
  if (!decoded.ok()) {
    answer_undecodable(response, 400, decoded.error().message);
    return true;
  }
  policy::Review& review = *decoded;
  if (review.username == own_user_) {
    answer(response, review, policy::plain_response(true, 200, "Gatekeeper does not self-manage"));
    return true;
  }
  if (!ready()) {
    response.status = 503;
    response.content_type = "text/plain; charset=utf-8";
    response.body = "policies are still being loaded\n";
    return true;
  }
  const policy::Snapshot& snapshot = cell_.refresh(mine.snapshot);
  OwnResourceVerdict own = check_own_resource(review, snapshot, options_.validate_enforcement_action);
  if (!own.valid) {
    answer(response, review, policy::plain_response(false, own.code, std::move(own.message)));
    return true;
  }

  kube::ObjectPtr ns;  // keeps the Namespace alive during the review
  Outcome outcome;
  bool evaluated = false;
  if (excluded(review)) {
    outcome.verdict = policy::plain_response(true, 200, "Namespace is set to be ignored by Gatekeeper config");
    evaluated = true;
    if (options_.explain) {
      options_.explain({snapshot,
                        review,
                        {},
                        inventory_.refresh(mine.inventory),
                        mine.scratch,
                        host_,
                        options_.limits,
                        outcome.verdict.message});
    }
  } else if (is_namespace_request(review)) {
    review.ns = {};
  } else if (!review.ns.empty()) {
    Value found = fetched_namespace != nullptr ? *fetched_namespace : Value::undefined();
    if (!found.defined() && namespace_error == nullptr) {
      ns = namespaces_->get(review.ns);
      if (ns != nullptr) found = ns->root();
    }
    if (!found.defined()) {
      if (namespace_error == nullptr) {
        if (wanted_namespace != nullptr) *wanted_namespace = review.ns;
        return false;
      }
      outcome.verdict = policy::plain_response(false, 500, "failed to create augmentedReview: " + *namespace_error);
      evaluated = true;
    } else {
      review.match_namespace = found;
      review.input_namespace = policy::typed_namespace(mine.scratch.arena(), found);
    }
  }
  review.source = policy::Source::kOriginal;
  if (!evaluated) evaluate(mine, review, request, outcome);
  mine.held.store(mine.scratch.arena().bytes_held(), std::memory_order_relaxed);
  answer(response, review, outcome.verdict);
  if (observer_.reviewed) {
    observer_.reviewed(status_of(outcome.verdict), review.dry_run, std::chrono::steady_clock::now() - start);
  }
  return true;
}

void AdmitHandler::evaluate(Worker& mine, policy::Review& review, const net::HttpRequest& request, Outcome& outcome) {
  if (std::string failure = undecodable_object(review); !failure.empty()) {
    log::error("webhook", "error executing query", {{"hookType", std::string_view("validation")}, {"error", failure}});
    outcome.verdict = policy::plain_response(false, 500, std::move(failure));
    return;
  }
  const Trace trace = options_.trace ? options_.trace(review) : Trace::kOff;
  policy::ReviewOptions options;
  options.point = policy::EnforcementPoint::kWebhook;
  options.limits = options_.limits;
  options.limits.deadline = request.deadline;
  options.stats = options_.report.log_stats || trace != Trace::kOff;
  options.times = observer_.result != nullptr || options_.explain != nullptr;
  const policy::Snapshot& snapshot = *mine.snapshot.snapshot;
  const policy::InventoryVersion& inventory = inventory_.refresh(mine.inventory);
  const policy::ReviewResult result = snapshot.review(review, inventory, mine.scratch, host_, options);
  if (options_.explain) {
    options_.explain({snapshot, review, result, inventory, mine.scratch, host_, options.limits, {}});
  }
  if (observer_.result) observer_.result(result);
  if (trace != Trace::kOff) log::info("webhook", trace_text(result), {{"hookType", std::string_view("validation")}});
  if (trace == Trace::kTraceAndDump) {
    log::info("webhook", dump_text(snapshot), {{"hookType", std::string_view("validation")}});
  }
  outcome.verdict = policy::admission_response(result, review.name);
  if (result.failed()) {
    log::error("webhook", "error executing query",
               {{"hookType", std::string_view("validation")}, {"error", outcome.verdict.message}});
    return;
  }
  if (options_.report.log_stats) log_review_stats(review, result, trace != Trace::kOff);
  if (options_.report.any() && !result.violations.empty()) report_violations(options_.report, review, result);
}

// By the Namespace of the request, or the name of a Namespace object itself. What the object is comes from the object,
// not from the request; without one nothing is excluded.
bool AdmitHandler::excluded(const policy::Review& review) const {
  if (!options_.excluded) return false;
  const Value object = review.operation == policy::Operation::kDelete ? review.old_object : review.object;
  const policy::ObjectKind kind = policy::kind_of(object);
  if (kind.kind.empty()) return false;
  return options_.excluded(kind.is_namespace() ? policy::name_of(object) : review.ns);
}

bool AdmitHandler::may_carry_ignore_label(std::string_view name) const {
  const auto any = [](const std::vector<std::string>& list, auto test) {
    return std::any_of(list.begin(), list.end(), test);
  };
  return any(options_.exempt_namespaces, [&](const std::string& e) { return e == name; }) ||
         any(options_.exempt_prefixes, [&](const std::string& e) { return text::starts_with(name, e); }) ||
         any(options_.exempt_suffixes, [&](const std::string& e) { return text::ends_with(name, e); });
}

void AdmitHandler::label(net::HttpRequest& request, net::HttpResponse& response) {
  if (!acceptable(request, response)) return;
  Worker& mine = worker();
  mine.scratch.reset();
  const Result<policy::Review> decoded = policy::decode_admission_review(request.body, mine.scratch);
  if (!decoded.ok()) {
    answer_undecodable(response, 400, decoded.error().message);
    return;
  }
  const policy::Review& review = *decoded;
  const auto allow = [&](std::string message) {
    answer(response, review, policy::plain_response(true, 200, std::move(message)));
  };
  if (review.operation == policy::Operation::kDelete) return allow("Delete is always allowed");
  if (!is_namespace_request(review)) return allow("Not a namespace");
  if (!review.object.defined()) {
    policy::AdmissionResponse verdict =
        policy::plain_response(false, 500, "while deserializing resource: unexpected end of JSON input");
    verdict.reason = "Forbidden";
    return answer(response, review, verdict);
  }
  const std::string name(policy::name_of(review.object));
  if (may_carry_ignore_label(name)) {
    return allow("Namespace " + name + " is allowed to set " + std::string(kIgnoreLabel));
  }
  if (policy::labels_of(review.object).get(kIgnoreLabel).defined()) {
    policy::AdmissionResponse verdict = policy::plain_response(
        false, 403, "Only exempt namespace can have the " + std::string(kIgnoreLabel) + " label");
    verdict.reason = "Forbidden";
    answer(response, review, verdict);
    return;
  }
  allow("Namespace is not setting the " + std::string(kIgnoreLabel) + " label");
}

}  // namespace portcullis::webhook
