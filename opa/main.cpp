// opa alone, for the tests that compare it with OPA: the same entry as the program's.
#include <cstdio>
#include <string>
#include <vector>

#include "opa/opa.h"

int main(int argc, char** argv) {
  const std::vector<std::string_view> args(argv + 1, argv + argc);
  std::string out;
  std::string err;
  const auto read_stdin = [] {
    std::string text;
    char buffer[65536];
    for (std::size_t n = 0; (n = std::fread(buffer, 1, sizeof buffer, stdin)) > 0;) text.append(buffer, n);
    return text;
  };
  const int code = portcullis::opa::run_opa(args, {read_stdin, &out, &err});
  std::fwrite(err.data(), 1, err.size(), stderr);
  std::fwrite(out.data(), 1, out.size(), stdout);
  return code;
}
