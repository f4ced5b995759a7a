"""Random Rego modules, inputs and data for the differential test. The same seed gives the same case."""

import json
import random

STRINGS = ["", "a", "b", "foo", "bar/baz", "x.y", "A b", "1", "2.5", "é", "日本", "a,b,c", "%d %s", "10.0.0.0/8", "10.1.2.3",
           "1.2.3", "1.0.0-rc.1", "2021-03-04T05:06:07Z", "[a-z]+", "a*", "^(.)(b)?", "{\"a\": [1, 2.50]}", "[1]", "k: v",
           "YWJj", "6162", "a=1&b=2", "10Ki", "5m", "200%", "true", "null", "\t\n", "a b  c", "../x", "1h30m", "🙂", "\\d"]
NUMBERS = ["0", "1", "2", "3", "-1", "10", "2.5", "0.1", "1.0", "1e3", "-0.5", "7", "100", "9007199254740993",
           "123456789012345678901234567890", "1e-7", "1e25", "3.14159", "64", "-7"]
KEYS = ["a", "b", "c", "foo", "x.y", "k-1", "n"]

# What needs a clock, the network or chance, or only means something to the compiler.
EXCLUDED = {"http.send", "time.now_ns", "rand.intn", "uuid.rfc4122", "opa.runtime", "net.lookup_ip_addr", "trace", "print",
            "rego.metadata.chain", "rego.metadata.rule", "test.sleep", "providers.aws.sign_req", "walk", "internal.print",
            "crypto.x509.parse_and_verify_certificates", "crypto.x509.parse_and_verify_certificates_with_options"}


