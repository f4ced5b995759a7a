// Every way to evaluate a constraint gives the same answer: random templates, evaluated plainly, with the constraint's
// own program, with values shared among constraints, and with indexes of the inventory.
// PC_MODES_TEMPLATES and PC_MODES_SEED choose how many and which ones.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "policy/driver/driver_test_support.h"
#include "policy/driver/random_template.h"

namespace portcullis::policy {
namespace {

using namespace driver_test;

constexpr std::uint64_t kInstructions = 2'000'000;  // no random template may take long

std::string joined(const std::vector<std::string>& lines) {
  std::string out;
  for (const std::string& line : lines) out += line + "\n";
  return out;
}

// Null where the module is none: not every random module is.
std::shared_ptr<const CompiledTemplate> try_compile(const std::string& rego, bool specialise) {
  std::string source;
  append_json(source, Value::string(rego));
  const Document document = parse(
      R"({"apiVersion": "templates.gatekeeper.sh/v1", "kind": "ConstraintTemplate", "metadata": {"name": "t"}, "spec":
    {"crd": {"spec": {"names": {"kind": "T"}}}, "targets": [{"target": "admission.k8s.gatekeeper.sh", "code":
    [{"engine": "Rego", "source": {"version": "v1", "rego": )" +
      source + "}}]}]}}");
  const Result<TemplatePtr> decoded = decode_template(document.root());
  if (!decoded.ok()) return nullptr;
  DriverOptions options;
  options.specialise = specialise;
  Result<std::shared_ptr<const CompiledTemplate>> compiled = compile_template(**decoded, options);
  return compiled.ok() ? *compiled : nullptr;
}

struct Tally {
  int compiled = 0;
  int evaluated = 0;
  int violations = 0;
  int errors = 0;
  int specialised = 0;
  std::size_t index_questions = 0;
};

bool hit_limit(const std::string& answer) { return answer.find("limit of") != std::string::npos; }

// The first difference, or nothing.
std::string difference(const std::string& rego, const RandomTemplate& made, Tally* tally) {
  const auto with = try_compile(rego, true);
  const auto without = try_compile(rego, false);
  if (!with || !without) return {};
  if (tally != nullptr) ++tally->compiled;
  const Document data = parse(made.data);
  const WalkIndex index(data.root());
  rego::EvalLimits limits;
  limits.instructions = kInstructions;
  for (const std::string& review_text : made.reviews) {
    const Document review = parse(review_text);
    Evaluator plain(data.root());
    Evaluator quick(data.root());
    const std::uint64_t own_share = quick.scratch.new_share();
    const std::uint64_t common_share = quick.scratch.new_share();
    const std::uint64_t mixed_share = quick.scratch.new_share();
    for (const std::string& parameters : made.parameters) {
      const ConstraintPtr constraint = constraint_of(parameters);
      const CompiledConstraint own = compile_constraint(with, *constraint);
      const CompiledConstraint common = compile_constraint(without, *constraint);
      const std::string want = plain.run(common, *constraint, review.root(), 0, nullptr, limits);
      if (hit_limit(want)) continue;
      if (tally != nullptr) {
        ++tally->evaluated;
        tally->violations += std::count(want.begin(), want.end(), '\n') > 1 ? 1 : 0;
        tally->errors += want.starts_with("error") ? 1 : 0;
        tally->specialised += own.specialised ? 1 : 0;
      }
      struct Mode {
        const char* name;
        const CompiledConstraint& compiled;
        std::uint64_t share;
        const rego::DataIndex* index;
      };
      const Mode modes[] = {
          {"own program", own, 0, nullptr},
          {"shared values", common, common_share, &index},
          {"index", common, 0, &index},
          {"own program, index", own, 0, &index},
          {"own program, shared", own, own_share, nullptr},
          {"own program, all shared", own, mixed_share, &index},
          {"all shared", common, mixed_share, nullptr},
      };
      for (const Mode& mode : modes) {
        const std::string got = quick.run(mode.compiled, *constraint, review.root(), mode.share, mode.index, limits);
        if (got == want || hit_limit(got)) continue;
        return std::string(mode.name) + "\nparameters: " + parameters + "\nreview: " + review_text + "\nwant: " + want +
               "got:  " + got;
      }
    }
  }
  if (tally != nullptr) tally->index_questions += index.asked;
  return {};
}

// Leaves out lines as long as a difference stays.
std::string shrunk(std::vector<std::string> lines, const RandomTemplate& made) {
  for (std::size_t size = lines.size() / 2; size > 0; size /= 2) {
    for (std::size_t at = 1; at < lines.size();) {
      std::vector<std::string> fewer = lines;
      const std::size_t end = std::min(lines.size(), at + size);
      fewer.erase(fewer.begin() + static_cast<std::ptrdiff_t>(at), fewer.begin() + static_cast<std::ptrdiff_t>(end));
      if (difference(joined(fewer), made, nullptr).empty()) {
        ++at;
      } else {
        lines = std::move(fewer);
      }
    }
  }
  return joined(lines);
}

std::uint64_t number_from(const char* name, std::uint64_t otherwise) {
  const char* const text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

TEST(RegoDriverModes, RandomTemplatesHaveOneAnswer) {
  const std::uint64_t from = number_from("PC_MODES_SEED", 1);
  const std::uint64_t count = number_from("PC_MODES_TEMPLATES", 200);
  Tally tally;
  int differences = 0;
  for (std::uint64_t seed = from; seed < from + count && differences < 5; ++seed) {
    const RandomTemplate made = TemplateMaker(seed).make();
    if (difference(joined(made.rego), made, &tally).empty()) continue;
    ++differences;
    const std::string rego = shrunk(made.rego, made);
    ADD_FAILURE() << "seed " << seed << ": " << difference(rego, made, nullptr) << "\ndata: " << made.data << "\n"
                  << rego;
  }
  RecordProperty("compiled", tally.compiled);
  std::printf(
      "%d of %llu templates compile; %d evaluations: %d with violations, %d errors, %d with a program of their "
      "own, %zu questions to an index\n",
      tally.compiled, static_cast<unsigned long long>(count), tally.evaluated, tally.violations, tally.errors,
      tally.specialised, tally.index_questions);
  // A generator whose templates do not compile, or find nothing, tests nothing.
  const int least = static_cast<int>(count);
  EXPECT_GE(tally.compiled * 10, least * 3);
  EXPECT_GE(tally.violations * 20, tally.evaluated);
  EXPECT_GE(tally.index_questions * 4, static_cast<std::size_t>(least));
  EXPECT_GE(tally.specialised * 2, tally.evaluated);
}

}  // namespace
}  // namespace portcullis::policy
