// One audit run: namespaces, kinds, pages, reviews, statuses.
#include "audit/run.h"

#include <cmath>
#include <utility>

#include "base/go_duration.h"
#include "base/log.h"
#include "base/text.h"
#include "engine/value/json.h"
#include "net/io.h"
#include "policy/model/resources.h"

namespace portcullis::audit {

namespace {

constexpr std::chrono::seconds kRequestTimeout{60};
constexpr int kObjectsPerSlice = 16;
constexpr int kStatusTries = 5;

double seconds_now() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
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
  audit_id_ = text::rfc3339(static_cast<std::int64_t>(start));
  if (!ready_()) {
    if (!std::exchange(postponed_, true)) {
      log::info(kLogger, "audit is postponed: policies are still being loaded",
                {{"process", kProcess}, {"audit_id", audit_id_}});
    }
    if (observer_.postponed) observer_.postponed();
    co_return;
  }
  postponed_ = false;
  if (observer_.started) observer_.started(std::floor(start));
  log::info(kLogger, "auditing constraints and violations",
            {{"process", kProcess},
             {"audit_id", audit_id_},
             {"event_type", std::string_view("audit_started")},
             {"semantic", true}});
  snapshot_ = cell_.load();
  Report report(*snapshot_, options_.violations_limit);
  auto collect_call = collect(&report);
  co_await std::move(collect_call);
  if (stopping_) co_return;
  for (const std::string& gap : report.gaps()) {
    log::error(kLogger, "audit is incomplete: " + gap, {{"process", kProcess}, {"audit_id", audit_id_}});
  }
  for (const auto& [key, entry] : report.constraints()) log_constraint(entry, audit_id_);
  const std::chrono::nanoseconds duration = std::chrono::steady_clock::now() - clock;
  if (observer_.finished) observer_.finished(std::floor(seconds_now()), duration, report);
  log::info(kLogger, "auditing is complete",
            {{"process", kProcess},
             {"audit_id", audit_id_},
             {"event_type", std::string_view("audit_finished")},
             {"semantic", true},
             {"duration", go_duration(duration)},
             {"objects", static_cast<std::int64_t>(report.objects())},
             {"gaps", static_cast<std::int64_t>(report.gap_count())}});
  auto statuses_call = write_statuses(&report);
  co_await std::move(statuses_call);
  snapshot_.reset();
  namespaces_.clear();
}

awaitable<void> Auditor::collect(Report* report) {
  if (snapshot_->template_count() == 0) {
    log::info(kLogger, "no constraint is found with apiversion",
              {{"process", kProcess},
               {"audit_id", audit_id_},
               {"constraint apiversion", std::string_view("constraints.gatekeeper.sh/v1beta1")}});
    co_return;
  }
  log::info(kLogger, options_.from_cache ? "Auditing from cache" : "Auditing via discovery client",
            {{"process", kProcess}, {"audit_id", audit_id_}, {"semantic", true}});
  if (options_.from_cache) {
    auto cache_call = audit_cache(report);
    co_await std::move(cache_call);
    log::info(kLogger, "Audit from cache results",
              {{"process", kProcess},
               {"audit_id", audit_id_},
               {"semantic", true},
               {"violations", static_cast<std::int64_t>(report->total())}});
  } else {
    auto cluster_call = audit_cluster(report);
    co_await std::move(cluster_call);
  }
}

awaitable<void> Auditor::audit_cluster(Report* report) {
  const KindFilter filter(*snapshot_);
  if (filter.nothing()) co_return;
  auto namespaces_call = load_namespaces();
  const Result<void> namespaces = co_await std::move(namespaces_call);
  if (!namespaces.ok()) report->incomplete("listing namespaces: " + namespaces.error().to_string());
  auto discovery_call = client_.discover(Deadline::after(kRequestTimeout));
  Result<kube::Discovery> discovery = co_await std::move(discovery_call);
  if (!discovery.ok()) {
    report->incomplete("discovery: " + discovery.error().to_string());
    co_return;
  }
  for (const kube::GroupVersionKind& gv : discovery->failed) report->incomplete("discovery of " + gv.api_version());
  const std::vector<kube::ApiResource> resources = kube::preferred_listable(discovery->resources);
  for (const kube::ApiResource& resource : resources) {
    if (stopping_) co_return;
    if (!filter.wanted(resource.group, resource.kind)) continue;
    auto kind_call = audit_kind(resource, report);
    co_await std::move(kind_call);
  }
}

// One version of the inventory is held for the whole run: what is reviewed and what data.inventory says beside it are
// one state.
awaitable<void> Auditor::audit_cache(Report* report) {
  policy::CachedInventory held, held_apart;
  inventory_.refresh(held);
  if (options_.withheld != nullptr) options_.withheld->refresh(held_apart);
  const std::shared_ptr<const policy::InventoryVersion> version = held.version;
  const std::shared_ptr<const policy::InventoryVersion> apart = held_apart.version;
  std::vector<Value> objects = version->objects();
  if (apart != nullptr) {
    const std::vector<Value> more = apart->objects();
    objects.insert(objects.end(), more.begin(), more.end());
  }
  int in_slice = 0;
  for (const Value& object : objects) {
    if (stopping_) co_return;
    if (excluded(object)) continue;
    const std::string_view name = policy::namespace_of(object);
    Value ns = version->namespace_object(name);
    if (!ns.defined() && apart != nullptr) ns = apart->namespace_object(name);
    review(object, ns, *version, *report);
    if (++in_slice == kObjectsPerSlice) {
      in_slice = 0;
      co_await net::yield();
    }
  }
}

awaitable<Result<void>> Auditor::load_namespaces() {
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

awaitable<bool> Auditor::find_namespace(std::string name, Report* report) {
  const auto known = namespaces_.find(name);
  if (known != namespaces_.end()) co_return known->second != nullptr;
  auto get_call = client_.get(policy::namespaces(), {}, name, Deadline::after(kRequestTimeout));
  Result<kube::Object> fetched = co_await std::move(get_call);
  if (!fetched.ok()) {
    log::error(
        kLogger, "Unable to look up object namespace",
        {{"process", kProcess}, {"audit_id", audit_id_}, {"objNs", name}, {"error", fetched.error().to_string()}});
    if (fetched.error().code != Code::kNotFound) {
      report->incomplete("namespace " + name + ": " + fetched.error().to_string());
    }
    namespaces_.emplace(std::move(name), nullptr);
    co_return false;
  }
  namespaces_.emplace(std::move(name), std::make_shared<const kube::Object>(std::move(*fetched)));
  co_return true;
}

bool Auditor::excluded(const Value& object) const {
  if (!options_.excluded) return false;
  return options_.excluded(policy::kind_of(object).is_namespace() ? policy::name_of(object)
                                                                  : policy::namespace_of(object));
}

awaitable<void> Auditor::audit_kind(kube::ApiResource resource, Report* report) {
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
      if (excluded(item)) continue;
      Value ns;
      const std::string name(policy::namespace_of(item));
      if (!name.empty()) {
        auto find_call = find_namespace(name, report);
        const bool found = co_await std::move(find_call);
        if (!found) continue;
        ns = namespaces_.find(name)->second->root();
      }
      review(item, ns, inventory_.refresh(cached_inventory_), *report);
      if (++in_slice == kObjectsPerSlice) {
        in_slice = 0;
        co_await net::yield();
      }
    }
    options.continue_token = page->continue_token();
    if (options.continue_token.empty()) co_return;
  }
}

