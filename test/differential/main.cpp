// The engine's side of the differential test.
//   differential_tests serve [--modes]   answers a request per line of stdin
//   differential_tests check FILE        each line of the sample is a request with the answer that it must get;
//                                        prints what differs; exit 1 then
#include <cstdio>
#include <fstream>
#include <iostream>
#include <string>

#include "engine/value/document.h"
#include "engine/value/json.h"
#include "test/differential/answers.h"

namespace {

using portcullis::Document;
using portcullis::Value;

int serve(bool modes) {
  for (std::string line; std::getline(std::cin, line);) {
    const auto request = Document::parse_json(line);
    const std::string out = request.ok() ? portcullis::differential::answer(request->root(), modes)
                                         : R"({"errors":[["request","",0,0,"no JSON"]]})";
    std::fwrite(out.data(), 1, out.size(), stdout);
    std::fputc('\n', stdout);
    std::fflush(stdout);
  }
  return 0;
}

int check(const char* path) {
  std::ifstream file(path);
  std::size_t passed = 0;
  std::size_t failed = 0;
  for (std::string line; std::getline(file, line);) {
    const auto request = Document::parse_json(line);
    const std::string got =
        request.ok() ? portcullis::differential::answer(request->root(), true) : std::string("no JSON");
    const auto parsed = Document::parse_json(got);
    if (parsed.ok() && request.ok() && equal(parsed->root(), request->root().get("want"))) {
      ++passed;
      continue;
    }
    ++failed;
    std::printf("%s\n got %s\n", line.c_str(), got.c_str());
  }
  std::printf("%zu passed, %zu failed\n", passed, failed);
  return failed == 0 && passed != 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string what = argc > 1 ? argv[1] : "";
  if (what == "serve") return serve(argc > 2 && std::string(argv[2]) == "--modes");
  if (what == "check" && argc == 3) return check(argv[2]);
  std::fprintf(stderr, "usage: differential_tests serve [--modes] | check FILE\n");
  return 2;
}
