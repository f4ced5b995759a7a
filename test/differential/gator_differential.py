#!/usr/bin/env python3
"""Compares our gator with a real one on generated templates, constraints, objects and suites.

  gator_differential.py --ours bin/gator --real /path/to/gator [--seed 1] [--count 200] [--keep DIR]

Every case is a folder of files and one call. What varies from run to run in the real one is compared as a set: results
that tie in action and message, the order of scoped actions, the order of several schema errors.
"""
import argparse, json, os, random, re, shutil, subprocess, sys, tempfile

try:
    import yaml
except ImportError:  # -o yaml is then compared as text only
    yaml = None

NAMESPACES = ["default", "shop", "web", "kube-system", "team-a"]
LABELS = ["app", "tier", "env", "example.com/owner"]
VALUES = ["a", "b", "prod", "dev", ""]
KINDS = [("v1", "Pod", True), ("v1", "Secret", True), ("v1", "Service", True), ("apps/v1", "Deployment", True),
         ("v1", "Namespace", False), ("rbac.authorization.k8s.io/v1", "ClusterRole", False),
         ("networking.k8s.io/v1", "Ingress", True), ("example.com/v1alpha1", "Widget", True),
         ("batch/v1", "Job", True), ("v1", "Node", False)]

BODIES = [
    'violation[{"msg": msg}] { msg := sprintf("%v/%v", [input.review.object.kind, input.review.object.metadata.name]) }',
    'violation[{"msg": msg, "details": {"missing": missing}}] { want := {l | l := input.parameters.labels[_]}; have := {l | input.review.object.metadata.labels[l]}; missing := want - have; count(missing) > 0; msg := sprintf("missing %v", [missing]) }',
    'violation[{"msg": msg}] { c := input.review.object.spec.containers[_]; not startswith(c.image, input.parameters.prefix); msg := sprintf("container <%v> has image <%v>", [c.name, c.image]) }',
    'violation[{"msg": msg, "details": d}] { d := {"n": input.review.object.spec.replicas, "limit": object.get(input.parameters, "limit", 5)}; d.n > d.limit; msg := sprintf("%v replicas, at most %v", [d.n, d.limit]) }',
    'violation[{"msg": msg}] { other := data.inventory.namespace[ns][_][kind][name]; kind == input.review.kind.kind; name == input.review.object.metadata.name; ns != input.review.object.metadata.namespace; msg := sprintf("%v %v also in %v", [kind, name, ns]) }',
    'violation[{"msg": msg}] { n := count(data.inventory.cluster[gv][kind]); msg := sprintf("%v %v: %v", [gv, kind, n]) }',
    'violation[{"msg": "same"}] { true }\nviolation[{"msg": "same", "details": {"k": k}}] { input.review.object.metadata.labels[k] }',
    'violation[{"msg": msg}] { msg := json.marshal(input.review.object.spec) }',
    'violation[{"msg": msg}] { msg := sprintf("%v %v", [input.parameters, input.review.object.metadata]) }',
    'violation[{"msg": msg}] { walk(input.review.object, [p, v]); is_number(v); msg := sprintf("%v = %v", [concat(".", [x | x := sprintf("%v", [p[_]])]), v]) }',
    'violation[{"msg": msg}] { x := input.review.object.spec.replicas / input.parameters.limit; x > 1; msg := sprintf("%v", [x]) }',
    'violation[{"msg": msg}] { not allowed; msg := "not allowed" }\nallowed { input.review.object.metadata.labels.env == "prod" }\nallowed { input.review.userInfo.username == "admin" }',
    'violation[{"msg": msg}] { re_match(input.parameters.prefix, input.review.object.metadata.name); msg := "name matches" }',
    'violation[{"msg": msg}] { some i; v := input.review.object.spec.items[i]; v != null; msg := sprintf("%v: %v (%T)", [i, v, v]) } { msg := input.review.object.metadata.annotations[_] }',
    'violation[{"msg": msg, "details": {}}] { msg := concat(",", sort([k | input.review[k]])) }',
    'violation[{"msg": input.review.object.metadata.labels}] { input.review.kind.kind == "Widget" }',
    'f(x) = y { y := upper(x) }\nviolation[{"msg": f(n)}] { n := input.review.object.metadata.name }',
    'import data.lib.util\nviolation[{"msg": m}] { m := util.name(input.review.object) }',
    'violation[{"msg": msg}] { print("obj", input.review.object.metadata.name); input.review.object.metadata.namespace == "shop"; msg := "in shop" }',
]
LIB = 'package lib.util\nname(o) = n { n := sprintf("%v#%v", [o.kind, o.metadata.name]) }'
BROKEN = [
    'violation[{"msg": "x"}] { x = }', 'deny[{"msg": "x"}] { true }', 'violation[{"msg": m}] { m := data.foo }',
    'violation[{"msg": "x"}] { y }', 'import data.foo\nviolation[{"msg": "x"}] { true }', 'violation[{"msg": "x"}] { p }\np { q }\nq { p }',
    'violation[{"msg": "x"}] { nosuch(input) }', 'violation[{"msg": "x"}] { count(1, 2, 3) }', 'violation[{"msg": "x"} { true }',
    'import input.review\nviolation[{"msg": "x"}] { review }', 'violation[{"msg": "x"}] { data[input.parameters.k] }',
    'violation[{"msg": m}] { m = "a"; import data.x }',
]
SCHEMAS = [
    None,
    {"type": "object", "properties": {"labels": {"type": "array", "items": {"type": "string"}}, "prefix": {"type": "string"},
                                      "limit": {"type": "integer"}}},
    {"type": "object", "properties": {"labels": {"type": "array", "items": {"type": "string"}, "minItems": 1, "maxItems": 3},
                                      "prefix": {"type": "string", "pattern": "^[a-z/.]*$", "maxLength": 8, "default": "nginx"},
                                      "limit": {"type": "integer", "minimum": 1, "maximum": 100, "default": 2},
                                      "mode": {"type": "string", "enum": ["soft", "hard"]},
                                      "map": {"type": "object", "additionalProperties": {"type": "number"}}},
     "required": ["labels"]},
    {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
    {"type": "object", "properties": {"limit": {"x-kubernetes-int-or-string": True}, "labels": {"type": "array", "items": {"type": "string"}},
                                      "prefix": {"type": "string", "nullable": True}, "deep": {"type": "object", "properties": {"a": {"type": "boolean", "default": True}}}}},
    {"properties": {"labels": {"type": "array"}}},
    {"type": "object", "properties": {"limit": {"type": "integer", "multipleOf": 2}, "either": {"anyOf": [{"type": "string"}, {"type": "integer"}], "x-kubernetes-preserve-unknown-fields": True}}},
]


class Generator:
    def __init__(self, seed):
        self.r = random.Random(seed)

    def some(self, items, low=0, high=3):
        return [self.r.choice(items) for _ in range(self.r.randint(low, high))]

    def maybe(self, p):
        return self.r.random() < p

    def labels(self):
        return {k: self.r.choice(VALUES) for k in self.some(LABELS)}

    def scalar(self):
        return self.r.choice([0, 1, -3, 7, 1000000, 12345678901234567, 1.5, 2.0, 1e-7, True, False, None, "", "x", "yes", "1", "é\n<&>", "a: b", "- c"])

    def value(self, depth=2):
        pick = self.r.random()
        if depth == 0 or pick < 0.5:
            return self.scalar()
        if pick < 0.75:
            return [self.value(depth - 1) for _ in range(self.r.randint(0, 3))]
        return {k: self.value(depth - 1) for k in self.some(["a", "b", "c-d", "1", "y", "true"])}

    def obj(self, index):
        api, kind, namespaced = self.r.choice(KINDS)
        meta = {"name": self.r.choice(["one", "two", "web-1", "kube-x", f"n{index}"])}
        if kind == "Namespace":
            meta["name"] = self.r.choice(NAMESPACES)
        if namespaced and self.maybe(0.9):
            meta["namespace"] = self.r.choice(NAMESPACES)
        if self.maybe(0.7):
            meta["labels"] = self.labels()
        if self.maybe(0.1):
            meta["annotations"] = {"note": self.r.choice(["x", "long text with: colon", "multi\nline"])}
        if self.maybe(0.08):
            meta["generateName"] = meta.pop("name") + "-"
        out = {"apiVersion": api, "kind": kind, "metadata": meta}
        if self.maybe(0.8):
            spec = {}
            if self.maybe(0.5):
                spec["replicas"] = self.r.choice([0, 1, 3, 10, 1000000, 2.5])
            if self.maybe(0.5):
                spec["containers"] = [{"name": f"c{i}", "image": self.r.choice(["nginx", "nginx:1", "other/x", "a"])} for i in range(self.r.randint(0, 3))]
            if self.maybe(0.3):
                spec["items"] = self.value()
            if self.maybe(0.2):
                spec["extra"] = self.value(3)
            out["spec"] = spec
        if self.maybe(0.03):
            self.r.choice([lambda: out.pop("kind"), lambda: out.pop("apiVersion"), lambda: out.update(apiVersion="a/b/c"),
                           lambda: meta.update(labels={"app": 5}), lambda: meta.update(name=7), lambda: out.update(metadata="text")])()
        return out

    def selector(self):
        out = {}
        if self.maybe(0.6):
            out["matchLabels"] = self.labels()
        if self.maybe(0.6):
            exprs = []
            for _ in range(self.r.randint(0, 2)):
                op = self.r.choice(["In", "NotIn", "Exists", "DoesNotExist"])
                e = {"key": self.r.choice(LABELS), "operator": op}
                if op in ("In", "NotIn"):
                    e["values"] = self.some(VALUES, 1, 3)
                exprs.append(e)
            out["matchExpressions"] = exprs
        if self.maybe(0.06):
            out = self.r.choice([{"matchExpressions": [{"key": "bad key", "operator": "Exists"}]}, {"matchExpressions": [{"key": "a", "operator": "in", "values": ["x"]}]},
                                 {"matchLabels": {"a": "not valid!"}}, {"matchExpressions": [{"key": "a", "operator": "In"}]}, {"matchLabels": {"a": 5}},
                                 {"matchExpressions": [{"key": "a", "operator": "Exists", "values": ["x"]}]}, {"matchLabels": "x"}, {"nope": 1}, {"matchExpressions": [{"operator": "Exists"}]}])
        return out

    def match(self):
        out = {}
        globs = ["shop", "sh*", "*op", "*e*", "*", "default", "kube-*", "-x"]
        if self.maybe(0.5):
            kinds = []
            for _ in range(self.r.randint(0, 2)):
                entry = {}
                if self.maybe(0.8):
                    entry["apiGroups"] = self.some(["", "apps", "*", "example.com", "batch"], 0, 2)
                if self.maybe(0.9):
                    entry["kinds"] = self.some([k for _, k, _ in KINDS] + ["*", "pod"], 0, 3)
                kinds.append(entry)
            out["kinds"] = kinds
        if self.maybe(0.2):
            out["scope"] = self.r.choice(["*", "Cluster", "Namespaced", "cluster", ""])
        if self.maybe(0.2):
            out["namespaces"] = self.some(globs, 0, 2)
        if self.maybe(0.2):
            out["excludedNamespaces"] = self.some(globs, 0, 2)
        if self.maybe(0.25):
            out["labelSelector"] = self.selector()
        if self.maybe(0.2):
            out["namespaceSelector"] = self.selector()
        if self.maybe(0.12):
            out["name"] = self.r.choice(["one", "we*", "*-1", "*", "n*", ""])
        if self.maybe(0.1):
            out["source"] = self.r.choice(["All", "Original", "Generated"])
        if self.maybe(0.03):
            out.update(self.r.choice([{"source": "Any"}, {"kinds": "Pod"}, {"namespaces": ["UPPER"]}, {"scope": 5}, {"name": "a*b*"}, {"other": 1},
                                      {"labelSelector": None}, {"namespaceSelector": "x"}, {"kinds": None}]))
        return out

    def parameters(self):
        out = {}
        if self.maybe(0.7):
            out["labels"] = self.some(LABELS, 0, 4)
        if self.maybe(0.5):
            out["prefix"] = self.r.choice(["nginx", "other/", "", "n", "toolongvalue", None])
        if self.maybe(0.5):
            out["limit"] = self.r.choice([1, 2, 5, 1000, "x", 2.0, 2.5, 0])
        if self.maybe(0.1):
            out["mode"] = self.r.choice(["soft", "loose"])
        if self.maybe(0.1):
            out["map"] = {"a": 1, "b": self.r.choice([2.5, "x"])}
        if self.maybe(0.1):
            out["either"] = self.r.choice([1, "x", True, [1]])
        if self.maybe(0.1):
            out["deep"] = self.r.choice([{}, {"a": False}, {"b": 1}])
        if self.maybe(0.05):
            out["unknown"] = self.value()
        return out

    def template(self, kind):
        body = self.r.choice(BROKEN if self.maybe(0.06) else BODIES)
        version = self.r.choice(["v1", "v1", "v1beta1", "v1alpha1"])
        names = {"kind": kind}
        spec = {"names": names}
        schema = self.r.choice(SCHEMAS)
        if schema is not None:
            spec["validation"] = {"openAPIV3Schema": schema}
            if self.maybe(0.2):
                spec["validation"]["legacySchema"] = self.maybe(0.5)
        target = {"target": "admission.k8s.gatekeeper.sh"}
        libs = [LIB] if "data.lib" in body else []
        package = "package " + self.r.choice([kind.lower(), "some.where", "lib"])
        if self.maybe(0.7):
            target["rego"] = package + "\n" + body + "\n"
            if libs:
                target["libs"] = libs
        else:
            source = {"rego": package + "\n" + body + "\n"}
            if libs:
                source["libs"] = libs
            if self.maybe(0.5):
                source["version"] = self.r.choice(["v0", "", "v2"])
            target["code"] = [{"engine": "Rego", "source": source}]
        if self.maybe(0.1):
            target["operations"] = ["CREATE"]
        out = {"apiVersion": "templates.gatekeeper.sh/" + version, "kind": "ConstraintTemplate",
               "metadata": {"name": kind.lower()}, "spec": {"crd": {"spec": spec}, "targets": [target]}}
        if self.maybe(0.03):
            self.r.choice([lambda: out["metadata"].update(name="other"), lambda: out["spec"].update(targets=[]), lambda: out["spec"].update(targets=[target, target]),
                           lambda: target.update(target="x"), lambda: names.update(kind=""), lambda: names.update(shortNames=["OK!"]), lambda: target.pop("target"),
                           lambda: out["metadata"].update(labels={"bad key": "v"}), lambda: out["spec"].update(targets="x"), lambda: out.update(apiVersion="templates.gatekeeper.sh/v1")])()
        return out

    def constraint(self, kind, index):
        spec = {}
        if self.maybe(0.75):
            spec["match"] = self.match()
        if self.maybe(0.8):
            spec["parameters"] = self.parameters()
        if self.maybe(0.4):
            action = self.r.choice(["deny", "warn", "dryrun", "scoped", "scoped", "block", ""])
            spec["enforcementAction"] = action
            if action == "scoped" and self.maybe(0.9):
                points = ["gator.gatekeeper.sh", "*", "audit.gatekeeper.sh", "validation.gatekeeper.sh", "nowhere"]
                spec["scopedEnforcementActions"] = [
                    {"action": self.r.choice(["deny", "warn", "dryrun"]), "enforcementPoints": [{"name": p} for p in self.some(points, 0, 3)]}
                    for _ in range(self.r.randint(0, 3))]
        out = {"apiVersion": "constraints.gatekeeper.sh/" + self.r.choice(["v1beta1", "v1beta1", "v1beta1", "v1alpha1"]), "kind": kind,
               "metadata": {"name": self.r.choice([f"c{index}", f"long-name.{index}"])}, "spec": spec}
        if self.maybe(0.1):
            out["metadata"]["labels"] = self.labels()
        if self.maybe(0.05):
            out["status"] = {"violations": [1]}
        if self.maybe(0.04):
            self.r.choice([lambda: out.update(kind="Missing"), lambda: out["metadata"].update(name="Bad_Name"), lambda: out.update(spec="text"),
                           lambda: out["metadata"].pop("name"), lambda: out.update(apiVersion="constraints.gatekeeper.sh/v1"), lambda: spec.update(more=1),
                           lambda: out.pop("spec"), lambda: spec.update(enforcementAction=5), lambda: spec.update(parameters=None), lambda: out.update(extra=1),
                           lambda: out["metadata"].update(name="x" * 70), lambda: out.update(kind=kind.upper())])()
        return out

    def review(self):
        request = {"uid": "u", "operation": self.r.choice(["CREATE", "UPDATE", "DELETE", "CONNECT", ""]), "name": "n"}
        if self.maybe(0.7):
            request["object"] = self.obj(0)
        if self.maybe(0.6):
            request["oldObject"] = self.obj(1)
        if self.maybe(0.7):
            request["kind"] = {"group": "", "version": "v1", "kind": "Pod"}
            request["namespace"] = self.r.choice(NAMESPACES)
        if self.maybe(0.5):
            request["userInfo"] = {"username": self.r.choice(["admin", "bob"]), "groups": ["g"]}
        if self.maybe(0.3):
            request["dryRun"] = self.maybe(0.5)
        if self.maybe(0.1):
            request[self.r.choice(["nope", "subResource", "options", "requestKind"])] = self.r.choice(["x", {"kind": "K"}])
        return {"apiVersion": "admission.k8s.io/" + self.r.choice(["v1", "v1beta1"]), "kind": "AdmissionReview", "request": request}

    def assertion(self):
        out = {}
        if self.maybe(0.8):
            out["violations"] = self.r.choice(["yes", "no", 0, 1, 2, "maybe", -1])
        if self.maybe(0.4):
            out["message"] = self.r.choice(["missing", "^same$", ".*", "(", "unable to match", "n[0-9]"])
        return out


def write(path, documents):
    with open(path, "w") as f:
        f.write("\n---\n".join(json.dumps(d, ensure_ascii=False) if i % 3 else dump(d) for i, d in enumerate(documents)) + "\n")


def dump(document):
    return yaml.safe_dump(document, allow_unicode=True, sort_keys=False).rstrip("\n") if yaml else json.dumps(document)


def make_test(g, folder):
    kinds = [f"Kind{c}" for c in "ABC"[: g.r.randint(1, 3)]]
    write(f"{folder}/templates.yaml", [g.template(k) for k in kinds])
    constraints = [g.constraint(g.r.choice(kinds), i) for i in range(g.r.randint(1, 5))]
    write(f"{folder}/constraints.yaml", constraints)
    write(f"{folder}/objects.yaml", [g.obj(i) for i in range(g.r.randint(1, 6))])
    args = ["test", "-f", "templates.yaml", "-f", "constraints.yaml", "-f", "objects.yaml"]
    args += g.r.choice([[], [], ["-o", "json"], ["-o", "yaml"], ["--deny-only"], ["-v"]])
    return args


def make_verify(g, folder):
    tests = []
    for t in range(g.r.randint(1, 3)):
        kind = f"Kind{t}"
        write(f"{folder}/t{t}.yaml", [g.template(kind)])
        write(f"{folder}/c{t}.yaml", [g.constraint(kind, t)])
        cases = []
        for c in range(g.r.randint(0, 4)):
            write(f"{folder}/o{t}-{c}.yaml", [g.review() if g.maybe(0.3) else g.obj(c)])
            case = {"name": f"case-{c}", "object": f"o{t}-{c}.yaml", "assertions": [g.assertion() for _ in range(g.r.randint(0, 2))]}
            if g.maybe(0.4):
                write(f"{folder}/i{t}-{c}.yaml", [g.obj(i) for i in range(g.r.randint(1, 3))])
                case["inventory"] = [f"i{t}-{c}.yaml"]
            cases.append(case)
        test = {"name": f"test-{t}", "template": f"t{t}.yaml", "constraint": f"c{t}.yaml", "cases": cases}
        if g.maybe(0.1):
            test["invalid"] = True
        tests.append(test)
    write(f"{folder}/suite.yaml", [{"kind": "Suite", "apiVersion": "test.gatekeeper.sh/v1alpha1", "tests": tests}])
    return ["verify", "suite.yaml"] + g.r.choice([[], ["-v"], ["--run", "case-1"], ["--run", "test-0//"]])


def run(program, args, folder):
    # The CEL engine is off: templates here are Rego.
    p = subprocess.run([program, *args, "--enable-k8s-native-validation=false"], cwd=folder, input="", capture_output=True, text=True)
    def normal(text):
        text = text.replace(folder.lstrip("/"), "<cwd>")
        text = re.sub(r"\d+\.\d{3}s", "<t>", text)
        return re.sub(r"\d{4}/\d\d/\d\d \d\d:\d\d:\d\d", "<date>", text)
    return p.returncode, normal(p.stdout), normal(p.stderr)


def loose(text):
    """Texts with lists in no particular order: several schema errors, scoped actions, tied results."""
    return sorted(part.strip() for part in re.split(r"\n|, |failed: |ConstraintTemplate: ", re.sub(r"[\[\]]", "", text)))


def same(real, ours, args):
    if real == ours:
        return True
    if real[0] != ours[0]:
        return False
    if "json" in args and real[1].startswith("[") and ours[1].startswith("["):
        key = lambda text: sorted(json.dumps(dict(r, scopedActions=sorted(r.get("scopedActions", []))), sort_keys=True) for r in json.loads(text))
        return key(real[1]) == key(ours[1]) and loose(real[2]) == loose(ours[2])
    if "yaml" in args and yaml and real[1] and ours[1]:
        key = lambda text: sorted(json.dumps(r, sort_keys=True, default=str) for r in yaml.safe_load(text))
        return key(real[1]) == key(ours[1]) and loose(real[2]) == loose(ours[2])
    return loose(real[1]) == loose(ours[1]) and loose(real[2]) == loose(ours[2])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--ours", required=True)
    parser.add_argument("--real", required=True)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--show", type=int, default=10)
    parser.add_argument("--keep", help="folder for the cases that differ")
    options = parser.parse_args()
    ours, real = os.path.abspath(options.ours), os.path.abspath(options.real)
    different = 0
    for seed in range(options.seed, options.seed + options.count):
        g = Generator(seed)
        folder = tempfile.mkdtemp(prefix="gator-")
        args = make_test(g, folder) if seed % 2 else make_verify(g, folder)
        a, b = run(real, args, folder), run(ours, args, folder)
        if not same(a, b, args):
            different += 1
            if different <= options.show:
                print(f"== seed {seed}: {' '.join(args)}")
                for name, x, y in zip(("code", "stdout", "stderr"), a, b):
                    if x != y:
                        print(f"-- real {name}: {x}\n-- ours {name}: {y}")
            if options.keep:
                shutil.copytree(folder, os.path.join(options.keep, str(seed)), dirs_exist_ok=True)
        shutil.rmtree(folder)
    print(f"{options.count} compared, {different} differ (seeds {options.seed} to {options.seed + options.count - 1})")
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
