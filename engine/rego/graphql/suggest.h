// "Did you mean …?": names that look like what was written. Private to this folder.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/rego/graphql/budget.h"

namespace portcullis::graphql {

// The options within an edit distance of about two fifths of the name's length, the closest first.
// Cost: the product of the lengths for each option, charged to the budget.
std::vector<std::string_view> similar(Budget& budget, std::string_view name,
                                      const std::vector<std::string_view>& options);

// `"A", "B", or "C"`; the first five.
std::string or_list(const std::vector<std::string_view>& items, bool quoted);

}  // namespace portcullis::graphql
