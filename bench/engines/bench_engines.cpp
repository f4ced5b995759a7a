// The Rego engine on a folder of cases, as the controller uses it: template and constraint loaded once, the review
// evaluated from a Document and from its bytes. bench/engines/run.sh runs it beside its peers; README.md says more.
//
//   bench_engines CASES [--peer NAME=TABLE]… [--core N] [--out RESULT.md] [--only CASE] [--round-ms N] [--plain]
//   [--listing] [--fifty]
//
// --fifty only reviews under fifty constraints, --load only the loading of templates, for a profiler to look at.
//
// TABLE holds what a peer measured on the same cases, a line each: case, input, store, violations, CPU ns with the
// input read beforehand, CPU ns from bytes ("-" where there is none), separated by tabs.
#include <sched.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <new>
#include <optional>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "bench/engines/handwritten.h"
#include "bench/engines/measure.h"
#include "engine/value/document.h"
#include "engine/value/json.h"
#include "engine/value/number.h"
#include "policy/driver/rego_driver.h"
#include "policy/inventory/inventory.h"
#include "policy/review/snapshot.h"

namespace portcullis::bench {

double round_ns = 120e6;
std::uint64_t heap_calls = 0;

}  // namespace portcullis::bench

void* operator new(std::size_t size) {
  ++portcullis::bench::heap_calls;
  void* const got = std::malloc(size == 0 ? 1 : size);
  if (got == nullptr) std::abort();
  return got;
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

namespace portcullis::bench {
namespace {

namespace fs = std::filesystem;
using policy::CompiledConstraint;
using policy::CompiledTemplate;
using policy::ConstraintPtr;
using policy::Finding;
using policy::TemplatePtr;

constexpr int kConstraints = 50;

struct Figures {
  std::size_t violations = 0;
  double parsed_ns = 0;
  double bytes_ns = 0;  // 0: the peer has no such figure
};
using Key = std::pair<std::string, std::string>;  // case, input
using Table = std::map<Key, Figures>;

struct Own {
  Figures figures;
  std::uint64_t heap_calls = 0;
  std::size_t arena_bytes = 0;
};
// One review under one constraint and under fifty of the same template.
struct Fifty {
  double one_bytes = 0, fifty_bytes = 0, one_parsed = 0, fifty_parsed = 0;
};
struct Load {
  double template_ns = 0, constraint_ns = 0;
  std::size_t template_bytes = 0, constraint_bytes = 0;
};

struct Results {
  std::map<Key, Own> own;
  std::map<Key, Fifty> fifty;
  std::map<std::string, Load> load;
  std::map<Key, HandwrittenFigures> handwritten;
  std::vector<std::pair<std::string, Table>> peers;
};

struct Arguments {
  std::string cases, out, only;
  std::vector<std::pair<std::string, std::string>> peers;
  int core = 0;
  bool listing = false;
  bool plain = false;
  bool fifty = false;
  bool load = false;
};

std::string read_file(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return std::move(text).str();
}

Result<Document> parse(std::string_view text) {
  ParseLimits limits;
  limits.numbers = ParseLimits::Numbers::kAllFloat64;
  return Document::parse_json(text, limits);
}

std::string json_of(std::string_view text) {
  std::string out;
  append_json(out, Value::string(text));
  return out;
}

// A case as the controller has it loaded.
struct Case {
  std::string name;
  std::string template_text;
  TemplatePtr constraint_template;
  std::shared_ptr<const CompiledTemplate> compiled;
  Document input[2];
  std::string text[2];
  std::unique_ptr<policy::Inventory> inventory = std::make_unique<policy::Inventory>();
};
constexpr const char* kInputs[2] = {"ok", "viol"};

std::string template_of(const fs::path& folder, const Value& meta) {
  const bool v1 = meta.get("v1").is_true();
  std::string rego;
  std::string libs;
  for (const Value& file : meta.get("files").elements()) {
    const std::string text = read_file((v1 ? folder / "v1" : folder) / std::string(file.as_string()));
    if (rego.empty())
      rego = text;
    else
      libs += (libs.empty() ? "" : ", ") + json_of(text);
  }
  return R"({"apiVersion": "templates.gatekeeper.sh/v1", "kind": "ConstraintTemplate", "metadata": {"name": "benchcase"},
    "spec": {"crd": {"spec": {"names": {"kind": "BenchCase"}, "validation": {"openAPIV3Schema": {"type": "object",
    "x-kubernetes-preserve-unknown-fields": true}}}}, "targets": [{"target": "admission.k8s.gatekeeper.sh", "code":
    [{"engine": "Rego", "source": {"version": ")" +
         std::string(v1 ? "v1" : "v0") + R"(", "rego": )" + json_of(rego) + R"(, "libs": [)" + libs + "]}}]}]}}";
}

std::string constraint_of(const std::string& parameters, int number) {
  return R"({"apiVersion": "constraints.gatekeeper.sh/v1beta1", "kind": "BenchCase", "metadata": {"name": "c)" +
         std::to_string(number) + R"("}, "spec": {"parameters": )" + parameters + "}}";
}

