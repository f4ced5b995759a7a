#include "opa/eval.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <string>
#include <vector>

#include "base/text.h"
#include "engine/rego/builtins/registry.h"
#include "engine/rego/compile/compiler.h"
#include "engine/rego/eval/program.h"
#include "engine/rego/syntax/parser.h"
#include "engine/rego/trace/walk.h"
#include "engine/value/json.h"
#include "opa/command.h"
#include "opa/extras.h"
#include "opa/failure.h"
#include "opa/flags.h"
#include "opa/host.h"
#include "opa/load.h"
#include "opa/partial.h"
#include "opa/present.h"

namespace portcullis::opa {
namespace {

constexpr std::string_view kHelp =
    R"(Evaluate a Rego query and print the result.

Usage:
  opa eval <query> [flags]

Examples:

    $ opa eval '1 + 2'
    $ opa eval -d policy.rego -i input.json 'data.main.deny'
    $ opa eval -d policies/ -d data.json -f pretty 'data.main.deny[msg]'
    $ cat input.json | opa eval -d policy.rego -I -f raw 'data.main.allow'
    $ opa eval -d policy.rego -i input.json --explain full -f pretty 'data.main.deny'      # why?
    $ opa eval -d policy.rego -i input.json --explain fails -f pretty 'data.main.deny'     # where did it end?
    $ opa eval -d policy.rego -i input.json --fail-defined 'data.main.deny[x]'    # exit code 1 when there is a deny

An input file whose name ends in .json may have // and /* */ comments.

Flags:
  -d, --data string               policy or data file, or a folder of them; "a.b:file.json" puts it below data.a.b; repeatable
  -i, --input string              file with the input document (JSON or YAML)
  -I, --stdin-input               read the input document from standard input
      --stdin                     read the query from standard input
  -f, --format string             json, pretty, raw, values, bindings or discard; source with --partial (default json)
      --package string            package the query is in
      --import string             import of the query; repeatable
      --fail                      exit with 1 when the result is undefined or empty
      --fail-defined              exit with 1 when the result is defined
  -S, --strict                    strict mode of the compiler
      --strict-builtin-errors     the first error of a builtin function ends the evaluation
      --ignore strings            names of files and folders to leave out when loading
      --timeout duration          bound on the evaluation's time, as 500ms or 1m (default none)
      --show-program              print the program that would run (docs/vm.md) instead of running it
  -b, --bundle string             a bundle's folder; repeatable
      --explain string            full, notes, fails or debug: the steps of the evaluation (default off)
      --metrics                   time spent on loading, compiling and evaluating
      --profile                   time and number of evaluations per line (and --metrics)
      --profile-limit int         how many lines (default 10; 0: all)
      --profile-sort string       total_time_ns, num_eval, num_redo, num_gen_expr, file or line; repeatable
      --coverage                  which parts of the sources were evaluated
      --coverage-runs strings     index_excluded, early_exit: why parts were not (default both)
      --v0-compatible             Rego v0
      --v1-compatible             Rego v1 (the default)
  -h, --help                      this text
)";

struct EvalFlags {
  std::vector<std::string> data;
  std::vector<std::string> imports;
  std::vector<std::string> ignored;
  std::string input;
  std::string package;
  std::string format = "json";
  bool stdin_input = false;
  bool stdin_query = false;
  bool fail = false;
  bool fail_defined = false;
  bool strict = false;
  bool strict_builtin_errors = false;
  bool show_program = false;
  std::vector<std::string> bundles;
  std::vector<std::string> coverage_runs;
  std::vector<std::string> profile_order;
  std::string explain = "off";
  std::uint32_t profile_limit = 10;
  bool metrics = false;
  bool instrument = false;
  bool profile = false;
  bool coverage = false;
  bool no_early_exit = false;
  bool no_indexing = false;
  bool unused = false;
  std::string unused_text;
  bool v0 = false;
  bool v1 = false;
  bool help = false;
  PartialFlags partial;
  std::chrono::nanoseconds timeout{0};
};

std::string set_format(std::string_view text, std::string* format) {
  for (const std::string_view known : {"json", "values", "bindings", "pretty", "source", "raw", "discard"}) {
    if (text == known) {
      *format = text;
      return {};
    }
  }
  return "must be one of {json,values,bindings,pretty,source,raw,discard}";
}

std::string set_explain(std::string_view text, std::string* explain) {
  for (const std::string_view known : {"off", "full", "notes", "fails", "debug"}) {
    if (text != known) continue;
    *explain = text;
    return {};
  }
  return "must be one of {off,full,notes,fails,debug}";
}

// Flags about what is shown beside the result, and those that change nothing here.
void add_shown(Flags& flags, EvalFlags& to) {
  flags.add_texts("bundle", 'b', &to.bundles);
  flags.add("explain", 0, [&to](std::string_view text) { return set_explain(text, &to.explain); });
  flags.add_switch("metrics", 0, &to.metrics);
  flags.add_switch("instrument", 0, &to.instrument);
  flags.add_switch("profile", 0, &to.profile);
  flags.add("profile-limit", 0, [&to](std::string_view text) {
    to.profile = true;
    return set_count(text, &to.profile_limit);
  });
  flags.add("profile-sort", 0, [&to](std::string_view text) {
    to.profile = true;
    for (const std::string_view name : text::split(text, ',')) to.profile_order.emplace_back(name);
    return std::string();
  });
  flags.add_switch("coverage", 0, &to.coverage);
  to.coverage_runs = {"index_excluded", "early_exit"};
  flags.add("coverage-runs", 0, [&to](std::string_view text) {
    to.coverage = true;
    to.coverage_runs.clear();
    for (const std::string_view name : text::split(text, ',')) {
      if (!name.empty()) to.coverage_runs.emplace_back(name);
    }
    return std::string();
  });
  flags.add_switch("disable-early-exit", 0, &to.no_early_exit);
  flags.add_switch("disable-indexing", 0, &to.no_indexing);
  flags.add_switch("optimize-store-for-read-speed", 0, &to.unused);
  flags.add_text("optimize", 'O', &to.unused_text);
  flags.add_text("entrypoint", 'e', &to.unused_text);
}

Flags make_flags(EvalFlags& to) {
  Flags flags;
  flags.add_texts("data", 'd', &to.data);
  flags.add_texts("import", 0, &to.imports);
  flags.add_texts("ignore", 0, &to.ignored);
  flags.add_text("input", 'i', &to.input);
  flags.add_text("package", 0, &to.package);
  flags.add("format", 'f', [&to](std::string_view text) { return set_format(text, &to.format); });
  flags.add("timeout", 0, [&to](std::string_view text) { return set_duration(text, &to.timeout); });
  flags.add_switch("stdin-input", 'I', &to.stdin_input);
  flags.add_switch("stdin", 0, &to.stdin_query);
  flags.add_switch("fail", 0, &to.fail);
  flags.add_switch("fail-defined", 0, &to.fail_defined);
  flags.add_switch("strict", 'S', &to.strict);
  flags.add_switch("strict-builtin-errors", 0, &to.strict_builtin_errors);
  flags.add_switch("show-program", 0, &to.show_program);
  flags.add_switch("v0-compatible", 0, &to.v0);
  flags.add_switch("v1-compatible", 0, &to.v1);
  flags.add_switch("help", 'h', &to.help);
  flags.add_missing("schema", 's');
  flags.add_missing("target", 't');
  to.partial.add_to(flags);
  add_shown(flags, to);
  for (const char* name : {"capabilities", "count", "pretty-limit", "show-builtin-errors", "var-values"}) {
    flags.add_missing(name);
  }
  return flags;
}

std::string usage_problem(const EvalFlags& flags, std::size_t arguments) {
  if (arguments > 0 && flags.stdin_query) return "specify query argument or --stdin but not both";
  if (arguments == 0 && !flags.stdin_query) return "specify query argument or --stdin";
  if (arguments > 1) return "specify at most one query argument";
  if (flags.stdin_query && flags.stdin_input) return "specify --stdin or --stdin-input but not both";
  if (flags.stdin_input && !flags.input.empty()) return "specify --stdin-input or --input but not both";
  if (flags.fail && flags.fail_defined) return "specify --fail or --fail-defined but not both";
  for (const std::string& run : flags.coverage_runs) {
    if (run == "index_excluded" || run == "early_exit") continue;
    return "invalid --coverage-runs value " + text::go_quote(run) + R"( (expected "index_excluded" or "early_exit"))";
  }
  const bool traced = flags.explain != "off" || flags.coverage || flags.profile || flags.metrics || flags.instrument;
  if (flags.partial.on && traced)
    return "--explain, --coverage, --profile and --metrics are not supported with --partial";
  return flags.partial.problem(flags.format);
}

// A host whose print() is not heard: passes beside the one whose result is shown.
class SilentHost : public CommandHost {
 public:
  SilentHost() : CommandHost(&heard_) {}

