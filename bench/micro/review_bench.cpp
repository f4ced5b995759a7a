// What constraints cost a review: none, ten thousand that do not match, thirty that do; and one change among ten
// thousand.
#include <benchmark/benchmark.h>

#include <cstdio>
#include <cstdlib>
#include <string>

#include "engine/value/document.h"
#include "policy/review/snapshot.h"

namespace {

using namespace portcullis;

constexpr std::string_view kTemplate = R"({"apiVersion": "templates.gatekeeper.sh/v1", "kind": "ConstraintTemplate",
  "metadata": {"name": "needlabel"}, "spec": {"crd": {"spec": {"names": {"kind": "NeedLabel"}, "validation": {"openAPIV3Schema": {
  "type": "object", "properties": {"label": {"type": "string"}}}}}}, "targets": [{"target": "admission.k8s.gatekeeper.sh", "rego":
  "package needlabel\nviolation[{\"msg\": msg}] { not input.review.object.metadata.labels[input.parameters.label]; msg := \"no label\" }"}]}})";

constexpr std::string_view kBody =
    R"({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": {"uid": "u",
  "kind": {"group": "", "version": "v1", "kind": "Pod"}, "operation": "CREATE", "name": "p", "namespace": "web",
  "userInfo": {"username": "someone", "groups": ["a", "b"]}, "object": {"apiVersion": "v1", "kind": "Pod", "metadata":
  {"name": "p", "namespace": "web", "labels": {"app": "x"}}, "spec": {"containers": [{"name": "c", "image": "nginx:1.25"}]}}}})";

Document constraint(int index, const char* kind) {
  const std::string text =
      R"({"apiVersion": "constraints.gatekeeper.sh/v1beta1", "kind": "NeedLabel", "metadata": {"name": "c)" +
      std::to_string(index) + R"("}, "spec": {"match": {"kinds": [{"apiGroups": ["*"], "kinds": [")" + kind +
      R"("]}]}, "parameters": {"label": "app"}}})";
  Result<Document> document = Document::parse_json(text);
  if (!document.ok()) std::abort();
  return std::move(*document);
}

void fill(policy::SnapshotBuilder& builder, int count, const char* kind) {
  const Result<Document> document = Document::parse_json(kTemplate);
  if (!document.ok() || !builder.set_template(document->root()).ok()) std::abort();
  for (int i = 0; i < count; ++i) {
    const Document one = constraint(i, kind);
    if (!builder.set_constraint(one.root()).ok()) std::abort();
  }
}

void review(benchmark::State& state, int count, const char* kind) {
  policy::SnapshotBuilder builder;
  fill(builder, count, kind);
  const auto snapshot = builder.build();
  policy::Inventory inventory;
  policy::CachedInventory cached;
  rego::EvalScratch scratch;
  rego::Host host;
  for (auto _ : state) {
    scratch.reset();
    const Result<policy::Review> decoded = policy::decode_admission_review(kBody, scratch);
    benchmark::DoNotOptimize(snapshot->review(*decoded, inventory.refresh(cached), scratch, host, {}));
  }
}

void no_constraints(benchmark::State& state) { review(state, 0, "Pod"); }
void ten_thousand_that_do_not_match(benchmark::State& state) { review(state, 10000, "Secret"); }
void thirty_that_match(benchmark::State& state) { review(state, 30, "Pod"); }

void one_change_among_ten_thousand(benchmark::State& state) {
  policy::SnapshotBuilder builder;
  fill(builder, 10000, "Secret");
  const Document one = constraint(5000, "Pod");
  const Document other = constraint(5000, "Secret");
  bool flip = false;
  for (auto _ : state) {
    flip = !flip;
    if (!builder.set_constraint((flip ? one : other).root()).ok()) std::abort();
    benchmark::DoNotOptimize(builder.build());
  }
}

BENCHMARK(no_constraints);
BENCHMARK(ten_thousand_that_do_not_match);
BENCHMARK(thirty_that_match);
BENCHMARK(one_change_among_ten_thousand);

}  // namespace

BENCHMARK_MAIN();