// The parameters as another constraint might have them: lists get one more element, amounts grow.
Value varied(Arena& arena, const Value& value, int number) {
  if (value.is_number()) {
    const double amount = std::strtod(to_json(value).c_str(), nullptr) + number;
    return make_number(arena, amount);
  }
  if (value.is_string()) {
    const std::string text(value.as_string());
    std::size_t digits = 0;
    while (digits < text.size() && text[digits] >= '0' && text[digits] <= '9') ++digits;
    if (digits == 0 || digits > 9 || text.size() - digits > 2 || text.find('.') != std::string::npos) return value;
    return make_string(arena, std::to_string(std::stoll(text.substr(0, digits)) + number) + text.substr(digits));
  }
  if (value.is_array()) {
    std::vector<Value> elements;
    for (const Value& element : value.elements()) elements.push_back(varied(arena, element, number));
    if (value.size() != 0 && value.elements()[0].is_string()) {
      elements.push_back(make_string(arena, "variant-" + std::to_string(number)));
    }
    return make_array(arena, elements);
  }
  if (value.is_object()) {
    std::vector<Member> members;
    for (std::size_t i = 0; i < value.size(); ++i) {
      members.push_back({value.keys()[i], varied(arena, value.values()[i], number)});
    }
    return make_object(arena, members);
  }
  return value;
}

Result<Case> load_case(const fs::path& folder, const Value& meta) {
  Case out;
  out.name = meta.string_or("name");
  out.template_text = template_of(folder, meta);
  PC_TRY(const Document object, Document::parse_json(out.template_text));
  PC_TRY(out.constraint_template, policy::decode_template(object.root()));
  PC_TRY(out.compiled, policy::compile_template(*out.constraint_template, {}));
  for (int i = 0; i < 2; ++i) {
    out.text[i] = read_file(folder / (std::string(kInputs[i]) + ".json"));
    PC_TRY(out.input[i], parse(out.text[i]));
  }
  if (meta.get("data").is_true()) {
    PC_TRY(const Document data, Document::parse_json(read_file(folder / "data.json")));
    for (const Value& space : data.root().path({"inventory", "namespace"}).values()) {
      for (const Value& version : space.values()) {
        for (const Value& kind : version.values()) {
          for (const Value& stored : kind.values()) PC_TRY_VOID(out.inventory->upsert(stored));
        }
      }
    }
  }
  return out;
}

Result<ConstraintPtr> make_constraint(const std::string& parameters, int number) {
  PC_TRY(const Document document, Document::parse_json(constraint_of(parameters, number)));
  return policy::decode_constraint(document.root());
}

