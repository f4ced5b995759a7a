// process_* and target_info.
#include "base/metrics/process.h"

#include <sys/resource.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include "base/metrics/metrics.h"
#include "base/text.h"

namespace portcullis::metrics {

namespace {

std::string block(std::string_view name, std::string_view help, std::string_view type, double value) {
  std::string out;
  append_head(out, name, help, type);
  out += name;
  out += ' ';
  append_go_float(out, value);
  out += '\n';
  return out;
}

// The fields of /proc/self/stat from the third on (the second, the command, may contain anything).
std::vector<double> stat_fields() {
  std::ifstream in("/proc/self/stat");
  std::string line;
  std::getline(in, line);
  const std::size_t close = line.rfind(')');
  if (close == std::string::npos) return {};
  std::istringstream rest(line.substr(close + 1));
  std::vector<double> fields;
  std::string word;
  while (rest >> word) fields.push_back(std::strtod(word.c_str(), nullptr));
  return fields;
}

double boot_time() {
  std::ifstream in("/proc/stat");
  std::string line;
  while (std::getline(in, line)) {
    if (text::starts_with(line, "btime ")) return std::strtod(line.c_str() + 6, nullptr);
  }
  return 0;
}

double open_descriptors() {
  std::error_code failed;
  double count = 0;
  for (std::filesystem::directory_iterator it("/proc/self/fd", failed), end; !failed && it != end;
       it.increment(failed)) {
    ++count;
  }
  return count > 0 ? count - 1 : 0;  // the one that reads the folder
}

double limit_of(int resource) {
  rlimit limit{};
  if (getrlimit(static_cast<__rlimit_resource_t>(resource), &limit) != 0) return 0;
  return limit.rlim_cur == RLIM_INFINITY ? 18446744073709551615.0 : static_cast<double>(limit.rlim_cur);
}

std::string target_info() {
  std::map<std::string, std::string> labels = {{"service_name", "unknown_service:gatekeeper"}};
  const char* attributes = std::getenv("OTEL_RESOURCE_ATTRIBUTES");
  for (const std::string_view pair : text::split(attributes == nullptr ? "" : attributes, ',')) {
    const std::size_t equals = pair.find('=');
    if (equals == std::string_view::npos || equals == 0) continue;
    std::string name(text::trim(pair.substr(0, equals)));
    for (char& c : name) {
      const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
      if (!plain) c = '_';
    }
    labels[name] = text::trim(pair.substr(equals + 1));
  }
  std::string out;
  append_head(out, "target_info", "Where these metrics come from", "gauge");
  out += "target_info";
  char separator = '{';
  for (const auto& [name, value] : labels) {
    out += separator;
    separator = ',';
    out += name;
    out += "=";
    std::string quoted;
    text::append_json_string(quoted, value);
    out += quoted;
  }
  out += "} 1\n";
  return out;
}

}  // namespace

void append_head(std::string& out, std::string_view name, std::string_view help, std::string_view type) {
  out += "# HELP ";
  out += name;
  out += ' ';
  out += help;
  out += "\n# TYPE ";
  out += name;
  out += ' ';
  out += type;
  out += '\n';
}

std::vector<std::pair<std::string_view, std::string>> process_blocks() {
  std::vector<std::pair<std::string_view, std::string>> out;
  const auto add = [&out](std::string_view name, std::string_view help, std::string_view type, double value) {
    out.emplace_back(name, block(name, help, type, value));
  };
  const std::vector<double> stat = stat_fields();  // [0] is field 3 of proc(5)
  if (stat.size() > 21) {
    const auto ticks = static_cast<double>(sysconf(_SC_CLK_TCK));
    add("process_cpu_seconds_total", "Processor time used, user and system, in seconds", "counter",
        (stat[11] + stat[12]) / ticks);
    add("process_start_time_seconds", "When the process began, in Unix seconds", "gauge",
        boot_time() + stat[19] / ticks);
    add("process_virtual_memory_bytes", "Address space, in bytes", "gauge", stat[20]);
    add("process_resident_memory_bytes", "Memory in use, in bytes", "gauge",
        stat[21] * static_cast<double>(sysconf(_SC_PAGESIZE)));
  }
  add("process_open_fds", "Open file descriptors", "gauge", open_descriptors());
  add("process_max_fds", "How many file descriptors may be open", "gauge", limit_of(RLIMIT_NOFILE));
  add("process_virtual_memory_max_bytes", "How large the address space may become, in bytes", "gauge",
      limit_of(RLIMIT_AS));
  out.emplace_back("target_info", target_info());
  return out;
}

}  // namespace portcullis::metrics
