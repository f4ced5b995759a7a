#include "policy/driver/rego_driver.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <mutex>
#include <new>
#include <unordered_map>
#include <utility>

#include "base/text.h"
#include "engine/rego/builtins/registry.h"
#include "engine/rego/compile/compiler.h"
#include "engine/rego/syntax/parser.h"
#include "engine/value/json.h"
#include "engine/value/number.h"
#include "policy/driver/rego_source.h"
#include "policy/model/go_error.h"

namespace portcullis::policy {
namespace {

constexpr std::string_view kEntryPoint = "data.template.violation";

// The rule through which Gatekeeper reads a template's violations. Compiled with every template for its type errors
// only (what `violation` may hold); its lines lie where those errors are expected to point.
constexpr std::string_view kReaderFile = "hooks.hooks_builtin";
constexpr std::string_view kReader = R"(package hooks


violation[response] {

  key := input.constraints[_]



  inp := {
    "review": input.review,
    "parameters": data.constraints[key.kind][key.name],
  }

  data.template.violation[r] with input as inp


  response := {
    "key": key,
    "details": object.get(r, "details", {}),
    "msg": r.msg,
  }
}
)";

rego::Parsed<rego::Module> reader_module() {
  rego::ParseOptions options;
  options.version = rego::RegoVersion::kV0;
  return rego::parse_module(kReaderFile, kReader, options);
}

// %T of what Rego hands back.
std::string_view rego_go_type(const Value& value) noexcept {
  return value.is_number() ? "json.Number" : go_type(value);
}

Error message_error(const Value& message) {
  return make_error(Code::kUnsupported, "extracting message binding: .msg accessor error: " + go_value(message) +
                                            " is of the type " + std::string(rego_go_type(message)) +
                                            ", expected string");
}

Value empty_object() noexcept {
  static constexpr ObjectRep kEmpty{0, 0};
  return Value::object(&kEmpty);
}

// One element of `violation`: an object with a msg counts, everything else is passed over.
Result<void> add_finding(const Value& element, std::vector<Finding>& findings) {
  if (!element.is_object()) return ok();
  const Value message = element.get("msg");
  if (!message.defined()) return ok();
  if (!message.is_string()) return message_error(message);
  const Value details = element.get("details");
  findings.push_back({message.as_string(), details.defined() ? details : empty_object()});
  return ok();
}

// Sorted by (details, message), duplicates dropped: elements may differ in other fields only.
void tidy(std::vector<Finding>& findings, std::size_t from) {
  const auto begin = findings.begin() + static_cast<std::ptrdiff_t>(from);
  if (findings.end() - begin < 2) return;
  std::sort(begin, findings.end(), [](const Finding& a, const Finding& b) {
    const int order = compare(a.details, b.details);
    return order != 0 ? order < 0 : a.message < b.message;
  });
  findings.erase(std::unique(begin, findings.end(),
                             [](const Finding& a, const Finding& b) {
                               return a.message == b.message && equal(a.details, b.details);
                             }),
                 findings.end());
}

struct InputKeys {
  Value parameters = key("parameters");
  Value review = key("review");