// One constraint on one input, without what surrounds the engine.
Result<Own> run_input(const Case& one, int input, bool plain) {
  PC_TRY(const ConstraintPtr constraint, make_constraint(to_json(one.input[input].root().get("parameters")), 0));
  CompiledConstraint compiled;
  if (plain)
    compiled.constraint_template = one.compiled;
  else
    compiled = policy::compile_constraint(one.compiled, *constraint);
  rego::EvalScratch scratch;
  rego::Host host;
  rego::EvalLimits limits;
  std::vector<Finding> findings;
  policy::CachedInventory cached;
  const auto evaluate = [&](const Value& review) {
    findings.clear();
    const policy::InventoryVersion& inventory = one.inventory->refresh(cached);
    if (!policy::evaluate_constraint(compiled, *constraint, review, inventory.data(), scratch, host, limits, findings,
                                     plain ? nullptr : &inventory)
             .ok()) {
      std::abort();
    }
  };
  const Value review = one.input[input].root().get("review");
  for (int i = 0; i < 3; ++i) {
    scratch.reset();
    evaluate(review);
  }
  Own out;
  out.figures.violations = findings.size();
  out.arena_bytes = scratch.arena().bytes_held();
  const std::uint64_t before = heap_calls;
  scratch.reset();
  evaluate(review);
  out.heap_calls = heap_calls - before;
  out.figures.parsed_ns = measure([&] {
    scratch.reset();
    evaluate(review);
  });
  ParseLimits parse_limits;
  parse_limits.numbers = ParseLimits::Numbers::kAllFloat64;
  out.figures.bytes_ns = measure([&] {
    scratch.reset();
    const Result<Value> parsed = parse_json_into(scratch.arena(), one.text[input], parse_limits);
    if (!parsed.ok()) std::abort();
    evaluate(parsed->get("review"));
  });
  return out;
}

// The whole way of an admission request, under one constraint and under fifty whose parameters differ.
Result<std::optional<Fifty>> run_fifty(const Case& one, int input, bool only_fifty) {
  Arena arena;
  const Value parameters = one.input[input].root().get("parameters");
  if (parameters.size() == 0 || equal(varied(arena, parameters, 1), parameters)) return std::optional<Fifty>();
  const std::string body = R"({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": )" +
                           to_json(one.input[input].root().get("review")) + "}";
  PC_TRY(const Document object, Document::parse_json(one.template_text));
  Fifty out;
  for (const int count : {1, kConstraints}) {
    if (only_fifty && count == 1) continue;
    policy::SnapshotBuilder builder;
    PC_TRY_VOID(builder.set_template(object.root()));
    for (int i = 0; i < count; ++i) {
      PC_TRY(const Document constraint,
             Document::parse_json(constraint_of(to_json(varied(arena, parameters, i + 1)), i)));
      PC_TRY_VOID(builder.set_constraint(constraint.root()));
    }
    const auto snapshot = builder.build();
    rego::EvalScratch scratch;
    rego::Host host;
    policy::CachedInventory cached;
    const policy::ReviewOptions options;
    const auto review = [&](const policy::Review& decoded) {
      const policy::ReviewResult result =
          snapshot->review(decoded, one.inventory->refresh(cached), scratch, host, options);
      if (result.failed()) std::abort();
    };
    const double bytes = measure([&] {
      scratch.reset();
      const Result<policy::Review> decoded = policy::decode_admission_review(body, scratch);
      if (!decoded.ok()) std::abort();
      review(*decoded);
    });
    if (only_fifty) continue;
    // The decoding alone is taken off, since a decoded review lies in the scratch that each review resets.
    const double decoding = measure([&] {
      scratch.reset();
      if (!policy::decode_admission_review(body, scratch).ok()) std::abort();
    });
    (count == 1 ? out.one_bytes : out.fifty_bytes) = bytes;
    (count == 1 ? out.one_parsed : out.fifty_parsed) = std::max(1.0, bytes - decoding);
  }
  return std::optional<Fifty>(out);
}

