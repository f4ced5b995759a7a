#include <string>

#include "base/text.h"
#include "engine/rego/builtins/text_template.h"
#include "engine/value/number.h"

namespace portcullis::rego::builtins {
namespace {

constexpr int kMaxCalls = 200;  // of templates inside templates and of parentheses

Error invalid(const std::string& what) {
  return make_error(Code::kInvalid, "template: template: executing \"template\": " + what);
}

enum class Flow : std::uint8_t { kOn, kBreak, kContinue };

class Runner {
 public:
  Runner(BuiltinContext& context, const Template& parsed, WorkLimit& work)
      : context_(context), template_(parsed), work_(work) {}

  Result<std::string> run(const Value& data) {
    variables_.emplace_back("$", TemplateValue{data, false});
    PC_TRY_VOID(list(template_.root, TemplateValue{data, false}));
    return std::move(out_);
  }

 private:
  Error exhausted() { return make_error(Code::kLimit, "timed out before finishing"); }

  Result<Flow> list(const std::vector<TemplateNode>& nodes, const TemplateValue& dot) {
    for (const TemplateNode& node : nodes) {
      if (!work_.spend()) return exhausted();
      PC_TRY(const Flow flow, run_node(node, dot));
      if (flow != Flow::kOn) return flow;
    }
    return Flow::kOn;
  }
  Result<Flow> run_node(const TemplateNode& node, const TemplateValue& dot);
  Result<Flow> write(std::string_view text) {
    if (out_.size() + text.size() > kMaxTemplateOutput || !work_.spend(text.size() / 64)) {
      work_.exhaust();
      return exhausted();
    }
    out_ += text;
    return Flow::kOn;
  }
  Result<Flow> branch(const TemplateNode& node, const TemplateValue& dot);
  Result<Flow> range(const TemplateNode& node, const TemplateValue& dot);
  Result<Flow> iteration(const TemplateNode& node, const Value& key, const TemplateValue& element);
  Result<Flow> invoke(const TemplateNode& node, const TemplateValue& dot);

  Result<TemplateValue> evaluate(const TemplatePipe& pipe, const TemplateValue& dot, bool declare);
  Result<TemplateValue> evaluate(const TemplateCommand& command, const TemplateValue& dot, const TemplateValue* last);
  Result<TemplateValue> evaluate(const TemplateOperand& operand, const TemplateValue& dot);
  Result<TemplateValue> shortcut(const TemplateCommand& command, const TemplateValue& dot, const TemplateValue* last);
  Result<TemplateValue> field(TemplateValue value, std::string_view name);
  TemplateValue* variable(std::string_view name) {
    for (auto it = variables_.rbegin(); it != variables_.rend(); ++it) {
      if (it->first == name) return &it->second;
    }
    return nullptr;
  }

