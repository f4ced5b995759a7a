// Brings what the parser made into the one form that the passes work on: every variable numbered, `input` and `data`
// standing alone as references, the last step of p[k] = v in the head's reference, else branches with their rule's name
// and arguments.
#include "engine/rego/compile/passes.h"

namespace portcullis::rego::passes {

namespace {

class Preparer {
 public:
  explicit Preparer(Names& names) : names_(names) {}

  void module(Module& m) {
    reference(m.package);
    for (Import& import : m.imports) reference(import.path);
    for (Rule& r : m.rules) rule(r);
  }

  void body(Body& b) {
    std::uint32_t index = 0;
    for (Expr& e : b.exprs) {
      e.index = index++;
      expr(e);
    }
  }

 private:
  void number(Term& var) { var.variable = names_.intern(var.text); }

  // A reference or operator: its head stays a variable.
  void reference(Term& ref) {
    if (ref.kind == TermKind::kVar) {
      Term head = std::move(ref);
      const Location where = head.location;
      std::vector<Term> items;
      items.push_back(std::move(head));
      ref = Term::ref(std::move(items), where);
    }
    bool head = true;
    for (Term& item : ref.items) {
      if (head && item.kind == TermKind::kVar) {
        number(item);
      } else {
        term(item);
      }
      head = false;
    }
  }

  void term(Term& t) {
    switch (t.kind) {
      case TermKind::kVar:
        number(t);
        if (t.variable == names_.input || t.variable == names_.data) reference(t);
        return;
      case TermKind::kRef: reference(t); return;
      case TermKind::kCall: {
        bool op = true;
        for (Term& item : t.items) {
          if (op) {
            reference(item);
          } else {
            term(item);
          }
          op = false;
        }
        return;
      }
      default:
        for (Term& item : t.items) term(item);
        if (t.body) body(*t.body);
    }
  }

  // `some x` and every's key and value declare: they name no document.
  void declaration(Term& t) {
    if (t.kind == TermKind::kVar) {
      number(t);
    } else {
      term(t);
    }
  }

  void expr(Expr& e) {
    switch (e.kind) {
      case ExprKind::kCall: {
        bool op = true;
        for (Term& t : e.terms) {
          if (op) {
            reference(t);
          } else {
            term(t);
          }
          op = false;
        }
        break;
      }
      case ExprKind::kSome:
        for (Term& t : e.terms) declaration(t);
        break;
      case ExprKind::kEvery:
        if (e.every_key) declaration(*e.every_key);
        declaration(e.every_value);
        term(e.every_domain);
        break;
      case ExprKind::kTerm:
        // A call that is a whole expression is a call expression.
        if (e.terms[0].kind == TermKind::kCall) {
          std::vector<Term> items = std::move(e.terms[0].items);
          e.terms = std::move(items);
          e.kind = ExprKind::kCall;
          expr(e);
          return;
        }
        term(e.terms[0]);
        break;
      case ExprKind::kNot:
      case ExprKind::kAnd:
      case ExprKind::kOr: break;
    }
    for_each_body(e, [&](Body& b) { body(b); });
    for (With& w : e.with) {
      term(w.target);
      term(w.value);
    }
  }

  void head(Head& h) {
    reference(h.reference);
    for (Term& argument : h.arguments) term(argument);
    if (h.key) term(*h.key);
    if (h.value) term(*h.value);
    if (h.key && !h.contains) {
      if (h.reference.items.size() < 2 || !equal(h.reference.items.back(), *h.key)) {
        h.reference.items.push_back(std::move(*h.key));
      }
      h.key.reset();
    }
    if (!h.contains && !h.value) {
      h.value = Term::boolean_of(true, h.location);
      h.generated_value = true;
    }
  }

  void rule(Rule& r) {
    head(r.head);
    body(r.body);
    const Rule* parent = &r;
    for (Rule* branch = r.otherwise.get(); branch != nullptr; branch = branch->otherwise.get()) {
      head(branch->head);
      body(branch->body);
      branch->head.reference = parent->head.reference;
      branch->head.arguments = parent->head.arguments;
      parent = branch;
    }
  }

  Names& names_;
};

}  // namespace

void prepare(Context& context) {
  for (Module* module : context.modules) Preparer(context.names).module(*module);
}

void prepare_body(Context& context, Body& body) { Preparer(context.names).body(body); }

}  // namespace portcullis::rego::passes