Result<Load> run_load(const Case& one, bool listing) {
  PC_TRY(const ConstraintPtr constraint, make_constraint(to_json(one.input[0].root().get("parameters")), 0));
  Load out;
  out.template_ns = measure([&] { (void)policy::compile_template(*one.constraint_template, {}).ok(); });
  out.constraint_ns = measure([&] { (void)policy::compile_constraint(one.compiled, *constraint); });
  out.template_bytes = one.compiled->memory();
  const CompiledConstraint compiled = policy::compile_constraint(one.compiled, *constraint);
  out.constraint_bytes = compiled.specialised ? compiled.specialised->memory() : 0;
  if (listing) {
    std::fputs((compiled.specialised ? compiled.specialised->program() : one.compiled->program()).listing().c_str(),
               stdout);
  }
  return out;
}

Result<void> run_case(const fs::path& folder, const Arguments& arguments, Results& results) {
  if (!fs::exists(folder / "meta.json")) return ok();
  PC_TRY(const Document meta, Document::parse_json(read_file(folder / "meta.json")));
  if (!arguments.only.empty() && meta.root().string_or("name") != arguments.only) return ok();
  PC_TRY(const Case one, load_case(folder, meta.root()));
  if (arguments.listing && arguments.plain) std::fputs(one.compiled->program().listing().c_str(), stdout);
  if (arguments.load) {
    PC_TRY(results.load[one.name], run_load(one, false));
    return ok();
  }
  if (!arguments.fifty) {
    PC_TRY(results.load[one.name], run_load(one, arguments.listing && !arguments.plain));
  }
  for (int input = 0; input < 2; ++input) {
    const Key key{one.name, kInputs[input]};
    Own own;
    if (!arguments.fifty) {
      PC_TRY(own, run_input(one, input, arguments.plain));
      results.own[key] = own;
    }
    PC_TRY(const std::optional<Fifty> fifty, run_fifty(one, input, arguments.fifty));
    if (fifty) results.fifty[key] = *fifty;
    if (arguments.fifty) continue;
    if (has_handwritten(one.name)) results.handwritten[key] = run_handwritten(one.name, one.text[input]);
    std::fprintf(stderr, "%s %s: %zu violations, %.2f us parsed, %.2f us from bytes\n", one.name.c_str(),
                 kInputs[input], own.figures.violations, own.figures.parsed_ns / 1e3, own.figures.bytes_ns / 1e3);
  }
  return ok();
}

Table read_table(const std::string& path) {
  Table table;
  std::istringstream lines(read_file(path));
  for (std::string line; std::getline(lines, line);) {
    std::istringstream fields(line);
    std::string name, input, store, parsed, bytes;
    Figures figures;
    fields >> name >> input >> store >> figures.violations >> parsed >> bytes;
    figures.parsed_ns = std::strtod(parsed.c_str(), nullptr);
    figures.bytes_ns = std::strtod(bytes.c_str(), nullptr);
    if (store == "plain") table[{name, input}] = figures;
  }
  return table;
}

template <typename... Arguments>
void append(std::string& out, const char* format, Arguments... arguments) {
  std::array<char, 512> line{};
  std::snprintf(line.data(), line.size(), format, arguments...);
  out += line.data();
}

// Cases that say something about growth and not about a usual review.
bool is_special(const std::string& name) {
  return name.starts_with("heavy") || name.ends_with("-1000") || name.ends_with("-10000");
}

struct Mean {
  double sum = 0;
  int count = 0;
  void add(double ratio) {
    if (!(ratio > 0)) return;
    sum += std::log(ratio);
    ++count;
  }
  double value() const { return count == 0 ? 0 : std::exp(sum / count); }
};

