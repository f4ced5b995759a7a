// Paths, objects, lists, Status objects, discovery and the watcher's state machine.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "engine/value/json.h"
#include "kube/core/discovery.h"
#include "kube/core/object.h"
#include "kube/core/resource.h"
#include "kube/core/watch.h"

namespace portcullis::kube {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

ApiResource pods() { return {"", "v1", "Pod", "pods", true, {"get", "list", "watch"}, {"status"}}; }
ApiResource deployments() { return {"apps", "v1", "Deployment", "deployments", true, {"list"}, {}}; }

TEST(Resource, Paths) {
  EXPECT_EQ(collection_path(pods(), ""), "/api/v1/pods");
  EXPECT_EQ(collection_path(deployments(), "ns"), "/apis/apps/v1/namespaces/ns/deployments");
  EXPECT_EQ(object_path(pods(), "ns", "a", "status"), "/api/v1/namespaces/ns/pods/a/status");
  EXPECT_EQ(object_path(pods(), "ns", "a/../b?x"), "/api/v1/namespaces/ns/pods/a%2F..%2Fb%3Fx");
  ListOptions list;
  list.limit = 500;
  list.label_selector = "a=b,c in (d)";
  EXPECT_EQ(list_target(pods(), "", list), "/api/v1/pods?labelSelector=a%3Db%2Cc%20in%20%28d%29&limit=500");
  list.continue_token = "t";
  list.resource_version = "5";
  EXPECT_THAT(list_target(pods(), "", list), Not(HasSubstr("resourceVersion")));
  WatchOptions watch;
  watch.resource_version = "7";
  watch.timeout_seconds = 10;
  EXPECT_EQ(watch_target(pods(), "", watch),
            "/api/v1/pods?watch=true&allowWatchBookmarks=true&timeoutSeconds=10&resourceVersion=7");
  WriteOptions write;
  write.force = true;
  write.dry_run = true;
  EXPECT_EQ(write_query(write, true), "?fieldManager=portcullis&dryRun=All&force=true");
  EXPECT_EQ(write_query(write, false), "?fieldManager=portcullis&dryRun=All");
}

TEST(Resource, ApiVersion) {
  EXPECT_EQ(parse_api_version("apps/v1", "Deployment"), (GroupVersionKind{"apps", "v1", "Deployment"}));
  EXPECT_EQ(parse_api_version("v1", "Pod").api_version(), "v1");
}

TEST(Meta, Fields) {
  const Object object = Object::parse(R"({"apiVersion":"v1","kind":"Pod","metadata":{"name":"a","namespace":"n",
      "uid":"u","resourceVersion":"9","generation":3,"labels":{"x":"y"},"finalizers":["f"],
      "deletionTimestamp":"2026-01-01T00:00:00Z"}})")
                            .value();
  const Meta meta = object.meta();
  EXPECT_EQ(meta.key(), "n/a");
  EXPECT_EQ(meta.generation(), 3);
  EXPECT_EQ(meta.label("x"), "y");
  EXPECT_EQ(meta.label("z"), "");
  EXPECT_TRUE(meta.being_deleted());
  EXPECT_TRUE(meta.has_finalizer("f"));
  EXPECT_FALSE(meta.has_finalizer("g"));
  EXPECT_EQ(split_key("n/a").ns, "n");
  EXPECT_EQ(split_key("a").name, "a");
  EXPECT_EQ(split_key("a").ns, "");
}

TEST(ListPage, FillsInTypes) {
  const ListPage page = ListPage::parse(R"({"kind":"PodList","apiVersion":"v1",
      "metadata":{"resourceVersion":"5","continue":"tok","remainingItemCount":7},
      "items":[{"metadata":{"name":"a"}},{"kind":"Other","metadata":{"name":"b"}}]})")
                            .value();
  ASSERT_EQ(page.items().size(), 2u);
  EXPECT_EQ(to_json(page.items()[0]), R"({"apiVersion":"v1","kind":"Pod","metadata":{"name":"a"}})");
  EXPECT_EQ(Meta(page.items()[1]).kind(), "Other");
  EXPECT_EQ(page.resource_version(), "5");
  EXPECT_EQ(page.continue_token(), "tok");
  EXPECT_EQ(page.remaining(), 7);
  ListPage moved = ListPage::parse(R"({"kind":"XList","metadata":{},"items":null})").value();
  const ListPage again = std::move(moved);
  EXPECT_THAT(again.items(), IsEmpty());
  EXPECT_EQ(ListPage::parse("{}").error().code, Code::kInvalid);
  EXPECT_EQ(ListPage::parse(R"({"kind":"Pod","metadata":{},"items":{}})").error().code, Code::kInvalid);
  EXPECT_EQ(ListPage::parse("<html>").error().code, Code::kInvalid);
}

