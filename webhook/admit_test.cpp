// The webhook's handler on AdmissionReviews good and bad, without sockets: what is answered, byte for byte where the
// API server or a user sees it.
#include "webhook/admit.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/log.h"
#include "engine/value/json.h"
#include "kube/runtime/store.h"
#include "net/blocking.h"
#include "net/io_thread.h"

namespace portcullis::webhook {
namespace {

using testing::HasSubstr;

constexpr const char* kTemplate = R"({
  "apiVersion": "templates.gatekeeper.sh/v1", "kind": "ConstraintTemplate", "metadata": {"name": "denyname"},
  "spec": {"crd": {"spec": {"names": {"kind": "DenyName"}, "validation": {"openAPIV3Schema": {"type": "object",
    "properties": {"name": {"type": "string"}}}}}},
    "targets": [{"target": "admission.k8s.gatekeeper.sh",
      "rego": "package x\nviolation[{\"msg\": msg}] { input.review.object.metadata.name == input.parameters.name; msg := sprintf(\"%v is denied in %v\", [input.parameters.name, input.review.namespaceObject.metadata.name]) }"}]}})";

std::string constraint(const char* name, const char* denied, const char* action) {
  return std::string(
             R"({"apiVersion": "constraints.gatekeeper.sh/v1beta1", "kind": "DenyName", "metadata": {"name": ")") +
         name + R"("}, "spec": {"enforcementAction": ")" + action + R"(", "parameters": {"name": ")" + denied +
         R"("}}})";
}

std::string review_of(const char* name, const char* ns = "default", const char* extra = "") {
  return std::string(R"({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": {"uid": "u-1",
    "kind": {"group": "", "version": "v1", "kind": "ConfigMap"}, "resource": {"group": "", "version": "v1", "resource": "configmaps"},
    "operation": "CREATE", "name": ")") +
         name + R"(", "namespace": ")" + ns + R"(", "userInfo": {"username": "alice"})" + extra +
         R"(, "object": {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": ")" + name +
         R"(", "namespace": ")" + ns + R"("}}}})";
}

