// What has to be done about a template, decided without doing it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "engine/value/document.h"
#include "engine/value/value.h"
#include "policy/model/template.h"
#include "policy/status/status.h"

namespace portcullis::controller {

// A template looked at: what it is, and what is wrong with it (then `errors` has one entry).
struct TemplateReading {
  policy::TemplatePtr constraint_template;  // null: it cannot even be decoded
  Document crd;                             // root undefined when there are errors
  std::vector<policy::StatusError> errors;
};
// Decodes `object` and makes its CRD. Error codes as in status.byPod: conversion_error, create_error. Pure.
TemplateReading read_template(const Value& object);

// What to do about the CRD of a constraint kind.
struct CrdPlan {
  enum class Do : std::uint8_t { kNothing, kCreate, kUpdate } what = Do::kNothing;
  std::string body;  // JSON to send
};
// `current` undefined: there is none. Only the spec is ever updated, and only when something that the template asks for
// is missing or different (what the API server adds by default is no difference). Pure.
CrdPlan plan_crd(const Value& desired, const Value& current);

// Whether every field of `desired` is in `current` with the same value; lists must have the same length. Pure.
bool covers(const Value& current, const Value& desired);

// Whether a CRD serves its kind: condition Established is True. Pure.
bool is_established(const Value& crd);

}  // namespace portcullis::controller