TEST(StatusError, Codes) {
  const std::string conflict =
      R"({"kind":"Status","reason":"Conflict","code":409,"message":"the object has been modified"})";
  EXPECT_EQ(status_error(409, conflict).code, Code::kConflict);
  EXPECT_EQ(status_error(409, conflict).message, "the object has been modified");
  EXPECT_FALSE(is_already_exists(status_error(409, conflict)));
  EXPECT_TRUE(is_already_exists(status_error(409, R"({"kind":"Status","reason":"AlreadyExists","message":"x"})")));
  struct Case {
    int status;
    Code code;
  };
  for (const Case& c :
       {Case{400, Code::kInvalid}, Case{422, Code::kInvalid}, Case{401, Code::kDenied}, Case{403, Code::kDenied},
        Case{404, Code::kNotFound}, Case{410, Code::kGone}, Case{429, Code::kThrottled}, Case{500, Code::kUnavailable},
        Case{503, Code::kUnavailable}, Case{504, Code::kTimeout}}) {
    EXPECT_EQ(status_error(c.status, "upstream says no\n").code, c.code) << c.status;
  }
  EXPECT_EQ(status_error(502, "bad gateway\n").message, "HTTP status 502: bad gateway");
}

TEST(Discovery, Aggregated) {
  const Document document = Document::parse_json(R"({"kind":"APIGroupDiscoveryList","items":[
    {"metadata":{},"versions":[{"version":"v1","freshness":"Current","resources":[
      {"resource":"pods","responseKind":{"group":"","version":"v1","kind":"Pod"},"scope":"Namespaced",
       "verbs":["list","get"],"subresources":[{"subresource":"status"}]}]}]},
    {"metadata":{"name":"x.io"},"versions":[
      {"version":"v2","freshness":"Stale","resources":[]},
      {"version":"v1","resources":[{"resource":"things","responseKind":{"kind":"Thing"},"scope":"Cluster","verbs":["list"]}]}]}
    ]})")
                                .value();
  const Discovery found = parse_aggregated_discovery(document.root()).value();
  ASSERT_EQ(found.resources.size(), 2u);
  EXPECT_TRUE(found.resources[0].namespaced);
  EXPECT_TRUE(found.resources[0].has_subresource("status"));
  EXPECT_TRUE(found.resources[0].can("get"));
  EXPECT_EQ(found.resources[1].gvk(), (GroupVersionKind{"x.io", "v1", "Thing"}));
  EXPECT_THAT(found.failed, ElementsAre(GroupVersionKind{"x.io", "v2", ""}));
  EXPECT_NE(find_resource(found.resources, {"", "v1", "Pod"}), nullptr);
  EXPECT_EQ(find_resource(found.resources, {"", "v2", "Pod"}), nullptr);
}

TEST(Discovery, Plain) {
  const Document versions = Document::parse_json(R"({"kind":"APIVersions","versions":["v1"]})").value();
  EXPECT_THAT(parse_group_list(versions.root()).value(), ElementsAre(GroupVersionKind{"", "v1", ""}));
  const Document groups = Document::parse_json(R"({"kind":"APIGroupList","groups":[{"name":"a.io",
      "versions":[{"version":"v1beta1"},{"version":"v1"}],"preferredVersion":{"version":"v1"}}]})")
                              .value();
  EXPECT_THAT(parse_group_list(groups.root()).value(),
              ElementsAre(GroupVersionKind{"a.io", "v1", ""}, GroupVersionKind{"a.io", "v1beta1", ""}));
  const Document list = Document::parse_json(R"({"kind":"APIResourceList","groupVersion":"a.io/v1","resources":[
      {"name":"things/status","kind":"Thing"},{"name":"things","kind":"Thing","namespaced":true,"verbs":["list"]}]})")
                            .value();
  const std::vector<ApiResource> resources = parse_resource_list(list.root()).value();
  ASSERT_EQ(resources.size(), 1u);
  EXPECT_EQ(resources[0].group, "a.io");
  EXPECT_THAT(resources[0].subresources, ElementsAre("status"));
  EXPECT_FALSE(parse_resource_list(groups.root()).ok());
}

