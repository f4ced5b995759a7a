// What the fake API server stores and how writes change it.
#include <algorithm>

#include "test/fakeapi/impl.h"

namespace portcullis::test {

HttpResponse status_response(int code, const std::string& reason, const std::string& message) {
  const Json status = {{"kind", "Status"},    {"apiVersion", "v1"}, {"metadata", Json::object()},
                       {"status", "Failure"}, {"reason", reason},   {"message", message},
                       {"code", code}};
  return HttpResponse::json(code, status.dump());
}

std::string text_of(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

Json& metadata_of(Json& object) { return object["metadata"]; }

std::string key_of(const Json& object) {
  const Json metadata = object.value("metadata", Json::object());
  return text_of(metadata, "namespace") + "/" + text_of(metadata, "name");
}

bool labels_match(const std::string& selector, const Json& object) {
  const Json labels = object.value("metadata", Json::object()).value("labels", Json::object());
  std::size_t at = 0;
  while (at < selector.size()) {
    const std::size_t comma = std::min(selector.find(',', at), selector.size());
    const std::string term = selector.substr(at, comma - at);
    at = comma + 1;
    const std::size_t equals = term.find('=');
    if (equals == std::string::npos) {
      const bool absent = !term.empty() && term[0] == '!';
      if (labels.contains(absent ? term.substr(1) : term) == absent) return false;
      continue;
    }
    const bool negated = equals > 0 && term[equals - 1] == '!';
    const std::string name = term.substr(0, negated ? equals - 1 : equals);
    const std::string value = term.substr(term.find_last_of('=') + 1);
    if ((text_of(labels, name.c_str()) == value) == negated) return false;
  }
  return true;
}

bool fields_match(const std::string& selector, const Json& object) {
  const Json metadata = object.value("metadata", Json::object());
  for (const char* field : {"name", "namespace"}) {
    const std::string prefix = std::string("metadata.") + field + "=";
    const std::size_t at = selector.find(prefix);
    if (at == std::string::npos) continue;
    const std::size_t from = at + prefix.size();
    if (text_of(metadata, field) != selector.substr(from, selector.find(',', from) - from)) return false;
  }
  return true;
}

std::vector<kube::ApiResource> builtin_kinds() {
  const std::vector<std::string> verbs = {"create", "delete", "get", "list", "patch", "update", "watch"};
  return {
      {"", "v1", "Namespace", "namespaces", false, verbs, {"status"}},
      {"", "v1", "Pod", "pods", true, verbs, {"status"}},
      {"", "v1", "Secret", "secrets", true, verbs, {}},
      {"", "v1", "ConfigMap", "configmaps", true, verbs, {}},
      {"", "v1", "Service", "services", true, verbs, {"status"}},
      {"", "v1", "Event", "events", true, verbs, {}},
      {"apps", "v1", "Deployment", "deployments", true, verbs, {"status"}},
      {"apiextensions.k8s.io", "v1", "CustomResourceDefinition", "customresourcedefinitions", false, verbs, {"status"}},
      {"admissionregistration.k8s.io",
       "v1",
       "ValidatingWebhookConfiguration",
       "validatingwebhookconfigurations",
       false,
       verbs,
       {}},
      {"admissionregistration.k8s.io",
       "v1",
       "MutatingWebhookConfiguration",
       "mutatingwebhookconfigurations",
       false,
       verbs,
       {}}};
}

std::string FakeApi::Impl::store(const std::string& collection, Json object, const char* type) {
  ++version;
  metadata_of(object)["resourceVersion"] = std::to_string(version);
  const std::string key = key_of(object);
  history.push_back({version, type, collection, object});
  if (std::string_view(type) == "DELETED") {
    objects[collection].erase(key);
  } else {
    objects[collection][key] = std::move(object);
  }
  changed();
  return std::to_string(version);
}

void FakeApi::Impl::drop(const std::string& collection, const std::string& key) {
  Json object = objects[collection][key];
  store(collection, object, "DELETED");
  if (collection == "apiextensions.k8s.io/customresourcedefinitions") crd_changed(object, true);
}

void FakeApi::Impl::crd_changed(Json& crd, bool gone) {
  const Json spec = crd.value("spec", Json::object());
  const Json called = spec.value("names", Json::object());
  const std::string group = text_of(spec, "group");
  const std::string plural = text_of(called, "plural");
  std::erase_if(resources, [&](const kube::ApiResource& r) { return r.group == group && r.plural == plural; });
  if (gone) {
    objects.erase(group + "/" + plural);
    return;
  }
  for (const Json& served : spec.value("versions", Json::array())) {
    if (!served.value("served", true)) continue;
    kube::ApiResource resource{group,
                               text_of(served, "name"),
                               text_of(called, "kind"),
                               plural,
                               text_of(spec, "scope") == "Namespaced",
                               builtin_kinds().front().verbs,
                               {}};
    if (served.value("subresources", Json::object()).contains("status")) resource.subresources = {"status"};
    resources.push_back(std::move(resource));
  }
  crd["status"]["acceptedNames"] = called;
  crd["status"]["conditions"] = Json::array({{{"type", "Established"}, {"status", "True"}}});
}

HttpResponse FakeApi::Impl::write(const HttpRequest& request, const Address& at) {
  const bool dry_run = parameter(request, "dryRun") == "All";
  Json body = Json::parse(request.body, nullptr, false);
  if (body.is_discarded()) return status_response(400, "BadRequest", "the body is no JSON");
  if (request.method == "POST") return create(std::move(body), at, dry_run);
  const auto& all = objects[at.collection()];
  const auto found = all.find(at.ns + "/" + at.name);
  const bool exists = found != all.end();
  if (request.method == "PATCH") {
    const std::string type(request.content_type());
    if (!exists && type == "application/apply-patch+yaml") return create(std::move(body), at, dry_run);
    if (exists) {
      Json object = in_version(found->second, at.resource);
      if (type == "application/json-patch+json") {
        try {
          object = object.patch(body);
        } catch (const Json::exception& failure) {
          return status_response(422, "Invalid", failure.what());
        }
      } else {
        const bool guarded = body.contains("metadata") && body["metadata"].contains("resourceVersion");
        object.merge_patch(body);
        if (!guarded) metadata_of(object).erase("resourceVersion");
      }
      body = std::move(object);
    }
  }
  if (!exists) return status_response(404, "NotFound", at.resource.plural + " \"" + at.name + "\" not found");
  return replace(std::move(body), at, dry_run);
}

HttpResponse FakeApi::Impl::create(Json object, const Address& at, bool dry_run) {
  Json& metadata = metadata_of(object);
  if (text_of(metadata, "name").empty() && !text_of(metadata, "generateName").empty()) {
    metadata["name"] = text_of(metadata, "generateName") + std::to_string(++names);
  }
  if (text_of(metadata, "name").empty()) return status_response(422, "Invalid", "metadata.name: Required value");
  if (at.resource.namespaced) metadata["namespace"] = at.ns;
  const std::string collection = at.collection();
  if (objects[collection].count(key_of(object)) != 0) {
    return status_response(409, "AlreadyExists",
                           at.resource.plural + " \"" + text_of(metadata, "name") + "\" already exists");
  }
  metadata["uid"] = "uid-" + std::to_string(++names);
  metadata["creationTimestamp"] = "2026-01-01T00:00:00Z";
  metadata["generation"] = 1;
  if (at.resource.has_subresource("status")) object.erase("status");
  if (dry_run) return object_response(201, object);
  if (collection == "apiextensions.k8s.io/customresourcedefinitions" && establish_crds) crd_changed(object, false);
  const std::string key = key_of(object);
  store(collection, std::move(object), "ADDED");
  return object_response(201, in_version(objects[collection][key], at.resource));
}

HttpResponse FakeApi::Impl::replace(Json object, const Address& at, bool dry_run) {
  const std::string collection = at.collection();
  const std::string key = at.ns + "/" + at.name;
  const Json old = objects[collection][key];
  const std::string wanted = text_of(object.value("metadata", Json::object()), "resourceVersion");
  const std::string present = text_of(old.at("metadata"), "resourceVersion");
  if (!wanted.empty() && wanted != present) {
    return status_response(
        409, "Conflict",
        "Operation cannot be fulfilled on " + at.resource.plural + " \"" + at.name +
            "\": the object has been modified; please apply your changes to the latest version and try again");
  }
  Json next = std::move(object);
  if (at.subresource == "status") {
    Json kept = old;
    kept["status"] = next.value("status", Json::object());
    next = std::move(kept);
  } else if (at.resource.has_subresource("status")) {
    next.erase("status");
    if (old.contains("status")) next["status"] = old["status"];
  }
  for (const char* field : {"uid", "creationTimestamp", "generation", "deletionTimestamp", "resourceVersion"}) {
    if (old["metadata"].contains(field)) metadata_of(next)[field] = old["metadata"][field];
  }
  metadata_of(next)["name"] = at.name;
  if (at.resource.namespaced) metadata_of(next)["namespace"] = at.ns;
  const auto without_meta = [](Json copy) {
    copy.erase("metadata");
    copy.erase("status");
    copy.erase("apiVersion");
    return copy;
  };
  if (without_meta(next) != without_meta(old))
    metadata_of(next)["generation"] = old["metadata"].value("generation", 0) + 1;
  next["apiVersion"] = old["apiVersion"];
  if (dry_run || next == old) return object_response(200, in_version(next, at.resource));
  if (collection == "apiextensions.k8s.io/customresourcedefinitions" && establish_crds) crd_changed(next, false);
  const bool last_finalizer_gone =
      old["metadata"].contains("deletionTimestamp") && metadata_of(next).value("finalizers", Json::array()).empty();
  store(collection, next, "MODIFIED");
  const Json answered = in_version(objects[collection][key], at.resource);
  if (last_finalizer_gone) drop(collection, key);
  return object_response(200, answered);
}

HttpResponse FakeApi::Impl::remove(const HttpRequest& request, const Address& at) {
  const std::string collection = at.collection();
  const std::string key = at.ns + "/" + at.name;
  const auto found = objects[collection].find(key);
  if (found == objects[collection].end()) {
    return status_response(404, "NotFound", at.resource.plural + " \"" + at.name + "\" not found");
  }
  Json object = found->second;
  const Json body = request.body.empty() ? Json::object() : Json::parse(request.body, nullptr, false);
  const Json wanted = body.is_object() ? body.value("preconditions", Json::object()) : Json::object();
  for (const char* field : {"uid", "resourceVersion"}) {
    if (wanted.contains(field) && text_of(wanted, field) != text_of(object["metadata"], field)) {
      return status_response(409, "Conflict", std::string("Precondition failed: ") + field);
    }
  }
  if (!metadata_of(object).value("finalizers", Json::array()).empty()) {
    if (!metadata_of(object).contains("deletionTimestamp")) {
      metadata_of(object)["deletionTimestamp"] = "2026-01-01T00:00:01Z";
      store(collection, object, "MODIFIED");
    }
    return object_response(200, in_version(objects[collection][key], at.resource));
  }
  drop(collection, key);
  return HttpResponse::json(200, R"({"kind":"Status","apiVersion":"v1","metadata":{},"status":"Success"})");
}

std::string FakeApi::put(std::string_view json) {
  const std::lock_guard lock(impl_->mutex);
  Json object = Json::parse(json);
  const kube::GroupVersionKind gvk = kube::parse_api_version(text_of(object, "apiVersion"), text_of(object, "kind"));
  const auto found = std::find_if(impl_->resources.begin(), impl_->resources.end(), [&gvk](const kube::ApiResource& r) {
    return r.group == gvk.group && r.kind == gvk.kind && r.version == gvk.version;
  });
  if (found == impl_->resources.end()) return {};
  const std::string collection = found->group + "/" + found->plural;
  const std::string key = key_of(object);
  const auto existing = impl_->objects[collection].find(key);
  const bool exists = existing != impl_->objects[collection].end();
  Json& metadata = metadata_of(object);
  if (exists) {
    for (const char* field : {"uid", "creationTimestamp", "generation"}) {
      if (existing->second["metadata"].contains(field)) metadata[field] = existing->second["metadata"][field];
    }
    Json a = object, b = existing->second;
    for (Json* j : {&a, &b}) {
      j->erase("metadata");
      j->erase("status");
    }
    if (a != b) metadata["generation"] = metadata.value("generation", 0) + 1;
  } else {
    metadata["uid"] = "uid-" + std::to_string(++impl_->names);
    metadata["creationTimestamp"] = "2026-01-01T00:00:00Z";
    metadata["generation"] = 1;
  }
  if (collection == "apiextensions.k8s.io/customresourcedefinitions" && impl_->establish_crds) {
    impl_->crd_changed(object, false);
  }
  return impl_->store(collection, std::move(object), exists ? "MODIFIED" : "ADDED");
}

bool FakeApi::erase(const std::string& group, const std::string& plural, const std::string& ns,
                    const std::string& name) {
  const std::lock_guard lock(impl_->mutex);
  const std::string collection = group + "/" + plural;
  const std::string key = ns + "/" + name;
  if (impl_->objects[collection].count(key) == 0) return false;
  impl_->drop(collection, key);
  return true;
}

std::optional<std::string> FakeApi::get(const std::string& group, const std::string& plural, const std::string& ns,
                                        const std::string& name) const {
  const std::lock_guard lock(impl_->mutex);
  const auto& all = impl_->objects[group + "/" + plural];
  const auto found = all.find(ns + "/" + name);
  if (found == all.end()) return std::nullopt;
  return found->second.dump();
}

std::vector<std::string> FakeApi::list(const std::string& group, const std::string& plural) const {
  const std::lock_guard lock(impl_->mutex);
  std::vector<std::string> all;
  for (const auto& [key, object] : impl_->objects[group + "/" + plural]) all.push_back(object.dump());
  return all;
}

}  // namespace portcullis::test
