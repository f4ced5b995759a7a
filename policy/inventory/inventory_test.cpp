#include "policy/inventory/inventory.h"

#include <gtest/gtest.h>

#include <thread>

#include "engine/value/json.h"

namespace portcullis::policy {
namespace {

Document parse(std::string_view text) {
  Result<Document> document = Document::parse_json(text);
  EXPECT_TRUE(document.ok()) << document.error().to_string();
  return document.ok() ? std::move(*document) : Document();
}

TEST(Inventory, ShapeAndVersions) {
  Inventory inventory;
  CachedInventory mine;
  EXPECT_EQ(to_json(inventory.refresh(mine).data()), R"({"inventory":{}})");
  const auto before = mine.version;

  const Document pod =
      parse(R"({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "namespace": "n"}, "x": 1000000})");
  const Document ns = parse(R"({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "n"}})");
  ASSERT_TRUE(inventory.upsert(pod.root()).ok());
  ASSERT_TRUE(inventory.upsert(ns.root()).ok());
  const InventoryVersion& now = inventory.refresh(mine);
  EXPECT_EQ(now.data().path({"inventory", "namespace", "n", "v1", "Pod", "p"}).string_or("kind"), "Pod");
  EXPECT_EQ(to_json(now.data().path({"inventory", "namespace", "n", "v1", "Pod", "p", "x"})), "1e+06");
  EXPECT_TRUE(now.namespace_object("n").is_object());
  EXPECT_FALSE(now.namespace_object("m").defined());
  EXPECT_EQ(to_json(before->data()), R"({"inventory":{}})");
  EXPECT_EQ(inventory.size(), 2u);

  const auto held = mine.version;
  ASSERT_TRUE(inventory.remove(pod.root()).ok());
  EXPECT_EQ(
      to_json(inventory.refresh(mine).data()),
      R"({"inventory":{"cluster":{"v1":{"Namespace":{"n":{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"n"}}}}}}})");
  EXPECT_TRUE(held->data().path({"inventory", "namespace", "n", "v1", "Pod", "p"}).is_object());
  inventory.clear();
  EXPECT_EQ(inventory.size(), 0u);
  EXPECT_EQ(inventory.memory(), 0u);
}

TEST(Inventory, RefusesObjectsWithoutIdentity) {
  Inventory inventory;
  const Document no_version = parse(R"({"metadata": {"name": "x"}})");
  const Document no_kind = parse(R"({"apiVersion": "v1", "metadata": {"name": "x"}})");
  EXPECT_EQ(inventory.upsert(no_version.root()).error().message, "invalid request object: resource x has no version");
  EXPECT_EQ(inventory.upsert(no_kind.root()).error().message, "invalid request object: resource x has no kind");
}

TEST(Inventory, ReadersSeeWholeVersionsWhileWritersWrite) {
  Inventory inventory;
  const Document a = parse(R"({"apiVersion": "v1", "kind": "A", "metadata": {"name": "x"}})");
  const Document b = parse(R"({"apiVersion": "v1", "kind": "B", "metadata": {"name": "x"}})");
  std::thread writer([&] {
    for (int i = 0; i < 300; ++i) {
      EXPECT_TRUE(inventory.upsert(a.root()).ok());
      EXPECT_TRUE(inventory.upsert(b.root()).ok());
      EXPECT_TRUE(inventory.remove(b.root()).ok());
      EXPECT_TRUE(inventory.remove(a.root()).ok());
    }
  });
  CachedInventory mine;
  for (int i = 0; i < 1000; ++i) {
    const Value kinds = inventory.refresh(mine).data().path({"inventory", "cluster", "v1"});
    // B is never there without A.
    if (kinds.get("B").defined()) {
      EXPECT_TRUE(kinds.get("A").defined());
    }
  }
  writer.join();
}

}  // namespace
}  // namespace portcullis::policy
