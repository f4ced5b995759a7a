// The Rego engine on a folder of cases, beside OPA's Go library in the same run.
//
//   bench_engines CASES [--peer OPABENCH] [--core N] [--out RESULT.md] [--only CASE]
//
// A case is a folder with meta.json (name, package, files), the modules, ok.json and viol.json (inputs), and data.json
// where the policy reads data. Measured is CPU time of one evaluation of data.<package>.violation: with the input read
// beforehand, and with the input read from its bytes each time; median of five rounds of at least 120 ms. Both sides
// run on one core.
#include <sched.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include "base/arena.h"
#include "engine/rego/builtins/registry.h"
#include "engine/rego/compile/checked.h"
#include "engine/rego/compile/compiler.h"
#include "engine/rego/eval/program.h"
#include "engine/rego/syntax/parser.h"
#include "engine/value/document.h"

namespace portcullis::rego {
namespace {

constexpr int kRounds = 5;
constexpr double kRoundNs = 120e6;

struct Figures {
  std::size_t violations = 0;
  double parsed_ns = 0;
  double bytes_ns = 0;
};

struct Arguments {
  std::string cases;
  std::string peer;
  std::string out;
  std::string only;
  int core = 0;
  bool listing = false;
};

std::optional<std::string> read_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return std::nullopt;
  std::ostringstream text;
  text << file.rdbuf();
  return std::move(text).str();
}

double cpu_ns() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e9 + static_cast<double>(now.tv_nsec);
}

template <typename Call>
double measure(Call&& call) {
  std::size_t count = 1;
  for (;;) {
    const double start = cpu_ns();
    for (std::size_t i = 0; i < count; ++i) call();
    const double took = cpu_ns() - start;
    if (took >= kRoundNs / 2) {
      count = std::max<std::size_t>(1, static_cast<std::size_t>(static_cast<double>(count) * kRoundNs / took));
      break;
    }
    count *= 2;
  }
  std::array<double, kRounds> rounds{};
  for (double& round : rounds) {
    const double start = cpu_ns();
    for (std::size_t i = 0; i < count; ++i) call();
    round = (cpu_ns() - start) / static_cast<double>(count);
  }
  std::sort(rounds.begin(), rounds.end());
  return rounds[kRounds / 2];
}

Result<Program> compile(const std::filesystem::path& folder, const Value& meta, const std::string& entry_point) {
  std::vector<Module> modules;
  for (const Value& name : meta.get("files").elements()) {
    const std::string file(name.as_string());
    const auto text = read_file(folder / file);
    if (!text) return make_error(Code::kNotFound, file);
    ParseOptions options;
    options.version = RegoVersion::kV0;
    Parsed<Module> module = parse_module(file, *text, options);
    if (!module.ok()) return module.error().to_error();
    modules.push_back(std::move(module).value());
  }
  CheckOptions options;
  options.builtins = &all_builtins();
  Parsed<CheckedModules> checked = check(std::move(modules), options);
  if (!checked.ok()) return checked.error().to_error();
  PlanOptions plan_options;
  plan_options.entry_points = {entry_point};
  Parsed<Program> program = plan(*checked, plan_options);
  if (!program.ok()) return program.error().to_error();
  return std::move(program).value();
}

Result<Figures> run_input(const Program& program, int entry, const std::string& text, const Value& data) {
  EvalScratch scratch;
  Host host;
  PC_TRY(const Document input, Document::parse_json(text));
  const Value root = input.root();
  Result<Value, EvalError> first = program.eval(entry, root, data, scratch, host);
  if (!first.ok()) return make_error(Code::kInvalid, first.error().to_string());
  Figures figures;
  figures.violations = first->size();
  figures.parsed_ns = measure([&] {
    scratch.reset();
    if (!program.eval(entry, root, data, scratch, host).ok()) std::abort();
  });
  figures.bytes_ns = measure([&] {
    scratch.reset();
    const Result<Value> parsed = parse_json_into(scratch.arena(), text);
    if (!parsed.ok() || !program.eval(entry, *parsed, data, scratch, host).ok()) std::abort();
  });
  return figures;
}

using Table = std::map<std::pair<std::string, std::string>, Figures>;

Result<void> run_case(const std::filesystem::path& folder, const Arguments& arguments, Table& table) {
  const auto meta_text = read_file(folder / "meta.json");
  if (!meta_text) return ok();
  PC_TRY(const Document meta, Document::parse_json(*meta_text));
  const std::string name(meta.root().string_or("name"));
  if (!arguments.only.empty() && name != arguments.only) return ok();
  const std::string entry_point = "data." + std::string(meta.root().string_or("package")) + ".violation";
  PC_TRY(const Program program, compile(folder, meta.root(), entry_point));
  if (arguments.listing) std::fputs(program.listing().c_str(), stdout);
  Document data;
  if (const auto data_text = read_file(folder / "data.json")) {
    PC_TRY(data, Document::parse_json(*data_text));
  }
  for (const char* kind : {"ok", "viol"}) {
    const auto text = read_file(folder / (std::string(kind) + ".json"));
    if (!text) return make_error(Code::kNotFound, kind);
    PC_TRY(const Figures figures, run_input(program, program.entry_point(entry_point), *text, data.root()));
    table[{name, kind}] = figures;
    std::printf("%-24s %-5s %3zu  parsed %10.0f ns   from bytes %10.0f ns\n", name.c_str(), kind, figures.violations,
                figures.parsed_ns, figures.bytes_ns);
    std::fflush(stdout);
  }
  return ok();
}

