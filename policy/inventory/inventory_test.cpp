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

TEST(Inventory, ABoundLetsNothingGrowBeyondIt) {
  const auto pod = [](const char* name, const std::string& text) {
    return parse((R"({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": ")" + std::string(name) +
                  R"(", "namespace": "n"}, "x": ")" + text + "\"}")
                     .c_str());
  };
  const Document big = pod("p", std::string(20000, 'x'));
  const Document bigger = pod("p", std::string(40000, 'x'));
  const Document small = pod("p", "less");
  Inventory inventory;
  ASSERT_TRUE(inventory.upsert(big.root()).ok());
  const std::size_t bound = inventory.memory();
  const Document other = pod("q", "");
  const Result<void> refused = inventory.upsert(other.root(), bound);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, Code::kLimit);
  EXPECT_FALSE(inventory.upsert(bigger.root(), bound).ok());
  EXPECT_EQ(inventory.memory(), bound);
  ASSERT_TRUE(inventory.upsert(small.root(), 1).ok());  // what shrinks is always taken
  ASSERT_TRUE(inventory.upsert(other.root(), bound).ok());
  EXPECT_EQ(inventory.size(), 2u);
}

TEST(Inventory, ListsItsObjects) {
  Inventory inventory;
  for (const char* text : {R"({"apiVersion": "apps/v1", "kind": "B", "metadata": {"name": "1", "namespace": "n"}})",
                           R"({"apiVersion": "v1", "kind": "A", "metadata": {"name": "2", "namespace": "n"}})",
                           R"({"apiVersion": "v1", "kind": "C", "metadata": {"name": "3"}})",
                           R"({"apiVersion": "v1", "kind": "A", "metadata": {"name": "4", "namespace": "m"}})"}) {
    const Document object = parse(text);
    ASSERT_TRUE(inventory.upsert(object.root()).ok());
  }
  CachedInventory mine;
  std::string names;
  for (const Value& object : inventory.refresh(mine).objects()) names += object.path({"metadata", "name"}).as_string();
  EXPECT_EQ(names, "3412");
  EXPECT_TRUE(InventoryVersion().objects().empty());
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

std::string found(const InventoryVersion& version, const std::shared_ptr<const rego::DataIndexSpec>& spec,
                  std::string_view key) {
  std::span<const rego::DataIndexHit> hits;
  if (!version.find(spec, Value::string(key), hits)) return "no index";
  std::string out;
  for (const rego::DataIndexHit& hit : hits) {
    for (std::size_t i = 2; i < spec->collection.size(); ++i) out += std::string(hit.steps[i].as_string()) + "/";
    out += " ";
  }
  return out;
}

// What the index should say: a walk over everything, in order.
std::string walked(const InventoryVersion& version, std::string_view key) {
  std::string out;
  const Value spaces = version.data().path({"inventory", "namespace"});
  for (std::size_t i = 0; i < spaces.size(); ++i) {
    const Value objects = spaces.values()[i].path({"v1", "A"});
    for (std::size_t k = 0; k < objects.size(); ++k) {
      bool holds = false;
      for (const Value& host : objects.values()[k].get("hosts").elements()) {
        holds = holds || (host.is_string() && host.as_string() == key);
      }
      if (!holds) continue;
      out += std::string(spaces.keys()[i].as_string()) + "/v1/A/" + std::string(objects.keys()[k].as_string()) + "/ ";
    }
  }
  return out;
}

std::shared_ptr<const rego::DataIndexSpec> hosts_of_a() {
  return rego::DataIndexSpec::make({"inventory", "namespace", std::nullopt, std::nullopt, "A", std::nullopt},
                                   {"hosts", std::nullopt});
}

TEST(Inventory, IndexesFollowTheObjects) {
  const auto spec = hosts_of_a();
  EXPECT_EQ(spec->text, "inventory.namespace[_][_].A[_] by hosts[_]");
  Inventory inventory;
  CachedInventory mine;
  EXPECT_EQ(found(inventory.refresh(mine), spec, "h1"), "no index");
  std::vector<std::shared_ptr<const InventoryVersion>> versions;
  std::uint32_t random = 7;
  const auto next = [&](std::uint32_t below) {
    random = random * 1664525 + 1013904223;
    return (random >> 8) % below;
  };
  for (int step = 0; step < 1200; ++step) {
    const std::string name = "o" + std::to_string(next(60));
    const std::string ns = "n" + std::to_string(next(3));
    const std::string kind = next(4) == 0 ? "B" : "A";
    if (next(3) == 0) {
      inventory.remove("v1", kind, ns, name);
    } else {
      std::string hosts;
      for (std::uint32_t i = next(4); i > 0; --i) hosts += "\"h" + std::to_string(next(40)) + "\", ";
      const Document object = parse(R"({"apiVersion": "v1", "kind": ")" + kind + R"(", "metadata": {"name": ")" + name +
                                    R"(", "namespace": ")" + ns + R"("}, "hosts": [)" + hosts + "1]}");
      ASSERT_TRUE(inventory.upsert(object.root()).ok());
    }
    if (next(5) != 0) continue;
    const InventoryVersion& version = inventory.refresh(mine);
    if (step % 50 == 0) versions.push_back(mine.version);
    for (int host = 0; host < 40; host += 3) {
      const std::string key = "h" + std::to_string(host);
      EXPECT_EQ(found(version, spec, key), walked(version, key)) << step;
    }
  }
  for (const auto& version : versions) {
    for (int host = 0; host < 40; ++host) {
      const std::string key = "h" + std::to_string(host);
      EXPECT_EQ(found(*version, spec, key), walked(*version, key));
    }
  }
  inventory.clear();
  EXPECT_EQ(found(inventory.refresh(mine), spec, "h1"), "");
}

