// The registry, number spelling and the exposition.
#include "base/metrics/metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include "base/error.h"
#include "base/metrics/memory.h"

namespace portcullis::metrics {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string go(double value) {
  std::string out;
  append_go_float(out, value);
  return out;
}

TEST(GoFloat, SpellsAsGoDoes) {
  EXPECT_EQ(go(0), "0");
  EXPECT_EQ(go(1), "1");
  EXPECT_EQ(go(-1), "-1");
  EXPECT_EQ(go(0.005), "0.005");
  EXPECT_EQ(go(0.0001), "0.0001");
  EXPECT_EQ(go(0.00001), "1e-05");
  EXPECT_EQ(go(2.5), "2.5");
  EXPECT_EQ(go(123456), "123456");
  EXPECT_EQ(go(100000), "100000");
  EXPECT_EQ(go(1000000), "1e+06");
  EXPECT_EQ(go(1234567), "1.234567e+06");
  EXPECT_EQ(go(1795520940.1289718), "1.7955209401289718e+09");
  EXPECT_EQ(go(123456.789), "123456.789");
  EXPECT_EQ(go(999999.5), "999999.5");
  EXPECT_EQ(go(1.5e21), "1.5e+21");
  EXPECT_EQ(go(HUGE_VAL), "+Inf");
  EXPECT_EQ(go(-HUGE_VAL), "-Inf");
  EXPECT_EQ(go(std::nan("")), "NaN");
}

TEST(Registry, FamiliesAppearWithTheirFirstSeries) {
  Registry registry;
  EXPECT_THAT(registry.expose(), Not(HasSubstr("gatekeeper_constraints")));
  EXPECT_THAT(registry.expose(), HasSubstr("gatekeeper_provider_error_count_total 0\n"));
  registry.gauge(Family::kConstraints, {"deny", "active"}).set(3);
  registry.gauge(Family::kConstraints, {"deny", "error"});
  registry.counter(Family::kValidationRequestCount, {"false", "allow"}).add(2);
  const std::string text = registry.expose();
  EXPECT_THAT(text, HasSubstr("# TYPE gatekeeper_constraints gauge\n"
                              "gatekeeper_constraints{enforcement_action=\"deny\",status=\"active\"} 3\n"
                              "gatekeeper_constraints{enforcement_action=\"deny\",status=\"error\"} 0\n"));
  EXPECT_THAT(
      text,
      HasSubstr(
          "# TYPE gatekeeper_validation_request_count_total counter\n"
          "gatekeeper_validation_request_count_total{admission_dryrun=\"false\",admission_status=\"allow\"} 2\n"));
  registry.remove(Family::kConstraints, {"deny", "error"});
  EXPECT_THAT(registry.expose(), Not(HasSubstr("status=\"error\"")));
  registry.clear(Family::kConstraints);
  EXPECT_THAT(registry.expose(), Not(HasSubstr("gatekeeper_constraints")));
}

TEST(Registry, Histogram) {
  Registry registry;
  Histogram& histogram = registry.histogram(Family::kAuditDuration);
  for (const double value : {60.0, 60.5, 1e6}) histogram.observe(value);
  EXPECT_EQ(histogram.count(), 3u);
  const std::string text = registry.expose();
  EXPECT_THAT(text, HasSubstr("gatekeeper_audit_duration_seconds_bucket{le=\"60\"} 1\n"
                              "gatekeeper_audit_duration_seconds_bucket{le=\"180\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("gatekeeper_audit_duration_seconds_bucket{le=\"19200\"} 2\n"
                              "gatekeeper_audit_duration_seconds_bucket{le=\"+Inf\"} 3\n"
                              "gatekeeper_audit_duration_seconds_sum 1.0001205e+06\n"
                              "gatekeeper_audit_duration_seconds_count 3\n"));
  registry.histogram(Family::kValidationRequestDuration, {"deny"}).observe(0.0005);
  EXPECT_THAT(registry.expose(), HasSubstr("_bucket{admission_status=\"deny\",le=\"0.001\"} 1\n"));
}

TEST(Registry, LabelValuesAreEscaped) {
  Registry registry;
  registry.gauge(Family::kSync, {"a\"b\\c\nd", "active"}).set(1);
  EXPECT_THAT(registry.expose(), HasSubstr("kind=\"a\\\"b\\\\c\\nd\""));
}

TEST(Registry, IsSortedAndKnowsTheProcess) {
  setenv("OTEL_RESOURCE_ATTRIBUTES", "service.name=pc,k8s.pod.name=p-1", 1);
  Registry registry;
  registry.gauge(Family::kViolations, {"deny"}).set(1);
  const std::string text = registry.expose();
  unsetenv("OTEL_RESOURCE_ATTRIBUTES");
  std::vector<std::string> names;
  std::size_t at = 0;
  while ((at = text.find("# TYPE ", at)) != std::string::npos) {
    at += 7;
    names.push_back(text.substr(at, text.find(' ', at) - at));
  }
  EXPECT_TRUE(std::is_sorted(names.begin(), names.end()));
  EXPECT_THAT(names, testing::IsSupersetOf({"process_cpu_seconds_total", "process_resident_memory_bytes",
                                            "process_start_time_seconds", "process_open_fds", "target_info"}));
  EXPECT_THAT(text, HasSubstr("target_info{k8s_pod_name=\"p-1\",service_name=\"pc\"} 1\n"));
}

TEST(Registry, IsBounded) {
  Registry registry;
  for (std::size_t i = 0; i < Registry::kMaxSeries + 10; ++i) {
    const std::string kind = std::to_string(i);
    registry.gauge(Family::kSync, {kind, "active"}).set(1);
  }
  const std::string text = registry.expose();
  EXPECT_THAT(text, HasSubstr("kind=\"4095\""));
  EXPECT_THAT(text, Not(HasSubstr("kind=\"4096\"")));
}

TEST(Registry, MisuseIsCountedAndHarmless) {
  Registry registry;
  const auto before = bug_count();
  registry.counter(Family::kConstraints, {"deny", "active"}).add();
  registry.gauge(Family::kConstraints, {"deny"}).set(1);
  registry.histogram(Family::kConstraints, {}).observe(1);
  EXPECT_EQ(bug_count(), before + 3);
  EXPECT_THAT(registry.expose(), Not(HasSubstr("gatekeeper_constraints")));
}

TEST(Registry, ThreadsAtOnce) {
  Registry registry;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&registry] {
      for (int i = 0; i < 500; ++i) {
        registry.counter(Family::kTemplateIngestionCount, {"active"}).add();
        registry.histogram(Family::kSyncDuration).observe(0.5);
        if (i % 100 == 0) static_cast<void>(registry.expose());
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(registry.counter(Family::kTemplateIngestionCount, {"active"}).value(), 2000u);
  EXPECT_EQ(registry.histogram(Family::kSyncDuration).sum(), 1000.0);
}

TEST(Memory, SmapsByKind) {
  const ProcessMemory memory = parse_smaps(
      "55e0c0000000-55e0c0400000 r-xp 00000000 08:01 1   /manager\nSize: 4096 kB\nRss:        1000 kB\n"
      "55e0c1000000-55e0c1100000 rw-p 00000000 00:00 0   [heap]\nRss: 200 kB\n"
      "7f1000000000-7f1000100000 rw-p 00000000 00:00 0 \nRss: 300 kB\n"  // an arena of the allocator
      "7f1000100000-7f1004000000 ---p 00000000 00:00 0 \nRss: 0 kB\n"    // its room
      "7f1004000000-7f1004200000 rw-p 00000000 00:00 0 \nRss: 30 kB\n"   // the next arena
      "7f2000000000-7f2000001000 ---p 00000000 00:00 0 \nRss: 0 kB\n"    // a guard page
      "7f2000001000-7f2000801000 rw-p 00000000 00:00 0 \nRss: 40 kB\n"   // and the stack above it
      "7f3000000000-7f3000100000 r--p 00000000 08:01 2   /lib/libc.so.6\nRss: 500 kB\n"
      "7ffc00000000-7ffc00021000 rw-p 00000000 00:00 0   [stack]\nRss: 20 kB\n");
  EXPECT_EQ(memory.files, 1500u * 1024);
  EXPECT_EQ(memory.stacks, 60u * 1024);
  EXPECT_EQ(memory.anonymous, 530u * 1024);
  EXPECT_EQ(memory.resident, 2090u * 1024);
}

TEST(Memory, KindsAddUp) {
  ProcessMemory memory{1000, 300, 100, 600, 500};
  const auto sum = [](const std::vector<MemoryKind>& kinds) {
    std::uint64_t total = 0;
    for (const MemoryKind& kind : kinds) total += kind.bytes;
    return total;
  };
  EXPECT_EQ(sum(memory_by_kind(memory, {{"a", 200}, {"b", 100}})), 1000u);
  EXPECT_EQ(memory_by_kind(memory, {{"a", 200}, {"b", 100}})[2].bytes, 200u);  // heap_other
  const std::vector<MemoryKind> cut = memory_by_kind(memory, {{"a", 1500}, {"b", 500}});
  EXPECT_EQ(cut[0].bytes, 375u);
  EXPECT_EQ(sum(cut), 1000u);

  const std::vector<char> large(std::size_t{16} << 20, 'x');
  const ProcessMemory own = process_memory();
  EXPECT_GT(own.files, std::uint64_t{1} << 20);
  EXPECT_GE(own.resident, own.files + large.size());
  EXPECT_EQ(sum(memory_by_kind(own, {{"large", large.size()}})), own.resident);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)  // those have an allocator of their own
  EXPECT_GE(own.heap_in_use, large.size());
#endif
}

}  // namespace
}  // namespace portcullis::metrics