 private:
  std::string heard_;
};

// Several tracers at once.
class Tracers : public rego::trace::Tracer {
 public:
  void event(const rego::trace::Event& event) override {
    for (rego::trace::Tracer* tracer : tracers_) tracer->event(event);
  }
  bool wants_unifications() const override {
    return std::any_of(tracers_.begin(), tracers_.end(), [](const auto* each) { return each->wants_unifications(); });
  }
  void add(rego::trace::Tracer& tracer) { tracers_.push_back(&tracer); }
  bool empty() const { return tracers_.empty(); }

 private:
  std::vector<rego::trace::Tracer*> tracers_;
};

struct Place {
  std::uint32_t row;
  std::uint32_t column;
};

// Where the query calls a function as an expression of its own. `eval` shows the result, so to the type checker's
// messages such a call has one more argument, of a type not known yet.
std::vector<Place> shown_calls(const rego::Body& body) {
  std::vector<Place> out;
  for (const rego::Expr& expr : body.exprs) {
    if (expr.kind != rego::ExprKind::kCall || expr.negated) continue;
    const std::string name = expr.operator_name();
    if (name != "eq" && name != "assign") out.push_back({expr.location.row, expr.location.column});
  }
  return out;
}

Failures with_shown_results(Failures failures, const std::vector<Place>& calls) {
  for (Failure& failure : failures) {
    if (!failure.file.empty() || !failure.message.ends_with(": invalid argument(s)") || failure.details.empty())
      continue;
    for (const Place& place : calls) {
      std::string& have = failure.details.front();
      if (place.row != failure.row || place.column != failure.column || !have.starts_with("have: (") ||
          !have.ends_with(')'))
        continue;
      have.insert(have.size() - 1, have.ends_with("()") ? "???" : ", ???");
      break;
    }
  }
  return failures;
}

// One call of the command: load, check, evaluate, print.
class Evaluation {
 public:
  Evaluation(const EvalFlags& flags, std::string query, const Io& io)
      : flags_(flags), query_(std::move(query)), io_(io), host_(io.err) {}

