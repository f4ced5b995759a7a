// The list-then-watch state machine.
#include "kube/core/watch.h"

#include <algorithm>
#include <cmath>

namespace portcullis::kube {

std::chrono::milliseconds backoff_delay(const BackoffOptions& options, std::uint32_t failures, double random) noexcept {
  if (failures == 0) return std::chrono::milliseconds(0);
  const double steps = std::min<double>(failures - 1, 60);
  const double plain = std::min(static_cast<double>(options.first.count()) * std::pow(options.factor, steps),
                                static_cast<double>(options.ceiling.count()));
  const double jittered = plain * (1.0 + options.jitter * (2.0 * random - 1.0));
  return std::chrono::milliseconds(static_cast<std::int64_t>(std::max(jittered, 0.0)));
}

Watcher::Watcher(ApiResource resource, WatcherOptions options)
    : resource_(std::move(resource)), options_(std::move(options)) {}

Watcher::Step Watcher::next(double random) const {
  Step step;
  step.wait = backoff_delay(options_.backoff, failures_, random);
  if (state_ == State::kListed || state_ == State::kWatching) {
    WatchOptions watch;
    watch.label_selector = options_.label_selector;
    watch.field_selector = options_.field_selector;
    watch.resource_version = resource_version_;
    watch.timeout_seconds = options_.watch_seconds;
    step.what = Step::Do::kWatch;
    step.target = watch_target(resource_, options_.ns, watch);
    return step;
  }
  ListOptions list;
  list.label_selector = options_.label_selector;
  list.field_selector = options_.field_selector;
  list.limit = options_.page_size;
  list.continue_token = continue_token_;
  // No resource version: the most recent state, in pages. "0" would let the server answer from its cache, but then it
  // ignores the page size, and a large kind would arrive in one piece.
  step.what = Step::Do::kList;
  step.target = list_target(resource_, options_.ns, list);
  return step;
}

void Watcher::on_page(const ListPage& page, EventSink& sink) {
  if (state_ != State::kListing) sink.on_event(EventType::kInit, Value::undefined());
  state_ = State::kListing;
  absent_ = false;
  populated_ = true;
  for (const Value& item : page.items()) sink.on_event(EventType::kInitApply, item);
  continue_token_ = page.continue_token();
  failures_ = 0;
  if (!continue_token_.empty()) return;
  resource_version_ = page.resource_version();
  state_ = State::kListed;
  sink.on_event(EventType::kInitDone, Value::undefined());
}

void Watcher::on_list_error(const Error& error, EventSink& sink) {
  // A list that was begun is given up when its token has expired; any other failure may pass and the list go on.
  if (error.code == Code::kGone || error.code == Code::kNotFound || error.code == Code::kInvalid) {
    continue_token_.clear();
    state_ = State::kEmpty;
  }
  absent_ = error.code == Code::kNotFound;
  if (absent_ && populated_) {
    sink.on_event(EventType::kInit, Value::undefined());
    sink.on_event(EventType::kInitDone, Value::undefined());
    populated_ = false;
  }
  fail(error);
}

void Watcher::on_watch_open() noexcept { state_ = State::kWatching; }

bool Watcher::on_watch_event(const Value& event, EventSink& sink) {
  const std::string_view type = event.string_or("type");
  const Value object = event.get("object");
  if (type == "ERROR") {
    const Error error = status_error(object);
    on_watch_end(&error);
    return false;
  }
  const std::string_view version = object.path({"metadata"}).string_or("resourceVersion");
  if (version.empty()) {
    const Error error = make_error(Code::kInvalid, "watch event without metadata.resourceVersion");
    on_watch_end(&error);
    return false;
  }
  failures_ = 0;
  relists_ = 0;
  if (type == "ADDED" || type == "MODIFIED") {
    sink.on_event(EventType::kApply, object);
  } else if (type == "DELETED") {
    sink.on_event(EventType::kDelete, object);
  }  // BOOKMARK only moves the position; other types are from a newer server and do as well
  resource_version_ = version;
  return true;
}

void Watcher::on_watch_end(const Error* error) {
  if (state_ == State::kWatching) state_ = State::kListed;
  if (error == nullptr) return;
  if (error->code == Code::kGone || error->code == Code::kNotFound || error->code == Code::kInvalid) {
    // Too old a position, or a kind that is gone: what is known is no longer known to be true.
    continue_token_.clear();
    state_ = State::kEmpty;
    // A first 410 is everyday business and is met by a list at once.
    if (error->code == Code::kGone && relists_ == 0) {
      ++relists_;
      last_error_ = *error;
      return;
    }
  }
  fail(*error);
}

void Watcher::resync() noexcept {
  state_ = State::kEmpty;
  continue_token_.clear();
}

void Watcher::fail(const Error& error) {
  last_error_ = error;
  if (failures_ < UINT32_MAX) ++failures_;
}

}  // namespace portcullis::kube
