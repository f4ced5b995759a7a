// json.patch: RFC 6902 over immutable values. Each operation copies the containers along its path and shares the rest.
#include <charconv>
#include <string>
#include <string_view>
#include <vector>

#include "engine/rego/builtins/json_paths.h"
#include "engine/value/json.h"

namespace portcullis::rego::builtins {
namespace {

using Path = std::span<const Value>;

// One document under change. A failed step leaves the message in the context and returns undefined.
class Patcher {
 public:
  Patcher(BuiltinContext& context, const Value& root) : c_(context), root_(root) {}

  Value root() const { return root_; }

  Value get(Path path) {
    Value at = root_;
    for (const Value& step : path) {
      at = child(at, step);
      if (!at.defined()) return at;
    }
    if (!at.defined()) return c_.fail("nil value encountered where composite value was expected");
    return at;
  }

  bool insert(Path path, const Value& value) {
    if (path.empty()) {
      root_ = value;
      return true;
    }
    return update(insert_below(root_, path, value));
  }

  bool remove(Path path) {
    if (path.empty()) {
      if (!root_.defined()) {
        c_.fail("deleted node encountered during delete operation");
        return false;
      }
      root_ = Value::undefined();
      return true;
    }
    return update(remove_below(root_, path));
  }

 private:
  bool update(const Value& changed) {
    if (!changed.defined()) return false;
    root_ = changed;
    return true;
  }

  std::optional<std::int64_t> index_of(std::int64_t length, const Value& key) {
    if (key.is_number()) {
      const auto out = plain_int(key);
      if (!out) c_.fail("invalid number type for indexing");
      return out;
    }
    if (!key.is_string()) {
      c_.fail("invalid type for indexing");
      return std::nullopt;
    }
    const std::string_view text = key.as_string();
    if (text == "-") return length;
    std::int64_t out = 0;
    const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), out);
    if (status != std::errc{} || end != text.data() + text.size()) {
      c_.fail("invalid string for indexing");
      return std::nullopt;
    }
    if (text != "0" && text.front() == '0') {
      c_.fail("leading zeros are not allowed in JSON paths");
      return std::nullopt;
    }
    return out;
  }

  Value no_composite(const Value& at, std::string_view where) {
    return c_.fail("expected composite type" + std::string(where) + ", found value: " + to_rego(at));
  }

  Value missing(const Value& at, const Value& key) {
    return c_.fail("path " + to_rego(key) + " does not exist in " + std::string(kind_name(at.kind())) + " term " +
                   to_rego(at));
  }

  Value child(const Value& at, const Value& key) {
    if (!at.defined()) return c_.fail("nil value encountered where composite value was expected");
    if (at.is_array()) {
      const auto index = index_of(at.size(), key);
      if (!index) return {};
      if (*index < 0 || *index >= at.size()) return missing(at, Value::integer(*index));
      return at.elements()[static_cast<std::size_t>(*index)];
    }
    if (!at.is_object() && !at.is_set()) return no_composite(at, " for path " + to_rego(key));
    const Value found = at.get(key);
    return found.defined() ? found : missing(at, key);
  }

  // `at` with the child at `key` (which exists) replaced.
  Value replaced(const Value& at, const Value& key, const Value& value) {
    if (at.is_object()) return with_member(c_.arena, at, key, value);
    std::vector<Value> elements(at.elements().begin(), at.elements().end());
    if (at.is_set()) {
      for (Value& element : elements) {
        if (equal(element, key)) element = value;
      }
      return make_set(c_.arena, elements);
    }
    const auto index = index_of(at.size(), key);
    elements[static_cast<std::size_t>(*index)] = value;
    return make_array(c_.arena, elements);
  }

  Value insert_below(const Value& at, Path path, const Value& value) {
    if (path.size() > 1) {
      const Value next = child(at, path.front());
      if (!next.defined()) return next;
      const Value changed = insert_below(next, path.subspan(1), value);
      return changed.defined() ? replaced(at, path.front(), changed) : changed;
    }
    const Value& key = path.front();
    if (!at.defined()) return c_.fail("deleted node encountered during insert operation");
    if (at.is_object()) return with_member(c_.arena, at, key, value);
    if (!at.is_array() && !at.is_set()) return no_composite(at, "");
    std::vector<Value> elements(at.elements().begin(), at.elements().end());
    if (at.is_set()) {
      if (!equal(key, value)) {
        return c_.fail("set key " + to_rego(key) + " does not equal value to be inserted " + to_rego(value));
      }
      elements.push_back(value);
      return make_set(c_.arena, elements);
    }
    const auto index = index_of(at.size(), key);
    if (!index) return {};
    if (*index < 0 || *index > at.size()) return c_.fail("index for array insertion out of bounds");
    elements.insert(elements.begin() + static_cast<std::ptrdiff_t>(*index), value);
    return make_array(c_.arena, elements);
  }