  int run() {
    if (!read_input()) return 2;
    if (flags_.metrics || flags_.profile || flags_.instrument) extras_.metrics.emplace();
    const auto begin = Clock::now();
    load_paths(flags_.data, flags_.ignored, version(), loaded_);
    if (!flags_.bundles.empty()) {
      for (const std::string& bundle : flags_.bundles) {
        const std::string path = bundle.starts_with("file://") ? bundle.substr(7) : bundle;
        if (::access(path.c_str(), F_OK) == 0) continue;
        return report(failures_of("loading error: error reading " + text::go_quote(path) + ": stat " + path +
                                  ": no such file or directory"));
      }
      load_paths(flags_.bundles, flags_.ignored, version(), loaded_, LoadMode::kBundle);
      measured("load_bundles", begin);
      measured("data_parse", begin);
    }
    if (!flags_.data.empty() || !flags_.bundles.empty()) {
      measured("load_files", begin);
      measured("module_parse", begin);
    }
    if (!loaded_.failures.empty()) return report(loaded_.failures);
    return evaluate();
  }

 private:
  rego::RegoVersion version() const {
    return flags_.v0 && !flags_.v1 ? rego::RegoVersion::kV0 : rego::RegoVersion::kV1;
  }

  int report(const Failures& failures) {
    if (flags_.coverage && !extras_.coverage) extras_.coverage.emplace();
    if (flags_.format == "json" || flags_.format == "discard") {
      *io_.out += with_members(failures_json(failures), extras_json(extras_));
    } else {
      if (flags_.format == "pretty" && extras_.explanation != nullptr) *io_.out += extras_.explanation->to_string();
      *io_.err += failures_text(failures);
      if (flags_.format == "pretty") *io_.out += extras_text(extras_);
    }
    return 2;
  }

