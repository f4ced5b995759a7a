// Parsing of reviews, beside simdjson's DOM in the same run.
//   json_parse_bench FILE.json …   [benchmark options]
#include <benchmark/benchmark.h>
#include <simdjson.h>

#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "engine/value/document.h"
#include "engine/value/json.h"

namespace {

using namespace portcullis;

std::string read_file(const char* path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream content;
  content << file.rdbuf();
  return content.str();
}

// As a webhook does it: the arena is kept, the text borrowed.
void parse_into_arena(benchmark::State& state, const std::string& text) {
  Arena arena(0, 1 << 16);
  for (auto _ : state) {
    arena.reset();
    Result<Value> value = parse_json_into(arena, text);
    if (!value.ok()) state.SkipWithError("not JSON");
    benchmark::DoNotOptimize(value);
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * text.size()));
}

void parse_document(benchmark::State& state, const std::string& text) {
  for (auto _ : state) {
    Result<Document> document = Document::parse_json(text);
    benchmark::DoNotOptimize(document);
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * text.size()));
}

void parse_simdjson(benchmark::State& state, const std::string& text) {
  simdjson::dom::parser parser;
  const simdjson::padded_string padded(text);
  for (auto _ : state) {
    simdjson::dom::element element;
    if (parser.parse(padded).get(element) != simdjson::SUCCESS) state.SkipWithError("not JSON");
    benchmark::DoNotOptimize(element);
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * text.size()));
}

void print_json(benchmark::State& state, const std::string& text) {
  Result<Document> document = Document::parse_json(text);
  std::string out;
  for (auto _ : state) {
    out.clear();
    append_json(out, document->root());
    benchmark::DoNotOptimize(out.data());
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * text.size()));
}

}  // namespace

int main(int argc, char** argv) {
  // Names that policies typically mention, so that the symbol table is not empty.
  for (const char* name : {"review",         "object",          "metadata",  "labels",    "annotations", "spec",
                           "containers",     "image",           "name",      "namespace", "kind",        "apiVersion",
                           "initContainers", "securityContext", "resources", "limits",    "cpu",         "memory",
                           "request",        "operation",       "userInfo",  "parameters"}) {
    portcullis::intern(name);
  }
  benchmark::Initialize(&argc, argv);
  static std::vector<std::string> texts;
  texts.reserve(static_cast<std::size_t>(argc));
  for (int i = 1; i < argc; ++i) {
    texts.push_back(read_file(argv[i]));
    const std::string& text = texts.back();
    const std::string name = argv[i];
    benchmark::RegisterBenchmark(("arena/" + name).c_str(), parse_into_arena, text);
    benchmark::RegisterBenchmark(("document/" + name).c_str(), parse_document, text);
    benchmark::RegisterBenchmark(("simdjson/" + name).c_str(), parse_simdjson, text);
    benchmark::RegisterBenchmark(("print/" + name).c_str(), print_json, text);
  }
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