class Generator:
    def __init__(self, seed, builtins):
        self.r = random.Random(seed)
        self.builtins = builtins

    # --- documents ------------------------------------------------------------------------------------------------

    def scalar_json(self):
        kind = self.r.randrange(10)
        if kind < 4:
            return json.dumps(self.r.choice(STRINGS), ensure_ascii=False)
        if kind < 8:
            return self.r.choice(NUMBERS)
        return self.r.choice(["true", "false", "null"])

    def json(self, depth):
        kind = self.r.randrange(10) if depth > 0 else 0
        if kind < 3:
            return self.scalar_json()
        items = [self.json(depth - 1) for _ in range(self.r.randrange(4))]
        if kind < 6:
            return "[" + ", ".join(items) + "]"
        keys = self.r.sample(KEYS, len(items))
        return "{" + ", ".join(json.dumps(k) + ": " + v for k, v in zip(keys, items)) + "}"

    def input(self):
        numbers = [self.r.choice(NUMBERS) for _ in range(self.r.randrange(5))]
        strings = [json.dumps(self.r.choice(STRINGS), ensure_ascii=False) for _ in range(self.r.randrange(5))]
        return ("{" + f'"nums": [{", ".join(numbers)}], "strs": [{", ".join(strings)}], "n": {self.r.choice(NUMBERS)}, '
                f'"s": {json.dumps(self.r.choice(STRINGS), ensure_ascii=False)}, "obj": {self.json(2)}, '
                f'"any": {self.json(3)}, "parameters": {self.json(2)}, "list": [{self.json(2)}, {self.json(1)}]' + "}")

    def data(self):
        return ('{"base": {"nums": [1, 2, 3], "m": {"a": %s, "b": %s, "c": {"x.y": %s}}, "rows": [%s, %s, %s]}}' % (
            self.scalar_json(), self.json(2), self.json(1),
            *['{"id": %s, "name": %s, "tags": %s}' % (self.r.choice(NUMBERS[:6]), json.dumps(self.r.choice(STRINGS[:5])),
                                                      self.json(1)) for _ in range(3)]))

    # --- terms ----------------------------------------------------------------------------------------------------

    def string(self):
        text = self.r.choice(STRINGS)
        if "`" not in text and self.r.random() < 0.1:
            return "`" + text + "`"
        return json.dumps(text, ensure_ascii=False)

    def scalar(self, kind):
        if kind == "any":
            kind = self.r.choice(["number", "string", "boolean", "null", "number", "string"])
        if kind == "number":
            return self.r.choice(NUMBERS)
        if kind == "string":
            return self.string()
        if kind == "boolean":
            return self.r.choice(["true", "false"])
        return "null"

    def variable(self, scope, kind):
        fits = [n for n, k in scope if k == kind or k == "any" or kind == "any"]
        return self.r.choice(fits) if fits else None

    def reference(self, scope):
        r = self.r
        out = r.choice(["input.any", "input.obj", "input.list[_]", "input.s", "input.n", "input.nums[_]", "input.strs[_]",
                        "data.base.m", "data.base.rows[_]", "data.base.rows[1]", "data.base.nums[_]", "input.parameters",
                        "data.base", "input", "input.missing", "data.base.m.c", "input[\"any\"]"])
        open_names = [n for n, k in scope if k == "any"]
        if open_names and r.random() < 0.4:
            out = r.choice(open_names)
        while r.random() < 0.35:
            step = r.randrange(8)
            if step < 4:
                key = r.choice(KEYS)
                out += "." + key if key.isalnum() else "[" + json.dumps(key) + "]"
            elif step == 4:
                out += "[_]"
            elif step == 5:
                out += "[" + r.choice(["0", "1", "-1", "true", "\"a\"", "1.0"]) + "]"
            else:
                name = self.variable(scope, "any")
                out += "[" + (name or "0") + "]"
        return out

    def rule_value(self, scope, kind):
        """A reference to a rule that stands before this one."""
        rules = [x for x in self.rules if x[1] == kind or kind == "any" or x[1] == "any"]
        if not rules:
            return None
        name, of, arity = self.r.choice(rules)
        name = name if self.r.random() < 0.7 else "data.test." + name if not name.startswith("lib") else name
        if arity is not None:
            return name + "(" + ", ".join(self.term(scope, "any", 2) for _ in range(arity)) + ")"
        if of in ("object", "set", "any") and self.r.random() < 0.3:
            return name + "[" + (self.variable(scope, "any") or "_") + "]"
        return name

    def composite(self, scope, kind, depth):
        r = self.r
        if r.random() < 0.35:
            return self.comprehension(scope, kind, depth)
        items = [self.term(scope, "any", depth + 1) for _ in range(r.randrange(4))]
        if kind == "array":
            return "[" + ", ".join(items) + "]"
        if kind == "set":
            return "{" + ", ".join(items) + "}" if items else "set()"
        keys = [json.dumps(r.choice(KEYS)) if r.random() < 0.8 else self.term(scope, "any", depth + 2) for _ in items]
        return "{" + ", ".join(k + ": " + v for k, v in zip(keys, items)) + "}"

    def comprehension(self, scope, kind, depth):
        inner = list(scope)
        body = "; ".join(self.body(inner, 2, depth + 1))
        value = self.term(inner, "any", depth + 2)
        if kind == "array":
            return "[" + value + " | " + body + "]"
        if kind == "set":
            return "{" + value + " | " + body + "}"
        return "{" + self.term(inner, "any", depth + 2) + ": " + value + " | " + body + "}"

    def of_type(self, scope, declared, depth):
        """A term for a builtin's argument; often one whose type only shows when it is evaluated."""
        kind = declared.get("type", "any")
        if self.r.random() < 0.3:
            return self.reference(scope)
        if kind == "any":
            options = declared.get("of") or []
            return self.of_type(scope, self.r.choice(options), depth) if options else self.term(scope, "any", depth + 1)
        if kind == "array" and isinstance(declared.get("static"), list):
            return "[" + ", ".join(self.of_type(scope, x, depth + 1) for x in declared["static"]) + "]"
        if kind in ("array", "set") and depth < 4:
            element = declared.get("dynamic") if kind == "array" else declared.get("of")
            items = [self.of_type(scope, element or {}, depth + 1) for _ in range(self.r.randrange(4))]
            if kind == "array":
                return "[" + ", ".join(items) + "]"
            return "{" + ", ".join(items) + "}" if items else "set()"
        if kind == "object" and depth < 4:
            dynamic = declared.get("dynamic") or {}
            pairs = [json.dumps(s["key"]) + ": " + self.of_type(scope, s["value"], depth + 1)
                     for s in declared.get("static") or []]
            for _ in range(self.r.randrange(3)):
                pairs.append(self.of_type(scope, dynamic.get("key", {"type": "string"}), depth + 2) + ": " +
                             self.of_type(scope, dynamic.get("value", {}), depth + 1))
            return "{" + ", ".join(pairs) + "}"
        return self.term(scope, kind, depth + 1)

    def builtin(self, scope, depth, kind="any"):
        candidates = self.builtins if kind == "any" else [b for b in self.builtins if b["result"] in (kind, "any")]
        one = self.r.choice(candidates or self.builtins)
        arguments = [self.of_type(scope, a, depth + 1) for a in one["args"]]
        if one.get("infix") and len(arguments) == 2 and self.r.random() < 0.9:
            return "(" + arguments[0] + " " + one["infix"] + " " + arguments[1] + ")"
        return one["name"] + "(" + ", ".join(arguments) + ")"

    def term(self, scope, kind="any", depth=0):
        r = self.r
        chance = r.random()
        if depth > 4 or chance < 0.15:
            name = self.variable(scope, kind)
            return name if name and r.random() < 0.6 else self.simple(kind)
        if chance < 0.40:
            name = self.variable(scope, kind)
            if name:
                return name
        if chance < 0.55:
            return self.reference(scope)
        if chance < 0.65:
            value = self.rule_value(scope, kind)
            if value:
                return value
        if chance < 0.8 and depth < 3:
            return self.builtin(scope, depth, kind)
        if kind == "any":
            kind = r.choice(["number", "string", "array", "set", "object", "array", "boolean"])
        if kind in ("array", "set", "object"):
            return self.composite(scope, kind, depth)
        if kind == "string" and r.random() < 0.15:
            return "$\"v {" + self.term(scope, "any", 5) + "} w\"" if '"' not in (t := self.term(scope, "any", 6)) else \
                json.dumps("t")
        return self.scalar(kind)

    def simple(self, kind):
        if kind in ("array", "set", "object"):
            return {"array": "[]", "set": "set()", "object": "{}"}[kind]
        return self.scalar(kind)

    # --- bodies ---------------------------------------------------------------------------------------------------

    def fresh(self):
        self.names += 1
        return "v%d" % self.names

    def collection(self, scope, depth):
        r = self.r
        return r.choice([
            lambda: r.choice(["input.nums", "input.strs", "input.list", "input.obj", "input.any", "data.base.rows", "data.base.m"]),
            lambda: self.composite(scope, r.choice(["array", "set", "object"]), depth + 1),
            lambda: self.rule_value(scope, r.choice(["set", "object", "array"])) or "data.base.nums",
            lambda: "numbers.range(%s, %s)" % (r.choice("0123"), r.choice("0246")),
            lambda: self.reference(scope),
        ])()

    def with_clause(self, scope, depth):
        r = self.r
        if self.query and depth > 0:
            return ""  # OPA treats it in a query's inner bodies as nowhere else (README.md)
        target = r.choice(["input", "input.any", "input.nums", "input.obj.a", "data.base", "data.base.m", "data.base.m.a",
                           "input.s", "builtin", "rule"])
        if target == "builtin":
            one = r.choice(["count", "upper", "concat", "sum", "max"])
            return " with %s as %s" % (one, self.term(scope, "any", depth + 2))
        if target == "rule":
            rules = [n for n, _, a in self.rules if a is None and "." not in n]
            if not rules:
                return ""
            return " with data.test.%s as %s" % (r.choice(rules), self.term(scope, "any", depth + 2))
        return " with %s as %s" % (target, self.term(scope, "any", depth + 2))

    def body(self, scope, most, depth=0):
        out = []
        for _ in range(self.r.randint(1, most)):
            out += self.statement(scope, depth)
        return out

    def statement(self, scope, depth):
        r = self.r
        kind = r.randrange(24)
        with_ = self.with_clause(scope, depth) if r.random() < 0.08 and depth < 3 else ""
        if depth > 3:
            kind = r.choice([0, 3, 8])
        if kind < 3:
            of = r.choice(["any", "any", "number", "string", "array", "set", "object"])
            value = self.term(scope, of, depth + 1)
            name = self.fresh()
            scope.append((name, "any" if of == "any" else of))
            return [name + " := " + value + with_]
        if kind == 3:
            value = self.term(scope, "any", depth + 1)
            name = self.fresh()
            scope.append((name, "any"))
            return [r.choice([name + " = " + value, value + " = " + name]) + with_]
        if kind < 7:
            of = r.choice(["any", "number", "string"])
            op = r.choice(["==", "!=", "!=", "<", "<=", ">", ">=", "!="])
            return [self.reference(scope) + " " + op + " " + self.term(scope, of, depth + 1) + with_]
        if kind < 9:
            op = r.choice(["!=", "<", "<=", "!="])
            return [self.term(scope, "any", depth + 1) + " " + op + " " + self.reference(scope) + with_]
        if kind == 9:
            return ["not " + self.ground(scope, depth) + with_]
        if kind < 12:
            name = self.fresh()
            of = self.collection(scope, depth)
            scope.append((name, "any"))
            return ["some " + name + " in " + of + with_, name + " != 17"]
        if kind == 12:
            key, name = self.fresh(), self.fresh()
            of = self.collection(scope, depth)
            scope += [(key, "any"), (name, "any")]
            return ["some " + key + ", " + name + " in " + of, key + " != " + name]
        if kind == 13:
            name = self.fresh()
            of = r.choice(["input.list", "input.obj", "input.any", "data.base.rows", "data.base.m", "input.nums"])
            value = self.fresh()
            scope += [(name, "any"), (value, "any")]
            return ["some " + name, value + " := " + of + "[" + name + "]"]
        if kind == 14:
            inner = list(scope)
            name, of = self.fresh(), self.collection(scope, depth)
            head = "every " + name + " in " + of
            inner.append((name, "any"))
            if r.random() < 0.3:
                key = self.fresh()
                head = "every " + key + ", " + name + " in " + of
                inner.append((key, "any"))
                return [head + " { " + "; ".join([key + " != " + name] + self.body(inner, 2, depth + 2)) + " }" + with_]
            return [head + " { " + "; ".join([name + " != 99"] + self.body(inner, 2, depth + 2)) + " }" + with_]
        if kind == 15:
            return [self.term(scope, "any", depth + 1) + " in " + self.collection(scope, depth) + with_]
        if kind == 16:
            a, b = self.fresh(), self.fresh()
            source = r.choice(["input.list", "input.nums", "[%s, %s]" % (self.term(scope, "any", depth + 2), self.term(scope, "any", depth + 2))])
            scope += [(a, "any"), (b, "any")]
            return ["[" + a + ", " + b + "] " + r.choice(["=", ":="]) + " " + source]
        if kind == 17:
            a = self.fresh()
            key = r.choice(["id", "name", "tags"])
            scope.append((a, "any"))
            return ["{\"" + key + "\": " + a + "} = object.filter(data.base.rows[_], [\"" + key + "\"])"]
        if kind == 18:
            value = self.rule_value(scope, "any")
            return [value + with_] if value else [self.reference(scope)]
        if kind == 19:
            path, value = self.fresh(), self.fresh()
            scope += [(path, "array"), (value, "any")]
            return ["walk(" + r.choice(["input.any", "input.obj", "data.base.m", "input.list"]) + ", [" + path + ", " + value + "])"]
        if kind == 20:
            return [self.builtin(scope, depth + 1, "boolean") + with_]
        if kind == 21:
            name = self.fresh()
            call = self.builtin(scope, depth + 1)
            scope.append((name, "any"))
            return [name + " := " + call + with_]
        if kind == 22:
            name = self.fresh()
            value = self.rule_value(scope, r.choice(["set", "object"])) or "data.base.m"
            if "(" in value or "[" in value:
                value = "data.base.m"
            scope.append((name, "any"))
            return ["some " + name, value + "[" + name + "]" + with_]
        return [self.reference(scope) + with_]

    def ground(self, scope, depth):
        """What may stand behind `not`: variables that only stand there are wildcards."""
        r = self.r
        if r.random() < 0.5:
            return self.reference(scope) + r.choice(["", " == " + self.scalar("any"), " != " + (self.variable(scope, "any") or "1")])
        return self.rule_value(scope, "any") or self.builtin(scope, depth + 1, "boolean")

    # --- rules ----------------------------------------------------------------------------------------------------

    def add(self, head, body, end="}"):
        self.lines.append(head + " if {")
        self.lines += ["  " + line for line in body]
        self.lines.append(end)

    def rule(self, number):
        r = self.r
        name = "r%d" % number
        kind = r.randrange(10)
        if kind < 3:
            of = r.choice(["any", "any", "number", "string", "array", "set", "object", "boolean"])
            if r.random() < 0.3:
                self.lines.append("default " + name + " := " + self.scalar("any"))
            for _ in range(r.choice([1, 1, 1, 2])):
                scope = []
                body = self.body(scope, 4)
                end = "}"
                value = self.term(scope, of, 1)
                while r.random() < 0.3:
                    other = []
                    text = "; ".join(self.body(other, 2, 1))
                    end += " else := " + self.term(other, of, 1) + " if { " + text + " }"
                if r.random() < 0.15:
                    self.add(name, body, end)
                else:
                    self.add(name + " := " + value, body, end)
            self.rules.append((name, "any", None))
        elif kind < 5:
            for _ in range(r.choice([1, 1, 2])):
                scope = []
                body = self.body(scope, 4)
                self.add(name + " contains " + self.term(scope, "any", 1), body)
            self.rules.append((name, "set", None))
        elif kind < 6:
            for _ in range(r.choice([1, 1, 2])):
                scope = []
                body = self.body(scope, 4)
                key = json.dumps(r.choice(KEYS)) if r.random() < 0.3 else self.term(scope, "any", 3)
                self.add(name + "[" + key + "] := " + self.term(scope, "any", 1), body)
            self.rules.append((name, "object", None))
        elif kind < 7:
            for _ in range(r.choice([1, 2, 3])):
                scope = []
                body = self.body(scope, 3)
                a, b = (self.variable(scope, "any") or "\"a\"", self.variable(scope, "any") or "\"b\"")
                head = r.choice([name + ".x.y := ", name + ".x[" + a + "] := ", name + "[" + a + "][" + b + "] := ",
                                 name + "[" + a + "].z contains ", name + ".s contains ", name + ".x[" + a + "].w := "])
                self.add(head + self.term(scope, "any", 2), body)
            self.rules.append((name, "any", None))
        else:
            arity = r.choice([1, 1, 2, 3])
            if r.random() < 0.15:
                self.lines.append("default " + name + "(" + ", ".join("_" for _ in range(arity)) + ") := " + self.scalar("any"))
            for _ in range(r.choice([1, 1, 2, 3])):
                scope, arguments = [], []
                for _ in range(arity):
                    if r.random() < 0.8:
                        arguments.append(self.fresh())
                        scope.append((arguments[-1], "any"))
                    elif r.random() < 0.5:
                        arguments.append(self.scalar("any"))
                    else:
                        inner = self.fresh()
                        scope.append((inner, "any"))
                        arguments.append(r.choice(["[" + inner + ", _]", "{\"a\": " + inner + "}", "[" + inner + "]"]))
                body = self.body(scope, 3)
                end = "}"
                start = [x for x in scope if x[0] in ",".join(arguments)]
                while r.random() < 0.25:
                    other = list(start)
                    text = "; ".join(self.body(other, 2, 1))
                    end += " else := " + self.term(other, "any", 1) + " if { " + text + " }"
                value = "" if r.random() < 0.2 else " := " + self.term(scope, "any", 1)
                self.add(name + "(" + ", ".join(arguments) + ")" + value, body, end)
            self.rules.append((name, "any", arity))

    def case(self, inputs=3):
        r = self.r
        self.lines, self.rules, self.names, self.query = ["package test", "import data.lib"], [], 0, False
        library = ["package lib", "import rego.v1", "f(x) := [x, x]", "s contains v if { some v in input.nums }",
                   "o[k] := v if { some k, v in input.obj }", "n := count(input.list)", "deep.a.b contains 1",
                   "deep.a.c := input.s"]
        self.rules = [("lib.f", "array", 1), ("lib.s", "set", None), ("lib.o", "object", None), ("lib.n", "number", None),
                      ("lib.deep", "any", None)]
        for number in range(r.randint(1, 5)):
            self.rule(number)
        mine = [n for n, _, a in self.rules if a is None and "." not in n]
        functions = [(n, a) for n, _, a in self.rules if a is not None and "." not in n]
        for number, (name, arity) in enumerate(functions):
            self.add("call%d := %s(%s)" % (number, name, ", ".join(self.term([], "any", 3) for _ in range(arity))), ["true"])
            mine.append("call%d" % number)
        queries = []
        self.query = True
        for _ in range(2):
            scope = []
            rules, self.rules = self.rules, [("data.test." + n if "." not in n else "data." + n, k, a) for n, k, a in self.rules]
            queries.append("; ".join(self.body(scope, 3)))
            self.rules = rules
        return {"modules": ["\n".join(self.lines) + "\n", "\n".join(library) + "\n"],
                "strict_errors": r.random() < 0.3, "data": self.data(),
                "inputs": [self.input() for _ in range(inputs)],
                "rules": ["data.test." + n for n in mine] + ["data.test"], "queries": queries}

