// References into data: base documents and the tree of rules; and into values.
#include <algorithm>

#include "engine/rego/partial/run.h"

namespace portcullis::rego::partial {
namespace {

// The element at a key of a term, or null.
const Term* member(const Term& term, const Term& key) {
  switch (term.kind) {
    case TermKind::kObject:
      for (std::size_t i = 0; i + 1 < term.items.size(); i += 2) {
        if (equal(term.items[i], key)) return &term.items[i + 1];
      }
      return nullptr;
    case TermKind::kSet:
      for (const Term& item : term.items) {
        if (equal(item, key)) return &item;
      }
      return nullptr;
    case TermKind::kArray:
      if (key.kind == TermKind::kNumber) {
        for (std::size_t i = 0; i < term.items.size(); ++i) {
          if (key.text == std::to_string(i)) return &term.items[i];
        }
      }
      return nullptr;
    default: return nullptr;
  }
}

const Term* found(const Term* document, std::span<const Term* const> path) {
  for (const Term* key : path) {
    if (document == nullptr) return nullptr;
    document = member(*document, *key);
  }
  return document;
}

}  // namespace

bool Run::eval_tree(Path path, Next next) {
  if (!step()) return false;
  if (path.at == path.ref->size()) return tree_end(path, next);
  const Term* key = plug(path.bindings, &(*path.ref)[path.at]);
  return is_ground(*key) ? tree_next(path, key, next) : tree_enumerate(path, next);
}

bool Run::tree_end(const Path& path, Next next) {
  const Term* whole = keep_ref(path.plugged);
  if (required(*whole, path.bindings)) {
    return !error_ && save_unify(*path.frame, whole, path.other, path.bindings, path.other_bindings, next);
  }
  const Term* base = nullptr;
  bool unknown = false;
  if (!resolve(*path.frame, path.plugged, base, unknown)) return false;
  const Term* value = base;
  if (path.node != nullptr) {
    Term extent(TermKind::kObject, {});
    std::vector<const Term*> plugged = path.plugged;
    bool any = false;
    if (!leaves(*path.frame, plugged, *path.node, extent, any)) return false;
    value = merged(base, keep(std::move(extent)));
  }
  if (value == nullptr) return true;
  return biunify(*path.frame, path.other, value, path.other_bindings, path.bindings, next);
}

bool Run::tree_next(const Path& path, const Term* key, Next next) {
  Path below = path;
  below.plugged[path.at] = key;
  ++below.at;
  below.node = nullptr;
  const std::span<const Term* const> walked = std::span<const Term* const>(below.plugged).first(below.at);
  const bool replaced = !targets_.empty() && std::any_of(targets_.begin(), targets_.end(), [&](const auto& list) {
    return std::any_of(list.begin(), list.end(), [&](const Ref& target) {
      if (target.size() > walked.size()) return false;
      for (std::size_t i = 0; i < target.size(); ++i) {
        if (!equal(target[i], *walked[i])) return false;
      }
      return true;
    });
  });
  if (!replaced && path.node != nullptr) {
    below.node = path.node->child(*key);
    if (below.node != nullptr && !below.node->rules.empty()) {
      Path at_rules = below;
      at_rules.at = path.at;
      return eval_virtual(at_rules, next);
    }
  }
  return eval_tree(std::move(below), next);
}

bool Run::tree_enumerate(const Path& path, Next next) {
  const std::span<const Term* const> walked = std::span<const Term* const>(path.plugged).first(path.at);
  const auto save = [&] {
    return save_unify(*path.frame, keep_ref(path.plugged), path.other, path.bindings, path.other_bindings, next);
  };
  if (disabled(ref_of(walked).items, true)) return save();
  const Term* document = nullptr;
  bool unknown = false;
  if (!resolve(*path.frame, walked, document, unknown)) return false;
  if (unknown) return save();
  const Term* step_term = &(*path.ref)[path.at];
  const auto visit = [&](const Term* key) {
    return biunify(*path.frame, key, step_term, path.bindings, path.bindings,
                   [&] { return tree_next(path, key, next); });
  };
  if (document != nullptr && is_composite(*document)) {
    const std::size_t stride = document->kind == TermKind::kObject ? 2 : 1;
    for (std::size_t i = 0; i < document->items.size(); i += stride) {
      const Term* key =
          document->kind == TermKind::kArray ? keep(Term::number(std::to_string(i), {})) : &document->items[i];
      if (!visit(key)) return false;
    }
  }
  if (path.node == nullptr) return true;
  for (const RuleTreeNode& child : path.node->children) {
    if (document != nullptr && member(*document, child.key) != nullptr) continue;
    if (!visit(&child.key)) return false;
  }
  return true;
}

// The values of all rules below a node.
bool Run::leaves(Frame& frame, std::vector<const Term*>& plugged, const RuleTreeNode& node, Term& out, bool& any) {
  for (const RuleTreeNode& child : node.children) {
    if (child.hidden) continue;
    plugged.push_back(&child.key);
    const Term* value = nullptr;
    bool ok = true;
    if (!child.rules.empty()) {
      const Term* leaf = keep(Term::var("$_leaf", {}));
      ok = unify(frame, keep_ref(plugged), leaf, [&] {
        value = plug(frame.bindings, leaf);
        return true;
      });
    } else {
      Term below(TermKind::kObject, {});
      bool some = false;
      ok = leaves(frame, plugged, child, below, some);
      value = keep(std::move(below));
    }
    plugged.pop_back();
    if (!ok) return false;
    if (value == nullptr) continue;
    any = true;
    out.items.push_back(child.key);
    out.items.push_back(*value);
  }
  normalise(out);
  return true;
}

// Base data at a ground reference, with what `with` put there. Null: nothing.
bool Run::resolve(Frame& frame, std::span<const Term* const> ref, const Term*& out, bool& unknown) {
  out = nullptr;
  const Term whole = ref_of(ref);
  unknown = disabled(whole.items, true) || is_unknown(whole, nullptr);
  if (unknown) return true;
  if (ref[0]->is_var("input")) {
    out = found(frame.input, ref.subspan(1));
    return true;
  }
  const Term* replaced = found(frame.data, ref.subspan(1));
  const bool target = std::any_of(targets_.begin(), targets_.end(), [&](const auto& list) {
    return std::any_of(list.begin(), list.end(), [&](const Ref& one) { return partial::has_prefix(whole.items, one); });
  });
  out = target ? replaced : merged(replaced, base_data(ref));
  return step();
}

const Term* Run::base_data(std::span<const Term* const> ref) {
  Value value = data_;
  for (const Term* key : ref.subspan(1)) {
    if (!is_scalar(*key)) return nullptr;
    if (value.is_array() && key->kind != TermKind::kNumber) return nullptr;
    // Keys of base data are strings: 2 finds "2".
    const bool number = value.is_object() && key->kind == TermKind::kNumber;
    value = number ? value.get(key->text) : value.get(to_value(*key));
  }
  return from_value(value);
}

bool Run::eval_virtual(const Path& path, Next next) {
  const Rules rules = rules_at(path.node);
  if (rules.has_else && required(Term::ref(*path.ref, {}), path.bindings)) {
    return !error_ && save_unify(*path.frame, keep(Term::ref(*path.ref, {})), path.other, path.bindings,
                                 path.other_bindings, next);
  }
  return rules.multi || !rules.ground ? eval_partial(path, rules, next) : eval_complete(path, rules, next);
}

bool Run::eval_from(const Path& path, std::size_t at, const Term* term, Bindings* bindings, Next next) {
  return eval_inside({path.frame, path.ref, at, path.bindings, term, bindings, path.other, path.other_bindings}, next);
}

bool Run::eval_inside(Inside inside, Next next) {
  if (!step()) return false;
  if (inside.at == inside.ref->size()) {
    return biunify(*inside.frame, inside.term, inside.other, inside.term_bindings, inside.other_bindings, next);
  }
  if (is_unknown(*inside.term, inside.term_bindings)) return inside_save(inside, next);
  const Term* key = plug(inside.bindings, &(*inside.ref)[inside.at]);
  return is_ground(*key) ? inside_next(inside, key, next) : inside_enumerate(inside, next);
}

bool Run::inside_next(const Inside& inside, const Term* key, Next next) {
  std::vector<const Term*> path;
  for (std::size_t i = 0; i < inside.ref->size(); ++i) {
    path.push_back(i == inside.at ? key : plug(inside.bindings, &(*inside.ref)[i]));
  }
  if (covered(std::span<const Term* const>(path).first(inside.at + 1))) {
    return save_unify(*inside.frame, keep_ref(path), inside.other, inside.bindings, inside.other_bindings, next);
  }
  const Bound below = inside_get(inside, key);
  if (below.term == nullptr) return true;
  Inside deeper = inside;
  deeper.term = below.term;
  deeper.term_bindings = below.where;
  ++deeper.at;
  return eval_inside(deeper, next);
}

Bound Run::inside_get(const Inside& inside, const Term* key) {
  const Term& term = *inside.term;
  Bindings* bindings = inside.term_bindings;
  if (term.kind == TermKind::kArray || is_ground(term)) {
    const Term* at = member(term, *key);
    return at == nullptr ? Bound{nullptr, nullptr} : apply(bindings, at);
  }
  const std::size_t stride = term.kind == TermKind::kObject ? 2 : 1;
  for (std::size_t i = 0; i < term.items.size() && is_composite(term); i += stride) {
    if (!equal(*plug(bindings, &term.items[i]), *key)) continue;
    return apply(bindings, stride == 2 ? &term.items[i + 1] : key);
  }
  return {nullptr, nullptr};
}

bool Run::inside_enumerate(const Inside& inside, Next next) {
  const Term* step_term = &(*inside.ref)[inside.at];
  const Term& term = *inside.term;
  const std::size_t stride = term.kind == TermKind::kObject ? 2 : 1;
  for (std::size_t i = 0; i < term.items.size() && is_composite(term); i += stride) {
    const bool array = term.kind == TermKind::kArray;
    const Term* key = array ? keep(Term::number(std::to_string(i), {})) : &term.items[i];
    const bool ok = biunify(*inside.frame, key, step_term, inside.term_bindings, inside.bindings,
                            [&] { return inside_next(inside, plug(inside.term_bindings, key), next); });
    if (!ok) return false;
  }
  return inside_unknown_keys(inside, next);
}

// Keys that the document lacks because what stands there is unknown.
bool Run::inside_unknown_keys(const Inside& inside, Next next) {
  std::vector<const Term*> prefix;
  for (std::size_t i = 0; i < inside.at; ++i) prefix.push_back(plug(inside.bindings, &(*inside.ref)[i]));
  for (const Term* key : unknown_keys(prefix)) {
    if (inside_get(inside, key).term != nullptr) continue;
    std::vector<const Term*> path = prefix;
    path.push_back(key);
    for (std::size_t i = inside.at + 1; i < inside.ref->size(); ++i) {
      path.push_back(plug(inside.bindings, &(*inside.ref)[i]));
    }
    const Term* whole = keep_ref(path);
    if (!may_be_unknown(*whole, inside.bindings)) continue;
    const bool ok = biunify(*inside.frame, key, &(*inside.ref)[inside.at], inside.bindings, inside.bindings, [&] {
      return save_unify(*inside.frame, whole, inside.other, inside.bindings, inside.other_bindings, next);
    });
    if (!ok) return false;
  }
  return true;
}

// The value so far is unknown: it gets a name, and the rest of the reference goes on from there.
bool Run::inside_save(const Inside& inside, Next next) {
  Frame& frame = *inside.frame;
  const Term* name = keep(Term::var("$_ref_" + std::to_string(frame.generated++), {}));
  return biunify(frame, inside.term, name, inside.term_bindings, inside.bindings, [&] {
    Term ref(TermKind::kRef, {});
    ref.items.push_back(*name);
    ref.items.insert(ref.items.end(), inside.ref->begin() + static_cast<std::ptrdiff_t>(inside.at), inside.ref->end());
    return biunify(frame, keep(std::move(ref)), inside.other, inside.bindings, inside.other_bindings, next);
  });
}

}  // namespace portcullis::rego::partial