// Runs the peer on the same core and reads its table (its plain store: what Gatekeeper uses).
Table run_peer(const Arguments& arguments) {
  Table table;
  const std::string command = "GOMAXPROCS=1 '" + arguments.peer + "' '" + arguments.cases + "'";
  FILE* const pipe = popen(command.c_str(), "r");
  if (pipe == nullptr) return table;
  std::array<char, 512> line{};
  while (std::fgets(line.data(), line.size(), pipe) != nullptr) {
    std::istringstream fields(line.data());
    std::string name;
    std::string kind;
    std::string store;
    Figures figures;
    fields >> name >> kind >> store >> figures.violations >> figures.parsed_ns >> figures.bytes_ns;
    if (store == "plain") table[{name, kind}] = figures;
  }
  pclose(pipe);
  return table;
}

std::string report(const Table& ours, const Table& peer) {
  std::string out =
      "| case | input | ours parsed us | OPA parsed us | ratio | ours bytes us | OPA bytes us | ratio |\n"
      "|---|---|---|---|---|---|---|---|\n";
  double parsed = 0;
  double bytes = 0;
  int count = 0;
  std::array<char, 256> line{};
  for (const auto& [key, figures] : ours) {
    const auto other = peer.find(key);
    if (other == peer.end()) continue;
    if (other->second.violations != figures.violations) out += "(violations differ in the next line)\n";
    const double parsed_ratio = other->second.parsed_ns / figures.parsed_ns;
    const double bytes_ratio = other->second.bytes_ns / figures.bytes_ns;
    std::snprintf(line.data(), line.size(), "| %s | %s | %.2f | %.1f | %.1f | %.2f | %.1f | %.1f |\n",
                  key.first.c_str(), key.second.c_str(), figures.parsed_ns / 1e3, other->second.parsed_ns / 1e3,
                  parsed_ratio, figures.bytes_ns / 1e3, other->second.bytes_ns / 1e3, bytes_ratio);
    out += line.data();
    parsed += std::log(parsed_ratio);
    bytes += std::log(bytes_ratio);
    ++count;
  }
  if (count != 0) {
    std::snprintf(line.data(), line.size(), "\nGeometric mean over %d cells: parsed x%.1f, from bytes x%.1f\n", count,
                  std::exp(parsed / count), std::exp(bytes / count));
    out += line.data();
  }
  return out;
}

bool parse_arguments(int count, char** values, Arguments& arguments) {
  for (int i = 1; i < count; ++i) {
    const std::string value = values[i];
    const bool more = i + 1 < count;
    if (value == "--peer" && more)
      arguments.peer = values[++i];
    else if (value == "--out" && more)
      arguments.out = values[++i];
    else if (value == "--only" && more)
      arguments.only = values[++i];
    else if (value == "--core" && more)
      arguments.core = std::atoi(values[++i]);
    else if (value == "--listing")
      arguments.listing = true;
    else if (!value.starts_with("--") && arguments.cases.empty())
      arguments.cases = value;
    else
      return false;
  }
  return !arguments.cases.empty();
}

int run(int count, char** values) {
  Arguments arguments;
  if (!parse_arguments(count, values, arguments)) {
    std::fputs("usage: bench_engines CASES [--peer OPABENCH] [--core N] [--out RESULT.md] [--only CASE] [--listing]\n",
               stderr);
    return 2;
  }
  cpu_set_t cores;
  CPU_ZERO(&cores);
  CPU_SET(arguments.core, &cores);
  if (sched_setaffinity(0, sizeof cores, &cores) != 0) std::fputs("cannot pin to the core; going on\n", stderr);
  std::vector<std::filesystem::path> folders;
  for (const auto& entry : std::filesystem::directory_iterator(arguments.cases)) folders.push_back(entry.path());
  std::sort(folders.begin(), folders.end());
  Table ours;
  for (const auto& folder : folders) {
    const Result<void> done = run_case(folder, arguments, ours);
    if (!done.ok()) std::fprintf(stderr, "%s: %s\n", folder.c_str(), done.error().to_string().c_str());
  }
  if (arguments.peer.empty()) return 0;
  const std::string text = report(ours, run_peer(arguments));
  std::fputs(text.c_str(), stdout);
  if (!arguments.out.empty()) {
    std::ofstream file(arguments.out);
    file << "# Rego engine beside OPA v1.22.2 (Go library), CPU time per evaluation\n\n" << text;
  }
  return 0;
}

}  // namespace
}  // namespace portcullis::rego

int main(int count, char** values) { return portcullis::rego::run(count, values); }
