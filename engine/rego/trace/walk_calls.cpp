// Calls: builtins, functions of the modules, and what `with` puts in their place.
#include "engine/rego/trace/walker.h"
#include "engine/value/json.h"

namespace portcullis::rego::trace {

namespace {

std::size_t arity_of(const BuiltinDecl& decl) {
  std::size_t count = 0;
  while (count < decl.arguments.size() && !decl.arguments[count].empty()) ++count;
  return count;
}

const RuleTreeNode* function_node(const RuleTreeNode* root, std::string_view name) {
  if (!name.starts_with("data.")) return nullptr;
  const RuleTreeNode* node = root;
  name.remove_prefix(5);
  while (node != nullptr && !name.empty()) {
    const std::size_t dot = name.find('.');
    const RuleTreeNode* next = node->child(name.substr(0, dot));
    // A step of a package's name may have dots of its own.
    for (std::size_t longer = dot; next == nullptr && longer != std::string_view::npos;) {
      longer = name.find('.', longer + 1);
      next = node->child(name.substr(0, longer));
      if (next == nullptr) continue;
      name.remove_prefix(longer == std::string_view::npos ? name.size() : longer + 1);
      return name.empty() ? next : nullptr;
    }
    node = next;
    name.remove_prefix(dot == std::string_view::npos ? name.size() : dot + 1);
  }
  return node;
}

}  // namespace

std::size_t Walk::Impl::arity(const std::string& name) const {
  if (const RuleTreeNode* node = function_node(root, name); node != nullptr && node->kind == DocumentKind::kFunction) {
    return node->rules.front()->head.arguments.size();
  }
  const BuiltinRegistry::Entry* entry = modules.builtins->find(name);
  return entry != nullptr ? arity_of(*entry->decl) : SIZE_MAX;
}

Status Walk::Impl::call(Query& q, std::span<const Operand> arguments, const std::string& name, Next next) {
  const Mock* mock = nullptr;
  for (const std::vector<Mock>& frame : mocks.back()) {
    for (const Mock& each : frame) {
      if (each.name == name) mock = &each;
    }
  }
  if (mock != nullptr && !mock->function.empty()) {
    const std::string function = mock->function;
    mocks.emplace_back();
    const Status status = call(q, arguments, function, [&] {
      std::vector<std::vector<Mock>> hidden = std::move(mocks.back());
      mocks.pop_back();
      const Status after = next();
      mocks.push_back(std::move(hidden));
      return after;
    });
    mocks.pop_back();
    return status;
  }
  const Operand value = mock != nullptr ? mock->value : Operand{};
  if (const RuleTreeNode* node = function_node(root, name); node != nullptr && node->kind == DocumentKind::kFunction) {
    if (mock != nullptr) return call_value(arity(name), arguments, value, q, next);
    return function(q, *node, name, arguments, next);
  }
  const BuiltinRegistry::Entry* entry = modules.builtins->find(name);
  if (entry == nullptr || (entry->decl->function == nullptr && !name.starts_with("internal.print"))) {
    return fail("eval_internal_error", "unsupported built-in function: " + name, q.expr().location);
  }
  if (mock != nullptr) return call_value(arity_of(*entry->decl), arguments, value, q, next);
  return builtin(q, *entry->decl, arguments, next);
}

Status Walk::Impl::call_value(std::size_t count, std::span<const Operand> arguments, const Operand& value, Query& q,
                              Next next) {
  if (arguments.size() == count + 1) return unify(q, arguments.back(), value, next);
  return value.is_value() && value.value.is_false() ? kGoOn : next();
}

// Every combination of the arguments, which come as sets so that an undefined one is an empty set, is a line.
void Walk::Impl::print(const Value& sets) {
  constexpr std::size_t kMaxLines = 10000;
  const auto values = sets.elements();
  std::vector<std::size_t> at(values.size(), 0);
  for (std::size_t lines = 0; lines < kMaxLines; ++lines) {
    std::string line;
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (i != 0) line += ' ';
      const auto choices = values[i].elements();
      if (choices.empty()) {
        line += "<undefined>";
      } else if (choices[at[i]].is_string()) {
        line += choices[at[i]].as_string();
      } else {
        append_rego(line, choices[at[i]]);
      }
    }
    context.host.print(line);
    std::size_t i = values.size();
    while (i > 0 && ++at[i - 1] >= values[i - 1].size()) at[--i] = 0;
    if (i == 0) return;
  }
}

Status Walk::Impl::builtin(Query& q, const BuiltinDecl& decl, std::span<const Operand> arguments, Next next) {
  const std::size_t declared = arity_of(decl);
  std::vector<Value> values;
  for (std::size_t i = 0; i < arguments.size() && i < declared; ++i) {
    const Value value = plug(arguments[i]);
    if (!value.defined()) {
      return fail("eval_internal_error", std::string(decl.name) + ": operand is not known", q.expr().location);
    }
    values.push_back(value);
  }
  if (decl.name == "internal.print") {
    print(values.front());
    return next();
  }
  if (decl.name == "trace" && !values.empty() && values.front().is_string()) {
    tell(q, Op::kNote, nullptr, &q.expr(), nullptr, values.front().as_string());
  }
  return builtin_results(q, decl, values, arguments, next);
}

