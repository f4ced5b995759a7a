// Runs every call of cases.json and compares stdout, stderr and exit code with what a real gator answered.
#include "gator/gator.h"

#include <gtest/gtest.h>
#include <re2/re2.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "engine/value/document.h"

namespace portcullis::gator {
namespace {

const std::filesystem::path kFolder = std::filesystem::path(PC_SOURCE_DIR) / "test/golden/gator";

std::string read(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::stringstream out;
  out << in.rdbuf();
  return out.str();
}

std::set<std::string> known_failures() {
  std::set<std::string> out;
  std::istringstream in(read(kFolder / "known_failures.txt"));
  for (std::string line; std::getline(in, line);) {
    if (!line.empty() && line[0] != '#') out.insert(line);
  }
  return out;
}

// Everything that varies from run to run and place to place.
std::string normalise(std::string text) {
  const std::string inputs = (kFolder / "inputs").string().substr(1);
  for (std::size_t at = 0; (at = text.find(inputs, at)) != std::string::npos;) text.replace(at, inputs.size(), "<cwd>");
  RE2::GlobalReplace(&text, R"(\d+\.\d{3}s)", "<t>");
  RE2::GlobalReplace(&text, R"(\d{4}/\d\d/\d\d \d\d:\d\d:\d\d)", "<date>");
  RE2::GlobalReplace(&text, R"(("name": "templateRunTimeNS",\s*"value": )[0-9.e+]+)", R"(\1<n>)");
  RE2::GlobalReplace(&text, R"((name: templateRunTimeNS\s*value: )[0-9.e+]+)", R"(\1<n>)");
  return text;
}

struct Answer {
  int code = 0;
  std::string out;
  std::string err;
  bool operator==(const Answer&) const = default;
};

Answer run(const Value& test_case) {
  std::vector<std::string_view> args;
  for (const Value& arg : test_case.get("args").elements()) args.push_back(arg.as_string());
  std::filesystem::current_path(kFolder / "inputs" / std::string(test_case.string_or("directory")));
  const std::string input(test_case.string_or("stdin"));
  Answer answer;
  const auto read_stdin = [&]() -> std::optional<std::string> { return input; };
  answer.code = run_gator(args, {read_stdin, &answer.out, &answer.err});
  answer.out = normalise(std::move(answer.out));
  answer.err = normalise(std::move(answer.err));
  return answer;
}

TEST(GatorGolden, AnswersAsGatorDoes) {
  const std::filesystem::path here = std::filesystem::current_path();
  Result<Document> cases = Document::parse_json(read(kFolder / "cases.json"));
  ASSERT_TRUE(cases.ok()) << cases.error().to_string();
  const std::set<std::string> known = known_failures();
  std::size_t passed = 0;
  for (const Value& test_case : cases->root().elements()) {
    const std::string line(test_case.string_or("line"));
    const Answer want{static_cast<int>(test_case.get("code").as_integer()), std::string(test_case.string_or("out")),
                      std::string(test_case.string_or("err"))};
    const Answer got = run(test_case);
    if (known.contains(line)) {
      EXPECT_FALSE(got == want) << line << "\npasses now: take it off known_failures.txt";
      continue;
    }
    EXPECT_EQ(got.code, want.code) << line;
    EXPECT_EQ(got.out, want.out) << line;
    EXPECT_EQ(got.err, want.err) << line;
    passed += got == want ? 1 : 0;
  }
  std::filesystem::current_path(here);
  std::printf("%zu calls, %zu as gator, %zu known to differ\n", cases->root().elements().size(), passed, known.size());
}

// The policies of the field with their suites, where they are at hand.
TEST(GatorLibrary, SuitesPass) {
  const char* named = std::getenv("PC_GATEKEEPER_LIBRARY");
  const std::string folder = named != nullptr ? named : PC_SOURCE_DIR "/../shared/cases/gatekeeper-library";
  if (!std::filesystem::is_directory(folder)) GTEST_SKIP() << "no policy library at " << folder;
  Answer answer;
  const std::string path = std::filesystem::canonical(folder).string() + "/...";
  const std::string_view args[] = {"verify", path};
  answer.code = run_gator(args, {nullptr, &answer.out, &answer.err});
  EXPECT_EQ(answer.code, 0) << answer.out << answer.err;
  EXPECT_EQ(answer.err, "");
}

}  // namespace
}  // namespace portcullis::gator