void report_engines(const Results& results, std::string& out) {
  out +=
      "CPU us per evaluation, ours; then how many times as much each peer takes (input read beforehand / from "
      "bytes).\n\n";
  out += "| case | input | ours | from bytes |";
  for (const auto& [name, table] : results.peers) out += " " + name + " |";
  out += "\n|---|---|---|---|";
  for (std::size_t i = 0; i < results.peers.size(); ++i) out += "---|";
  out += '\n';
  std::vector<std::array<Mean, 2>> means(results.peers.size());
  std::string notes;
  for (const auto& [key, own] : results.own) {
    append(out, "| %s | %s | %.2f | %.2f |", key.first.c_str(), key.second.c_str(), own.figures.parsed_ns / 1e3,
           own.figures.bytes_ns / 1e3);
    for (std::size_t i = 0; i < results.peers.size(); ++i) {
      const auto& [name, table] = results.peers[i];
      const auto at = table.find(key);
      if (at == table.end()) {
        out += " - |";
        continue;
      }
      if (at->second.violations != own.figures.violations) {
        append(notes, "Violations differ: %s %s: ours %zu, %s %zu\n", key.first.c_str(), key.second.c_str(),
               own.figures.violations, name.c_str(), at->second.violations);
      }
      const double parsed = at->second.parsed_ns / own.figures.parsed_ns;
      const double bytes = at->second.bytes_ns / own.figures.bytes_ns;
      append(out, parsed > 0 ? " x%.1f /" : " - /", parsed);
      append(out, bytes > 0 ? " x%.1f |" : " - |", bytes);
      if (is_special(key.first)) continue;
      means[i][0].add(parsed);
      means[i][1].add(bytes);
    }
    out += '\n';
  }
  out += "| **geometric mean** (without heavy, -1000, -10000) | | | |";
  for (const auto& mean : means) {
    append(out, mean[0].count != 0 ? " **x%.1f** /" : " - /", mean[0].value());
    append(out, mean[1].count != 0 ? " **x%.1f** |" : " - |", mean[1].value());
  }
  out += "\n\n" + notes;
}

void report_others(const Results& results, std::string& out) {
  if (!results.handwritten.empty()) {
    out += "Against a check written by hand in C++ over simdjson (how many times as much ours takes):\n\n";
    out +=
        "| case | input | by hand | from bytes | ours, input read beforehand | ours, from bytes "
        "|\n|---|---|---|---|---|---|\n";
    Mean parsed, bytes;
    for (const auto& [key, hand] : results.handwritten) {
      const Figures& own = results.own.at(key).figures;
      append(out, "| %s | %s | %.2f | %.2f | x%.1f | x%.1f |\n", key.first.c_str(), key.second.c_str(),
             hand.parsed_ns / 1e3, hand.bytes_ns / 1e3, own.parsed_ns / hand.parsed_ns, own.bytes_ns / hand.bytes_ns);
      parsed.add(own.parsed_ns / hand.parsed_ns);
      bytes.add(own.bytes_ns / hand.bytes_ns);
    }
    append(out, "| **geometric mean** | | | | **x%.1f** | **x%.1f** |\n\n", parsed.value(), bytes.value());
  }
  if (!results.fifty.empty()) {
    append(out, "One admission review under %d constraints of one template with different parameters, against one:\n\n",
           kConstraints);
    out +=
        "| case | input | one, from bytes us | fifty us | ratio | one, decoded us | fifty us | ratio "
        "|\n|---|---|---|---|---|---|---|---|\n";
    Mean bytes, parsed;
    for (const auto& [key, fifty] : results.fifty) {
      append(out, "| %s | %s | %.2f | %.2f | x%.1f | %.2f | %.2f | x%.1f |\n", key.first.c_str(), key.second.c_str(),
             fifty.one_bytes / 1e3, fifty.fifty_bytes / 1e3, fifty.fifty_bytes / fifty.one_bytes,
             fifty.one_parsed / 1e3, fifty.fifty_parsed / 1e3, fifty.fifty_parsed / fifty.one_parsed);
      if (is_special(key.first)) continue;
      bytes.add(fifty.fifty_bytes / fifty.one_bytes);
      parsed.add(fifty.fifty_parsed / fifty.one_parsed);
    }
    append(out, "| **geometric mean** (without heavy) | | | | **x%.1f** | | | **x%.1f** |\n\n", bytes.value(),
           parsed.value());
  }
  out += "Loading, and what an evaluation takes:\n\n";
  out +=
      "| case | template us | its program bytes | constraint us | its program bytes | heap calls per evaluation | "
      "arena bytes |\n|---|---|---|---|---|---|---|\n";
  double total = 0;
  for (const auto& [name, load] : results.load) {
    const auto at = results.own.find({name, "viol"});
    const Own own = at != results.own.end() ? at->second : Own{};
    append(out, "| %s | %.0f | %zu | %.0f | %zu | %llu | %zu |\n", name.c_str(), load.template_ns / 1e3,
           load.template_bytes, load.constraint_ns / 1e3, load.constraint_bytes,
           static_cast<unsigned long long>(own.heap_calls), own.arena_bytes);
    total += load.template_ns;
  }
  if (!results.load.empty()) {
    append(out, "\nCompiling a template: %.3f ms on average.\n",
           total / static_cast<double>(results.load.size()) / 1e6);
  }
}