class Admit : public testing::Test {
 protected:
  Admit() {
    load(kTemplate, constraint("deny-a", "a", "deny").c_str());
    load(nullptr, constraint("warn-b", "b", "warn").c_str());
    load(nullptr, constraint("dry-c", "c", "dryrun").c_str());
    cell_.publish(builder_.build());
    kube::StoreWriter writer(namespaces_);
    writer.on_event(kube::EventType::kInit, Value::undefined());
    const Document ns =
        std::move(Document::parse_json(R"({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "default"}})"))
            .value();
    writer.on_event(kube::EventType::kInitApply, ns.root());
    writer.on_event(kube::EventType::kInitDone, Value::undefined());
    AdmitOptions options;
    options.exempt_namespaces = {"kube-system"};
    options.ready = [this] { return ready_; };
    options.report.log_denies = true;
    options.report.log_stats = true;
    options.excluded = [](std::string_view name) { return name == "excluded"; };
    options.explain = [this](const Explained& explained) {
      explained_ = std::string(explained.review.name) + ": " + std::to_string(explained.result.violations.size()) +
                   " violations, " + std::to_string(explained.result.times.size()) + " times, " +
                   std::string(explained.exclusion);
    };
    const Document config = Document::parse_json(R"({"spec": {"validation": {"traces": [
        {"user": "traced", "kind": {"version": "v1", "kind": "ConfigMap"}, "dump": "ALL"},
        {"user": "other", "kind": {"version": "v1", "kind": "Secret"}}]}}})")
                                .value();
    options.trace = [traces = policy::decode_config(config.root()).value().traces](const policy::Review& review) {
      return trace_of(traces, review);
    };
    log::set_sink([this](std::string_view line) { lines_.emplace_back(line); });
    AdmitObserver observer;
    observer.reviewed = [this](std::string_view status, bool, std::chrono::nanoseconds) {
      statuses_ += std::string(status) + " ";
    };
    handler_ = std::make_unique<AdmitHandler>(
        std::move(options), cell_, inventory_, namespaces_,
        [](std::string name, Deadline) { return fetch(std::move(name)); }, host_, std::move(observer));
  }

  ~Admit() override { log::set_sink({}); }

  static awaitable<Result<kube::Object>> fetch(std::string name) {
    if (name == "late") {
      co_return kube::Object::parse(R"({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "late"}})");
    }
    co_return make_error(Code::kNotFound, "namespaces \"" + name + "\" not found");
  }

  void load(const char* constraint_template, const char* constraint_json) {
    if (constraint_template != nullptr) {
      const Document document = std::move(Document::parse_json(constraint_template)).value();
      const auto change = builder_.set_template(document.root());
      ASSERT_TRUE(change.ok()) << change.error().to_string();
    }
    const Document document = std::move(Document::parse_json(constraint_json)).value();
    const auto change = builder_.set_constraint(document.root());
    ASSERT_TRUE(change.ok()) << change.error().to_string();
  }

  Value post(std::string body, const char* path = "/v1/admit", const char* content_type = "application/json") {
    net::HttpRequest request;
    request.method = "POST";
    request.target = path;
    request.headers.add("Content-Type", content_type);
    request.body = std::move(body);
    net::HttpResponse response;
    if (!handler_->handle_now(request, response)) {
      response = net::run_blocking(thread_.context(), handler_->handle(std::move(request)));
    }
    EXPECT_EQ(response.status, 200);
    answer_ = std::move(Document::parse_json(response.body)).value();
    return answer_.root().get("response");
  }
  static std::string message(const Value& response) { return std::string(response.get("status").string_or("message")); }

  policy::SnapshotBuilder builder_;
  policy::SnapshotCell cell_;
  policy::Inventory inventory_;
  std::shared_ptr<kube::Store> namespaces_ = std::make_shared<kube::Store>();
  rego::Host host_;
  net::IoThread thread_{"test"};
  std::unique_ptr<AdmitHandler> handler_;
  Document answer_;
  std::string statuses_;
  std::vector<std::string> lines_;  // of the log
  std::string explained_;
  bool ready_ = true;
};

TEST_F(Admit, ReviewsCanBeExplained) {
  post(review_of("a"));
  EXPECT_EQ(explained_, "a: 1 violations, 3 times, ");
}

TEST_F(Admit, DeniesWithTheConstraintsNameAndMessage) {
  const Value response = post(review_of("a"));
  EXPECT_TRUE(response.get("allowed").is_false());
  EXPECT_EQ(response.string_or("uid"), "u-1");
  EXPECT_EQ(message(response), "[deny-a] a is denied in default");
  EXPECT_EQ(response.path({"status", "code"}).as_integer(), 403);
  EXPECT_EQ(response.get("status").string_or("reason"), "Forbidden");
  EXPECT_EQ(answer_.root().string_or("apiVersion"), "admission.k8s.io/v1");
}

TEST_F(Admit, WarnsAllowsAndKeepsDryrunQuiet) {
  Value response = post(review_of("b"));
  EXPECT_TRUE(response.get("allowed").is_true());
  EXPECT_EQ(response.path({"status", "code"}).as_integer(), 299);
  EXPECT_EQ(to_json(response.get("warnings")), R"(["[warn-b] b is denied in default"])");
  response = post(review_of("c"));
  EXPECT_TRUE(response.get("allowed").is_true());
  EXPECT_EQ(response.path({"status", "code"}).as_integer(), 200);
  response = post(review_of("fine"));
  EXPECT_TRUE(response.get("allowed").is_true());
  EXPECT_EQ(statuses_, "allow allow allow ");
}

TEST_F(Admit, FetchesANamespaceThatTheStoreDoesNotHave) {
  EXPECT_EQ(message(post(review_of("a", "late"))), "[deny-a] a is denied in late");
  const Value response = post(review_of("a", "nowhere"));
  EXPECT_TRUE(response.get("allowed").is_false());
  EXPECT_EQ(message(response), "failed to create augmentedReview: namespaces \"nowhere\" not found");
  EXPECT_EQ(response.path({"status", "code"}).as_integer(), 500);
}

