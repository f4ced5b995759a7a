// The objects of one kind as a reflector last saw them.
// Threads: any may read at once; the reflector alone writes. Readers get shared pointers and hold no lock while they
// use them. A relist replaces the content in one step.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <vector>

#include "kube/core/object.h"
#include "kube/core/watch.h"

namespace portcullis::kube {

class Store {
 public:
  // By "namespace/name" or "name"; null when absent. O(log n).
  ObjectPtr get(std::string_view key) const;
  // All of them, in key order. O(n).
  std::vector<ObjectPtr> list() const;
  std::vector<std::string> keys() const;
  std::size_t size() const;
  // True once the first list is complete; stays true.
  bool synced() const;
  // Sum of Object::memory(). O(n).
  std::size_t memory() const;

 private:
  friend class StoreWriter;
  mutable std::shared_mutex mutex_;
  std::map<std::string, ObjectPtr, std::less<>> objects_;
  bool synced_ = false;
};

struct StoreOptions {
  bool drop_managed_fields = true;  // metadata.managedFields is often the largest part and no policy reads it
};

// What changed: the key, and the object before and after (null where there is none). Called on the reflector's thread
// after the store has the new state. On a relist: one call per difference. `synced`: once, after the first complete
// list.
struct StoreListener {
  std::function<void(const std::string& key, const ObjectPtr& before, const ObjectPtr& after)> changed;
  std::function<void()> synced;
};

// Feeds a Store from a reflector. Threads: one. Lifetime: the store is shared with readers.
class StoreWriter final : public EventSink {
 public:
  explicit StoreWriter(std::shared_ptr<Store> store, StoreListener listener = {}, StoreOptions options = {});
  void on_event(EventType type, const Value& object) override;

 private:
  void replace_all();
  ObjectPtr make(const Value& object) const;
  std::shared_ptr<Store> store_;
  StoreListener listener_;
  StoreOptions options_;
  std::map<std::string, ObjectPtr, std::less<>> incoming_;  // between kInit and kInitDone
};

}  // namespace portcullis::kube
