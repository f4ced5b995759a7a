#include "opa/host.h"

#include <unistd.h>

#include <chrono>
#include <random>

#include "engine/value/json.h"

namespace portcullis::opa {

std::int64_t CommandHost::now_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

std::uint64_t CommandHost::random_seed() {
  std::random_device device;
  return std::uint64_t{device()} << 32 | device();
}

void CommandHost::print(std::string_view line) {
  *printed_ += line;
  *printed_ += '\n';
}

Value CommandHost::runtime(Arena& arena) {
  std::vector<Member> env;
  for (char** at = environ; at != nullptr && *at != nullptr; ++at) {
    const std::string_view entry = *at;
    const std::size_t equals = entry.find('=');
    if (equals == std::string_view::npos) continue;
    env.push_back({make_string(arena, entry.substr(0, equals)), make_string(arena, entry.substr(equals + 1))});
  }
  const Member members[] = {{Value::string("env"), make_object(arena, env)},
                            {Value::string("version"), Value::string("1.22.2")},
                            {Value::string("commit"), Value::string("")}};
  return make_object(arena, members);
}

Value CommandHost::call_out(std::string_view builtin, Arena& arena, std::span<const Value> arguments,
                            std::string& error) {
  return outside_.call(builtin, arena, arguments, error);
}

void CommandHost::test_case(const Value& path) {
  CasePath texts;
  for (const Value& step : path.elements()) {
    texts.push_back(step.is_string() ? std::string(step.as_string()) : to_json(step, {}));
  }
  cases_.push_back(std::move(texts));
}

}  // namespace portcullis::opa
