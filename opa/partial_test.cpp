// testdata/partial/calls.jsonl: calls of `opa eval --partial` and what the real executable printed (record.py wrote
// it).
#include "opa/partial.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <string>
#include <vector>

#include "engine/rego/builtins/registry.h"
#include "engine/rego/syntax/parser.h"
#include "engine/value/document.h"
#include "opa/opa.h"

namespace portcullis::opa {
namespace {

TEST(OpaPartial, PrintsWhatOpaPrints) {
  ASSERT_EQ(::chdir(PC_SOURCE_DIR "/opa/testdata/partial"), 0);
  std::ifstream in("calls.jsonl");
  ASSERT_TRUE(in);
  std::size_t total = 0;
  for (std::string line; std::getline(in, line);) {
    const auto document = Document::parse_json(line);
    ASSERT_TRUE(document.ok()) << line;
    const Value want = document->root();
    std::vector<std::string_view> args;
    std::string shown;
    for (const Value& arg : want.get("args").elements()) {
      args.push_back(arg.as_string());
      shown += " " + std::string(arg.as_string());
    }
    std::string out, err;
    const int exit = run_opa(args, Io{{}, &out, &err});
    if (const std::size_t usage = err.find("Usage:\n"); usage != std::string::npos) err.erase(usage);
    EXPECT_EQ(exit, want.get("exit").as_integer()) << shown;
    EXPECT_EQ(out, want.string_or("out")) << shown;
    EXPECT_EQ(err, want.string_or("err")) << shown;
    ++total;
  }
  EXPECT_GT(total, 180u);
}

// Two hundred ways for each of ten elements: the bounds end what would not end in a lifetime.
class Bounds : public ::testing::Test {
 protected:
  std::string run(const rego::PartialLimits& limits) {
    rego::CheckOptions check;
    check.builtins = &rego::all_builtins();
    auto modules = rego::check({}, check);
    auto parsed = rego::parse_query(
        "xs := numbers.range(1, 200); a := xs[_]; b := xs[_]; c := xs[_]; d := xs[_]; e := xs[_]; "
        "a + b + c + d + e == input.x",
        {});
    auto query = rego::check_query(*modules, parsed->body, parsed->source, {}, check);
    rego::PartialOptions options;
    options.limits = limits;
    Arena arena;
    rego::Host host;
    const auto result =
        rego::partial_evaluate(*modules, *query, Value::undefined(), Value::undefined(), arena, host, options);
    return result.ok() ? "done" : result.error().message;
  }
};

TEST_F(Bounds, OfStepsEndARun) {
  rego::PartialLimits limits;
  limits.steps = 10000;
  EXPECT_EQ(run(limits), "partial evaluation takes too many steps");
}

TEST_F(Bounds, OfTermsEndARun) {
  rego::PartialLimits limits;
  limits.terms = 10000;
  EXPECT_EQ(run(limits), "partial evaluation takes too much memory");
}

TEST_F(Bounds, OfTimeEndARun) {
  rego::PartialLimits limits;
  limits.deadline = Deadline::at(Deadline::Clock::time_point::min());
  EXPECT_EQ(run(limits), "caller cancelled query execution");
}

TEST_F(Bounds, OfTheStackEndARun) {
  rego::PartialLimits limits;
  limits.stack_bytes = 2000;
  EXPECT_EQ(run(limits), "partial evaluation goes too deep");
}

}  // namespace
}  // namespace portcullis::opa
