// Order, equality, hash, lookups and builders of values.
#include "engine/value/value.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "engine/value/document.h"
#include "engine/value/json.h"
#include "engine/value/sort.h"

namespace portcullis {
namespace {

Document parse(std::string_view text) {
  Result<Document> document = Document::parse_json(text);
  EXPECT_TRUE(document.ok()) << text << ": " << (document.ok() ? "" : document.error().to_string());
  return document.ok() ? std::move(document).value() : Document{};
}

// In Rego's order; neighbours with the same rank are equal.
struct Ranked {
  int rank;
  const char* json;
};
constexpr Ranked kOrder[] = {
    {0, "null"},
    {1, "false"},
    {2, "true"},
    {3, "-1e400"},
    {4, "-10"},
    {5, "-9.5"},
    {6, "-0"},
    {6, "0"},
    {6, "0.0"},
    {6, "0e5"},
    {7, "1e-400"},
    {8, "0.1"},
    {8, "1e-1"},
    {9, "0.10000000000000000000000001"},
    {10, "1"},
    {10, "1.0"},
    {10, "1e0"},
    {10, "10e-1"},
    {10, "0.1e1"},
    {11, "9"},
    {12, "10"},
    {12, "1e1"},
    {13, "9007199254740993"},
    {14, "9007199254740994"},
    {15, "9223372036854775807"},
    {16, "9223372036854775808"},
    {17, "18446744073709551616"},
    {17, "18446744073709551616.00"},
    {18, "1e400"},
    {19, "\"\""},
    {20, "\"A\""},
    {21, "\"a\""},
    {22, "\"aa\""},
    {23, "\"b\""},
    {24, "\"\\u00e9\""},
    {25, "[]"},
    {26, "[1]"},
    {26, "[1.0]"},
    {27, "[1,2]"},
    {28, "[2]"},
    {29, "{}"},
    {30, "{\"a\":1}"},
    {31, "{\"a\":1,\"b\":0}"},
    {32, "{\"a\":2}"},
    {32, "{\"a\":2.0}"},
    {33, "{\"b\":0}"},
};

TEST(ValueOrder, TableIsTotallyOrdered) {
  std::vector<Document> documents;
  for (const Ranked& entry : kOrder) documents.push_back(parse(entry.json));
  for (std::size_t i = 0; i < std::size(kOrder); ++i) {
    for (std::size_t k = 0; k < std::size(kOrder); ++k) {
      const Value a = documents[i].root();
      const Value b = documents[k].root();
      const int order = compare(a, b);
      const int want = kOrder[i].rank - kOrder[k].rank;
      EXPECT_EQ(order < 0, want < 0) << kOrder[i].json << " vs " << kOrder[k].json;
      EXPECT_EQ(order > 0, want > 0) << kOrder[i].json << " vs " << kOrder[k].json;
      EXPECT_EQ(equal(a, b), want == 0) << kOrder[i].json << " vs " << kOrder[k].json;
      if (want == 0)
        EXPECT_EQ(hash(a), hash(b)) << kOrder[i].json << " vs " << kOrder[k].json;
      else
        EXPECT_NE(hash(a), hash(b)) << kOrder[i].json << " vs " << kOrder[k].json;
    }
  }
}

TEST(ValueOrder, SetsComeLastAndCompareByElements) {
  Arena arena;
  const Value one[] = {Value::integer(1)};
  const Value two[] = {Value::integer(2), Value::integer(1), Value::integer(2)};
  const Value a = make_set(arena, one);
  const Value b = make_set(arena, two);
  EXPECT_EQ(b.size(), 2u);
  EXPECT_LT(compare(a, b), 0);
  const Document object = parse("{}");
  EXPECT_LT(compare(object.root(), make_set(arena, {})), 0);
}

TEST(ValueSet, FirstSpellingStays) {
  Arena arena;
  const Document numbers = parse("[1.0, 1, 2]");
  EXPECT_EQ(to_rego(make_set(arena, numbers.root().elements())), "{1.0, 2}");
}

TEST(ValueGet, PlainTextInternedAndOtherKeys) {
  const Symbol* known = intern("valueTestKnown");
  const Document document = parse(R"({"valueTestKnown": 1, "other": {"x": [10, 20]}, "z": null})");
  const Value root = document.root();
  const Value key = Value::string(*known);
  EXPECT_EQ(root.get(key).as_integer(), 1);
  EXPECT_EQ(root.get("valueTestKnown").as_integer(), 1);
  EXPECT_EQ(root.get(Value::string("other")).get("x").get(Value::integer(1)).as_integer(), 20);
  EXPECT_EQ(root.path({"other", "x"}).size(), 2u);
  EXPECT_FALSE(root.path({"other", "y", "z"}).defined());
  EXPECT_TRUE(root.get("z").is_null());
  // A name that became a symbol only after the document was read is still found.
  const Symbol* late = intern("other");
  EXPECT_TRUE(root.get(Value::string(*late)).is_object());
  const Symbol* absent = intern("valueTestAbsent");
  EXPECT_FALSE(root.get(Value::string(*absent)).defined());
  EXPECT_FALSE(root.get(Value::integer(0)).defined());
}

TEST(ValueGet, ArrayIndexAsNumbersOfAnySpelling) {
  const Document document = parse(R"(["a", "b"])");
  const Document index = parse("[1.0, 1e0, 1.5, -1, 2]");
  const auto indexes = index.root().elements();
  EXPECT_EQ(document.root().get(indexes[0]).as_string(), "b");
  for (std::size_t i = 1; i < indexes.size(); ++i) EXPECT_FALSE(document.root().get(indexes[i]).defined()) << i;
}

TEST(ValueGet, LargeObjectsWithInternedKeys) {
  std::string text = "{";
  for (int i = 0; i < 300; ++i) text += (i == 0 ? "\"k" : ",\"k") + std::to_string(i) + "\":" + std::to_string(i);
  text += "}";
  intern("k7");
  intern("k299");
  const Document document = parse(text);
  for (int i = 0; i < 300; ++i) {
    const std::string name = "k" + std::to_string(i);
    const Symbol* symbol = find_symbol(name);
    const Value key = symbol != nullptr ? Value::string(*symbol) : Value::string(name);
    EXPECT_EQ(document.root().get(key).as_integer(), i);
  }
}

TEST(ValueObject, MakeObjectSortsAndLastWins) {
  Arena arena;
  const Member members[] = {{Value::string("b"), Value::integer(1)},
                            {Value::integer(3), Value::integer(2)},
                            {Value::string("a"), Value::integer(3)},
                            {Value::string("b"), Value::integer(4)}};
  const Value object = make_object(arena, members);
  EXPECT_EQ(to_rego(object), R"({3: 2, "a": 3, "b": 4})");
  const Value more = with_member(arena, object, Value::string("aa"), Value::null());
  EXPECT_EQ(to_rego(more), R"({3: 2, "a": 3, "aa": null, "b": 4})");
  const Value replaced = with_member(arena, more, Value::string("a"), Value::boolean(true));
  EXPECT_EQ(to_rego(replaced), R"({3: 2, "a": true, "aa": null, "b": 4})");
  EXPECT_EQ(to_rego(with_member(arena, make_object(arena, {}), Value::string("x"), Value::null())), R"({"x": null})");
  for (const char* key : {"a", "aa", "b"}) {
    const Symbol* symbol = intern(key);
    EXPECT_TRUE(replaced.get(Value::string(*symbol)).defined()) << key;
  }
}

TEST(ValueCopy, DeepCopyOutlivesItsSource) {
  Arena arena;
  Value copy;
  std::string printed;
  {
    const Document document = parse(R"({"a": [1, 2.50, "text", {"b": null}], "c": {"d": true}})");
    copy = deep_copy(arena, document.root());
    printed = to_json(document.root());
    EXPECT_GT(deep_size(document.root()), printed.size());
  }
  EXPECT_EQ(to_json(copy), printed);
}

TEST(ValueDocument, MovingKeepsValues) {
  Document document = parse(R"({"a":"b"})");
  const Value root = document.root();
  const Document moved = std::move(document);
  EXPECT_EQ(root.get("a").as_string(), "b");
  EXPECT_TRUE(moved.root().identical(root));
  Result<Document> owned = Document::parse_json_owned(R"({"a":"b"})");
  ASSERT_TRUE(owned.ok());
  const Document taken = std::move(owned).value();
  EXPECT_EQ(taken.root().get("a").as_string(), "b");
}

TEST(SortStable, KeepsOrderOfEqualItems) {
  for (const std::size_t count : {0u, 1u, 5u, 24u, 25u, 100u, 1000u}) {
    std::vector<std::pair<int, std::size_t>> items;
    for (std::size_t i = 0; i < count; ++i) items.emplace_back(static_cast<int>(i * 7919 % 31), i);
    sort_stable(items.data(), items.size(), [](const auto& a, const auto& b) { return a.first < b.first; });
    for (std::size_t i = 1; i < count; ++i) EXPECT_LT(items[i - 1], items[i]);
  }
}

}  // namespace
}  // namespace portcullis