void Auditor::review(const Value& object, const Value& ns, const policy::InventoryVersion& inventory, Report& report) {
  scratch_.reset();
  // What comes from the cache has no source, as in Gatekeeper: constraints that ask for one reject it.
  const policy::Source source = options_.from_cache ? policy::Source::kNone : policy::Source::kOriginal;
  policy::Review review = policy::review_of_object(object, source);
  review.float64_numbers = options_.from_cache;
  if (ns.defined()) {
    review.match_namespace = ns;
    review.input_namespace = policy::typed_namespace(scratch_.arena(), ns);
  }
  policy::ReviewOptions options;
  options.point = policy::EnforcementPoint::kAudit;
  options.limits = options_.limits;
  options.limits.deadline = Deadline::after(options_.object_timeout);
  options.stats = options_.log_stats;
  const policy::ReviewResult result = snapshot_->review(review, inventory, scratch_, host_, options);
  if (result.failed()) {
    report.incomplete(policy::kind_of(object).to_string() + " " + std::string(policy::namespace_of(object)) + "/" +
                      std::string(policy::name_of(object)) + ": " + result.failure);
  }
  report.add(object, result);
  if (options_.log_stats) log_stats(result, options_.from_cache, audit_id_);
  for (const policy::Violation& violation : result.violations) {
    log_violation(object, violation, audit_id_);
    emit_event(options_.events, object, violation, audit_id_);
  }
}

awaitable<void> Auditor::write_statuses(const Report* report) {
  for (const auto& [key, entry] : report->constraints()) {
    if (stopping_) co_return;
    const policy::Constraint& constraint = *entry.constraint;
    // A merge patch of audit's own fields: it can't conflict with the writers of byPod.
    std::string patch;
    {
      Arena arena;
      Value status = policy::audit_status(arena, audit_id_, entry.violations);
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
