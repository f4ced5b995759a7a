// The pattern cache of a call. Made by the first builtin that needs one; whoever owns the context frees it through
// context.free_patterns.
#pragma once

#include <memory>

#include "engine/rego/builtins/common.h"
#include "engine/rego/builtins/pattern_cache.h"

namespace portcullis::rego::builtins {

inline PatternCache& patterns_of(BuiltinContext& context) {
  if (context.patterns == nullptr) {
    context.patterns = std::make_unique<PatternCache>().release();
    context.free_patterns = [](PatternCache* cache) { std::unique_ptr<PatternCache>(cache).reset(); };
  }
  return *context.patterns;
}

}  // namespace portcullis::rego::builtins