  BuiltinContext& context_;
  const Template& template_;
  WorkLimit& work_;
  std::string out_;
  std::vector<std::pair<std::string_view, TemplateValue>> variables_;
  int depth_ = 0;
};

Result<Flow> Runner::run_node(const TemplateNode& node, const TemplateValue& dot) {
  using Kind = TemplateNode::Kind;
  switch (node.kind) {
    case Kind::kText: return write(node.text);
    case Kind::kAction: {
      PC_TRY(const TemplateValue value, evaluate(*node.pipe, dot, true));
      if (!node.pipe->variables.empty()) return Flow::kOn;
      std::string text;
      append_go_text(text, value);
      return write(text);
    }
    case Kind::kIf:
    case Kind::kWith: return branch(node, dot);
    case Kind::kRange: return range(node, dot);
    case Kind::kTemplate: return invoke(node, dot);
    case Kind::kBreak: return Flow::kBreak;
    case Kind::kContinue: return Flow::kContinue;
  }
  return Flow::kOn;
}

Result<Flow> Runner::branch(const TemplateNode& node, const TemplateValue& dot) {
  const std::size_t scope = variables_.size();
  PC_TRY(const TemplateValue value, evaluate(*node.pipe, dot, true));
  const bool with = node.kind == TemplateNode::Kind::kWith;
  Result<Flow> flow = value.truthy() ? list(node.body, with ? value : dot) : list(node.otherwise, dot);
  variables_.resize(scope);
  return flow;
}

Result<Flow> Runner::iteration(const TemplateNode& node, const Value& key, const TemplateValue& element) {
  const std::size_t scope = variables_.size();
  const auto& names = node.pipe->variables;
  // One variable is the element, of two the first is the index or key.
  const auto set = [&](std::string_view name, const TemplateValue& value) {
    TemplateValue* known = node.pipe->assigns ? variable(name) : nullptr;
    if (known != nullptr) {
      *known = value;
    } else {
      variables_.emplace_back(name, value);
    }
  };
  if (names.size() == 1) set(names[0], element);
  if (names.size() == 2) {
    set(names[0], TemplateValue{key, key.is_number()});
    set(names[1], element);
  }
  Result<Flow> flow = list(node.body, element);
  variables_.resize(scope);
  return flow;
}

Result<Flow> Runner::range(const TemplateNode& node, const TemplateValue& dot) {
  const std::size_t scope = variables_.size();
  PC_TRY(const TemplateValue over, evaluate(*node.pipe, dot, false));
  const Value& value = over.value;
  std::size_t count = 0;
  if (value.is_array() || value.is_object() || value.is_set()) {
    count = value.size();
  } else if (value.is_integer() && over.counted) {
    count = value.as_integer() < 0 ? 0 : static_cast<std::size_t>(value.as_integer());
  } else if (value.defined() && !value.is_null()) {
    std::string text;
    append_go_text(text, over);
    return invalid("range can't iterate over " + text);
  }
  for (std::size_t i = 0; i < count; ++i) {
    if (!work_.spend()) return exhausted();
    Value key = Value::integer(static_cast<std::int64_t>(i));
    TemplateValue element{key, true};
    if (value.is_object()) {
      key = value.keys()[i];
      element = {value.values()[i], false};
    } else if (!value.is_number()) {
      element = {value.elements()[i], false};
    }
    PC_TRY(const Flow flow, iteration(node, key, element));
    if (flow == Flow::kBreak) break;
  }
  variables_.resize(scope);
  return count == 0 ? list(node.otherwise, dot) : Flow::kOn;
}

Result<Flow> Runner::invoke(const TemplateNode& node, const TemplateValue& dot) {
  const auto found = template_.defined.find(node.text);
  if (found == template_.defined.end()) return invalid("template " + text::go_quote(node.text) + " not defined");
  TemplateValue inner;
  if (node.pipe != nullptr) {
    PC_TRY(inner, evaluate(*node.pipe, dot, false));
  }
  if (++depth_ > kMaxCalls) return invalid("exceeded maximum template depth (" + std::to_string(kMaxCalls) + ")");
  std::vector<std::pair<std::string_view, TemplateValue>> outside;
  outside.swap(variables_);
  variables_.emplace_back("$", inner);
  Result<Flow> flow = list(found->second, inner);
  outside.swap(variables_);
  --depth_;
  if (!flow.ok()) return flow;
  return Flow::kOn;
}

Result<TemplateValue> Runner::evaluate(const TemplatePipe& pipe, const TemplateValue& dot, bool declare) {
  if (depth_ > kMaxCalls || !work_.spend()) return exhausted();
  TemplateValue value;
  bool first = true;
  for (const TemplateCommand& command : pipe.commands) {
    PC_TRY(value, evaluate(command, dot, first ? nullptr : &value));
    first = false;
  }
  if (declare) {
    for (const std::string_view name : pipe.variables) {
      TemplateValue* known = pipe.assigns ? variable(name) : nullptr;
      if (known != nullptr) {
        *known = value;
      } else {
        variables_.emplace_back(name, value);
      }
    }
  }
  return value;
}

// "and" and "or" look at their arguments only until they know.
Result<TemplateValue> Runner::shortcut(const TemplateCommand& command, const TemplateValue& dot,
                                       const TemplateValue* last) {
  const bool wanted = command.operands.front().name == "or";
  TemplateValue value;
  for (std::size_t i = 1; i < command.operands.size(); ++i) {
    PC_TRY(value, evaluate(command.operands[i], dot));
    if (value.truthy() == wanted) return value;
  }
  return last != nullptr ? *last : value;
}

Result<TemplateValue> Runner::evaluate(const TemplateCommand& command, const TemplateValue& dot,
                                       const TemplateValue* last) {
  const TemplateOperand& head = command.operands.front();
  if (head.kind != TemplateOperand::Kind::kFunction) {
    if (command.operands.size() > 1 || last != nullptr) return invalid("can't give argument to non-function");
    return evaluate(head, dot);
  }
  if (!head.fields.empty()) {
    if (command.operands.size() > 1 || last != nullptr) return invalid("can't give argument to non-function");
    return evaluate(head, dot);
  }
  if ((head.name == "and" || head.name == "or") && (command.operands.size() > 1 || last != nullptr)) {
    return shortcut(command, dot, last);
  }
  std::vector<TemplateValue> arguments;
  for (std::size_t i = 1; i < command.operands.size(); ++i) {
    PC_TRY(const TemplateValue argument, evaluate(command.operands[i], dot));
    arguments.push_back(argument);
  }
  if (last != nullptr) arguments.push_back(*last);
  Result<TemplateValue> out = call_template_function(context_, head.name, arguments, work_);
  if (!out.ok()) {
    if (work_.exhausted() || context_.over_budget()) return exhausted();
    return invalid("error calling " + std::string(head.name) + ": " + out.error().message);
  }
  if (out->value.is_string() && !work_.spend(out->value.size() / 64)) return exhausted();
  return out;
}

Result<TemplateValue> Runner::field(TemplateValue value, std::string_view name) {
  if (value.value.is_object()) return TemplateValue{value.value.get(name), false};
  if (!value.value.defined()) return value;
  if (value.value.is_null()) return invalid("nil pointer evaluating interface {}." + std::string(name));
  return invalid("can't evaluate field " + std::string(name) + " in type interface {}");
}

Result<TemplateValue> Runner::evaluate(const TemplateOperand& operand, const TemplateValue& dot) {
  using Kind = TemplateOperand::Kind;
  TemplateValue value;
  switch (operand.kind) {
    case Kind::kDot: value = dot; break;
    case Kind::kNil: value.value = Value::null(); break;
    case Kind::kConstant: value = operand.constant; break;
    case Kind::kVariable:
      if (const TemplateValue* known = variable(operand.name)) value = *known;
      break;
    case Kind::kFunction: {
      PC_TRY(value, call_template_function(context_, operand.name, {}, work_));
      break;
    }
    case Kind::kPipe: {
      ++depth_;
      Result<TemplateValue> inner = evaluate(*operand.pipe, dot, true);
      --depth_;
      if (!inner.ok()) return inner;
      value = *inner;
      break;
    }
  }
  for (const std::string_view name : operand.fields) {
    PC_TRY(value, field(value, name));
  }
  return value;
}

}  // namespace

bool TemplateValue::truthy() const noexcept {
  switch (value.kind()) {
    case Kind::kUndefined:
    case Kind::kNull: return false;
    case Kind::kBool: return value.as_bool();
    case Kind::kNumber: return !counted || compare_numbers(value, Value::integer(0)) != 0;
    default: return value.size() != 0;
  }
}

Result<std::string> execute_template(BuiltinContext& context, const Template& parsed, const Value& data,
                                     WorkLimit& work) {
  return Runner(context, parsed, work).run(data);
}

}  // namespace portcullis::rego::builtins
