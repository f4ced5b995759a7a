// One audit run: namespaces, kinds, pages, reviews, statuses.
#include "audit/run.h"

#include <ctime>

#include "base/log.h"
#include "base/text.h"
#include "engine/value/json.h"
#include "net/io.h"
#include "policy/model/resources.h"

namespace portcullis::audit {

namespace {

constexpr std::string_view kLogger = "controller";
constexpr std::string_view kProcess = "audit";
constexpr std::chrono::seconds kRequestTimeout{60};
constexpr int kObjectsPerSlice = 16;
constexpr int kStatusTries = 5;

double seconds_now() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

std::string actions_json(const policy::Violation& violation) {
  std::string out = "[";
  if (violation.scoped_actions != nullptr) {
    for (const std::string& action : *violation.scoped_actions) {
      if (out.size() > 1) out += ',';
      text::append_json_string(out, action);
    }
  }
  return out + "]";
}

// Annotations as the log shows them: without kubectl's copy of the whole object; null when there are none.
std::string annotations_json(const Value& object) {
  Arena arena;
  std::vector<Member> kept;
  const Value all = object.path({"metadata", "annotations"});
  for (std::uint32_t i = 0; i < all.keys().size(); ++i) {
    if (all.keys()[i].as_string() == "kubectl.kubernetes.io/last-applied-configuration") continue;
    kept.push_back({all.keys()[i], all.values()[i]});
  }
  return kept.empty() ? "null" : to_json(make_object(arena, kept));
}

}  // namespace

Auditor::Auditor(kube::Client& client, const policy::SnapshotCell& cell, const policy::Inventory& inventory,
                 rego::Host& host, AuditOptions options, AuditObserver observer, std::function<bool()> ready)
    : client_(client),
      cell_(cell),
      inventory_(inventory),
      host_(host),
      options_(std::move(options)),
      observer_(std::move(observer)),
      ready_(std::move(ready)) {}

awaitable<void> Auditor::tick() {
  const double start = seconds_now();
  const auto clock = std::chrono::steady_clock::now();
  const std::string audit_id = text::rfc3339(static_cast<std::int64_t>(start));
  if (!ready_()) {
    log::info(kLogger, "audit is postponed: policies are still being loaded",
              {{"process", kProcess}, {"audit_id", audit_id}});
    co_return;
  }
  if (observer_.started) observer_.started(start);
  log::info(kLogger, "auditing constraints and violations",
            {{"process", kProcess}, {"audit_id", audit_id}, {"event_type", std::string_view("audit_started")}});
  snapshot_ = cell_.load();
  Report report(*snapshot_, options_.violations_limit);
  const KindFilter filter(*snapshot_);
  if (!filter.nothing()) {
    auto namespaces_call = load_namespaces(audit_id);
    const Result<void> namespaces = co_await std::move(namespaces_call);
    if (!namespaces.ok()) report.incomplete("listing namespaces: " + namespaces.error().to_string());
    auto discovery_call = client_.discover(Deadline::after(kRequestTimeout));
    Result<kube::Discovery> discovery = co_await std::move(discovery_call);
    if (discovery.ok()) {
      for (const kube::GroupVersionKind& gv : discovery->failed) report.incomplete("discovery of " + gv.api_version());
      const std::vector<kube::ApiResource> resources = kube::preferred_listable(discovery->resources);
      for (const kube::ApiResource& resource : resources) {
        if (stopping_) co_return;
        if (!filter.wanted(resource.group, resource.kind)) continue;
        auto kind_call = audit_kind(resource, &report, audit_id);
        co_await std::move(kind_call);
      }
    } else {
      report.incomplete("discovery: " + discovery.error().to_string());
    }
    for (const std::string& gap : report.gaps()) {
      log::error(kLogger, "audit is incomplete: " + gap, {{"process", kProcess}, {"audit_id", audit_id}});
    }
  }
  const auto duration = std::chrono::steady_clock::now() - clock;
  if (observer_.finished) observer_.finished(seconds_now(), duration, report);
  log::info(kLogger, "auditing is complete",
            {{"process", kProcess},
             {"audit_id", audit_id},
             {"event_type", std::string_view("audit_finished")},
             {"duration", std::chrono::duration<double>(duration).count()},
             {"objects", static_cast<std::int64_t>(report.objects())},
             {"gaps", static_cast<std::int64_t>(report.gap_count())}});
  auto statuses_call = write_statuses(&report, audit_id, audit_id);
  co_await std::move(statuses_call);
  snapshot_.reset();
  namespaces_.clear();
}

awaitable<Result<void>> Auditor::load_namespaces(std::string audit_id) {
  static_cast<void>(audit_id);
  namespaces_.clear();
  kube::ListOptions options;
  options.limit = options_.chunk_size;
  for (;;) {
    auto page_call = client_.list(policy::namespaces(), {}, options, Deadline::after(kRequestTimeout));
    const Result<kube::ListPage> page = co_await std::move(page_call);
    if (!page.ok()) co_return page.error();
    for (const Value& item : page->items()) {
      namespaces_.insert_or_assign(std::string(policy::name_of(item)),
                                   std::make_shared<const kube::Object>(kube::Object::copy_of(item)));
    }
    options.continue_token = page->continue_token();
    if (options.continue_token.empty()) co_return ok();
  }
}

awaitable<void> Auditor::audit_kind(kube::ApiResource resource, Report* report, std::string audit_id) {
  kube::ListOptions options;
  options.limit = options_.chunk_size;
  for (;;) {
    auto page_call = client_.list(resource, {}, options, Deadline::after(kRequestTimeout));
    const Result<kube::ListPage> page = co_await std::move(page_call);
    if (!page.ok()) {
      // Some resources can only be created (reviews) or went away since discovery: nothing to audit, nothing missing.
      const bool absent = page.error().code == Code::kUnsupported || page.error().code == Code::kNotFound;
      if (!absent) report->incomplete("listing " + resource.gvk().to_string() + ": " + page.error().to_string());
      co_return;
    }
    int in_slice = 0;
    for (const Value& item : page->items()) {
      if (stopping_) co_return;
      review(item, resource, *report, audit_id);
      if (++in_slice == kObjectsPerSlice) {
        in_slice = 0;
        co_await net::yield();
      }
    }
    options.continue_token = page->continue_token();
    if (options.continue_token.empty()) co_return;
  }
}

void Auditor::review(const Value& object, const kube::ApiResource& resource, Report& report,
                     const std::string& audit_id) {
  scratch_.reset();
  policy::Review review = policy::review_of_object(object, policy::Source::kOriginal);
  const std::string_view ns = policy::namespace_of(object);
  if (resource.namespaced && !ns.empty()) {
    const auto found = namespaces_.find(ns);
    if (found == namespaces_.end()) {  // created after the run began, or being deleted
      log::info(kLogger, "namespace is not found, object is skipped",
                {{"process", kProcess},
                 {"audit_id", audit_id},
                 {"resource_namespace", ns},
                 {"resource_name", policy::name_of(object)}});
      return;
    }
    review.match_namespace = found->second->root();
    review.input_namespace = policy::typed_namespace(scratch_.arena(), found->second->root());
  }
  policy::ReviewOptions options;
  options.point = policy::EnforcementPoint::kAudit;
  options.limits = options_.limits;
  options.limits.deadline = Deadline::after(options_.object_timeout);
  const policy::ReviewResult result =
      snapshot_->review(review, inventory_.refresh(cached_inventory_), scratch_, host_, options);
  if (result.failed()) {
    report.incomplete(resource.gvk().to_string() + " " + std::string(ns) + "/" + std::string(policy::name_of(object)) +
                      ": " + result.failure);
  }
  report.add(object, result);
  for (const policy::Violation& violation : result.violations) log_violation(object, violation, audit_id);
}

void Auditor::log_violation(const Value& object, const policy::Violation& violation,
                            const std::string& audit_id) const {
  if (!log::enabled(log::Level::kInfo)) return;
  const policy::ObjectKind constraint = policy::kind_of(violation.constraint->object);
  const policy::ObjectKind kind = policy::kind_of(object);
  const Value labels = policy::labels_of(object);
  const std::string message = policy::truncate_message(violation.message);
  log::info(kLogger, message,
            {{"process", kProcess},
             {"audit_id", audit_id},
             {"details", log::Json{violation.details}},
             {"event_type", std::string_view("violation_audited")},
             {"semantic", true},
             {"constraint_group", constraint.group},
             {"constraint_api_version", constraint.version},
             {"constraint_kind", violation.constraint->kind},
             {"constraint_name", violation.constraint->name},
             {"constraint_namespace", std::string_view()},
             {"constraint_action", violation.action()},
             {"constraint_enforcement_actions", log::Json{actions_json(violation)}},
             {"constraint_annotations", log::Json{annotations_json(violation.constraint->object)}},
             {"resource_group", kind.group},
             {"resource_api_version", kind.version},
             {"resource_kind", kind.kind},
             {"resource_namespace", policy::namespace_of(object)},
             {"resource_name", policy::name_of(object)},
             {"resource_labels", log::Json{labels.defined() && labels.size() != 0 ? to_json(labels) : "null"}}});
}

awaitable<void> Auditor::write_statuses(const Report* report, std::string timestamp, std::string audit_id) {
  for (const auto& [key, entry] : report->constraints()) {
    if (stopping_) co_return;
    const policy::Constraint& constraint = *entry.constraint;
    if (entry.violations.total() != 0) {
      const policy::ObjectKind kind = policy::kind_of(constraint.object);
      log::info(kLogger, "audit results for constraint",
                {{"process", kProcess},
                 {"audit_id", audit_id},
                 {"event_type", std::string_view("constraint_audited")},
                 {"constraint_group", kind.group},
                 {"constraint_api_version", kind.version},
                 {"constraint_kind", constraint.kind},
                 {"constraint_name", constraint.name},
                 {"constraint_namespace", std::string_view()},
                 {"constraint_action", std::string_view(constraint.enforcement.action)},
                 {"constraint_status", std::string_view("enforced")},
                 {"constraint_violations", std::to_string(entry.violations.total())}});
    }
    // A merge patch of audit's own fields: it can't conflict with the writers of byPod.
    std::string patch;
    {
      Arena arena;
      Value status = policy::audit_status(arena, timestamp, entry.violations);
      if (entry.violations.total() == 0)
        status = with_member(arena, status, make_string(arena, "violations"), Value::null());
      const Member member{make_string(arena, "status"), status};
      patch = to_json(make_object(arena, {&member, 1}));
    }
    for (int attempt = 1;; ++attempt) {
      auto written_call = client_.patch(policy::constraints_of(constraint.kind), {}, constraint.name,
                                        kube::PatchType::kMerge, patch, Deadline::after(kRequestTimeout), {}, "status");
      const Result<kube::Object> written = co_await std::move(written_call);
      if (written.ok() || written.error().code == Code::kNotFound) break;
      if (attempt == kStatusTries || stopping_) {
        log::error(
            kLogger, "could not write the audit status",
            {{"process", kProcess}, {"constraint_name", constraint.name}, {"error", written.error().to_string()}});
        break;
      }
      const Result<void> slept = co_await net::sleep_until(Deadline::after(std::chrono::seconds(1 << (attempt - 1))));
      if (!slept.ok()) co_return;
    }
  }
}

}  // namespace portcullis::audit
