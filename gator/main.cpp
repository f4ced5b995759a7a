// gator alone, for the differential test: the same entry as the program's.
#include <unistd.h>

#include <cstdio>
#include <optional>
#include <string>
#include <vector>

#include "gator/gator.h"

namespace {

std::optional<std::string> read_stdin() {
  if (::isatty(STDIN_FILENO) != 0) return std::nullopt;
  std::string out;
  char buffer[65536];
  for (std::size_t n = 0; (n = std::fread(buffer, 1, sizeof buffer, stdin)) > 0;) out.append(buffer, n);
  return out;
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string_view> args(argv + 1, argv + argc);
  std::string out;
  std::string err;
  const int code = portcullis::gator::run_gator(args, {read_stdin, &out, &err});
  std::fwrite(err.data(), 1, err.size(), stderr);
  std::fwrite(out.data(), 1, out.size(), stdout);
  return code;
}