  static Value key(std::string_view name) {
    const Symbol* symbol = intern(name);
    return symbol != nullptr ? Value::string(*symbol) : Value::string(name);
  }
};

const InputKeys& input_keys() {
  static const InputKeys keys;
  return keys;
}

// {"parameters": …, "review": …}, once per constraint and review: the keys are interned and in order, so there is
// nothing to look up or sort.
Value make_input(Arena& arena, const Value& parameters, const Value& review) {
  const InputKeys& keys = input_keys();
  if (keys.parameters.symbol() == nullptr || keys.review.symbol() == nullptr) {
    const std::array<Member, 2> members = {Member{keys.parameters, parameters}, Member{keys.review, review}};
    return make_object(arena, members);
  }
  void* memory = arena.allocate(sizeof(ObjectRep) + 4 * sizeof(Value), alignof(ObjectRep));
  auto* rep = new (memory) ObjectRep{2, ~std::uint32_t{0}};
  auto* slots = reinterpret_cast<Value*>(rep + 1);
  slots[0] = keys.parameters;
  slots[1] = keys.review;
  slots[2] = parameters;
  slots[3] = review;
  return Value::object(rep);
}

constexpr std::string_view kParameters = "parameters";

std::atomic<std::size_t> specialised_bytes{0};

// `exactly`: everything is evaluated where it stands, since something prints.
rego::PlanOptions plan_options_of_templates(bool exactly) {
  rego::PlanOptions options;
  options.entry_points = {std::string(kEntryPoint)};
  if (exactly) return options;
  options.varying_input = {std::string(kParameters)};
  options.indexed = {{{"inventory", "namespace"}, 4}, {{"inventory", "cluster"}, 3}};
  return options;
}

bool is_violation(const rego::Rule& rule) {
  const rego::Term& reference = rule.head.reference;
  if (reference.is_var("violation")) return true;
  return !reference.items.empty() && reference.items.front().is_var("violation");
}

void keep_only(rego::Module& module, std::size_t wanted) {
  std::vector<rego::Rule> kept;
  for (std::size_t i = 0; i < module.rules.size(); ++i) {
    if (i != wanted && is_violation(module.rules[i])) continue;
    module.rules[i].annotations = -1;  // they name rules by their place
    kept.push_back(std::move(module.rules[i]));
  }
  module.rules = std::move(kept);
  module.annotations.clear();
}

bool mentions(const RegoSource& source, std::string_view word) {
  const auto in = [&](const std::string& text) { return text.find(word) != std::string::npos; };
  return in(source.rego) || std::any_of(source.libs.begin(), source.libs.end(), in);
}

}  // namespace

struct TemplateSource {
  rego::CheckedModules modules;
  std::size_t max_bytes = 0;
  std::mutex mutex;
  std::unordered_multimap<std::uint64_t, std::weak_ptr<const SpecialisedProgram>> made;  // by hash of parameters
  std::size_t sweep_at = 64;  // entries at which those of programs that are gone go
};

Result<EngineChoice> choose_engine(const ConstraintTemplate& constraint_template) {
  EngineChoice out;
  const bool has_cel = constraint_template.find_code(kCelEngine) != nullptr;
  if (constraint_template.find_code(kRegoEngine) != nullptr) {
    out.engine = std::string(kRegoEngine);
    if (has_cel) {
      out.note = "template " + constraint_template.name +
                 " has code for K8sNativeValidation and Rego; its Rego is used, since there is no CEL engine yet";
    }
    return out;
  }
  return make_error(Code::kUnsupported,
                    "no language driver is installed that handles this constraint template: available drivers: "
                    "map[Rego:1], wanted \"\"");
}

