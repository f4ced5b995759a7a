// Validation of Gatekeeper's own resources at admission: templates, constraints, Config, ExpansionTemplate and Provider
// in full; of mutators the name alone (their locations and values are not looked at).
// Pure. Threads: any.
#pragma once

#include <string>

#include "policy/review/review.h"
#include "policy/review/snapshot.h"

namespace portcullis::webhook {

struct OwnResourceVerdict {
  bool valid = true;
  int code = 200;  // 422: the user's mistake; 500: as Gatekeeper answers some of them
  std::string message;
};

// Why Gatekeeper's decoder would refuse an object as a typed one, in its words; empty: it would not.
std::string undecodable(const Value& object);

// `review` is any request; what is none of Gatekeeper's own resources is valid.
OwnResourceVerdict check_own_resource(const policy::Review& review, const policy::Snapshot& snapshot,
                                      bool validate_enforcement_action);

}  // namespace portcullis::webhook
