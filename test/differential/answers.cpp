#include "test/differential/answers.h"

#include <algorithm>
#include <chrono>
#include <deque>
#include <vector>

#include "engine/rego/builtins/registry.h"
#include "engine/rego/compile/compiler.h"
#include "engine/rego/eval/program.h"
#include "engine/rego/syntax/parser.h"
#include "engine/value/json.h"

namespace portcullis::differential {
namespace {

// An error of a strict evaluation is followed by the answer of one that is not.
constexpr std::string_view kLenient = " || not strict: ";
constexpr std::uint64_t kInstructions = 20'000'000;

class StillHost : public rego::Host {
 public:
  std::int64_t now_ns() override { return 1'700'000'000'000'000'000; }
};

bool flag(const Value& request, std::string_view name) {
  const Value value = request.get(name);
  return value.is_bool() && value.truthy();
}

std::string quoted(std::string_view text) {
  std::string out;
  append_json(out, Value::string(text));
  return out;
}

std::string errors_of(const rego::Diagnostics& diagnostics) {
  std::string out = R"({"errors":[)";
  for (const rego::Diagnostic& one : diagnostics.list) {
    out += (&one == diagnostics.list.data() ? "[" : ",[") + quoted(one.code) + "," + quoted(one.file) + "," +
           std::to_string(one.row) + "," + std::to_string(one.column) + "," + quoted(one.message) + "]";
  }
  return out + "]}";
}

std::string failure(const rego::EvalError& error) {
  if (error.code == "eval_cancel_error") return "limit";
  return "error " + error.code + " " + std::to_string(error.row) + ":" + std::to_string(error.column) + " " +
         error.message;
}

using Answered = Result<Value, rego::EvalError>;

class Evaluation {
 public:
  Evaluation(const Value& request, const rego::CheckedModules& checked, const rego::CheckOptions& check_options,
             bool modes)
      : checked_(checked), check_options_(check_options), modes_(modes), data_(request.get("data")) {
    options_.strict_builtin_errors = flag(request, "strict_errors");
    options_.limits.instructions = kInstructions;
    options_.limits.arena_bytes = std::size_t{256} << 20;
    options_.limits.deadline = Deadline::after(std::chrono::seconds(20));
  }

  std::string rule(std::string_view path, const Value& input) {
    rego::PlanOptions plain;
    plain.entry_points = {std::string(path)};
    const std::string want = shown(run(plain, input, 0));
    if (want.starts_with("error ") && options_.strict_builtin_errors) {
      options_.strict_builtin_errors = false;
      const std::string lenient = shown(run(plain, input, 0));
      options_.strict_builtin_errors = true;
      return want + std::string(kLenient) + lenient;
    }
    if (!modes_ || want == "limit") return want;
    rego::PlanOptions known = plain;
    known.known_input.push_back({{}, input});
    rego::PlanOptions parts = plain;
    const Value parameters = input.get("parameters");
    if (parameters.defined()) parts.known_input.push_back({{"parameters"}, parameters});
    rego::PlanOptions simple = plain;
    simple.optimise = false;
    rego::PlanOptions shared = plain;
    shared.varying_input = {"parameters"};
    const std::uint64_t share = scratch_.new_share();
    check("known input", want, run(known, input, 0));
    check("known parameters", want, run(parts, input, 0));
    check("not optimised", want, run(simple, input, 0));
    check("shared", want, run(shared, input, share));
    check("shared again", want, run(shared, input, share));
    return differences_.empty() ? want : differences_;
  }