Status Walk::Impl::builtin_results(Query& q, const BuiltinDecl& decl, std::span<const Value> values,
                                   std::span<const Operand> arguments, Next next) {
  Value result;
  std::string key;
  if ((decl.flags & kNondeterministic) != 0) {
    key = std::string(decl.name) + "|" + path_key(values);
    if (const auto known = once.find(key); known != once.end()) result = known->second;
  }
  if (!result.defined()) {
    result = decl.function(context, values);
    if (!key.empty() && result.defined()) once.emplace(key, result);
  }
  if (!result.defined()) {
    const std::string message = std::string(decl.name) + ": " + context.error;
    const char* code = context.error_is_type ? "eval_type_error" : "eval_builtin_error";
    const bool failed = !context.error.empty();
    const bool aborts = context.error_aborts;
    context.error.clear();
    context.error_is_type = false;
    context.error_aborts = false;
    if (aborts) return fail(code, message, q.expr().location);
    if (failed && first_builtin_error.code.empty()) {
      const Location& at = q.expr().location;
      first_builtin_error = EvalError{code, message, std::string(at.file), at.row, at.column};
    }
    return kGoOn;
  }
  const auto give = [&](const Value& value) -> Status {
    if (decl.result.empty()) return next();
    return call_value(arity_of(decl), arguments, Operand{nullptr, nullptr, value}, q, next);
  };
  if ((decl.flags & kRelation) == 0) return give(result);
  for (const Value& value : result.elements()) {
    if (const Status status = give(value); status != kGoOn) return status;
  }
  return kGoOn;
}

Status Walk::Impl::function(Query& q, const RuleTreeNode& node, const std::string& name,
                            std::span<const Operand> arguments, Next next) {
  const Matches found = matches(q, node, arguments, name);
  if (found.rules.empty() && found.default_rule == nullptr) return kGoOn;
  const std::size_t declared = node.rules.front()->head.arguments.size();
  std::vector<Value> plugged;
  for (std::size_t i = 0; i < declared && i < arguments.size(); ++i) plugged.push_back(plug(arguments[i]));
  const std::string key = name + "(" + path_key(plugged);
  if (const auto known = cache.back().find(key); known != cache.back().end()) {
    return call_value(declared, arguments, Operand{nullptr, nullptr, known->second.value}, q, next);
  }
  Value previous;
  Status deferred = kGoOn;
  const auto one = [&](const Rule& rule, bool& gave) -> Status {
    const Status status = function_rule(q, rule, arguments, key, previous, found.early_exit, gave, next);
    if (!is_deferred(status)) return status;
    if (deferred == kGoOn) deferred = status;
    return kGoOn;
  };
  for (const auto& [rule, branches] : found.rules) {
    bool gave = false;
    Status status = one(*rule, gave);
    for (std::size_t i = 0; status == kGoOn && !gave && i < branches.size(); ++i) status = one(*branches[i], gave);
    if (status != kGoOn) return without_stop(status);
  }
  if (found.default_rule != nullptr && !previous.defined()) {
    bool gave = false;
    return without_stop(function_rule(q, *found.default_rule, arguments, key, previous, found.early_exit, gave, next));
  }
  return without_stop(deferred);
}

Status Walk::Impl::function_rule(Query& q, const Rule& rule, std::span<const Operand> arguments, const std::string& key,
                                 Value& previous, bool find_one, bool& gave, Next next) {
  Env env;
  Query inner = child(q, rule.body, env);
  inner.find_one = find_one;
  const std::size_t declared = rule.head.arguments.size();
  const bool captures = arguments.size() == declared + 1;
  tell(inner, Op::kEnter, rule);
  const auto solution = [&](Query&) -> Status {
    tell(inner, Op::kExit, rule);
    const Value result = plug(of(*rule.head.value, &env));
    gave = true;
    if (cache.back().size() < 100000) cache.back()[key] = {true, result};
    const bool conflict = previous.defined() && !equal(previous, result);
    if (conflict)
      return fail("eval_conflict_error", "functions must not produce multiple outputs for same inputs", rule.location);
    if (!captures && result.is_false()) {
      previous = result;
      return kGoOn;
    }
    if (previous.defined()) {
      tell(inner, Op::kRedo, rule);
      return kGoOn;
    }
    previous = result;
    const Status status = next();
    if (status == kGoOn) tell(inner, Op::kRedo, rule);
    return status;
  };
  struct Bind {
    Impl& walk;
    Query& inner;
    const Rule& rule;
    std::span<const Operand> arguments;
    Env& env;
    Next done;
    Status go(std::size_t at) const {
      if (at == arguments.size()) return done();
      const Term& own = at < rule.head.arguments.size() ? rule.head.arguments[at] : *rule.head.value;
      return walk.unify(inner, arguments[at], walk.of(own, &env), [&] { return go(at + 1); });
    }
  };
  const auto body_of = [&] { return expression(inner, solution); };
  return Bind{*this, inner, rule, arguments, env, body_of}.go(0);
}

}  // namespace portcullis::rego::trace