TEST_F(Admit, AnswersBadInputWithoutFailing) {
  EXPECT_EQ(message(post("")), "request body is empty");
  EXPECT_EQ(message(post("{}", "/v1/admit", "text/plain")), "contentType=text/plain, expected application/json");
  for (const char* body : {"{", "[]", "7", "{\"request\": 7}", "{\"request\": {\"uid\": 7}}", "{} {}", "\xff"}) {
    const Value response = post(body);
    EXPECT_TRUE(response.get("allowed").is_false()) << body;
    EXPECT_EQ(response.path({"status", "code"}).as_integer(), 400) << body;
    EXPECT_EQ(response.string_or("uid", "?"), "") << body;
  }
  EXPECT_EQ(
      message(post(R"({"request": {"uid": "u", "object": "text"}})")),
      "error decoding generator resource : couldn't get version/kind; json parse error: json: cannot unmarshal "
      "string into Go value of type struct { APIVersion string \"json:\\\"apiVersion,omitempty\\\"\"; Kind string "
      "\"json:\\\"kind,omitempty\\\"\" }");
  net::HttpRequest request;
  const net::HttpResponse rejected = handler_->reject(net::Reject::kBodyTooLarge, request);
  EXPECT_EQ(rejected.status, 200);
  EXPECT_THAT(rejected.body, HasSubstr("request entity is too large; limit is 7340032 bytes"));
}

TEST_F(Admit, ChecksItsOwnResources) {
  const auto review = [](const char* group, const char* kind, const std::string& object) {
    return std::string(R"({"request": {"uid": "u", "operation": "CREATE", "kind": {"group": ")") + group +
           R"(", "version": "v1beta1", "kind": ")" + kind + R"("}, "name": "x", "object": )" + object + "}}";
  };
  Value response = post(
      review("constraints.gatekeeper.sh", "Missing",
             R"({"apiVersion": "constraints.gatekeeper.sh/v1beta1", "kind": "Missing", "metadata": {"name": "x"}})"));
  EXPECT_EQ(message(response), "missing ConstraintTemplate: template \"missing\" not found");
  EXPECT_EQ(response.path({"status", "code"}).as_integer(), 422);
  response = post(review("constraints.gatekeeper.sh", "DenyName", constraint("x", "a", "explode")));
  EXPECT_THAT(message(response), HasSubstr("unrecognized enforcementAction: \"explode\""));
  EXPECT_EQ(response.path({"status", "code"}).as_integer(), 500);
  std::string long_name = review("constraints.gatekeeper.sh", "DenyName", constraint("x", "a", "deny"));
  long_name.replace(long_name.find(R"("name": "x")"), 11, R"("name": ")" + std::string(64, 'n') + '"');
  response = post(long_name);
  EXPECT_EQ(message(response), "resource cannot have metadata.name larger than 63 char; length: 64");
  const std::pair<const char*, const char*> undecodable[] = {
      {"null", "Object 'Kind' is missing in ''"},
      {R"({"apiVersion": "a/b/c", "kind": "ConstraintTemplate"})", "unexpected GroupVersion string: a/b/c"},
      {R"({"apiVersion": "v1"})", R"(Object 'Kind' is missing in '{"apiVersion":"v1"}')"}};
  for (const auto& [object, text] : undecodable) {
    response = post(review("templates.gatekeeper.sh", "ConstraintTemplate", object));
    EXPECT_EQ(message(response), text);
    EXPECT_EQ(response.path({"status", "code"}).as_integer(), 500);
  }
  response = post(review("constraints.gatekeeper.sh", "DenyName", constraint("x", "z", "deny")));
  EXPECT_TRUE(response.get("allowed").is_true()) << message(response);
}

struct OwnRow {
  const char* group;
  const char* kind;
  const char* object;
  int code;
  const char* message;
};
class OwnResources : public Admit, public testing::WithParamInterface<OwnRow> {};