namespace {

// `only` not negative: of the rules `violation` in the entry module only the one at that index stays.
Result<std::shared_ptr<const CompiledTemplate>> compile_source(const RegoSource& source, const DriverOptions& options,
                                                               std::ptrdiff_t only) {
  PC_TRY(std::vector<rego::Module> modules, prepare_modules(source, options.referential));
  if (only >= 0) keep_only(modules.front(), static_cast<std::size_t>(only));
  const bool inventory = reads_inventory(modules);

  rego::Parsed<rego::Module> reader = reader_module();
  if (!reader.ok()) return PC_BUG("the reader module does not parse");
  modules.push_back(std::move(*reader));

  rego::CheckOptions check_options;
  check_options.builtins = options.builtins != nullptr ? options.builtins : &rego::all_builtins();
  check_options.keep_print = options.keep_print;
  rego::Parsed<rego::CheckedModules> checked = rego::check(std::move(modules), check_options);
  if (!checked.ok()) {
    return make_error(Code::kInvalid, "unable to compile modules: " + checked.error().to_string());
  }
  const bool exactly = options.keep_print && mentions(source, "print");
  const rego::PlanOptions plan_options = plan_options_of_templates(exactly);
  rego::Parsed<rego::Program> program = rego::plan(*checked, plan_options);
  if (!program.ok()) {
    return make_error(Code::kInvalid, "unable to compile modules: " + program.error().to_string());
  }
  const int entry = program->entry_point(kEntryPoint);
  if (entry < 0) return PC_BUG("a planned program lacks its entry point");
  std::unique_ptr<TemplateSource> kept;
  // A template that never says "parameters" may still pass the whole input on; its shared program does for that.
  if (options.specialise && !exactly && mentions(source, kParameters)) {
    kept = std::make_unique<TemplateSource>();
    kept->modules = std::move(*checked);
    kept->max_bytes = options.max_specialised_bytes;
  }
  return std::shared_ptr<const CompiledTemplate>(
      std::make_shared<CompiledTemplate>(std::move(*program), entry, inventory, !exactly, std::move(kept)));
}

}  // namespace

Result<std::shared_ptr<const CompiledTemplate>> compile_template(const ConstraintTemplate& constraint_template,
                                                                 const DriverOptions& options) {
  const TemplateCode* code = constraint_template.find_code(kRegoEngine);
  if (code == nullptr) return make_error(Code::kInvalid, "could not extract Rego from the constraint template");
  PC_TRY(const RegoSource source, read_rego_source(code->source));
  return compile_source(source, options, -1);
}

Result<std::vector<ViolationRule>> compile_violation_rules(const ConstraintTemplate& constraint_template,
                                                           const DriverOptions& given, std::size_t max) {
  const TemplateCode* code = constraint_template.find_code(kRegoEngine);
  if (code == nullptr) return make_error(Code::kInvalid, "could not extract Rego from the constraint template");
  PC_TRY(const RegoSource source, read_rego_source(code->source));
  PC_TRY(const std::vector<rego::Module> modules, prepare_modules(source, given.referential));
  DriverOptions options = given;
  options.specialise = false;
  const std::vector<std::string_view> lines = text::split(source.rego, '\n');
  std::vector<ViolationRule> out;
  for (std::size_t i = 0; i < modules.front().rules.size() && out.size() < max; ++i) {
    const rego::Rule& rule = modules.front().rules[i];
    if (!is_violation(rule) || rule.is_default) continue;
    ViolationRule one;
    one.line = rule.location.row;
    if (one.line >= 1 && one.line <= lines.size()) one.text = std::string(text::trim(lines[one.line - 1]));
    PC_TRY(one.alone, compile_source(source, options, static_cast<std::ptrdiff_t>(i)));
    out.push_back(std::move(one));
  }
  return out;
}

SpecialisedProgram::SpecialisedProgram(rego::Program program, int entry, const Value& parameters)
    : program_(std::move(program)), entry_(entry), parameters_(Document::copy_of(parameters)) {
  bytes_ = sizeof *this + program_.memory() + parameters_.memory();
  specialised_bytes.fetch_add(bytes_, std::memory_order_relaxed);
}

SpecialisedProgram::~SpecialisedProgram() { specialised_bytes.fetch_sub(bytes_, std::memory_order_relaxed); }

std::size_t SpecialisedProgram::total_memory() noexcept { return specialised_bytes.load(std::memory_order_relaxed); }

CompiledTemplate::CompiledTemplate(rego::Program program, int entry, bool reads_inventory, bool takes_shortcuts,
                                   std::unique_ptr<TemplateSource> source)
    : program_(std::move(program)),
      entry_(entry),
      reads_inventory_(reads_inventory),
      takes_shortcuts_(takes_shortcuts),
      source_(std::move(source)) {}

CompiledTemplate::~CompiledTemplate() = default;

