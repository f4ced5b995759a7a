// What happens while a query is evaluated, step by step, as OPA's tracers are told it.
// Threads: one at a time. Ownership: an Event borrows everything and lives as long as the call that hands it over; the
// nodes it points at live as long as the Walk.
#pragma once

#include <cstdint>
#include <string_view>

#include "engine/rego/syntax/ast.h"

namespace portcullis::rego::trace {

enum class Op : std::uint8_t { kEnter, kExit, kEval, kRedo, kFail, kDuplicate, kNote, kIndex, kUnify };

std::string_view op_name(Op op) noexcept;

struct Event {
  Op op = Op::kEval;
  std::uint64_t query = 0;   // which evaluation of a body this belongs to
  std::uint64_t parent = 0;  // the one that caused it; the same number for the first
  // The node: one of these (none for kNote and kUnify).
  const Rule* rule = nullptr;
  const Expr* expr = nullptr;
  const Body* body = nullptr;
  const Location* location = nullptr;  // null only before anything had one
  std::string_view message;            // "(matched 1 rule)", "early", the text of a note
  std::string_view text;               // kIndex: the reference; kUnify: both sides
};

class Tracer {
 public:
  virtual ~Tracer() = default;
  virtual void event(const Event& event) = 0;
  virtual bool wants_unifications() const { return false; }
};

}  // namespace portcullis::rego::trace
