// Planning as a whole: entry points, worlds, which functions there are.
#include <algorithm>

#include "engine/rego/compile/optimise.h"
#include "engine/rego/compile/planner.h"
#include "engine/rego/eval/machine.h"
#include "engine/rego/syntax/parser.h"
#include "engine/value/json.h"

namespace portcullis::rego {

namespace {

constexpr std::uint32_t kMaxStaticEvaluations = 64;  // of one program

bool is_identifier(std::string_view text) {
  if (text.empty() || (text[0] >= '0' && text[0] <= '9')) return false;
  return std::all_of(text.begin(), text.end(), [](char c) {
    return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  });
}

}  // namespace

std::string path_text(std::span<const Value> path) {
  std::string out = "data";
  for (const Value& key : path) {
    if (key.is_string() && is_identifier(key.as_string())) {
      out += '.';
      out += key.as_string();
    } else {
      out += '[';
      append_rego(out, key);
      out += ']';
    }
  }
  return out;
}

Planner::Planner(const CheckedModules& checked, const PlanOptions& plan_options,
                 const std::vector<CheckedModules::Variable>& all_variables)
    : modules(checked), options(plan_options), variables(all_variables), optimise(plan_options.optimise) {
  worlds_.emplace_back();
  std::vector<std::string> varying = options.varying_input;
  for (const PlanOptions::Known& known : options.known_input) {
    if (known.path.empty()) unknown &= static_cast<std::uint8_t>(~(Dependences::kInput | Dependences::kVarying));
    if (known.path.size() != 1) continue;
    if (std::find(varying.begin(), varying.end(), known.path[0]) == varying.end()) varying.push_back(known.path[0]);
  }
  const bool all_known =
      !options.known_input.empty() && std::all_of(varying.begin(), varying.end(), [&](const std::string& name) {
        return std::any_of(options.known_input.begin(), options.known_input.end(),
                           [&](const PlanOptions::Known& one) { return one.path.size() == 1 && one.path[0] == name; });
      });
  if (all_known) unknown &= static_cast<std::uint8_t>(~Dependences::kVarying);
  dependences = std::make_shared<Dependences>(modules, std::move(varying));
  static_budget = optimise ? kMaxStaticEvaluations : 0;
}

WorldId Planner::world_of(World world) {
  for (WorldId id = 0; id < worlds_.size(); ++id) {
    if (worlds_[id] == world) return id;
  }
  worlds_.push_back(std::move(world));
  return static_cast<WorldId>(worlds_.size() - 1);
}

std::uint32_t Planner::mock_slot(const std::string& name) {
  const auto [at, added] = mock_slots_.emplace(name, 0);
  if (added) at->second = builder.new_mock_slot();
  return at->second;
}

std::shared_ptr<const Term> Planner::parse_path(const std::string& path) const {
  Parsed<Term> reference = parse_ref(path);
  if (!reference.ok() || reference->kind != TermKind::kRef) return nullptr;
  return std::make_shared<const Term>(std::move(reference).value());
}

std::uint32_t Planner::document(const RuleTreeNode& node, WorldId world) {
  const auto key = std::make_pair(&node, std::make_pair(world, false));
  if (const auto at = functions_.find(key); at != functions_.end()) return at->second;
  const bool is_function = node.kind == DocumentKind::kFunction;
  const std::size_t arguments = is_function && !node.rules.empty() ? node.rules.front()->head.arguments.size() : 0;
  const std::uint32_t function = builder.declare("", static_cast<std::uint32_t>(arguments), is_function, !is_function);
  functions_.emplace(key, function);
  if (world == 0 && !options.varying_input.empty() &&
      (dependences->of(node) & (Dependences::kVarying | Dependences::kOutside)) == 0) {
    builder.function(function).shared = number_of(node);
  }
  tasks_.push_back({function, &node, world, false, {}});
  return function;
}

std::uint32_t Planner::number_of(const RuleTreeNode& node) {
  if (numbers_.empty()) {
    for_each_node(*modules.tree, [&](const RuleTreeNode& one) {
      numbers_.emplace(&one, static_cast<std::uint32_t>(numbers_.size()));
    });
    builder.code().shared_slots = static_cast<std::uint32_t>(numbers_.size());
  }
  return numbers_.at(&node);
}

std::uint32_t Planner::extent(const RuleTreeNode& node, const std::vector<Value>& path, WorldId world) {
  const auto key = std::make_pair(&node, std::make_pair(world, true));
  if (const auto at = functions_.find(key); at != functions_.end()) return at->second;
  const std::uint32_t function = builder.declare(path_text(path), 0, false, true);
  functions_.emplace(key, function);
  tasks_.push_back({function, &node, world, true, path});
  return function;
}

namespace {

// The path of a node, searched from the root: nodes don't know their parents.
bool find_path(const RuleTreeNode& from, const RuleTreeNode& wanted, std::vector<const Term*>& path) {
  if (&from == &wanted) return true;
  for (const RuleTreeNode& child : from.children) {
    path.push_back(&child.key);
    if (find_path(child, wanted, path)) return true;
    path.pop_back();
  }
  return false;
}

std::string node_name(const RuleTreeNode& root, const RuleTreeNode& node) {
  std::vector<const Term*> path;
  find_path(root, node, path);
  std::string out = "data";
  for (const Term* key : path) {
    if (key->kind == TermKind::kString && is_identifier(key->text))
      out += "." + key->text;
    else
      out += "[" + to_string(*key) + "]";
  }
  return out;
}

}  // namespace

namespace {

// Looking a call up costs about as much as a dozen instructions.
bool worth_sharing(const FunctionBuilder& function, const FunctionCode& code) {
  constexpr std::size_t kFewInstructions = 12;
  if (code.arguments > SharedCall::kMaxArguments) return false;
  if (function.code.size() > kFewInstructions) return true;
  for (const Instruction& instruction : function.code) {
    switch (instruction.opcode) {
      case Opcode::kCall:
      case Opcode::kCallTest:
      case Opcode::kBuiltin:
      case Opcode::kBuiltinTest:
      case Opcode::kLoop:
      case Opcode::kOpen: return true;
      default: break;
    }
  }
  return false;
}

}  // namespace

void Planner::run_tasks() {
  while (!tasks_.empty()) {
    Task task = std::move(tasks_.front());
    tasks_.pop_front();
    FunctionPlanner function(*this, task.world);
    if (task.whole) {
      function.plan_extent(*task.node, task.path);
    } else {
      const std::string name = node_name(*modules.tree, *task.node);
      builder.function(task.function).name = name;
      function.plan_rules(*task.node, name);
    }
    if (function.code().overflow) {
      errors.add("rego_compile_error", Location{}, builder.function(task.function).name + ": too many values at once");
    }
    if (optimise) rego::optimise(function.code());
    FunctionCode& code = builder.function(task.function);
    if (code.is_function && !worth_sharing(function.code(), code)) code.shared = kNoSlot;
    builder.add(task.function, std::move(function.code()));
  }
}

void Planner::add_entry_point(const std::string& path) {
  Parsed<Term> reference = parse_ref(path);
  if (!reference.ok()) {
    for (Diagnostic& diagnostic : reference.error().list) errors.list.push_back(std::move(diagnostic));
    return;
  }
  Term& ref = reference.value();
  if (ref.kind == TermKind::kVar) {
    Term whole(TermKind::kRef, ref.location);
    whole.items.push_back(ref);
    ref = std::move(whole);
  }
  const std::uint32_t index = builder.declare(path, 0, false, false);
  FunctionPlanner function(*this, 0);
  function.plan_reference(ref);
  builder.add(index, std::move(function.code()));
  builder.code().entry_points.emplace_back(path, index);
}

void Planner::add_query(const CheckedQuery& query) {
  const std::uint32_t index = builder.declare("query", 0, false, false);
  FunctionPlanner function(*this, 0);
  function.plan_query(query);
  if (function.code().overflow) errors.add("rego_compile_error", Location{}, "query: too many values at once");
  builder.add(index, std::move(function.code()));
  builder.code().query = index;
}

Parsed<Program> Planner::finish_program() {
  run_tasks();
  if (!errors.empty()) return std::move(errors);
  if (optimise) rego::optimise(builder.code());
  return Program(builder.finish());
}

Parsed<Program> plan(const CheckedModules& modules, const PlanOptions& options) {
  Planner planner(modules, options, modules.variables);
  for (const std::string& path : options.entry_points) planner.add_entry_point(path);
  return planner.finish_program();
}

Parsed<Program> plan_query(const CheckedModules& modules, const CheckedQuery& query, const PlanOptions& options) {
  Planner planner(modules, options, query.variables);
  planner.add_query(query);
  for (const std::string& path : options.entry_points) planner.add_entry_point(path);
  return planner.finish_program();
}

}  // namespace portcullis::rego