std::shared_ptr<const SpecialisedProgram> CompiledTemplate::specialise(const Value& parameters) const {
  if (!source_) return nullptr;
  const std::uint64_t key = hash(parameters);
  const std::lock_guard lock(source_->mutex);
  const auto [begin, end] = source_->made.equal_range(key);
  for (auto at = begin; at != end; ++at) {
    std::shared_ptr<const SpecialisedProgram> have = at->second.lock();
    // Equal parameters may be spelled differently (1 and 1.0), and policies print them.
    if (have && to_json(have->parameters()) == to_json(parameters)) return have;
  }
  if (SpecialisedProgram::total_memory() >= SpecialisedProgram::kMaxBytes) return nullptr;
  rego::PlanOptions plan_options = plan_options_of_templates(false);
  plan_options.known_input.push_back({{std::string(kParameters)}, parameters});
  rego::Parsed<rego::Program> program = rego::plan(source_->modules, plan_options);
  if (!program.ok() || program->memory() > source_->max_bytes) return nullptr;
  const int entry = program->entry_point(kEntryPoint);
  if (entry < 0) return nullptr;
  auto out = std::make_shared<const SpecialisedProgram>(std::move(*program), entry, parameters);
  if (source_->made.size() >= source_->sweep_at) {
    std::erase_if(source_->made, [](const auto& one) { return one.second.expired(); });
    source_->sweep_at = std::max<std::size_t>(64, source_->made.size() * 2);
  }
  source_->made.emplace(key, out);
  return out;
}

CompiledConstraint compile_constraint(std::shared_ptr<const CompiledTemplate> constraint_template,
                                      const Constraint& constraint) {
  CompiledConstraint out;
  out.specialised = constraint_template->specialise(constraint.parameters);
  out.constraint_template = std::move(constraint_template);
  return out;
}

Result<void> evaluate_constraint(const CompiledConstraint& compiled, const Constraint& constraint, const Value& review,
                                 const Value& data, rego::EvalScratch& scratch, rego::Host& host,
                                 const rego::EvalLimits& limits, std::vector<Finding>& findings,
                                 const rego::DataIndex* index, std::uint64_t share) {
  const Value input = make_input(scratch.arena(), constraint.parameters, review);
  rego::EvalOptions options;
  options.limits = limits;
  options.index = index;
  options.share = share;
  const SpecialisedProgram* const own = compiled.specialised.get();
  Result<Value, rego::EvalError> result =
      own != nullptr ? own->program().eval(own->entry(), input, data, scratch, host, options)
                     : compiled.constraint_template->program().eval(compiled.constraint_template->entry(), input, data,
                                                                    scratch, host, options);
  const bool shortcut =
      own != nullptr || share != 0 || (index != nullptr && compiled.constraint_template->program().uses_indexes());
  if (!result.ok() && shortcut && compiled.constraint_template->takes_shortcuts() && !limits.deadline.passed() &&
      result.error().code != "eval_cancel_error") {
    // What went wrong is told as the template's own program tells it, which evaluates everything in its place. A limit
    // that was hit stays hit: another evaluation would have it anew.
    options.index = nullptr;
    options.share = 0;
    result = compiled.constraint_template->program().eval(compiled.constraint_template->entry(), input, data, scratch,
                                                          host, options);
  }
  if (!result.ok()) {
    const Code code = limits.deadline.passed() ? Code::kTimeout : Code::kInvalid;
    return make_error(code, result.error().to_string());
  }
  const std::size_t from = findings.size();
  if (result->is_set()) {
    for (const Value& element : result->elements()) PC_TRY_VOID(add_finding(element, findings));
  } else if (result->is_object()) {
    // `violation[key] = value`: the keys are what the reader iterates over.
    for (std::size_t i = 0; i < result->keys().size(); ++i) {
      if (result->values()[i].truthy()) PC_TRY_VOID(add_finding(result->keys()[i], findings));
    }
  }
  tidy(findings, from);
  return ok();
}

}  // namespace portcullis::policy
