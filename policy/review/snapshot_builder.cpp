#include <algorithm>
#include <map>
#include <utility>

#include "base/text.h"
#include "policy/review/snapshot.h"

namespace portcullis::policy {
namespace {

// A segment is rebuilt as a whole when one of its constraints changes.
constexpr std::size_t kMaxSegment = 128;

using LoadedPtr = std::shared_ptr<const LoadedConstraint>;

// The growing form of a ConstraintSegment.
struct Run {
  std::vector<LoadedPtr> constraints;  // by name
  std::shared_ptr<const ConstraintSegment> built;
};

bool before(const LoadedPtr& loaded, std::string_view name) { return loaded->constraint->name < name; }

std::shared_ptr<const ConstraintSegment> build_segment(const std::vector<LoadedPtr>& constraints) {
  auto out = std::make_shared<ConstraintSegment>();
  out->constraints = constraints;
  for (std::size_t i = 0; i < constraints.size(); ++i) {
    out->kinds.add(static_cast<std::uint32_t>(i), constraints[i]->match);
  }
  out->kinds.finish();
  return out;
}

// `to` learns under which kinds something lies in `from`.
void add_kinds(KindIndex& to, std::uint32_t id, const KindIndex& from) {
  if (!from.any().empty()) to.add_any(id);
  for (const std::string_view kind : from.kinds()) to.add(id, kind);
}

Error not_found(const std::string& name) {
  return make_error(Code::kNotFound, "missing ConstraintTemplate: template " + text::go_quote(name) + " not found");
}

}  // namespace

struct SnapshotBuilder::TemplateEntry {
  std::shared_ptr<const LoadedTemplate> loaded;
  std::vector<Run> runs;
  std::shared_ptr<const TemplateSet> set;  // null: something changed
  std::size_t count = 0;

  // The run that holds `name` or would.
  std::size_t run_of(std::string_view name) const {
    const auto found = std::upper_bound(runs.begin(), runs.end(), name, [](std::string_view key, const Run& run) {
      return key < run.constraints.front()->constraint->name;
    });
    return found == runs.begin() ? 0 : static_cast<std::size_t>(found - runs.begin()) - 1;
  }

  const LoadedConstraint* find(std::string_view name) const {
    if (runs.empty()) return nullptr;
    const auto& list = runs[run_of(name)].constraints;
    const auto at = std::lower_bound(list.begin(), list.end(), name, before);
    return at != list.end() && (*at)->constraint->name == name ? at->get() : nullptr;
  }

  void put(LoadedPtr loaded_constraint) {
    const std::string& name = loaded_constraint->constraint->name;
    if (runs.empty()) runs.emplace_back();
    const std::size_t where = run_of_or_first(name);
    Run& run = runs[where];
    const auto at = std::lower_bound(run.constraints.begin(), run.constraints.end(), name, before);
    if (at != run.constraints.end() && (*at)->constraint->name == name) {
      *at = std::move(loaded_constraint);
    } else {
      run.constraints.insert(at, std::move(loaded_constraint));
      ++count;
    }
    run.built.reset();
    set.reset();
    if (run.constraints.size() > kMaxSegment) split(where);
  }

  bool erase(std::string_view name) {
    if (runs.empty()) return false;
    const std::size_t where = run_of(name);
    auto& list = runs[where].constraints;
    const auto at = std::lower_bound(list.begin(), list.end(), name, before);
    if (at == list.end() || (*at)->constraint->name != name) return false;
    list.erase(at);
    --count;
    runs[where].built.reset();
    set.reset();
    if (list.empty()) runs.erase(runs.begin() + static_cast<std::ptrdiff_t>(where));
    return true;
  }

  std::shared_ptr<const TemplateSet> build() {
    if (set) return set;
    auto out = std::make_shared<TemplateSet>();
    out->loaded = loaded;
    out->constraint_count = count;
    for (Run& run : runs) {
      if (!run.built) run.built = build_segment(run.constraints);
      add_kinds(out->segment_kinds, static_cast<std::uint32_t>(out->segments.size()), run.built->kinds);
      out->segments.push_back(run.built);
    }
    out->segment_kinds.finish();
    set = out;
    return set;
  }

 private:
  std::size_t run_of_or_first(std::string_view name) const { return runs.size() == 1 ? 0 : run_of(name); }

  void split(std::size_t where) {
    Run upper;
    auto& list = runs[where].constraints;
    const auto middle = list.begin() + static_cast<std::ptrdiff_t>(list.size() / 2);
    upper.constraints.assign(std::make_move_iterator(middle), std::make_move_iterator(list.end()));
    list.erase(middle, list.end());
    runs.insert(runs.begin() + static_cast<std::ptrdiff_t>(where) + 1, std::move(upper));
  }
};

struct SnapshotBuilder::State {
  DriverOptions options;
  std::map<std::string, TemplateEntry, std::less<>> templates;  // by name, which is lower(kind)
  std::uint64_t number = 0;

  TemplateEntry* find(std::string_view kind) {
    const auto found = templates.find(text::to_lower_ascii(kind));
    return found == templates.end() ? nullptr : &found->second;
  }

