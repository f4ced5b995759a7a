// The story of an evaluation as lines of text: what was entered, tried, found and taken back.
// Threads: one at a time. Cost: one line per event is kept.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/rego/compile/compiler.h"
#include "engine/rego/trace/event.h"

namespace portcullis::rego::trace {

enum class Detail : std::uint8_t {
  kFull,   // everything but unifications
  kDebug,  // everything
  kNotes,  // trace() and how evaluation got there
  kFails,  // expressions that failed and how evaluation got there
};

// A node's text with the author's names for variables.
std::string text_of(const Event& event, const std::vector<CheckedModules::Variable>& variables);

class Explainer : public Tracer {
 public:
  // `query` must outlive the Explainer.
  Explainer(const CheckedQuery& query, Detail detail) : query_(query), detail_(detail) {}
  void event(const Event& event) override;
  bool wants_unifications() const override { return detail_ == Detail::kDebug; }

  struct Line {
    Op op = Op::kEval;
    bool frame = false;  // a rule or a body rather than an expression
    std::uint64_t query = 0;
    std::uint64_t parent = 0;
    std::string file;
    std::uint32_t row = 0;
    std::uint32_t column = 0;
    std::string text;
    std::string message;
    std::uint32_t depth = 0;
  };
  // What the detail asks for, with depths.
  std::vector<Line> lines() const;
  // As `opa eval --explain … --format pretty` prints it.
  std::string to_string() const;

 private:
  const CheckedQuery& query_;
  Detail detail_;
  std::vector<Line> lines_;
};

}  // namespace portcullis::rego::trace
