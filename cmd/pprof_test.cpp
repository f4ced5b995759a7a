// Profiles: what is sampled, how it is encoded, what is not there. e2e/cases/profiles.sh shows them to `go tool pprof`.
#include "cmd/pprof.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <thread>

namespace portcullis::cmd {
namespace {

using testing::HasSubstr;

// A reader of protocol buffers, as much as profiles need: fields by number, nested ones as text.
struct Fields {
  std::map<int, std::vector<std::uint64_t>> numbers;
  std::map<int, std::vector<std::string>> texts;
};
Fields read_message(std::string_view in) {
  Fields out;
  const auto varint = [&in] {
    std::uint64_t value = 0;
    for (int shift = 0; !in.empty(); shift += 7) {
      const auto byte = static_cast<unsigned char>(in.front());
      in.remove_prefix(1);
      value |= static_cast<std::uint64_t>(byte & 0x7F) << shift;
      if (byte < 0x80) break;
    }
    return value;
  };
  while (!in.empty()) {
    const std::uint64_t key = varint();
    const std::uint64_t value = varint();
    if ((key & 7) == 0) {
      out.numbers[static_cast<int>(key >> 3)].push_back(value);
    } else {
      EXPECT_EQ(key & 7, 2u);
      out.texts[static_cast<int>(key >> 3)].emplace_back(in.substr(0, value));
      in.remove_prefix(std::min<std::size_t>(value, in.size()));
    }
  }
  return out;
}

TEST(Pprof, HeapIsMemoryByKind) {
  const Fields profile = read_message(encode_heap_profile({{"inventory", 700}, {"programs", 300}}, 5));
  EXPECT_THAT(profile.texts.at(6), testing::ElementsAre("", "inuse_space", "bytes", "inventory", "programs", "space"));
  ASSERT_EQ(profile.texts.at(2).size(), 2u);
  EXPECT_EQ(read_message(profile.texts.at(2)[0]).numbers.at(2)[0], 700u);
  EXPECT_EQ(read_message(profile.texts.at(2)[1]).numbers.at(2)[0], 300u);
  EXPECT_EQ(profile.numbers.at(9)[0], 5u);
}

TEST(Pprof, SamplesWhatUsesTheProcessor) {
  ASSERT_TRUE(CpuProfiler::start());
  EXPECT_FALSE(CpuProfiler::start()) << "one at a time";
  volatile std::uint64_t sum = 0;
  timespec used{};
  do {  // 0.3 s of processor time, however long that takes
    for (std::uint64_t i = 0; i < 100'000; ++i) sum = sum + i;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
  } while (used.tv_sec == 0 && used.tv_nsec < 300'000'000);
  timespec more = used;
  while ((more.tv_sec - used.tv_sec) * 1'000'000'000 + more.tv_nsec - used.tv_nsec < 300'000'000) {
    for (std::uint64_t i = 0; i < 100'000; ++i) sum = sum + i;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &more);
  }
  const CpuProfiler::Result result = CpuProfiler::stop();
  std::uint64_t samples = 0;
  for (const CpuProfiler::Stack& stack : result.stacks) samples += stack.count;
  EXPECT_GE(samples, 10u);
  EXPECT_EQ(result.dropped, 0u);
  const Fields profile = read_message(encode_cpu_profile(result, std::chrono::seconds(1), 0));
  EXPECT_EQ(profile.texts.at(1).size(), 2u);
  EXPECT_EQ(profile.texts.at(2).size(), result.stacks.size());
  EXPECT_FALSE(profile.texts.at(3).empty());
  std::uint64_t in_mappings = 0;
  for (const std::string& location : profile.texts.at(4)) in_mappings += read_message(location).numbers.count(2);
  EXPECT_GT(in_mappings, 0u);
  ASSERT_TRUE(CpuProfiler::start());  // and again
  EXPECT_LE(CpuProfiler::stop().stacks.size(), 1u);
}

TEST(Pprof, SaysWhatIsNotThere) {
  PprofHandler handler([] { return std::vector<metrics::MemoryKind>{}; });
  const auto get = [&](const char* target) {
    net::HttpRequest request;
    request.method = "GET";
    request.target = target;
    net::HttpResponse response;
    EXPECT_TRUE(handler.handle_now(request, response)) << target;
    return response;
  };
  EXPECT_EQ(get("/debug/pprof/").status, 200);
  EXPECT_EQ(get("/debug/pprof/goroutine").status, 404);
  EXPECT_THAT(get("/debug/pprof/goroutine").body, HasSubstr("Not there, since this is no Go program"));
  EXPECT_THAT(get("/debug/pprof/cmdline").body, HasSubstr("cmd_test"));
  const Fields heap = read_message(get("/debug/pprof/heap").body);
  EXPECT_THAT(heap.texts.at(6), testing::Contains("heap_other"));
  EXPECT_THAT(heap.texts.at(6), testing::Contains("program"));
}

}  // namespace
}  // namespace portcullis::cmd
