#include "opa/eval.h"

#include <chrono>
#include <string>
#include <vector>

#include "engine/rego/builtins/registry.h"
#include "engine/rego/compile/compiler.h"
#include "engine/rego/eval/program.h"
#include "engine/rego/syntax/parser.h"
#include "engine/value/json.h"
#include "opa/command.h"
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
  flags.add_missing("bundle", 'b');
  flags.add_missing("schema", 's');
  flags.add_missing("target", 't');
  to.partial.add_to(flags);
  flags.add_missing("optimize", 'O');
  flags.add_missing("entrypoint", 'e');
  for (const char* name :
       {"capabilities", "count", "coverage", "coverage-runs", "disable-early-exit", "disable-indexing", "explain",
        "instrument", "metrics", "optimize-store-for-read-speed", "pretty-limit", "profile", "profile-limit",
        "profile-sort", "show-builtin-errors", "var-values"}) {
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
  return flags.partial.problem(flags.format);
}

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
    load_paths(flags_.data, flags_.ignored, version(), loaded_);
    if (!loaded_.failures.empty()) return report(loaded_.failures);
    return evaluate();
  }

 private:
  rego::RegoVersion version() const {
    return flags_.v0 && !flags_.v1 ? rego::RegoVersion::kV0 : rego::RegoVersion::kV1;
  }

  int report(const Failures& failures) {
    if (flags_.format == "json" || flags_.format == "discard") {
      *io_.out += failures_json(failures);
    } else {
      *io_.err += failures_text(failures);
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
    auto checked = rego::check(std::move(loaded_.modules), options);
    if (!checked.ok()) return report(failures_of(checked.error()));
    auto context = query_context();
    if (!context.ok()) return report(context.error());

    rego::ParseOptions parse_options;
    parse_options.version = version();
    auto parsed = rego::parse_query(query_, parse_options);
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
    if (flags_.show_program) {
      *io_.out += program->listing();
      return 0;
    }
    return run_program(*program, *query);
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

  int run_program(const rego::Program& program, const rego::CheckedQuery& query) {
    rego::EvalOptions options;
    options.strict_builtin_errors = flags_.strict_builtin_errors;
    if (flags_.timeout.count() > 0) options.limits.deadline = Deadline::after(flags_.timeout);
    rego::EvalScratch scratch;
    const auto results = program.eval_query(input_, loaded_.data, scratch, host_, options);
    if (!results.ok()) return report(failures_of(results.error()));
    std::vector<ExpressionInfo> expressions;
    for (const rego::CheckedQuery::Expression& each : query.expressions) {
      expressions.push_back({each.text, each.location.row, each.location.column});
    }
    *io_.out += present(flags_.format, *results, expressions);
    const bool defined = results->size() > 0;
    return (flags_.fail && !defined) || (flags_.fail_defined && defined) ? 1 : 0;
  }

  const EvalFlags& flags_;
  std::string query_;
  const Io& io_;
  CommandHost host_;
  Loaded loaded_;
  rego::Module imports_;
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