TEST(Discovery, PreferredListable) {
  ApiResource old = deployments();
  old.version = "v1beta1";
  ApiResource unlistable = pods();
  unlistable.kind = "Review";
  unlistable.verbs = {"create"};
  const std::vector<ApiResource> got = preferred_listable({deployments(), old, unlistable});
  ASSERT_EQ(got.size(), 1u);
  EXPECT_EQ(got[0].version, "v1");
}

// Writes down what it is told.
class Recorder : public EventSink {
 public:
  void on_event(EventType type, const Value& object) override {
    constexpr const char* kNames[] = {"init", "init-apply", "init-done", "apply", "delete"};
    std::string line = kNames[static_cast<int>(type)];
    if (object.defined()) line += " " + Meta(object).key();
    events.push_back(std::move(line));
  }
  std::vector<std::string> take() { return std::exchange(events, {}); }
  std::vector<std::string> events;
};

class WatcherTest : public testing::Test {
 protected:
  WatcherTest() : watcher(pods(), options()) {}
  static WatcherOptions options() {
    WatcherOptions options;
    options.page_size = 2;
    options.backoff = {std::chrono::milliseconds(100), std::chrono::milliseconds(1000), 2.0, 0.0};
    return options;
  }
  void page(const std::string& names, const std::string& version, const std::string& next = "") {
    std::string items;
    for (const char name : names) {
      items += std::string(items.empty() ? "" : ",") + R"({"metadata":{"name":")" + name + "\"}}";
    }
    watcher.on_page(ListPage::parse(R"({"kind":"PodList","apiVersion":"v1","metadata":{"resourceVersion":")" + version +
                                    R"(","continue":")" + next + R"("},"items":[)" + items + "]}")
                        .value(),
                    sink);
  }
  bool event(const std::string& type, const std::string& name, const std::string& version) {
    const Document d = Document::parse_json(R"({"type":")" + type + R"(","object":{"metadata":{"name":")" + name +
                                            R"(","resourceVersion":")" + version + "\"}}}")
                           .value();
    return watcher.on_watch_event(d.root(), sink);
  }
  bool error_event(int code) {
    const Document d = Document::parse_json(R"({"type":"ERROR","object":{"kind":"Status","message":"m","code":)" +
                                            std::to_string(code) + "}}")
                           .value();
    return watcher.on_watch_event(d.root(), sink);
  }
  Watcher::Step next() const { return watcher.next(0.5); }

  Watcher watcher;
  Recorder sink;
};

TEST_F(WatcherTest, ListsInPagesThenWatches) {
  EXPECT_EQ(next().what, Watcher::Step::Do::kList);
  EXPECT_EQ(next().target, "/api/v1/pods?limit=2");
  page("ab", "10", "tok");
  EXPECT_EQ(watcher.state(), Watcher::State::kListing);
  EXPECT_EQ(next().target, "/api/v1/pods?limit=2&continue=tok");
  page("c", "10");
  EXPECT_THAT(sink.take(), ElementsAre("init", "init-apply a", "init-apply b", "init-apply c", "init-done"));
  EXPECT_EQ(watcher.state(), Watcher::State::kListed);
  EXPECT_EQ(next().what, Watcher::Step::Do::kWatch);
  EXPECT_THAT(next().target, HasSubstr("resourceVersion=10"));
  watcher.on_watch_open();
  EXPECT_TRUE(event("ADDED", "d", "11"));
  EXPECT_TRUE(event("MODIFIED", "a", "12"));
  EXPECT_TRUE(event("DELETED", "b", "13"));
  EXPECT_TRUE(event("BOOKMARK", "", "20"));
  EXPECT_THAT(sink.take(), ElementsAre("apply d", "apply a", "delete b"));
  watcher.on_watch_end(nullptr);
  EXPECT_EQ(next().what, Watcher::Step::Do::kWatch);
  EXPECT_EQ(next().wait.count(), 0);
  EXPECT_THAT(next().target, HasSubstr("resourceVersion=20"));
}