  // False: the reason is on standard error.
  bool read_input() {
    if (!flags_.stdin_input && flags_.input.empty()) return true;
    std::string text;
    if (flags_.stdin_input) {
      text = io_.read_stdin ? io_.read_stdin() : std::string();
    } else {
      const std::string path = flags_.input.starts_with("file://") ? flags_.input.substr(7) : flags_.input;
      Result<std::string> read = read_file(path);
      if (!read.ok()) {
        *io_.err += read.error().message + "\n";
        return false;
      }
      text = std::move(*read);
    }
    Result<Value> parsed = parse_document(input_arena_, text, flags_.input.ends_with(".json"));
    if (!parsed.ok()) {
      *io_.err += "unable to parse input: " + parsed.error().message + "\n";
      return false;
    }
    input_ = parsed->defined() ? *parsed : Value::null();
    return true;
  }

  Result<rego::QueryContext, Failures> query_context() {
    rego::QueryContext context;
    rego::ParseOptions options;
    options.version = version();
    if (!flags_.package.empty()) {
      auto module = rego::parse_module("", "package " + flags_.package, options);
      if (!module.ok()) return failures_of(module.error());
      context.package = rego::to_string(module->package);
    }
    std::string imports = "package portcullis_query\n";
    for (const std::string& import : flags_.imports) imports += "import " + import + "\n";
    if (!flags_.imports.empty()) {
      auto module = rego::parse_module("", imports, options);
      if (!module.ok()) return failures_of(module.error());
      context.imports = module->imports;
      imports_ = std::move(*module);  // owns the text that the imports point into
    }
    return context;
  }

  int evaluate() {
    rego::CheckOptions options;
    options.builtins = &rego::all_builtins();
    options.strict = flags_.strict;
    options.keep_print = true;
    options.has_base_data = [this](std::span<const std::string_view> path) { return loaded_.has_data(path); };
    auto begin = Clock::now();
    const bool has_modules = !loaded_.modules.empty();
    if (flags_.coverage) parsed_ = loaded_.modules;
    auto checked = rego::check(std::move(loaded_.modules), options);
    if (has_modules) measured("module_compile", begin);
    if (!checked.ok()) return report(failures_of(checked.error()));
    auto context = query_context();
    if (!context.ok()) return report(context.error());

    rego::ParseOptions parse_options;
    parse_options.version = version();
    begin = Clock::now();
    auto parsed = rego::parse_query(query_, parse_options);
    measured("query_parse", begin);
    begin = Clock::now();
    if (!parsed.ok()) return report(failures_of(parsed.error()));
    if (parsed->body.exprs.empty()) return report(failures_of("cannot evaluate empty query"));
    const std::vector<Place> calls = shown_calls(parsed->body);
    options.strict = false;  // strict mode is for modules
    rego::Body unified;
    if (flags_.partial.on) {
      unified = parsed->body;
      rego::unify_equals(unified);
    }
    auto query = rego::check_query(*checked, std::move(parsed->body), parsed->source, *context, options);
    if (!query.ok()) return report(with_shown_results(failures_of(query.error()), calls));
    if (flags_.partial.on) {
      query = rego::check_query(*checked, std::move(unified), parsed->source, *context, options);
      return query.ok() ? evaluate_partially(*checked, *query) : report(failures_of(query.error()));
    }
    auto program = rego::plan_query(*checked, *query, {});
    if (!program.ok()) return report(failures_of(program.error()));
    measured("query_compile", begin);
    if (flags_.show_program) {
      *io_.out += program->listing();
      return 0;
    }
    return run_program(*checked, *program, *query);
  }

