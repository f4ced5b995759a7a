// OPA's test cases through parser, passes, planner and machine, against a list of known failures that only shrinks.
// Prints passed and total per corpus. Exit 0: every failure is on the list and everything on the list still fails, and
// no case is missing.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "test/conformance/case.h"

namespace {

using portcullis::conformance::Case;
using portcullis::conformance::CaseFile;
using portcullis::conformance::Outcome;
using portcullis::conformance::PlanMode;
using portcullis::conformance::Stage;

// OPA v1.22.2 has that many cases. Fewer: some were not found, and nobody would notice.
constexpr std::size_t kCases = 4427;

constexpr const char* kUsage =
    "usage: conformance_tests --cases DIR --known FILE [options]\n"
    "  --plan MODE     only plain, known, shared or steps; without it each case is evaluated in all four ways\n"
    "  --filter TEXT   only cases whose name (corpus/note) or file contains TEXT; the list is not compared\n"
    "  --verbose       print every failure with its stage and reason\n"
    "  --direct        run in this process (for a debugger) instead of one child per case\n"
    "  --update        take what passes now off the list\n"
    "  --write FILE    write all failures with stage and reason to FILE\n";

struct Options {
  std::string cases;
  std::string known;
  std::string filter;
  std::string write;
  std::optional<PlanMode> plan;
  bool verbose = false;
  bool direct = false;
  bool update = false;
};

std::optional<PlanMode> plan_mode(const std::string& name) {
  for (const PlanMode mode : portcullis::conformance::kPlanModes) {
    if (portcullis::conformance::plan_mode_name(mode) == name) return mode;
  }
  return std::nullopt;
}

bool parse_options(int argc, char** argv, Options& options) {
  const auto text = [&](int& i, std::string& to) {
    if (i + 1 >= argc) return false;
    to = argv[++i];
    return true;
  };
  for (int i = 1; i < argc; ++i) {
    const std::string flag = argv[i];
    bool fine = true;
    std::string value;
    if (flag == "--plan")
      fine = text(i, value) && (options.plan = plan_mode(value)).has_value();
    else if (flag == "--cases")
      fine = text(i, options.cases);
    else if (flag == "--known")
      fine = text(i, options.known);
    else if (flag == "--filter")
      fine = text(i, options.filter);
    else if (flag == "--write")
      fine = text(i, options.write);
    else if (flag == "--verbose")
      options.verbose = true;
    else if (flag == "--direct")
      options.direct = true;
    else if (flag == "--update")
      options.update = true;
    else
      fine = false;
    if (!fine) return false;
  }
  return !options.cases.empty() && !options.known.empty();
}

std::set<std::string> read_list(const std::string& path) {
  std::set<std::string> out;
  std::ifstream in(path);
  for (std::string line; std::getline(in, line);) {
    if (!line.empty() && line.front() != '#') out.insert(line);
  }
  return out;
}

void write_list(const std::string& path, const std::set<std::string>& names) {
  std::ofstream out(path);
  out << "# OPA's cases that fail here, one name (corpus/note) a line. This list may only shrink.\n";
  for (const std::string& name : names) out << name << "\n";
}

struct Tally {
  std::size_t passed = 0;
  std::size_t total = 0;
};

struct Run {
  std::map<std::string, Tally> tallies;
  std::map<Stage, std::size_t> stages;
  std::map<std::string, std::size_t> names;
  std::set<std::string> seen;
  std::set<std::string> failed;
  std::ofstream details;
};

void run_file(const std::string& path, const std::string& corpus, const Options& options, Run& run) {
  auto file = portcullis::conformance::read_case_file(path, corpus);
  if (!file.ok()) {
    std::printf("%s\n", file.error().to_string().c_str());
    run.failed.insert(corpus + "/file " + path);
    return;
  }
  for (const Case& test : file->cases) {
    std::string name = test.name();
    // Notes are not unique: the second case of a name is "name #2".
    const std::size_t count = ++run.names[name];
    if (count > 1) name += " #" + std::to_string(count);
    if (!options.filter.empty() && name.find(options.filter) == std::string::npos &&
        path.find(options.filter) == std::string::npos) {
      continue;
    }
    const Outcome outcome = options.direct ? portcullis::conformance::run_case(test, options.plan)
                                           : portcullis::conformance::run_case_isolated(test, options.plan);
    Tally& tally = run.tallies[corpus];
    ++tally.total;
    ++run.stages[outcome.stage];
    run.seen.insert(name);
    if (outcome.stage == Stage::kPassed) {
      ++tally.passed;
      continue;
    }
    run.failed.insert(name);
    const std::string stage(portcullis::conformance::stage_name(outcome.stage));
    if (run.details) run.details << stage << "\t" << name << "\t" << path << "\t" << outcome.detail << "\n";
    if (options.verbose) {
      std::printf("FAIL %s [%s] %s\n  %s\n", name.c_str(), stage.c_str(), path.c_str(), outcome.detail.c_str());
    }
  }
}

void run_corpus(const std::string& corpus, const Options& options, Run& run) {
  std::vector<std::string> files;
  const std::filesystem::path folder = std::filesystem::path(options.cases) / corpus;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file() && entry.path().extension() == ".yaml") files.push_back(entry.path().string());
  }
  std::sort(files.begin(), files.end());
  for (const std::string& path : files) run_file(path, corpus, options, run);
}

// Compares with the list; true when nothing is new on either side.
bool compare_with_list(const Options& options, const Run& run) {
  const std::set<std::string> known = read_list(options.known);
  bool fine = true;
  for (const std::string& name : run.failed) {
    if (known.contains(name)) continue;
    std::printf("NEW FAILURE %s\n", name.c_str());
    fine = false;
  }
  std::set<std::string> left;
  for (const std::string& name : known) {
    if (run.failed.contains(name)) {
      left.insert(name);
    } else {
      std::printf("%s %s\n", run.seen.contains(name) ? "UNEXPECTED PASS" : "NO SUCH CASE", name.c_str());
      fine = fine && options.update;
    }
  }
  if (options.update && left.size() < known.size()) write_list(options.known, left);
  return fine;
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  if (!parse_options(argc, argv, options)) {
    std::fputs(kUsage, stderr);
    return 2;
  }
  Run run;
  if (!options.write.empty()) run.details.open(options.write);
  for (const char* corpus : {"v0", "v1"}) run_corpus(corpus, options, run);
  Tally all;
  for (const auto& [corpus, tally] : run.tallies) {
    std::printf("%s: %zu of %zu passed (%.1f %%)\n", corpus.c_str(), tally.passed, tally.total,
                100.0 * static_cast<double>(tally.passed) / static_cast<double>(tally.total));
    all.passed += tally.passed;
    all.total += tally.total;
  }
  std::printf("all: %zu of %zu passed (%.1f %%)", all.passed, all.total,
              all.total == 0 ? 0.0 : 100.0 * static_cast<double>(all.passed) / static_cast<double>(all.total));
  for (const auto& [stage, count] : run.stages) {
    if (stage != Stage::kPassed) {
      std::printf("; %s %zu", std::string(portcullis::conformance::stage_name(stage)).c_str(), count);
    }
  }
  std::printf("\n");
  if (!options.filter.empty()) return 0;
  if (all.total < kCases) {
    std::printf("TOO FEW CASES: %zu ran, there are %zu\n", all.total, kCases);
    return 1;
  }
  return compare_with_list(options, run) ? 0 : 1;
}