bool parse_arguments(int count, char** values, Arguments& arguments) {
  for (int i = 1; i < count; ++i) {
    const std::string value = values[i];
    const bool more = i + 1 < count;
    if (value == "--peer" && more) {
      const std::string peer = values[++i];
      const std::size_t equals = peer.find('=');
      if (equals == std::string::npos) return false;
      arguments.peers.emplace_back(peer.substr(0, equals), peer.substr(equals + 1));
    } else if (value == "--out" && more) {
      arguments.out = values[++i];
    } else if (value == "--only" && more) {
      arguments.only = values[++i];
    } else if (value == "--round-ms" && more) {
      round_ns = std::max(1.0, std::strtod(values[++i], nullptr)) * 1e6;
    } else if (value == "--core" && more) {
      arguments.core = std::atoi(values[++i]);
    } else if (value == "--listing") {
      arguments.listing = true;
    } else if (value == "--fifty") {
      arguments.fifty = true;
    } else if (value == "--load") {
      arguments.load = true;
    } else if (value == "--plain") {
      arguments.plain = true;
    } else if (!value.starts_with("--") && arguments.cases.empty()) {
      arguments.cases = value;
    } else {
      return false;
    }
  }
  return !arguments.cases.empty();
}

int run(int count, char** values) {
  Arguments arguments;
  if (!parse_arguments(count, values, arguments)) {
    std::fputs(
        "usage: bench_engines CASES [--peer NAME=TABLE]... [--core N] [--out RESULT.md] [--only CASE] [--plain] "
        "[--fifty] "
        "[--listing] [--fifty] [--load]\n",
        stderr);
    return 2;
  }
  cpu_set_t cores;
  CPU_ZERO(&cores);
  CPU_SET(arguments.core, &cores);
  if (sched_setaffinity(0, sizeof cores, &cores) != 0) std::fputs("cannot pin to the core; going on\n", stderr);
  std::vector<fs::path> folders;
  for (const auto& entry : fs::directory_iterator(arguments.cases)) folders.push_back(entry.path());
  std::sort(folders.begin(), folders.end());
  Results results;
  for (const auto& [name, path] : arguments.peers) results.peers.emplace_back(name, read_table(path));
  bool failed = false;
  for (const auto& folder : folders) {
    const Result<void> done = run_case(folder, arguments, results);
    if (done.ok()) continue;
    failed = true;
    std::fprintf(stderr, "%s: %s\n", folder.c_str(), done.error().to_string().c_str());
  }
  std::string text;
  report_engines(results, text);
  report_others(results, text);
  std::fputs(text.c_str(), stdout);
  if (!arguments.out.empty()) std::ofstream(arguments.out) << text;
  return failed ? 1 : 0;
}

}  // namespace
}  // namespace portcullis::bench

int main(int count, char** values) { return portcullis::bench::run(count, values); }
