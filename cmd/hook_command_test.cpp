// Usage of `portcullis hook`.
#include "cmd/hook_command.h"

#include <gtest/gtest.h>

namespace portcullis::cmd {
namespace {

TEST(HookCommand, WhatIsIncompleteIsAUsageError) {
  const std::vector<std::vector<std::string>> all{
      {},
      {"unknown"},
      {"apply"},
      {"delete"},
      {"label", "ns"},
      {"label", "ns", "name"},
      {"label", "ns", "name", "other"},              // no KEY=VALUE
      {"label", "ns", "a=b", "c=d", "--overwrite"},  // no name
      {"label", "pods", "name", "a=b"},
  };
  for (const std::vector<std::string>& arguments : all) EXPECT_EQ(run_hook_command(arguments), 2);
}

}  // namespace
}  // namespace portcullis::cmd
