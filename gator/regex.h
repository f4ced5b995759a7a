// Patterns in suites and filters: RE2 with Go's error texts.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"

namespace re2 {
class RE2;
}

namespace portcullis::gator {

class Pattern {
 public:
  // Errors (kInvalid): "error parsing regexp: missing closing ): `(`".
  static Result<Pattern> compile(std::string_view text);
  Pattern(Pattern&&) noexcept;
  Pattern& operator=(Pattern&&) noexcept;
  ~Pattern();
  bool matches(std::string_view text) const;  // anywhere

 private:
  Pattern();
  std::unique_ptr<re2::RE2> regex_;
};

}  // namespace portcullis::gator
