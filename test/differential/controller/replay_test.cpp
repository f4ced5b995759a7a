// Answers and statuses of the real Gatekeeper for a fixed set of inputs (sample.jsonl, written by `run.py --record`),
// against the webhook's handler and the engine behind it. Everything in the file must come out the same.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <string>
#include <vector>

#include "base/log.h"
#include "base/text.h"
#include "controller/constraint_template/plan.h"
#include "engine/value/document.h"
#include "engine/value/json.h"
#include "kube/runtime/store.h"
#include "net/blocking.h"
#include "net/io_thread.h"
#include "policy/match/exclusions.h"
#include "policy/model/action.h"
#include "policy/model/sync.h"
#include "webhook/admit.h"

namespace portcullis {
namespace {

constexpr const char* kSample = "test/differential/controller/sample.jsonl";

std::vector<Document> read_sample() {
  std::vector<Document> lines;
  std::ifstream file(kSample);
  for (std::string line; std::getline(file, line);) {
    Result<Document> document = Document::parse_json(line);
    EXPECT_TRUE(document.ok()) << line.substr(0, 200);
    if (document.ok()) lines.push_back(std::move(document).value());
  }
  return lines;
}

std::vector<std::string> messages_of(const Value& errors) {
  std::vector<std::string> out;
  for (const Value& error : errors.elements()) out.emplace_back(error.string_or("message"));
  return out;
}

// The lines of message and warnings sorted: results that tie in action and message have no order.
std::string untied(const Value& answer) {
  const Value response = answer.get("response");
  std::vector<std::string> lines;
  std::string message(response.path({"status", "message"}).defined() ? response.get("status").string_or("message")
                                                                     : "");
  for (const std::string_view line : text::split(message, '\n')) lines.emplace_back(line);
  for (const Value& warning : response.get("warnings").elements()) lines.emplace_back(warning.as_string());
  std::sort(lines.begin(), lines.end());
  return to_json(response.get("allowed")) + " " + to_json(response.path({"status", "code"})) + "\n" +
         text::join(lines, "\n");
}

class Sample : public testing::Test {
 protected:
  Sample() {
    log::set_sink([](std::string_view) {});
  }
  ~Sample() override { log::set_sink({}); }

  void load(const Value& line) {
    if (const Value object = line.get("template"); object.defined()) {
      EXPECT_THAT(template_errors(object), testing::ElementsAreArray(messages_of(line.get("errors"))))
          << to_json(object);
    } else if (const Value made = line.get("constraint"); made.defined()) {
      EXPECT_THAT(constraint_errors(made), testing::ElementsAreArray(messages_of(line.get("errors")))) << to_json(made);
    } else if (const Value ns = line.get("namespace"); ns.defined()) {
      namespaces_.push_back(ns);
    } else if (const Value config = line.get("config"); config.defined()) {
      exclusions_ = policy::Exclusions(policy::decode_config(config).value().match);
    }
  }

  std::vector<std::string> template_errors(const Value& object) {
    const controller::TemplateReading reading = controller::read_template(object);
    std::vector<std::string> out;
    for (const policy::StatusError& error : reading.errors) out.push_back(error.message);
    if (!out.empty()) return out;
    const Result<policy::TemplateChange> change = builder_.set_template(object);
    if (!change.ok()) out.push_back("Could not ingest Rego: " + change.error().to_string());
    return out;
  }

  std::vector<std::string> constraint_errors(const Value& object) {
    const Result<void> action =
        policy::validate_enforcement(object, false).with_context("could not validate enforcement actions");
    if (!action.ok()) return {action.error().to_string()};
    const auto change = builder_.set_constraint(object).with_context("could not cache constraint");
    if (!change.ok()) return {change.error().to_string()};
    return {};
  }

  void make_handler() {
    cell_.publish(builder_.build());
    kube::StoreWriter writer(store_);
    writer.on_event(kube::EventType::kInit, Value::undefined());
    for (const Value& ns : namespaces_) writer.on_event(kube::EventType::kInitApply, ns);
    writer.on_event(kube::EventType::kInitDone, Value::undefined());
    webhook::AdmitOptions options;
    options.exempt_namespaces = {"default"};
    options.excluded = [this](std::string_view ns) { return exclusions_.excluded(policy::Process::kWebhook, ns); };
    handler_ = std::make_unique<webhook::AdmitHandler>(
        std::move(options), cell_, inventory_, store_,
        [](std::string name, Deadline) { return missing(std::move(name)); }, host_, webhook::AdmitObserver{});
  }

  static awaitable<Result<kube::Object>> missing(std::string name) {
    co_return make_error(Code::kNotFound, "namespaces \"" + name + "\" not found");
  }

  net::HttpResponse post(const Value& line) {
    net::HttpRequest request;
    request.method = "POST";
    request.target = std::string(line.string_or("path"));
    request.headers.add("Content-Type", line.string_or("type"));
    request.body = std::string(line.string_or("body"));
    net::HttpResponse response;
    if (!handler_->handle_now(request, response)) {
      response = net::run_blocking(thread_.context(), handler_->handle(std::move(request)));
    }
    return response;
  }

  policy::SnapshotBuilder builder_;
  policy::SnapshotCell cell_;
  policy::Inventory inventory_;
  policy::Exclusions exclusions_;
  std::vector<Value> namespaces_;
  std::shared_ptr<kube::Store> store_ = std::make_shared<kube::Store>();
  rego::Host host_;
  net::IoThread thread_{"sample"};
  std::unique_ptr<webhook::AdmitHandler> handler_;
};

TEST_F(Sample, EverythingIsAsTheRealOneAnswered) {
  const std::vector<Document> lines = read_sample();
  ASSERT_GT(lines.size(), 200u) << "is " << kSample << " there?";
  for (const Document& line : lines) load(line.root());
  make_handler();
  std::size_t reviews = 0, refused = 0;
  for (const Document& line : lines) {
    if (!line.root().get("answer").defined()) continue;
    const auto wanted = line.root().get("answer").elements();
    const net::HttpResponse response = post(line.root());
    ++reviews;
    EXPECT_EQ(response.status, wanted[0].as_integer()) << to_json(line.root());
    EXPECT_EQ(response.content_type, wanted[1].as_string()) << to_json(line.root());
    const Result<Document> answer = Document::parse_json(response.body);
    if (wanted[2].is_string()) {
      EXPECT_EQ(response.body, wanted[2].as_string()) << to_json(line.root());
      continue;
    }
    ASSERT_TRUE(answer.ok()) << response.body;
    if (!wanted[2].path({"response", "allowed"}).is_true()) ++refused;
    if (line.root().get("tied").is_true()) {
      EXPECT_EQ(untied(answer->root()), untied(wanted[2])) << to_json(line.root());
    } else {
      EXPECT_EQ(to_json(answer->root()), to_json(wanted[2])) << to_json(line.root());
    }
  }
  EXPECT_GT(reviews, 150u);
  EXPECT_GT(refused, 40u);  // the sample means something
}

}  // namespace
}  // namespace portcullis