TEST_P(OwnResources, AreChecked) {
  const OwnRow& row = GetParam();
  const Value response =
      post(std::string(R"({"request": {"uid": "u", "operation": "CREATE", "kind": {"group": ")") + row.group +
           R"(", "version": "v1", "kind": ")" + row.kind + R"("}, "name": "x", "object": )" + row.object + "}}");
  EXPECT_EQ(response.path({"status", "code"}).as_integer(), row.code);
  EXPECT_EQ(message(response), row.message);
}

INSTANTIATE_TEST_SUITE_P(
    Rows, OwnResources,
    testing::Values(
        OwnRow{"config.gatekeeper.sh", "Config", R"({"kind": "Config", "metadata": {"name": "x"}})", 422,
               "config resource must have name 'config'"},
        OwnRow{"syncset.gatekeeper.sh", "SyncSet", R"({"kind": "SyncSet", "metadata": {"name": "x"}})", 200, ""},
        OwnRow{"status.gatekeeper.sh", "ConfigPodStatus", R"({"kind": "ConfigPodStatus"})", 200, ""},
        OwnRow{"expansion.gatekeeper.sh", "ExpansionTemplate", R"({"kind": "ExpansionTemplate", "metadata": {}})", 422,
               "ExpansionTemplate has empty name field"},
        OwnRow{"expansion.gatekeeper.sh", "ExpansionTemplate",
               R"({"kind": "ExpansionTemplate", "metadata": {"name": "x"}})", 422,
               "ExpansionTemplate x has empty source field"},
        OwnRow{"expansion.gatekeeper.sh", "ExpansionTemplate",
               R"({"kind": "ExpansionTemplate", "metadata": {"name": "x"}, "spec": {"templateSource": "spec"}})", 422,
               "ExpansionTemplate x has empty generatedGVK field"},
        OwnRow{"expansion.gatekeeper.sh", "ExpansionTemplate",
               R"({"kind": "ExpansionTemplate", "metadata": {"name": "x"}, "spec": {"templateSource": "spec",
                   "generatedGVK": {"group": "", "version": "v1", "kind": "Pod"}}})",
               422, "ExpansionTemplate x must specify ApplyTo"},
        OwnRow{"expansion.gatekeeper.sh", "ExpansionTemplate",
               R"({"kind": "ExpansionTemplate", "metadata": {"name": "x"}, "spec": {"templateSource": "spec",
                   "generatedGVK": {"version": "v1", "kind": "Pod"},
                   "applyTo": [{"groups": [""], "versions": ["v1"], "kinds": ["Pod"]}]}})",
               422, "ExpansionTemplate x generates GVK /v1, Kind=Pod, but also applies to that same GVK"},
        OwnRow{"externaldata.gatekeeper.sh", "Provider", R"({"kind": "Provider", "metadata": {"name": "x"}})", 422,
               "invalid provider url. value: "},
        OwnRow{"externaldata.gatekeeper.sh", "Provider",
               R"({"kind": "Provider", "metadata": {"name": "x"}, "spec": {"url": "https://a", "timeout": -1}})", 422,
               "provider timeout should be a positive integer. value: -1"},
        OwnRow{"externaldata.gatekeeper.sh", "Provider",
               R"({"kind": "Provider", "metadata": {"name": "x"}, "spec": {"url": "http://a"}})", 422,
               "only HTTPS scheme is supported for Providers"},
        OwnRow{"externaldata.gatekeeper.sh", "Provider",
               R"({"kind": "Provider", "metadata": {"name": "x"}, "spec": {"url": "https://a"}})", 422,
               "caBundle should be set for HTTPS scheme"},
        OwnRow{"externaldata.gatekeeper.sh", "Provider",
               R"({"kind": "Provider", "metadata": {"name": "x"}, "spec": {"url": "https://a", "caBundle": "?"}})", 422,
               "failed to base64 decode caBundle: illegal base64 data at input byte 0"},
        OwnRow{"externaldata.gatekeeper.sh", "Provider",
               R"({"kind": "Provider", "metadata": {"name": "x"}, "spec": {"url": "HTTPS://a", "caBundle": "YWJj"}})",
               422, "bad caBundle"}));

