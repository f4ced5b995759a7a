// Scopes and the tree of types.
#include "engine/rego/compile/type_scope.h"

#include <algorithm>
#include <utility>

#include "base/text.h"

namespace portcullis::rego {
namespace {

std::string key_text(const Term& key) {
  switch (key.kind) {
    case TermKind::kString: return "s" + key.text;
    case TermKind::kVar: return "v" + key.text;
    case TermKind::kNumber: return "n" + key.text;
    default: return "x" + to_string(key);
  }
}

bool is_root(const Term& term) { return term.is_var("data") || term.is_var("input"); }

bool append_json(std::string& out, const Term& term) {
  switch (term.kind) {
    case TermKind::kNull: out += "null"; return true;
    case TermKind::kBoolean: out += term.boolean ? "true" : "false"; return true;
    case TermKind::kNumber: out += term.text; return true;
    case TermKind::kString: text::append_json_string(out, term.text); return true;
    case TermKind::kArray:
    case TermKind::kSet:
      out += '[';
      for (std::size_t i = 0; i < term.items.size(); ++i) {
        if (i > 0) out += ',';
        if (!append_json(out, term.items[i])) return false;
      }
      out += ']';
      return true;
    case TermKind::kObject:
      out += '{';
      for (std::size_t i = 0; i + 1 < term.items.size(); i += 2) {
        if (i > 0) out += ',';
        if (term.items[i].kind == TermKind::kString) {
          text::append_json_string(out, term.items[i].text);
        } else {
          std::string key;
          if (!append_json(key, term.items[i])) return false;
          text::append_json_string(out, key);
        }
        out += ':';
        if (!append_json(out, term.items[i + 1])) return false;
      }
      out += '}';
      return true;
    default: return false;
  }
}

const Type* as_object(const TypePtr& type) { return type && type->kind == TypeKind::kObject ? type.get() : nullptr; }

// Puts what stands at `path` below an object into the object's dynamic part.
TypePtr insert_into_object(const Type& object, std::span<const Term> path, const TypePtr& type, TypeScope& scope) {
  if (path.empty()) return std::make_shared<const Type>(object);
  TypePtr key = scope.type_of(path[0]);
  TypePtr value = type;
  if (path.size() > 1) {
    static const Type kEmpty = [] {
      Type empty;
      empty.kind = TypeKind::kObject;
      return empty;
    }();
    value = insert_into_object(kEmpty, path.subspan(1), type, scope);
  }
  if (object.has_dynamic) {
    key = types::either(object.dynamic_key, key);
    value = types::either(object.dynamic_value, value);
  }
  return types::object(object.properties, std::move(key), std::move(value), true);
}

// An object without static properties merged into such an object among the alternatives, if there is one.
TypePtr merge_into_alternatives(const Type& object, const TypePtr& any) {
  for (std::size_t i = 0; i < any->alternatives.size(); ++i) {
    const Type* other = as_object(any->alternatives[i]);
    if (other == nullptr || !other->properties.empty() || !other->has_dynamic) continue;
    Type merged = *any;
    merged.alternatives[i] = types::object({}, types::either(other->dynamic_key, object.dynamic_key),
                                           types::either(other->dynamic_value, object.dynamic_value));
    return std::make_shared<const Type>(std::move(merged));
  }
  return nullptr;
}

// The type of a document to which rules of types `a` and `b` contribute.
TypePtr merge_types(const TypePtr& a, const TypePtr& b) {
  if (!a) return b;
  if (!b) return a;
  if (const Type* x = as_object(a); x != nullptr && x->properties.empty()) {
    const Type* y = as_object(b);
    if (y != nullptr && y->properties.empty()) {
      if (!x->has_dynamic) return b;
      if (!y->has_dynamic) return a;
      return types::object({}, types::either(x->dynamic_key, y->dynamic_key),
                           merge_types(x->dynamic_value, y->dynamic_value), true);
    }
    if (b->kind == TypeKind::kAny && x->has_dynamic) {
      if (TypePtr merged = merge_into_alternatives(*x, b)) return merged;
    }
  } else if (a->kind == TypeKind::kSet && b->kind == TypeKind::kSet) {
    return types::set(types::either(a->dynamic, b->dynamic));
  } else if (a->kind == TypeKind::kAny && b->kind != TypeKind::kAny) {
    return merge_types(b, a);
  }
  return types::either(a, b);
}

struct Leaf {
  std::vector<Term> path;
  TypePtr type;
};

void collect_leaves(const TypeNode& node, std::vector<Term> path, std::vector<Leaf>& leaves) {
  path.push_back(node.key);
  if (node.type) {
    leaves.push_back({std::move(path), node.type});
    return;
  }
  for (const auto& [name, child] : node.children) collect_leaves(*child, path, leaves);
}

}  // namespace

bool is_constant_term(const Term& term) {
  switch (term.kind) {
    case TermKind::kNull:
    case TermKind::kBoolean:
    case TermKind::kNumber:
    case TermKind::kString: return true;
    case TermKind::kArray:
    case TermKind::kSet:
    case TermKind::kObject: return std::all_of(term.items.begin(), term.items.end(), is_constant_term);
    default: return false;
  }
}

std::optional<std::string> constant_json(const Term& term) {
  std::string out;
  if (!append_json(out, term)) return std::nullopt;
  return out;
}

TypePtr select_constant(const TypePtr& type, const Term& key) {
  const std::optional<std::string> json = constant_json(key);
  return json ? types::select(type, *json) : nullptr;
}

bool is_empty_collection(const TypePtr& type) {
  if (!type) return false;
  switch (type->kind) {
    case TypeKind::kObject: return type->properties.empty() && !type->has_dynamic;
    case TypeKind::kArray: return type->items.empty() && !type->dynamic;
    case TypeKind::kSet: return !type->dynamic;
    default: return false;
  }
}

TypePtr select_reference(TypePtr type, std::span<const Term> steps) {
  for (const Term& step : steps) {
    if (!type) return type;
    switch (step.kind) {
      case TermKind::kVar:
      case TermKind::kRef:
      case TermKind::kArray:
      case TermKind::kObject:
      case TermKind::kSet:
        if (is_empty_collection(type)) return types::any();
        type = types::values(type);
        break;
      default: type = select_constant(type, step);
    }
  }
  return type;
}

std::size_t constant_prefix(std::span<const Term> reference) {
  for (std::size_t i = 1; i < reference.size(); ++i) {
    if (!is_constant_term(reference[i])) return i;
  }
  return reference.size();
}

const TypeNode* TypeNode::child(const Term& at) const {
  const auto found = children.find(key_text(at));
  return found == children.end() ? nullptr : found->second.get();
}

TypeNode& TypeNode::make_child(const Term& at) {
  std::unique_ptr<TypeNode>& slot = children[key_text(at)];
  if (!slot) {
    slot = std::make_unique<TypeNode>();
    slot->key = at;
  }
  return *slot;
}

void TypeNode::put(std::span<const Term> path, TypePtr put_type) {
  TypeNode* node = this;
  for (const Term& step : path) node = &node->make_child(step);
  node->type = std::move(put_type);
}

void TypeNode::insert(std::span<const Term> path, const TypePtr& put_type, TypeScope& scope) {
  TypeNode* node = this;
  for (std::size_t i = 0; i < path.size(); ++i) {
    node = &node->make_child(path[i]);
    const Type* object = as_object(node->type);
    if (object != nullptr && i + 1 < path.size()) {
      node->type = insert_into_object(*object, path.subspan(i + 1), put_type, scope);
    }
  }
  node->type = merge_types(node->type, put_type);
  if (as_object(put_type) == nullptr || node->children.empty()) return;
  std::vector<Leaf> leaves;
  for (const auto& [name, below] : node->children) collect_leaves(*below, {}, leaves);
  for (const Leaf& leaf : leaves) {
    const Type* object = as_object(node->type);
    if (object == nullptr) return;
    node->type = insert_into_object(*object, leaf.path, leaf.type, scope);
  }
}

std::unique_ptr<TypeScope> TypeScope::for_with(TypeScope& around, TypeNode* shared) {
  auto scope = std::make_unique<TypeScope>(&around, around.closures_);
  scope->variables_ = around.variables_;
  if (shared != nullptr) scope->tree_ = shared;
  return scope;
}

void TypeScope::put_variable(const Term& variable, TypePtr type) {
  variables_->own_.make_child(variable).type = std::move(type);
  ++variables_->changes_;
}

std::uint64_t TypeScope::stamp() const {
  std::uint64_t sum = 0;
  for (const TypeScope* scope = this; scope != nullptr; scope = scope->next_) sum += scope->changes_;
  return sum;
}

const ClosureTypes& TypeScope::closure(const Term& comprehension) {
  const std::uint64_t now = stamp();
  ClosureTypes& known = closure_types_[&comprehension];
  if (known.stamp == now + 1) return known;
  ClosureTypes found = closures_ == nullptr ? ClosureTypes{} : closures_->check_closure(*this, comprehension);
  ClosureTypes& slot = closure_types_[&comprehension];  // checking may have added others
  slot = std::move(found);
  slot.stamp = stamp() + 1;  // 0 is "never"
  return slot;
}

TypePtr TypeScope::type_of_variable(const std::string& name) {
  const std::string key = "v" + name;
  for (TypeScope* scope = this; scope != nullptr; scope = scope->next_) {
    const auto found = scope->tree_->children.find(key);
    if (found != scope->tree_->children.end()) return found->second->type;
  }
  return nullptr;
}

TypePtr TypeScope::type_of(const Term& term) {
  switch (term.kind) {
    case TermKind::kNull: return types::null();
    case TermKind::kBoolean: return types::boolean();
    case TermKind::kNumber: return types::number();
    case TermKind::kString:
    case TermKind::kTemplateString: return types::string();
    case TermKind::kArray: {
      std::vector<TypePtr> items;
      items.reserve(term.items.size());
      for (const Term& item : term.items) items.push_back(type_of(item));
      return types::array(std::move(items), nullptr);
    }
    case TermKind::kObject: return object_type(term);
    case TermKind::kSet: {
      TypePtr of;
      for (const Term& item : term.items) of = types::either(of, type_of(item));
      return types::set(std::move(of));
    }
    case TermKind::kArrayComprehension:
    case TermKind::kSetComprehension:
    case TermKind::kObjectComprehension: return closure(term).type;
    case TermKind::kRef: return type_of_reference(term.items);
    case TermKind::kVar: return type_of_variable(term.text);
    case TermKind::kCall:
    case TermKind::kTemplateExpr: return nullptr;
  }
  return nullptr;
}

TypePtr TypeScope::object_type(const Term& object) {
  std::vector<std::pair<std::string, TypePtr>> properties;
  TypePtr key;
  TypePtr value;
  bool dynamic = false;
  for (std::size_t i = 0; i + 1 < object.items.size(); i += 2) {
    if (is_constant_term(object.items[i])) {
      properties.emplace_back(constant_json(object.items[i]).value_or(""), type_of(object.items[i + 1]));
    } else {
      key = type_of(object.items[i]);
      value = type_of(object.items[i + 1]);
      dynamic = true;
    }
  }
  return types::object(std::move(properties), std::move(key), std::move(value), dynamic);
}

TypePtr TypeScope::type_of_reference(std::span<const Term> reference) {
  const TypeNode* node = tree_->child(reference[0]);
  return node == nullptr ? reference_outside(reference) : reference_below(*node, reference, reference.subspan(1));
}

// Nothing here: the scope around may know. What stands under `data` and `input` may be a document outside the policy.
TypePtr TypeScope::reference_outside(std::span<const Term> reference) {
  if (next_ != nullptr) return next_->type_of_reference(reference);
  return is_root(reference[0]) ? types::any() : nullptr;
}

TypePtr TypeScope::reference_below(const TypeNode& start, std::span<const Term> reference, std::span<const Term> tail) {
  const TypeNode* node = &start;
  while (!tail.empty()) {
    const TypeNode* below = node->type && node->children.empty() ? nullptr : node->child(tail[0]);
    if (node->type) {
      if (below == nullptr) return select_reference(node->type, tail);
    } else if (!is_constant_term(tail[0])) {
      return select_reference(extent(*node), tail);
    } else if (below == nullptr) {
      return reference_outside(reference);
    }
    node = below;
    tail = tail.subspan(1);
  }
  return extent(*node);
}

TypePtr TypeScope::extent(const TypeNode& node) const {
  if (node.type) return node.type;
  std::vector<std::pair<std::string, TypePtr>> properties;
  for (const auto& [name, child] : node.children) {
    const TermKind kind = child->key.kind;
    if (kind != TermKind::kString && kind != TermKind::kNumber && kind != TermKind::kBoolean) continue;
    properties.emplace_back(constant_json(child->key).value_or(""), extent(*child));
  }
  // Base documents may hold anything beside the rules.
  return types::object(std::move(properties), types::string(), types::any());
}

}  // namespace portcullis::rego
