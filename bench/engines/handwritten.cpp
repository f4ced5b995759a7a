#include "bench/engines/handwritten.h"

#include <simdjson.h>

#include <cstdlib>
#include <string>
#include <vector>

#include "bench/engines/measure.h"

namespace portcullis::bench {
namespace {

using simdjson::dom::array;
using simdjson::dom::element;

using Messages = std::vector<std::string>;
using Check = void (*)(element input, Messages& out);

constexpr std::string_view kContainerFields[] = {"containers", "initContainers", "ephemeralContainers"};

std::string_view text_of(element object, std::string_view key) {
  std::string_view out;
  if (object[key].get(out) != simdjson::SUCCESS) return {};
  return out;
}

template <typename F>
void each_container(element input, F&& f) {
  element spec;
  if (input.at_pointer("/review/object/spec").get(spec) != simdjson::SUCCESS) return;
  for (std::size_t i = 0; i < 3; ++i) {
    array list;
    if (spec[kContainerFields[i]].get(list) != simdjson::SUCCESS) continue;
    for (element container : list) f(i, container);
  }
}

std::string go_list(array list) {
  std::string out = "[";
  for (element item : list) {
    std::string_view text;
    if (item.get(text) != simdjson::SUCCESS) continue;
    if (out.size() > 1) out += ", ";
    out += '"';
    out += text;
    out += '"';
  }
  return out + "]";
}

void allowed_repos(element input, Messages& out) {
  static constexpr std::string_view kNames[] = {"container", "initContainer", "ephemeralContainer"};
  array repos;
  if (input.at_pointer("/parameters/repos").get(repos) != simdjson::SUCCESS) return;
  each_container(input, [&](std::size_t field, element container) {
    const std::string_view image = text_of(container, "image");
    for (element repo : repos) {
      std::string_view prefix;
      if (repo.get(prefix) == simdjson::SUCCESS && image.starts_with(prefix)) return;
    }
    std::string message(kNames[field]);
    message += " <";
    message += text_of(container, "name");
    message += "> has an invalid image repo <";
    message += image;
    message += ">, allowed repos are ";
    out.push_back(std::move(message) + go_list(repos));
  });
}

void host_namespaces(element input, Messages& out) {
  if (text_of(input["review"].value_unsafe(), "operation") == "UPDATE") return;
  element spec;
  if (input.at_pointer("/review/object/spec").get(spec) != simdjson::SUCCESS) return;
  for (const std::string_view field : {"hostPID", "hostIPC"}) {
    bool on = false;
    if (spec[field].get(on) == simdjson::SUCCESS && on) {
      std::string message = "Sharing the host namespace is not allowed: ";
      message += text_of(input.at_pointer("/review/object/metadata").value_unsafe(), "name");
      out.push_back(std::move(message));
      return;
    }
  }
}

void privileged(element input, Messages& out) {
  array exempt;
  const bool has_exempt = input.at_pointer("/parameters/exempt").get(exempt) == simdjson::SUCCESS;
  each_container(input, [&](std::size_t, element container) {
    element context;
    bool on = false;
    if (container["securityContext"].get(context) != simdjson::SUCCESS) return;
    if (context["privileged"].get(on) != simdjson::SUCCESS || !on) return;
    const std::string_view name = text_of(container, "name");
    if (has_exempt) {
      for (element one : exempt) {
        std::string_view text;
        if (one.get(text) == simdjson::SUCCESS && text == name) return;
      }
    }
    std::string message = "container ";
    message += name;
    message += " is privileged: ";
    out.push_back(std::move(message) + simdjson::minify(context));
  });
}

struct Named {
  std::string_view name;
  Check check;
};
constexpr Named kChecks[] = {
    {"allowedrepos", &allowed_repos}, {"host-namespaces", &host_namespaces}, {"privileged", &privileged}};

}  // namespace

bool has_handwritten(std::string_view case_name) {
  for (const Named& one : kChecks) {
    if (one.name == case_name) return true;
  }
  return false;
}

HandwrittenFigures run_handwritten(std::string_view case_name, const std::string& text) {
  HandwrittenFigures figures;
  for (const Named& one : kChecks) {
    if (one.name != case_name) continue;
    simdjson::dom::parser parser;
    const simdjson::padded_string padded(text);
    element input;
    if (parser.parse(padded).get(input) != simdjson::SUCCESS) std::abort();
    Messages messages;
    figures.parsed_ns = measure([&] {
      messages.clear();
      one.check(input, messages);
    });
    figures.violations = messages.size();
    figures.bytes_ns = measure([&] {
      messages.clear();
      element again;
      if (parser.parse(padded).get(again) != simdjson::SUCCESS) std::abort();
      one.check(again, messages);
    });
  }
  return figures;
}

}  // namespace portcullis::bench