TEST(Inventory, AnIndexGoesWithItsPrograms) {
  Inventory inventory;
  CachedInventory mine;
  auto spec = hosts_of_a();
  auto alike = hosts_of_a();
  EXPECT_EQ(spec, alike);  // equal specs are one
  found(inventory.refresh(mine), spec, "x");
  EXPECT_EQ(found(inventory.refresh(mine), spec, "x"), "");
  EXPECT_EQ(found(inventory.refresh(mine), alike, "x"), "");
  EXPECT_EQ(inventory.index_count(), 1u);
  spec.reset();
  inventory.clear();
  EXPECT_EQ(found(inventory.refresh(mine), alike, "x"), "");
  EXPECT_EQ(inventory.index_count(), 1u);
  alike.reset();
  inventory.clear();
  inventory.refresh(mine);
  EXPECT_EQ(inventory.index_count(), 0u);
}

TEST(Inventory, IndexesAreToldApartByTheirSteps) {
  using Steps = std::vector<rego::DataIndexSpec::Step>;
  const Steps collection = {"inventory", "namespace", std::nullopt, std::nullopt, "A", std::nullopt};
  const auto dotted = rego::DataIndexSpec::make(collection, {"labels", "app.x"});
  const auto nested = rego::DataIndexSpec::make(collection, {"labels", "app", "x"});
  EXPECT_EQ(dotted->text, "inventory.namespace[_][_].A[_] by labels[\"app.x\"]");
  EXPECT_NE(dotted->text, nested->text);
  EXPECT_NE(rego::DataIndexSpec::make(collection, {"a", std::nullopt})->text,
            rego::DataIndexSpec::make(collection, {"a[_]"})->text);
  EXPECT_NE(rego::DataIndexSpec::make(collection, {"a\"][\"b"})->text,
            rego::DataIndexSpec::make(collection, {"a", "b"})->text);
  Inventory inventory;
  CachedInventory mine;
  const Document a = parse(R"({"apiVersion": "v1", "kind": "A", "metadata": {"name": "a", "namespace": "n"},
    "labels": {"app.x": "l"}})");
  const Document b = parse(R"({"apiVersion": "v1", "kind": "A", "metadata": {"name": "b", "namespace": "n"},
    "labels": {"app": {"x": "l"}}})");
  ASSERT_TRUE(inventory.upsert(a.root()).ok() && inventory.upsert(b.root()).ok());
  for (const auto& spec : {dotted, nested}) found(inventory.refresh(mine), spec, "l");
  const InventoryVersion& version = inventory.refresh(mine);
  EXPECT_EQ(found(version, dotted, "l"), "n/v1/A/a/ ");
  EXPECT_EQ(found(version, nested, "l"), "n/v1/A/b/ ");
}

TEST(Inventory, IndexesCountAndAreBounded) {
  Inventory inventory(1);
  CachedInventory mine;
  const auto spec = hosts_of_a();
  const auto other = rego::DataIndexSpec::make(spec->collection, {"other"});
  const Document object = parse(R"({"apiVersion": "v1", "kind": "A", "metadata": {"name": "a", "namespace": "n"},
    "hosts": ["h1", "h2"]})");
  ASSERT_TRUE(inventory.upsert(object.root()).ok());
  const std::size_t objects = inventory.memory();
  found(inventory.refresh(mine), spec, "h1");
  EXPECT_EQ(found(inventory.refresh(mine), spec, "h1"), "n/v1/A/a/ ");
  EXPECT_GT(inventory.memory(), objects + 2 * sizeof(rego::DataIndexHit));
  // The first one fills what there is.
  for (int i = 0; i < 3; ++i) EXPECT_EQ(found(inventory.refresh(mine), other, "x"), "no index");
  EXPECT_EQ(inventory.index_count(), 1u);
  inventory.clear();
  EXPECT_EQ(inventory.memory(), 0u);
}

}  // namespace
}  // namespace portcullis::policy