  Value remove_below(const Value& at, Path path) {
    if (path.size() > 1) {
      const Value next = child(at, path.front());
      if (!next.defined()) return next;
      const Value changed = remove_below(next, path.subspan(1));
      return changed.defined() ? replaced(at, path.front(), changed) : changed;
    }
    const Value& key = path.front();
    if (!at.defined()) return c_.fail("deleted node encountered during delete operation");
    if (at.is_array()) {
      const auto index = index_of(at.size(), key);
      if (!index) return {};
      if (*index < 0 || *index >= at.size()) return c_.fail("index for array delete out of bounds");
      std::vector<Value> elements(at.elements().begin(), at.elements().end());
      elements.erase(elements.begin() + static_cast<std::ptrdiff_t>(*index));
      return make_array(c_.arena, elements);
    }
    if (!at.is_object() && !at.is_set()) return no_composite(at, "");
    if (!at.get(key).defined()) return c_.fail("cannot delete child key " + to_rego(key) + " that does not exist");
    return without_key(at, key);
  }

  Value without_key(const Value& at, const Value& key) {
    if (at.is_set()) {
      std::vector<Value> kept;
      for (const Value& element : at.elements()) {
        if (!equal(element, key)) kept.push_back(element);
      }
      return make_set(c_.arena, kept);
    }
    std::vector<Member> kept;
    for (std::uint32_t i = 0; i < at.size(); ++i) {
      if (!equal(at.keys()[i], key)) kept.push_back({at.keys()[i], at.values()[i]});
    }
    return make_object(c_.arena, kept);
  }

  BuiltinContext& c_;
  Value root_;
};

// The named attribute; absent ones are recorded as OPA words it.
Value attribute(BuiltinContext& c, const Value& operation, std::string_view name) {
  const Value found = operation.get(name);
  return found.defined() ? found : c.fail("missing required attribute '" + std::string(name) + "'");
}

std::optional<std::vector<Value>> path_attribute(BuiltinContext& c, const Value& operation, std::string_view name) {
  const Value path = attribute(c, operation, name);
  if (!path.defined()) return std::nullopt;
  return parse_path(c, path);
}

bool move_or_copy(BuiltinContext& c, Patcher& patcher, const Value& operation, Path path, bool move) {
  const auto from = path_attribute(c, operation, "from");
  if (!from) return false;
  const Value chunk = patcher.get(*from);
  if (!chunk.defined()) return false;
  if (move && !patcher.remove(*from)) return false;
  return patcher.insert(path, chunk);
}

bool test_value(BuiltinContext& c, Patcher& patcher, const Value& operation, Path path) {
  const Value found = patcher.get(path);
  if (!found.defined()) return false;
  const Value want = attribute(c, operation, "value");
  if (!want.defined()) return false;
  if (equal(found, want)) return true;
  c.fail("value from EditTree != patch value.\n\nExpected: " + to_rego(want) + "\n\nFound: " + to_rego(found));
  return false;
}

bool apply(BuiltinContext& c, Patcher& patcher, const Value& operation) {
  if (!operation.is_object()) {
    c.fail("must be an array of JSON-Patch objects, but at least one element is not an object");
    return false;
  }
  if (!attribute(c, operation, "path").defined()) return false;
  const Value op = attribute(c, operation, "op");
  if (!op.defined()) return false;
  if (!op.is_string()) {
    c.fail("attribute 'op' must be a string but found: " + std::string(kind_name(op.kind())));
    return false;
  }
  const auto path = path_attribute(c, operation, "path");
  if (!path) return false;
  const std::string_view name = op.as_string();
  if (name == "remove") return patcher.remove(*path);
  if (name == "move" || name == "copy") return move_or_copy(c, patcher, operation, *path, name == "move");
  if (name == "test") return test_value(c, patcher, operation, *path);
  if (name == "replace" && !patcher.remove(*path)) return false;
  if (name == "add" || name == "replace") {
    const Value value = attribute(c, operation, "value");
    return value.defined() && patcher.insert(*path, value);
  }
  c.fail("unrecognized op: '" + std::string(name) + "'");
  return false;
}

}  // namespace

Value json_patch(BuiltinContext& c, Args a) {
  if (!array_operand(c, a, 1)) return {};
  Patcher patcher(c, a[0]);
  for (const Value& operation : a[1].elements()) {
    if (!apply(c, patcher, operation)) return {};
    if (c.over_budget()) return {};
  }
  return patcher.root();
}

}  // namespace portcullis::rego::builtins
