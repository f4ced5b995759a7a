// The store and its writer.
#include "kube/runtime/store.h"

#include <mutex>

namespace portcullis::kube {

ObjectPtr Store::get(std::string_view key) const {
  const std::shared_lock lock(mutex_);
  const auto found = objects_.find(key);
  return found == objects_.end() ? nullptr : found->second;
}

std::vector<ObjectPtr> Store::list() const {
  const std::shared_lock lock(mutex_);
  std::vector<ObjectPtr> all;
  all.reserve(objects_.size());
  for (const auto& [key, object] : objects_) all.push_back(object);
  return all;
}

std::vector<std::string> Store::keys() const {
  const std::shared_lock lock(mutex_);
  std::vector<std::string> all;
  all.reserve(objects_.size());
  for (const auto& [key, object] : objects_) all.push_back(key);
  return all;
}

std::size_t Store::size() const {
  const std::shared_lock lock(mutex_);
  return objects_.size();
}

bool Store::synced() const {
  const std::shared_lock lock(mutex_);
  return synced_;
}

std::size_t Store::memory() const {
  std::size_t total = 0;
  for (const ObjectPtr& object : list()) total += object->memory();
  return total;
}

StoreWriter::StoreWriter(std::shared_ptr<Store> store, StoreListener listener, StoreOptions options)
    : store_(std::move(store)), listener_(std::move(listener)), options_(options) {}

ObjectPtr StoreWriter::make(const Value& object) const {
  if (!options_.drop_managed_fields) return std::make_shared<const Object>(Object::copy_of(object));
  Arena scratch;
  return std::make_shared<const Object>(Object::copy_of(without_managed_fields(scratch, object)));
}

void StoreWriter::on_event(EventType type, const Value& object) {
  switch (type) {
    case EventType::kInit: incoming_.clear(); return;
    case EventType::kInitDone: replace_all(); return;
    case EventType::kInitApply: {
      const Meta meta(object);
      std::string key = meta.key();
      // What has not changed is kept, so that a relist neither copies it nor holds it twice.
      ObjectPtr known = store_->get(key);
      const bool same = known && known->meta().uid() == meta.uid() &&
                        known->meta().resource_version() == meta.resource_version() && !meta.resource_version().empty();
      incoming_.insert_or_assign(std::move(key), same ? std::move(known) : make(object));
      return;
    }
    case EventType::kApply:
    case EventType::kDelete: break;
  }
  const std::string key = Meta(object).key();
  const ObjectPtr after = type == EventType::kApply ? make(object) : nullptr;
  ObjectPtr before;
  {
    const std::unique_lock lock(store_->mutex_);
    const auto at = store_->objects_.find(key);
    if (at != store_->objects_.end()) before = at->second;
    if (after) {
      store_->objects_.insert_or_assign(key, after);
    } else if (at != store_->objects_.end()) {
      store_->objects_.erase(at);
    }
  }
  if (listener_.changed && (before || after)) listener_.changed(key, before, after);
}

void StoreWriter::replace_all() {
  std::map<std::string, ObjectPtr, std::less<>> old = std::move(incoming_);
  incoming_.clear();
  bool first = false;
  {
    const std::unique_lock lock(store_->mutex_);
    store_->objects_.swap(old);
    first = !store_->synced_;
    store_->synced_ = true;
  }
  if (listener_.changed) {
    // store_->objects_ is written by this thread only, so it may be read here without the lock.
    for (const auto& [key, before] : old) {
      if (store_->objects_.find(key) == store_->objects_.end()) listener_.changed(key, before, nullptr);
    }
    const auto now = store_->objects_;  // a listener may take its time; the copy holds pointers only
    for (const auto& [key, after] : now) {
      const auto was = old.find(key);
      const ObjectPtr before = was == old.end() ? nullptr : was->second;
      if (before != after) listener_.changed(key, before, after);
    }
  }
  if (first && listener_.synced) listener_.synced();
}

}  // namespace portcullis::kube