  int evaluate_partially(const rego::CheckedModules& modules, const rego::CheckedQuery& query) {
    auto options = flags_.partial.options(version());
    if (!options.ok()) return report(options.error());
    options->strict_builtin_errors = flags_.strict_builtin_errors;
    if (flags_.timeout.count() > 0) options->limits.deadline = Deadline::after(flags_.timeout);
    Arena arena(rego::EvalLimits{}.arena_bytes);
    const auto result = rego::partial_evaluate(modules, query, input_, loaded_.data, arena, host_, *options);
    if (!result.ok()) return report(failures_of(result.error()));
    const auto text = present_partial(flags_.format, *result);
    if (!text.ok()) return report(text.error());
    *io_.out += *text;
    return flags_.fail ? 1 : 0;  // as OPA, to which only results of an evaluation count
  }

  using Clock = std::chrono::steady_clock;
  void measured(std::string_view what, Clock::time_point since) {
    if (!extras_.metrics) return;
    const auto spent = std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now() - since).count();
    (*extras_.metrics)["timer_rego_" + std::string(what) + "_ns"] = spent;
  }

  int run_program(const rego::CheckedModules& modules, const rego::Program& program, const rego::CheckedQuery& query) {
    rego::trace::Explainer explainer(query, detail());
    rego::trace::Profile profile;
    rego::trace::Coverage coverage;
    Tracers tracers;
    if (flags_.explain != "off") tracers.add(explainer);
    if (flags_.profile) tracers.add(profile);
    if (flags_.coverage) tracers.add(coverage);
    rego::EvalScratch scratch;
    const auto begin = Clock::now();
    const auto results = evaluate_with(modules, program, query, tracers, scratch);
    measured("query_eval", begin);
    if (flags_.explain != "off") extras_.explanation = &explainer;
    if (flags_.profile) extras_.profile = profile.rows(profile_order(), flags_.profile_limit);
    if (flags_.coverage) extras_.coverage = covered(modules, query, coverage, results.ok());
    if (!results.ok()) return report(failures_of(results.error()));
    std::vector<ExpressionInfo> expressions;
    for (const rego::CheckedQuery::Expression& each : query.expressions) {
      expressions.push_back({each.text, each.location.row, each.location.column});
    }
    std::string text = present(flags_.format, *results, expressions);
    if (flags_.format == "json" || flags_.format == "discard") text = with_members(text, extras_json(extras_));
    if (flags_.format == "pretty") {
      if (extras_.explanation != nullptr) *io_.out += explainer.to_string();
      text += extras_text(extras_);
    }
    *io_.out += text;
    const bool defined = results->size() > 0;
    return (flags_.fail && !defined) || (flags_.fail_defined && defined) ? 1 : 0;
  }

  rego::trace::Detail detail() const {
    if (flags_.explain == "debug") return rego::trace::Detail::kDebug;
    if (flags_.explain == "notes") return rego::trace::Detail::kNotes;
    return flags_.explain == "fails" ? rego::trace::Detail::kFails : rego::trace::Detail::kFull;
  }

