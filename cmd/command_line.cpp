// Standard streams for gator and opa.
#include "cmd/command_line.h"

#include <unistd.h>

#include <cstdio>
#include <optional>
#include <string_view>

#include "gator/gator.h"
#include "opa/opa.h"

namespace portcullis::cmd {

namespace {

std::optional<std::string> read_stdin() {
  if (::isatty(STDIN_FILENO) != 0) return std::nullopt;
  std::string out;
  char buffer[65536];
  for (std::size_t n = 0; (n = std::fread(buffer, 1, sizeof buffer, stdin)) > 0;) out.append(buffer, n);
  return out;
}

int finish(int code, const std::string& out, const std::string& err) {
  std::fwrite(err.data(), 1, err.size(), stderr);
  std::fwrite(out.data(), 1, out.size(), stdout);
  return std::fflush(stdout) == 0 ? code : 1;
}

}  // namespace

int run_gator_command(const std::vector<std::string>& arguments) {
  const std::vector<std::string_view> views(arguments.begin(), arguments.end());
  std::string out;
  std::string err;
  const int code = gator::run_gator(views, {read_stdin, &out, &err});
  return finish(code, out, err);
}

int run_opa_command(const std::vector<std::string>& arguments) {
  const std::vector<std::string_view> views(arguments.begin(), arguments.end());
  std::string out;
  std::string err;
  const int code = opa::run_opa(views, {[] { return read_stdin().value_or(std::string()); }, &out, &err});
  return finish(code, out, err);
}

}  // namespace portcullis::cmd