TEST_F(WatcherTest, GoneRelistsAtOnceTheFirstTimeAndThenBacksOff) {
  page("a", "10");
  watcher.on_watch_open();
  EXPECT_FALSE(error_event(410));
  EXPECT_EQ(next().what, Watcher::Step::Do::kList);
  EXPECT_EQ(next().wait.count(), 0);
  sink.take();
  page("ab", "20");
  EXPECT_THAT(sink.take(), ElementsAre("init", "init-apply a", "init-apply b", "init-done"));
  watcher.on_watch_open();
  EXPECT_FALSE(error_event(410));
  EXPECT_GT(next().wait.count(), 0);
}

TEST_F(WatcherTest, CutWatchResumesWithBackoff) {
  page("a", "10");
  const Error cut = make_error(Code::kUnavailable, "cut");
  for (const int wait : {100, 200, 400, 800, 1000, 1000}) {
    watcher.on_watch_open();
    watcher.on_watch_end(&cut);
    EXPECT_EQ(next().what, Watcher::Step::Do::kWatch);
    EXPECT_EQ(next().wait.count(), wait);
  }
  watcher.on_watch_open();
  event("ADDED", "b", "11");
  EXPECT_EQ(watcher.failures(), 0u);
}

TEST_F(WatcherTest, FailedPageIsTriedAgainExpiredTokenStartsOver) {
  page("ab", "10", "tok");
  watcher.on_list_error(make_error(Code::kUnavailable, "x"), sink);
  EXPECT_EQ(next().target, "/api/v1/pods?limit=2&continue=tok");
  EXPECT_EQ(next().wait.count(), 100);
  watcher.on_list_error(make_error(Code::kGone, "expired"), sink);
  EXPECT_EQ(next().target, "/api/v1/pods?limit=2");
  sink.take();
  page("c", "12");
  EXPECT_THAT(sink.take(), ElementsAre("init", "init-apply c", "init-done"));
}

TEST_F(WatcherTest, AbsentKindEmptiesTheSinkOnce) {
  watcher.on_list_error(make_error(Code::kNotFound, "no such kind"), sink);
  EXPECT_TRUE(watcher.absent());
  EXPECT_THAT(sink.take(), IsEmpty());
  page("a", "10");
  EXPECT_FALSE(watcher.absent());
  watcher.on_watch_open();
  const Error gone = make_error(Code::kNotFound, "no such kind");
  watcher.on_watch_end(&gone);
  EXPECT_EQ(next().what, Watcher::Step::Do::kList);
  sink.take();
  watcher.on_list_error(gone, sink);
  EXPECT_THAT(sink.take(), ElementsAre("init", "init-done"));
  watcher.on_list_error(gone, sink);
  EXPECT_THAT(sink.take(), IsEmpty());
}

TEST_F(WatcherTest, EventWithoutVersionMeansAFreshList) {
  page("a", "10");
  watcher.on_watch_open();
  EXPECT_FALSE(event("ADDED", "b", ""));
  EXPECT_EQ(next().what, Watcher::Step::Do::kList);
  EXPECT_GT(next().wait.count(), 0);
}

TEST(Backoff, JitterStaysInBounds) {
  const BackoffOptions options{std::chrono::milliseconds(100), std::chrono::milliseconds(1000), 2.0, 0.2};
  EXPECT_EQ(backoff_delay(options, 0, 0.9).count(), 0);
  EXPECT_EQ(backoff_delay(options, 1, 0.0).count(), 80);
  EXPECT_EQ(backoff_delay(options, 1, 0.999999).count(), 119);
  EXPECT_EQ(backoff_delay(options, UINT32_MAX, 0.5).count(), 1000);
}

}  // namespace
}  // namespace portcullis::kube
