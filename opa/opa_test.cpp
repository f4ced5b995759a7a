// testdata/calls.jsonl: calls of the opa executable and what it printed (testdata/capture.py wrote it).
#include "opa/opa.h"

#include <gtest/gtest.h>
#include <re2/re2.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <string>
#include <vector>

#include "base/text.h"
#include "engine/value/document.h"

namespace portcullis::opa {
namespace {

struct Answer {
  int exit = 0;
  std::string out;
  std::string err;
};

Answer call(const std::vector<std::string_view>& args, std::string_view input) {
  Answer answer;
  const Io io{[&] { return std::string(input); }, &answer.out, &answer.err};
  answer.exit = run_opa(args, io);
  return answer;
}

// Our usage text is our own.
void cut_usage(std::string& err) {
  const std::size_t usage = err.find("Usage:\n");
  if (usage != std::string::npos) err.erase(usage);
}

// Durations differ from run to run: (12.3µs) and "duration": 12300 become (0s) and "duration": 0.
void cut_durations(std::string& out) {
  for (std::size_t at = 0; (at = out.find(" (", at)) != std::string::npos; ++at) {
    const std::size_t end = out.find(')', at);
    if (end == std::string::npos || out[end - 1] != 's' || out[at + 2] < '0' || out[at + 2] > '9') continue;
    out.replace(at + 2, end - at - 2, "0s");
  }
  constexpr std::string_view kMember = "\"duration\": ";
  for (std::size_t at = 0; (at = out.find(kMember, at)) != std::string::npos;) {
    at += kMember.size();
    out.replace(at, out.find_first_not_of("0123456789", at) - at, "0");
  }
}

constexpr const char* kFiles = PC_SOURCE_DIR "/opa/testdata/files";

// Without what differs from run to run, as capture.py has it: times, widths of tables, the order of a profile's rows,
// where the files lie.
std::string loose(std::string text) {
  for (std::size_t at = 0; (at = text.find(kFiles, at)) != std::string::npos;) {
    text.replace(at, std::string_view(kFiles).size(), "@");
  }
  RE2::GlobalReplace(&text, R"re(("(?:timer_\w+|total_time_ns)": )\d+)re", "\\10");
  RE2::GlobalReplace(&text, R"re((│ timer_\w+ +│) \d+ +│)re", "\\1 0 │");
  RE2::GlobalReplace(&text, R"re(│ \d[\d.]*(?:ns|µs|ms|s) +│)re", "│ T │");
  RE2::GlobalReplace(&text, "(?:─)+", "─");
  RE2::GlobalReplace(&text, " +", " ");
  std::vector<std::string> rows;
  constexpr std::string_view kRow = "│ T │";
  std::vector<std::string_view> lines = text::split(text, '\n');
  for (const std::string_view line : lines) {
    if (line.starts_with(kRow)) rows.emplace_back(line);
  }
  std::sort(rows.begin(), rows.end());
  std::string out;
  std::size_t next = 0;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const std::string_view line = lines[i];
    if (i != 0) out += '\n';
    out += line.starts_with(kRow) ? std::string_view(rows[next++]) : line;
  }
  return out;
}

TEST(OpaCalls, PrintWhatOpaPrints) {
  ASSERT_EQ(::chdir(kFiles), 0);
  std::ifstream in(PC_SOURCE_DIR "/opa/testdata/calls.jsonl");
  ASSERT_TRUE(in);
  std::size_t total = 0;
  for (std::string line; std::getline(in, line);) {
    auto document = Document::parse_json(line);
    ASSERT_TRUE(document.ok()) << line;
    const Value want = document->root();
    std::vector<std::string> given;
    std::string shown;
    for (const Value& arg : want.get("args").elements()) {
      given.emplace_back(arg.as_string());
      shown += " " + given.back();
      const std::size_t place = given.back().find("file://@");
      if (place != std::string::npos) given.back().replace(place + 7, 1, kFiles);
    }
    const std::vector<std::string_view> args(given.begin(), given.end());
    Answer got = call(args, want.string_or("stdin"));
    cut_usage(got.err);
    if (!args.empty() && args.front() == "test") cut_durations(got.out);
    if (want.get("loose").is_true()) {
      got.out = loose(got.out);
      got.err = loose(got.err);
    }
    EXPECT_EQ(got.exit, want.get("exit").as_integer()) << shown;
    EXPECT_EQ(got.out, want.string_or("out")) << shown;
    EXPECT_EQ(got.err, want.string_or("err")) << shown;
    ++total;
  }
  EXPECT_GT(total, 250u);
}

TEST(OpaEval, InputMayHaveComments) {
  ASSERT_EQ(::chdir(PC_SOURCE_DIR "/opa/testdata/files"), 0);
  const Answer got =
      call({"eval", "--v0-compatible", "-d", "v0.rego", "-i", "commented.json", "-f", "raw", "data.main.deny"}, "");
  EXPECT_EQ(got.out, "[\"deployment without label website\"]\n");
  EXPECT_EQ(got.err, "");
  EXPECT_EQ(got.exit, 0);
}

TEST(OpaEval, ShowsTheProgram) {
  ASSERT_EQ(::chdir(PC_SOURCE_DIR "/opa/testdata/files"), 0);
  const Answer got = call({"eval", "--v0-compatible", "--show-program", "-d", "v0.rego", "data.main.deny"}, "");
  EXPECT_EQ(got.exit, 0);
  EXPECT_EQ(got.err, "");
  EXPECT_NE(got.out.find("query  frame"), std::string::npos) << got.out;
  EXPECT_NE(got.out.find("data.main.deny  frame"), std::string::npos) << got.out;
}

TEST(Opa, SaysWhatIsNotThere) {
  const Answer flag = call({"eval", "--count", "1"}, "");
  EXPECT_EQ(flag.exit, 1);
  EXPECT_TRUE(flag.err.starts_with("Error: the flag --count is not supported\n")) << flag.err;
  const Answer command = call({"build"}, "");
  EXPECT_EQ(command.exit, 1);
  EXPECT_NE(command.err.find("there are: check, eval, fmt, parse, test, version"), std::string::npos);
  EXPECT_NE(call({"--help"}, "").out.find("opa eval"), std::string::npos);
}

}  // namespace
}  // namespace portcullis::opa