  std::vector<std::string> profile_order() const {
    std::vector<std::string> order = flags_.profile_order;
    for (const char* name : {"total_time_ns", "num_eval", "num_redo", "num_gen_expr", "file", "line"}) {
      if (std::find(order.begin(), order.end(), name) == order.end()) order.emplace_back(name);
    }
    return order;
  }

  rego::trace::WalkOptions walk_options() const {
    rego::trace::WalkOptions options;
    options.strict_builtin_errors = flags_.strict_builtin_errors;
    options.early_exit = !flags_.no_early_exit;
    options.indexing = !flags_.no_indexing;
    if (flags_.timeout.count() > 0) options.deadline = Deadline::after(flags_.timeout);
    return options;
  }

  // By the program; step by step where somebody wants to hear of the steps.
  Result<Value, rego::EvalError> evaluate_with(const rego::CheckedModules& modules, const rego::Program& program,
                                               const rego::CheckedQuery& query, Tracers& tracers,
                                               rego::EvalScratch& scratch) {
    rego::EvalOptions options;
    options.strict_builtin_errors = flags_.strict_builtin_errors;
    if (flags_.timeout.count() > 0) options.limits.deadline = Deadline::after(flags_.timeout);
    if (tracers.empty()) return program.eval_query(input_, loaded_.data, scratch, host_, options);
    rego::trace::Walk walk(modules, query, tracers, host_, loaded_.arena, walk_options());
    auto walked = walk.run(input_, loaded_.data);
    if (walked.ok()) return walked;
    // The program's message says more about conflicts.
    SilentHost silent;
    const auto results = program.eval_query(input_, loaded_.data, scratch, silent, options);
    if (!results.ok() && results.error().code == walked.error().code) return results.error();
    return walked;
  }

  rego::trace::Coverage::Report covered(const rego::CheckedModules& modules, const rego::CheckedQuery& query,
                                        const rego::trace::Coverage& coverage, bool complete) {
    std::vector<rego::trace::Coverage> passes(flags_.coverage_runs.size());
    std::vector<rego::trace::Coverage::Extra> kinds;
    for (std::size_t i = 0; complete && i < passes.size(); ++i) {
      rego::trace::WalkOptions options = walk_options();
      (flags_.coverage_runs[i] == "early_exit" ? options.early_exit : options.indexing) = false;
      SilentHost silent;
      rego::trace::Walk walk(modules, query, passes[i], silent, loaded_.arena, options);
      const auto walked = walk.run(input_, loaded_.data);
      if (!walked.ok()) {
        *io_.err += "warning: coverage pass with " + std::string(options.early_exit ? "rule indexing" : "early exit") +
                    " disabled failed: " + walked.error().to_string() + "\n";
      }
      kinds.push_back({flags_.coverage_runs[i], &passes[i]});
    }
    return coverage.report(parsed_, kinds);
  }

  const EvalFlags& flags_;
  std::string query_;
  const Io& io_;
  CommandHost host_;
  Loaded loaded_;
  rego::Module imports_;
  std::vector<rego::Module> parsed_;  // for coverage
  Extras extras_;
  Arena input_arena_;
  Value input_;
};

}  // namespace

int run_eval(std::span<const std::string_view> args, const Io& io) {
  EvalFlags flags;
  const Result<std::vector<std::string>> rest = make_flags(flags).parse(args);
  if (!rest.ok()) return wrong_usage(io, rest.error().message, kHelp);
  if (flags.help) {
    *io.out += kHelp;
    return 0;
  }
  const std::string problem = usage_problem(flags, rest->size());
  if (!problem.empty()) return wrong_usage(io, problem, kHelp);
  std::string query = flags.stdin_query ? (io.read_stdin ? io.read_stdin() : std::string()) : rest->front();
  return Evaluation(flags, std::move(query), io).run();
}

}  // namespace portcullis::opa