TEST_F(Admit, LeavesNamespacesAloneThatConfigExempts) {
  Value response = post(review_of("a", "excluded"));
  EXPECT_TRUE(response.get("allowed").is_true());
  EXPECT_EQ(message(response), "Namespace is set to be ignored by Gatekeeper config");
  EXPECT_EQ(response.path({"status", "code"}).as_integer(), 200);
  // A Namespace counts by its own name; what has no object is not left out.
  response = post(R"({"request": {"uid": "u", "operation": "CREATE", "kind": {"version": "v1", "kind": "Namespace"},
    "name": "excluded", "object": {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "excluded"}}}})");
  EXPECT_EQ(message(response), "Namespace is set to be ignored by Gatekeeper config");
  response = post(R"({"request": {"uid": "u", "operation": "CONNECT", "namespace": "excluded"}})");
  EXPECT_EQ(message(response), "failed to create augmentedReview: namespaces \"excluded\" not found");
  EXPECT_EQ(statuses_, "allow allow error ");
}

TEST_F(Admit, ReviewsWhatIsConnectedToAndWhatIsDeleted) {
  // exec and attach: the object is the options of the connection, the name is the pod's.
  const Value connect = post(R"({"request": {"uid": "u", "operation": "CONNECT", "subResource": "exec",
    "kind": {"version": "v1", "kind": "PodExecOptions"}, "resource": {"version": "v1", "resource": "pods"},
    "name": "p", "namespace": "default", "object": {"apiVersion": "v1", "kind": "PodExecOptions",
    "metadata": {"name": "a"}, "container": "c", "command": ["sh"]}}})");
  EXPECT_EQ(message(connect), "[deny-a] a is denied in default");
  const Value removal =
      post(R"({"request": {"uid": "u", "operation": "DELETE", "kind": {"version": "v1", "kind": "ConfigMap"},
    "name": "a", "namespace": "default", "object": null,
    "oldObject": {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}}}})");
  EXPECT_EQ(message(removal), "[deny-a] a is denied in default");
  const Value without =
      post(R"({"request": {"uid": "u", "operation": "DELETE", "kind": {"version": "v1", "kind": "ConfigMap"},
    "name": "a", "namespace": "default"}})");
  EXPECT_THAT(message(without), HasSubstr("oldObject cannot be nil for DELETE operations"));
  EXPECT_EQ(without.path({"status", "code"}).as_integer(), 500);
}

TEST_F(Admit, RefusesObjectsWithoutAKind) {
  Value response = post(R"({"request": {"uid": "u", "operation": "CREATE", "name": "n",
    "kind": {"version": "v1", "kind": "ConfigMap"}, "object": {"metadata": {"name": "n"}}}})");
  EXPECT_EQ(message(response),
            R"(error decoding generator resource n: Object 'Kind' is missing in '{"metadata":{"name":"n"}}')");
  response = post(R"({"request": {"uid": "u", "operation": "CREATE", "name": "n",
    "object": {"kind": "ConfigMap", "metadata": {"name": "n"}}}})");
  EXPECT_EQ(message(response), "unable to expand object: cannot expand resource n with empty GVK");
  EXPECT_EQ(response.path({"status", "code"}).as_integer(), 500);
}

TEST_F(Admit, AnEmptyActionDeniesNothingAndIsNoDenialInTheLog) {
  load(nullptr, constraint("empty-e", "e", "").c_str());
  cell_.publish(builder_.build());
  EXPECT_TRUE(post(review_of("e")).get("allowed").is_true());
  EXPECT_THAT(lines_, testing::Contains(HasSubstr("error validating enforcement action")));
  EXPECT_THAT(lines_, testing::Not(testing::Contains(HasSubstr("denied admission"))));
}

