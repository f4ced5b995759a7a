// The rules of query validation. The walker calls them in the alphabetical order of their names in the specification's
// reference implementation, which is the order of the messages. Private to this folder.
#pragma once

#include <initializer_list>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "engine/rego/graphql/overlap.h"
#include "engine/rego/graphql/schema.h"

namespace portcullis::graphql {

using Texts = std::initializer_list<std::string_view>;
std::string join(Texts parts);

// State of one validation. One document, one use.
class Rules {
 public:
  Rules(Budget& budget, const Schema& schema, const QueryDocument& document)
      : budget_(budget), schema_(schema), document_(document), overlap_(budget, schema) {}

  // Set by the walker; null inside fragment definitions.
  Operation* operation = nullptr;

  void on_operation(const Operation& node);
  void on_field(const Selection& node);
  void on_fragment(const FragmentDefinition& node);
  void on_inline(const Selection& node);
  void on_spread(const Selection& node);
  void on_directive(const Directive& node);
  void on_directives(const List<Directive*>& nodes);
  void on_value(const InputValue& node);
  void on_variable(const VariableDefinition& node);

  const std::string& errors() const noexcept { return errors_; }

 private:
  void add(const Position& position, std::string_view message);
  void add(const Position& position, Texts parts) { add(position, join(parts)); }
  // " Did you mean …?" with the options that look like `typed`; empty when none does.
  std::string suggestion(std::string_view prefix, std::string_view typed, const std::vector<std::string_view>& options,
                         bool quoted);

  void unknown_field(const Selection& node);
  std::vector<std::string_view> types_with_field(const Definition& parent, std::string_view name);
  void unknown_arguments(const Selection& node);
  void introspection_depth(const Selection& node);
  bool too_deep(const List<Selection*>& selections, int lists, int depth);
  void required_arguments(const Selection& node);
  void scalar_leaf(const Selection& node);
  void unique_arguments(const List<Argument*>& arguments);
  void overlapping(const List<Selection*>& selections);
  void fragment_cycles(const FragmentDefinition& node);
  void find_cycles(const FragmentDefinition& node, int depth);
  void impossible_spread(const Definition* parent, std::string_view condition, const Selection& node);
  void unused_variables(const Operation& node);
  void single_subscription(const Operation& node);
  void variables_of(const Operation& node);
  void undefined_variable(const InputValue& node);
  void value_type(const InputValue& node);
  void enum_text(const InputValue& node);
  void object_value(const InputValue& node);
  void unexpected_type(const InputValue& node) { add(node.position, type_message(node)); }
  static std::string type_message(const InputValue& node);
  void variable_position(const InputValue& node);

  Budget& budget_;
  const Schema& schema_;
  const QueryDocument& document_;
  Overlap overlap_;
  std::string errors_;
  std::set<std::pair<std::string_view, std::pair<std::uint32_t, std::int32_t>>> misplaced_;
  bool in_fragments_ = false;
  std::unordered_set<std::string_view> used_fragments_;
  std::unordered_set<std::string_view> checked_fragments_;
  std::unordered_set<std::string_view> seen_fragments_;
  std::unordered_set<std::string_view> seen_operations_;
  std::unordered_set<std::string_view> open_fragments_;
  std::vector<const Selection*> spread_path_;
  std::unordered_map<std::string_view, std::size_t> spread_index_;
};

}  // namespace portcullis::graphql