  std::string query(std::string_view text, const Value& input) {
    auto parsed = rego::parse_query(text, {});
    if (!parsed.ok()) return "refused " + parsed.error().list.front().code;
    auto checked_query = rego::check_query(checked_, std::move(parsed->body), parsed->source, {}, check_options_);
    if (!checked_query.ok()) return "refused " + checked_query.error().list.front().code;
    auto program = rego::plan_query(checked_, *checked_query, {});
    if (!program.ok()) return "refused " + program.error().list.front().code;
    const Answered results = program->eval_query(input, data_, scratch_, host_, options_);
    if (!results.ok()) return failure(results.error());
    std::string out;
    for (const Value& result : results->elements()) {
      if (&result != results->elements().data()) out += "; ";
      const Value bindings = result.get("bindings");
      for (std::size_t i = 0; i < bindings.size(); ++i) {
        out += (i == 0 ? "" : " ") + std::string(bindings.keys()[i].as_string()) + "=" + to_rego(bindings.values()[i]);
      }
      const Value expressions = result.get("expressions");
      for (std::size_t i = 0; i < expressions.size(); ++i) {
        out += (i == 0 && bindings.size() == 0 ? "" : " ") + to_rego(expressions.elements()[i]);
      }
    }
    return out;
  }

 private:
  Answered run(const rego::PlanOptions& plan_options, const Value& input, std::uint64_t share) {
    auto program = rego::plan(checked_, plan_options);  // results point into its constants
    if (!program.ok()) return rego::EvalError{"plan", program.error().to_string(), {}, 0, 0};
    rego::EvalOptions options = options_;
    options.share = share;
    programs_.push_back(std::move(*program));
    return programs_.back().eval(0, input, data_, scratch_, host_, options);
  }
  static std::string shown(const Answered& answered) {
    if (!answered.ok()) return failure(answered.error());
    return answered->defined() ? "x=" + to_rego(*answered) : std::string();
  }
  // An error of a program with shortcuts is told by the plain one, so only its values count.
  void check(std::string_view mode, const std::string& want, const Answered& got) {
    if (!got.ok() || shown(got) == want || !differences_.empty()) return;
    differences_ = "MODES DIFFER " + std::string(mode) + ": " + shown(got) + " | plain: " + want;
  }

  const rego::CheckedModules& checked_;
  const rego::CheckOptions& check_options_;
  bool modes_;
  Value data_;
  rego::EvalOptions options_;
  rego::EvalScratch scratch_;
  StillHost host_;
  std::string differences_;
  std::deque<rego::Program> programs_;
};

}  // namespace

std::string answer(const Value& request, bool modes) {
  rego::ParseOptions parse_options;
  parse_options.version = flag(request, "v0") ? rego::RegoVersion::kV0 : rego::RegoVersion::kV1;
  parse_options.process_annotations = flag(request, "annotations");
  std::vector<rego::Module> modules;
  const Value sources = request.get("modules");
  for (std::size_t i = 0; i < sources.size(); ++i) {
    auto module =
        rego::parse_module("m" + std::to_string(i) + ".rego", sources.elements()[i].as_string(), parse_options);
    if (!module.ok()) return errors_of(module.error());
    modules.push_back(std::move(*module));
  }
  rego::CheckOptions check_options;
  check_options.builtins = &rego::all_builtins();
  check_options.strict = flag(request, "strict");
  auto checked = rego::check(std::move(modules), check_options);
  if (!checked.ok()) return errors_of(checked.error());

  const Value inputs = request.get("inputs");
  if (!inputs.defined() || inputs.size() == 0) return "{}";
  std::string out = R"({"results":[)";
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    out += i == 0 ? "[" : ",[";
    const Value rules = request.get("rules");
    const Value queries = request.get("queries");
    Evaluation evaluation(request, *checked, check_options, modes);
    for (std::size_t j = 0; j < rules.size(); ++j) {
      out += (j == 0 ? "" : ",") + quoted(evaluation.rule(rules.elements()[j].as_string(), inputs.elements()[i]));
    }
    for (std::size_t j = 0; queries.defined() && j < queries.size(); ++j) {
      out += (rules.size() + j == 0 ? "" : ",") +
             quoted(evaluation.query(queries.elements()[j].as_string(), inputs.elements()[i]));
    }
    out += "]";
  }
  return out + "]}";
}

}  // namespace portcullis::differential
