// testdata/calls.jsonl: calls of the opa executable and what it printed (testdata/capture.py wrote it).
#include "opa/opa.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <string>
#include <vector>

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

TEST(OpaCalls, PrintWhatOpaPrints) {
  ASSERT_EQ(::chdir(PC_SOURCE_DIR "/opa/testdata/files"), 0);
  std::ifstream in(PC_SOURCE_DIR "/opa/testdata/calls.jsonl");
  ASSERT_TRUE(in);
  std::size_t total = 0;
  for (std::string line; std::getline(in, line);) {
    auto document = Document::parse_json(line);
    ASSERT_TRUE(document.ok()) << line;
    const Value want = document->root();
    std::vector<std::string_view> args;
    std::string shown;
    for (const Value& arg : want.get("args").elements()) {
      args.push_back(arg.as_string());
      shown += " " + std::string(arg.as_string());
    }
    Answer got = call(args, want.string_or("stdin"));
    cut_usage(got.err);
    if (!args.empty() && args.front() == "test") cut_durations(got.out);
    EXPECT_EQ(got.exit, want.get("exit").as_integer()) << shown;
    EXPECT_EQ(got.out, want.string_or("out")) << shown;
    EXPECT_EQ(got.err, want.string_or("err")) << shown;
    ++total;
  }
  EXPECT_GT(total, 100u);
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
  const Answer flag = call({"eval", "--optimize", "1"}, "");
  EXPECT_EQ(flag.exit, 1);
  EXPECT_TRUE(flag.err.starts_with("Error: the flag --optimize is not supported\n")) << flag.err;
  const Answer command = call({"build"}, "");
  EXPECT_EQ(command.exit, 1);
  EXPECT_NE(command.err.find("there are: check, eval, fmt, parse, test, version"), std::string::npos);
  EXPECT_NE(call({"--help"}, "").out.find("opa eval"), std::string::npos);
}

}  // namespace
}  // namespace portcullis::opa
