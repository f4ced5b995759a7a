// The pages that are made from tables in the program equal what is checked in. UPDATE_GOLDEN=1 writes them.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "base/metrics/metrics.h"
#include "cmd/constraint_metrics.h"
#include "cmd/manager_options.h"

namespace portcullis::cmd {
namespace {

std::string read(const std::string& path) {
  std::ifstream in(path);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '|') out += '\\';
    out += c;
  }
  return out;
}

// Compares what stands between the markers "<!-- generated: NAME -->" and "<!-- end -->".
void check(const std::string& page, const std::string& name, const std::string& want) {
  const std::string path = std::string(PC_SOURCE_DIR) + "/docs/" + page;
  std::string text = read(path);
  const std::string begin = "<!-- generated: " + name + " -->\n";
  const std::size_t at = text.find(begin);
  ASSERT_NE(at, std::string::npos) << path << " has no marker " << begin;
  const std::size_t from = at + begin.size();
  const std::size_t end = text.find("<!-- end -->", from);
  ASSERT_NE(end, std::string::npos) << path;
  if (std::getenv("UPDATE_GOLDEN") != nullptr) {
    text.replace(from, end - from, want);
    std::ofstream(path) << text;
    return;
  }
  EXPECT_EQ(text.substr(from, end - from), want) << path << " is out of date: run this test with UPDATE_GOLDEN=1";
}

TEST(Docs, FlagsPage) {
  ManagerOptions options;
  GoFlags flags("manager");
  declare_manager_flags(flags, options);
  std::string want;
  for (const char* section : {"Process", "Certificates and TLS", "Admission webhook", "Audit", "Engines and policies",
                              "Beyond Gatekeeper", "Ignored"}) {
    want += std::string("\n## ") + section + "\n\n| flag | type | default | |\n| --- | --- | --- | --- |\n";
    for (const GoFlags::Listed& flag : flags.list()) {
      if (flag.section != section) continue;
      const std::string value = flag.type == "bool" && flag.default_value.empty()  ? "false"
                                : flag.type == "int" && flag.default_value.empty() ? "0"
                                                                                   : flag.default_value;
      want += "| `--" + flag.name + "` | " + flag.type + " | " + (value.empty() ? "" : "`" + value + "`") + " | " +
              escaped(flag.usage) + " |\n";
    }
  }
  check("flags.md", "flags", want + "\n");
}

TEST(Docs, MetricsPage) {
  struct Declared {
    const char* type;
    const char* name;
    const char* labels;
    const char* help;
  };
  constexpr Declared kFamilies[] = {
#define FAMILY(enumerator, type, name, flags, labels, buckets, help) {#type, name, labels, help},
#include "base/metrics/families.def"
#undef FAMILY
  };
  std::string want = "| name | type | labels | |\n| --- | --- | --- | --- |\n";
  const auto row = [&](const std::string& name, std::string type, const std::string& labels, const std::string& help) {
    std::string shown;
    for (const char c : labels) shown += c == ',' ? std::string(", ") : std::string(1, c);
    want += "| `" + name + "` | " + type + " | " + shown + " | " + escaped(help) + " |\n";
  };
  for (const Declared& family : kFamilies) {
    std::string type = family.type + 1;  // without the k
    type[0] = static_cast<char>(type[0] - 'A' + 'a');
    row(family.name, type, family.labels, family.help);
  }
  check("metrics.md", "families", want);
  want = "| name | type | labels | |\n| --- | --- | --- | --- |\n";
  for (const ConstraintMetrics::Description& family : ConstraintMetrics::descriptions()) {
    row(std::string(family.name), std::string(family.type), std::string(family.labels), std::string(family.help));
  }
  check("metrics.md", "constraint families", want);
}

}  // namespace
}  // namespace portcullis::cmd
