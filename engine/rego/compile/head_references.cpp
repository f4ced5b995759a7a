// Steps of rules' names that are no variables and no scalars move into the body: p.q[a.b] := 1 becomes
// p.q[__local0__] := 1 with __local0__ = a.b, because the rule tree knows constants and variables only.
#include "engine/rego/compile/passes.h"

namespace portcullis::rego::passes {

void rewrite_head_references(Context& context) {
  for (Module* module : context.modules) {
    walk_rules(*module, [&](Rule& rule) {
      std::vector<Term>& items = rule.head.reference.items;
      for (std::size_t i = 1; i < items.size(); ++i) {
        if (items[i].kind == TermKind::kVar || is_scalar(items[i])) continue;
        append_to_body(rule.body, hoist(context.names, items[i]));
      }
      return false;
    });
  }
}

}  // namespace portcullis::rego::passes