  // All checks of a constraint, its template found on the way.
  Result<TemplateEntry*> check(const Value& object) {
    PC_TRY_VOID(validate_constraint_metadata(object));
    const std::string name = text::to_lower_ascii(kind_of(object).kind);
    const auto found = templates.find(name);
    if (found == templates.end()) return not_found(name);
    PC_TRY_VOID(validate_constraint(object, *found->second.loaded->schema));
    return &found->second;
  }
};

SnapshotBuilder::SnapshotBuilder(DriverOptions options) : state_(std::make_unique<State>()) {
  state_->options = options;
}
SnapshotBuilder::~SnapshotBuilder() = default;

Result<TemplateChange> SnapshotBuilder::set_template(const Value& object, const TemplateDecodeOptions& options) {
  TemplateChange change;
  PC_TRY(change.constraint_template, decode_template(object, options));
  const ConstraintTemplate& decoded = *change.constraint_template;
  const auto found = state_->templates.find(text::to_lower_ascii(decoded.name));
  TemplateEntry* entry = found == state_->templates.end() ? nullptr : &found->second;
  if (entry != nullptr && same_template(*entry->loaded->constraint_template, decoded)) {
    change.changed = false;
    change.constraint_template = entry->loaded->constraint_template;
    return change;
  }
  if (entry != nullptr && entry->count > 0 && decoded.targets.size() == 1 && !decoded.targets[0].target.empty() &&
      decoded.targets[0].target != kTargetName) {
    return make_error(Code::kInvalid, "ConstraintTemplates with Constraints may not change targets: old targets [" +
                                          std::string(kTargetName) + "], new targets [" + decoded.targets[0].target +
                                          "]");
  }
  PC_TRY_VOID(validate_template(decoded));
  auto loaded = std::make_shared<LoadedTemplate>();
  loaded->constraint_template = change.constraint_template;
  PC_TRY(loaded->schema, make_constraint_schema(decoded));
  PC_TRY(const EngineChoice engine, choose_engine(decoded));
  change.note = engine.note;
  PC_TRY(loaded->compiled, compile_template(decoded, state_->options));

  if (entry == nullptr) entry = &state_->templates[text::to_lower_ascii(decoded.kind)];
  entry->loaded = loaded;
  entry->set.reset();
  for (Run& run : entry->runs) {
    for (LoadedPtr& constraint : run.constraints) {
      auto renewed = std::make_shared<LoadedConstraint>(*constraint);
      renewed->compiled = compile_constraint(loaded->compiled, *renewed->constraint);
      constraint = std::move(renewed);
    }
    run.built.reset();
  }
  return change;
}

bool SnapshotBuilder::remove_template(std::string_view name) {
  const auto found = state_->templates.find(text::to_lower_ascii(name));
  if (found == state_->templates.end()) return false;
  state_->templates.erase(found);
  return true;
}

Result<SnapshotBuilder::ConstraintChange> SnapshotBuilder::set_constraint(const Value& object) {
  PC_TRY(TemplateEntry* const entry, state_->check(object));
  Arena scratch;
  const Value defaulted = default_constraint(scratch, object, *entry->loaded->schema);
  PC_TRY(ConstraintPtr constraint, decode_constraint(defaulted));
  const LoadedConstraint* old = entry->find(constraint->name);
  if (old != nullptr && same_constraint(old->constraint->object, constraint->object)) {
    return ConstraintChange{false, old->constraint};
  }
  auto loaded = std::make_shared<LoadedConstraint>();
  Result<Match> match = Match::compile(constraint->match);
  if (!match.ok()) {
    return make_error(Code::kInvalid,
                      std::string(kTargetName) + ": invalid Constraint: " + match.error().message + "\n");
  }
  loaded->constraint = constraint;
  loaded->match = std::move(*match);
  loaded->compiled = compile_constraint(entry->loaded->compiled, *constraint);
  entry->put(std::move(loaded));
  return ConstraintChange{true, std::move(constraint)};
}

bool SnapshotBuilder::remove_constraint(std::string_view kind, std::string_view name) {
  TemplateEntry* entry = state_->find(kind);
  return entry != nullptr && entry->erase(name);
}

Result<void> SnapshotBuilder::check_constraint(const Value& object) const {
  PC_TRY(const TemplateEntry* const entry, state_->check(object));
  static_cast<void>(entry);
  return ok();
}

std::shared_ptr<const Snapshot> SnapshotBuilder::build() {
  auto out = std::make_shared<Snapshot>();
  out->number_ = ++state_->number;
  out->sets_.reserve(state_->templates.size());
  for (auto& [name, entry] : state_->templates) out->sets_.push_back(entry.build());
  // Results are ordered by kind as it is written, names are lower case.
  std::sort(out->sets_.begin(), out->sets_.end(), [](const auto& a, const auto& b) {
    return a->loaded->constraint_template->kind < b->loaded->constraint_template->kind;
  });
  for (std::size_t i = 0; i < out->sets_.size(); ++i) {
    add_kinds(out->set_kinds_, static_cast<std::uint32_t>(i), out->sets_[i]->segment_kinds);
    out->constraint_count_ += out->sets_[i]->constraint_count;
  }
  out->set_kinds_.finish();
  return out;
}

}  // namespace portcullis::policy