TEST_F(Admit, LogsViolationsStatisticsAndTraces) {
  post(review_of("c"));
  EXPECT_THAT(lines_, testing::Contains(testing::AllOf(
                          HasSubstr(R"("msg":"denied admission: c is denied in default")"),
                          HasSubstr(R"("constraint_action":"dryrun","constraint_enforcement_actions":[])"),
                          HasSubstr(R"("request_username":"alice")"), HasSubstr(R"("hookType":"validation")"))));
  EXPECT_THAT(lines_, testing::Contains(testing::AllOf(
                          HasSubstr(R"("event_type":"review_response_stats")"),
                          HasSubstr(R"({"name":"constraintCount","value":3,"source":{"type":"engine","value":"Rego"})"),
                          HasSubstr(R"({"name":"TracingEnabled","value":false})"))));
  lines_.clear();
  std::string traced = review_of("a");
  traced.replace(traced.find("alice"), 5, "traced");
  post(traced);
  EXPECT_THAT(lines_, testing::Contains(HasSubstr("Target: admission.k8s.gatekeeper.sh\\nTrace:")));
  EXPECT_THAT(lines_, testing::Contains(HasSubstr(R"("msg":"{\"target\":\"admission.k8s.gatekeeper.sh\")")));
  lines_.clear();
  std::string other = review_of("a");
  other.replace(other.find("alice"), 5, "other");  // another kind
  post(other);
  EXPECT_THAT(lines_, testing::Not(testing::Contains(HasSubstr("Target: "))));
}

TEST_F(Admit, DoesNotManageItself) {
  std::string body = review_of("a");
  const std::string user = "\"alice\"";
  body.replace(body.find(user), user.size(), "\"system:serviceaccount:gatekeeper-system:gatekeeper-admin\"");
  const Value response = post(body);
  EXPECT_TRUE(response.get("allowed").is_true());
  EXPECT_EQ(message(response), "Gatekeeper does not self-manage");
}

TEST_F(Admit, AdmitsNothingBeforeThePoliciesAreLoaded) {
  ready_ = false;
  const auto send = [this](std::string body) {
    net::HttpRequest request;
    request.method = "POST";
    request.target = "/v1/admit";
    request.headers.add("Content-Type", "application/json");
    request.body = std::move(body);
    net::HttpResponse response;
    EXPECT_TRUE(handler_->handle_now(request, response));
    return response.status;
  };
  EXPECT_EQ(send(review_of("harmless")), 503);
  ready_ = true;
  EXPECT_EQ(send(review_of("harmless")), 200);
  ready_ = false;  // ready once is ready for good
  EXPECT_EQ(send(review_of("harmless")), 200);
}

TEST_F(Admit, GuardsTheIgnoreLabel) {
  const auto review = [](const char* name, const char* labels) {
    return std::string(
               R"({"request": {"uid": "u", "operation": "CREATE", "kind": {"group": "", "version": "v1", "kind": "Namespace"}, "name": ")") +
           name + R"(", "object": {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": ")" + name +
           R"(", "labels": )" + labels + "}}}}";
  };
  constexpr const char* kLabelled = R"({"admission.gatekeeper.sh/ignore": ""})";
  EXPECT_EQ(message(post(review("shop", kLabelled), "/v1/admitlabel")),
            "Only exempt namespace can have the admission.gatekeeper.sh/ignore label");
  EXPECT_TRUE(post(review("kube-system", kLabelled), "/v1/admitlabel").get("allowed").is_true());
  EXPECT_TRUE(post(review("shop", "{}"), "/v1/admitlabel").get("allowed").is_true());
  EXPECT_TRUE(post(review_of("a"), "/v1/admitlabel").get("allowed").is_true());
  const Value nothing =
      post(R"({"request": {"uid": "u", "kind": {"kind": "Namespace"}, "name": "shop"}})", "/v1/admitlabel");
  EXPECT_EQ(nothing.path({"status", "code"}).as_integer(), 500);
  EXPECT_EQ(message(nothing), "while deserializing resource: unexpected end of JSON input");
  EXPECT_EQ(message(post(R"({"request": {"uid": "u", "operation": "DELETE", "kind": {"kind": "Namespace"}}})",
                         "/v1/admitlabel")),
            "Delete is always allowed");
}

}  // namespace
}  // namespace portcullis::webhook
