// Results in the formats of `opa eval`.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/value/value.h"

namespace portcullis::opa {

struct ExpressionInfo {
  std::string text;
  std::uint32_t row = 1;
  std::uint32_t column = 1;
};

// `results` is what Program::eval_query returns; `expressions` describe the query's expressions in order.
// Formats: json, pretty, raw, values, bindings, discard.
std::string present(std::string_view format, const Value& results, const std::vector<ExpressionInfo>& expressions);

// A table in box-drawing characters; no header: only rows. Every row has as many cells as the widest needs.
std::string table(const std::vector<std::string>& header, const std::vector<std::vector<std::string>>& rows);

}  // namespace portcullis::opa
