// testdata/calls.jsonl: calls of builtins and what OPA's own library answered (see testdata/generate.py).
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "engine/rego/builtins/pattern_cache.h"
#include "engine/rego/builtins/registry.h"
#include "engine/rego/builtins/sets_in_json.h"
#include "engine/value/document.h"
#include "engine/value/json.h"

namespace portcullis::rego {
namespace {

// How far an error must agree: its kind (none, type, other) always; operand errors also to the letter.
bool errors_agree(const BuiltinContext& context, std::string_view name, std::string_view want) {
  if (want.empty()) return !context.failed();
  if (!context.failed()) return false;
  if (!want.starts_with("eval_type_error: ")) return !context.error_is_type;
  return context.error_is_type && want == "eval_type_error: " + std::string(name) + ": " + context.error;
}

struct Call {
  std::string name;
  Value arguments;
  Value want;  // undefined: an error
  std::string_view error;
};

std::string answer(const Call& call, BuiltinContext& context) {
  const BuiltinRegistry::Entry* entry = all_builtins().find(call.name);
  if (entry == nullptr || entry->decl->function == nullptr) return "(no such builtin)";
  const Value result = entry->decl->function(context, call.arguments.elements());
  if (context.failed()) return "error: " + context.error;
  if (!result.defined()) return "(undefined)";
  return to_json(result);
}

// Bytes that are no UTF-8 become U+FFFD on the way out.
std::string through_json(std::string_view text) {
  auto parsed = Document::parse_json(text);
  return parsed.ok() ? to_json(parsed->root()) : std::string(text);
}

// Calls of which OPA gives a list in no certain order: its schema library walks Go maps. The verdict and how often each
// message comes must agree.
bool same_up_to_order(const Call& call, std::string_view got) {
  if (call.name != "json.match_schema") return false;
  Arena arena;
  const Result<Value> parsed = parse_json_into(arena, got);
  if (!parsed.ok() || parsed->size() != 2 || call.want.size() != 2) return false;
  if (!equal(parsed->elements()[0], call.want.elements()[0])) return false;
  const auto sorted = [](const Value& list) {
    std::vector<Value> out(list.elements().begin(), list.elements().end());
    std::sort(out.begin(), out.end(), [](const Value& a, const Value& b) { return compare(a, b) < 0; });
    return out;
  };
  const std::vector<Value> ours = sorted(parsed->elements()[1]);
  const std::vector<Value> theirs = sorted(call.want.elements()[1]);
  return std::equal(ours.begin(), ours.end(), theirs.begin(), theirs.end(), &equal);
}

// `exact`: every error's text must be OPA's, too.
void check_calls(const std::string& file, bool exact, std::size_t at_least) {
  std::ifstream in(file);
  ASSERT_TRUE(in);
  PatternCache patterns;
  Host host;
  std::map<std::string, int> failures;
  std::size_t total = 0;
  for (std::string line; std::getline(in, line);) {
    Arena arena;
    ParseLimits limits;
    auto parsed = parse_json_into(arena, line, limits);
    ASSERT_TRUE(parsed.ok()) << line;
    Call call;
    call.name = parsed->string_or("f");
    call.arguments = with_sets(arena, parsed->get("a"));
    call.want = parsed->get("want");
    call.error = parsed->string_or("error");
    BuiltinContext context(arena, host);
    context.patterns = &patterns;
    const std::string got = answer(call, context);
    ++total;
    bool fine = call.want.defined()
                    ? !context.failed() && (through_json(got) == to_json(call.want) || same_up_to_order(call, got))
                    : (context.failed() || got == "(undefined)") && errors_agree(context, call.name, call.error);
    // Where in a template an error was met is told less exactly.
    const bool worded = exact && !call.want.defined() && call.name != "strings.render_template";
    if (worded) fine = fine && call.error.ends_with(call.name + ": " + context.error);
    if (fine) continue;
    if (++failures[call.name] <= (at_least == 0 ? 100 : 5)) ADD_FAILURE() << line << "\n  got " << got;
  }
  for (const auto& [name, count] : failures) std::printf("%s: %d differ\n", name.c_str(), count);
  EXPECT_GT(total, at_least);
}

TEST(BuiltinCalls, TheOrderOfMessagesAloneIsFree) {
  Arena arena;
  Call call;
  call.name = "json.match_schema";
  call.want = *parse_json_into(arena, R"([false, [{"error": "a"}, {"error": "b"}, {"error": "b"}]])");
  EXPECT_TRUE(same_up_to_order(call, R"([false, [{"error": "b"}, {"error": "a"}, {"error": "b"}]])"));
  EXPECT_FALSE(same_up_to_order(call, R"([true, [{"error": "b"}, {"error": "a"}, {"error": "b"}]])"));
  EXPECT_FALSE(same_up_to_order(call, R"([false, [{"error": "b"}, {"error": "a"}]])"));
  EXPECT_FALSE(same_up_to_order(call, R"([false, [{"error": "a"}, {"error": "a"}, {"error": "b"}]])"));
  call.name = "json.patch";
  EXPECT_FALSE(same_up_to_order(call, R"([false, [{"error": "b"}, {"error": "a"}, {"error": "b"}]])"));
}

constexpr char kData[] = PC_SOURCE_DIR "/engine/rego/builtins/testdata/";

TEST(BuiltinCalls, AnswerAsOpa) { check_calls(std::string(kData) + "calls.jsonl", false, 5000); }
TEST(BuiltinCalls, OnDocumentsAnswerAsOpa) { check_calls(std::string(kData) + "documents.jsonl", true, 1000); }

// Answers of the oracle to calls made by mutate.py, or any others.
TEST(BuiltinCalls, OfAnotherFileAnswerAsOpa) {
  const char* file = std::getenv("PC_BUILTIN_CALLS");
  if (file == nullptr) GTEST_SKIP() << "PC_BUILTIN_CALLS names no file";
  check_calls(file, true, 0);
}

TEST(BuiltinTables, AreWellFormed) {
  std::set<std::string_view> names;
  for (const BuiltinRegistry::Entry& entry : all_builtins().entries()) {
    EXPECT_TRUE(names.insert(entry.decl->name).second) << entry.decl->name << " is declared twice";
    EXPECT_EQ(all_builtins().find(entry.decl->name), &entry);
    const bool compiler_only = (entry.decl->flags & kCompilerOnly) != 0;
    EXPECT_EQ(entry.decl->function == nullptr, compiler_only) << entry.decl->name;
  }
}

TEST(BuiltinTables, AreDocumented) {
  std::ifstream in(PC_SOURCE_DIR "/docs/rego.md");
  const std::string page{std::istreambuf_iterator<char>(in), {}};
  for (const BuiltinRegistry::Entry& entry : all_builtins().entries()) {
    EXPECT_NE(page.find("`" + std::string(entry.decl->name) + "`"), std::string::npos) << entry.decl->name;
  }
  EXPECT_NE(page.find("All " + std::to_string(all_builtins().entries().size()) + " of OPA"), std::string::npos);
}

TEST(BuiltinRegistry, DisabledIsNotFound) {
  BuiltinRegistry registry = all_builtins();
  registry.disable("count");
  EXPECT_EQ(registry.find("count"), nullptr);
  EXPECT_NE(registry.find("sum"), nullptr);
  EXPECT_NE(all_builtins().find("count"), nullptr);
}

}  // namespace
}  // namespace portcullis::rego
