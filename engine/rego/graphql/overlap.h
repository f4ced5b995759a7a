// Whether the fields of a selection that end up under one name may be merged. Private to this folder.
// Cost: grows with the square of fields of one name, which the budget bounds.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "engine/rego/graphql/schema.h"

namespace portcullis::graphql {

class Overlap {
 public:
  struct Conflict {
    std::string name;
    std::string message;  // empty when `inside` says it
    std::vector<Conflict> inside;
    Position position;
    std::string describe() const;
  };

  Overlap(Budget& budget, const Schema& schema) : budget_(budget), schema_(schema) {}

  std::vector<Conflict> within(const List<Selection*>& selections);

 private:
  // Fields by the name of their result, in the order of first use, and the fragments spread beside them.
  struct Fields {
    std::vector<std::pair<std::string_view, std::vector<const Selection*>>> by_name;
    std::unordered_map<std::string_view, std::size_t> index;
    std::vector<const Selection*> spreads;
  };
  Fields collect(const List<Selection*>& selections);
  void collect(const List<Selection*>& selections, Fields& out);
  void between(std::vector<Conflict>& out, bool exclusive, const Fields& a, const Fields& b);
  void fields_and_fragment(std::vector<Conflict>& out, bool exclusive, const Fields& fields, const Selection& spread);
  void fragments(std::vector<Conflict>& out, bool exclusive, const Selection& a, const Selection& b);
  std::vector<Conflict> between_sets(bool exclusive, const List<Selection*>& a, const List<Selection*>& b);
  bool conflict(std::vector<Conflict>& out, bool exclusive, const Selection& a, const Selection& b);
  bool types_conflict(const TypeRef& a, const TypeRef& b) const;
  bool compared(std::string_view a, std::string_view b, bool exclusive);

  class Level;
  Budget& budget_;
  const Schema& schema_;
  int depth_ = 0;
  std::map<std::pair<std::string_view, std::string_view>, bool> pairs_;
  std::unordered_set<std::string_view> compared_fragments_;
};

}  // namespace portcullis::graphql
