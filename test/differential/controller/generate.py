"""Inputs of the controller differential, all from one seed: what is applied to the API servers, and what is posted."""
import copy
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import gator_differential  # noqa: E402
from gator_differential import BODIES, BROKEN, LIB, SCHEMAS  # noqa: E402

# Names of Namespaces: all are made but the last, which reviews ask for in vain.
NAMESPACES = ["default", "shop", "web", "team-a", "team-b", "excluded-hook", "excluded-audit", "excluded-sync", "kube-x"]
MISSING = "no-such"
V1_BODY = 'violation contains {"msg": msg} if { some l in input.parameters.labels; not input.review.object.metadata.labels[l]; msg := sprintf("v1 lacks %v", [l]) }'
# What only a controller shows: who asks, which operation, the Namespace's own object, data that is synced.
MORE_BODIES = [
    'violation[{"msg": msg}] { msg := sprintf("%v by %v of %v", [input.review.operation, input.review.userInfo.username, input.review.kind.kind]) }',
    'violation[{"msg": msg}] { input.review.operation == "DELETE"; msg := sprintf("%v goes", [input.review.oldObject.metadata.name]) }',
    'violation[{"msg": msg}] { e := input.review.namespaceObject.metadata.labels.env; msg := sprintf("namespace is %v", [e]) }',
    'violation[{"msg": msg, "details": {"keys": k}}] { k := [x | input.review[x]]; msg := concat(",", sort(k)) }',
    'violation[{"msg": msg}] { input.review.subResource; msg := sprintf("%v/%v", [input.review.resource.resource, input.review.subResource]) }',
    'violation[{"msg": msg}] { n := count(data.inventory.namespace[input.review.namespace]["v1"].ConfigMap); n > 1; msg := sprintf("%v config maps", [n]) }',
    'violation[{"msg": msg}] { other := data.inventory.cluster["v1"].Namespace[n]; other.metadata.labels.env == input.review.object.metadata.labels.env; msg := sprintf("like %v", [n]) }',
    'violation[{"msg": msg}] { old := object.get(input.review.oldObject, ["metadata", "labels", "app"], "none"); old != object.get(input.review.object, ["metadata", "labels", "app"], "none"); msg := sprintf("app was %v", [old]) }',
    'violation[{"msg": msg}] { input.review.dryRun; msg := "dry run" }',
    'violation[{"msg": msg}] { startswith(input.review.userInfo.username, "system:"); g := input.review.userInfo.groups[_]; msg := sprintf("group %v, %v", [g, input.review.userInfo.extra]) }',
    'violation[{"msg": msg}] { input.review.object.command; msg := sprintf("%v into %v", [input.review.object.command, input.review.object.container]) }',
    'violation[{"msg": msg}] { msg := sprintf("%v %v: %s", [input.review.kind.kind, input.review.name, strings_of]) }\nstrings_of = s { s := concat("", ["x" | input.parameters.labels[_]]) } ',
    'violation[{"msg": msg}] { c := input.review.object.spec.containers[_]; msg := sprintf("%s: ä€𝄞 %s", [c.name, concat("", [c.image | numbers.range(1, 60)[_]])]) }',
]
# Objects of audit are dumped only where they hold the same on both API servers.
STABLE = 'input.review.object.metadata.labels.diff; '
UNSTABLE = ("metadata])", "json.marshal(input.review.object.spec)", "walk(input.review.object")


def guarded(body):
    """A body that prints what the API server makes up (UIDs, times) looks at nothing but our own objects' spec and labels.
    %T of an integer is a listed difference."""
    body = body.replace("(%T)", "(%v)")
    if not any(u in body for u in UNSTABLE):
        return body
    body = body.replace("input.review.object.metadata])", "input.review.object.metadata.labels])")
    body = body.replace("walk(input.review.object,", "walk(input.review.object.data,")
    return body.replace("{ msg := ", "{ " + STABLE + "msg := ", 1).replace("{ walk", "{ " + STABLE + "walk", 1)


CONTROLLER_BODIES = [guarded(b) for b in BODIES if 'input.review.object.metadata.labels}]' not in b] + MORE_BODIES
NOT_A_STRING = 'violation[{"msg": input.review.object.metadata.labels}] { input.review.kind.kind == "Widget" }'
WIDGET_CRD = {
    "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": "widgets.example.com"},
    "spec": {"group": "example.com", "scope": "Namespaced", "names": {"kind": "Widget", "plural": "widgets", "singular": "widget", "listKind": "WidgetList"},
             "versions": [{"name": "v1alpha1", "served": True, "storage": True, "schema": {"openAPIV3Schema": {
                 "type": "object", "x-kubernetes-preserve-unknown-fields": True}}}]}}

# kind -> (path prefix, resource, namespaced)
PLACES = {
    "Pod": ("/api/v1", "pods", True), "ConfigMap": ("/api/v1", "configmaps", True), "Namespace": ("/api/v1", "namespaces", False),
    "Deployment": ("/apis/apps/v1", "deployments", True), "ClusterRole": ("/apis/rbac.authorization.k8s.io/v1", "clusterroles", False),
    "Widget": ("/apis/example.com/v1alpha1", "widgets", True), "Secret": ("/api/v1", "secrets", True),
    "ConstraintTemplate": ("/apis/templates.gatekeeper.sh/v1", "constrainttemplates", False),
    "Config": ("/apis/config.gatekeeper.sh/v1alpha1", "configs", True), "SyncSet": ("/apis/syncset.gatekeeper.sh/v1alpha1", "syncsets", False),
    "CustomResourceDefinition": ("/apis/apiextensions.k8s.io/v1", "customresourcedefinitions", False)}


def path_of(obj, named=True):
    if obj["apiVersion"].startswith("constraints.gatekeeper.sh/"):
        prefix, resource, namespaced = "/apis/" + obj["apiVersion"], obj["kind"].lower(), False
    else:
        prefix, resource, namespaced = PLACES[obj["kind"]]
        if obj["kind"] == "ConstraintTemplate":
            prefix = "/apis/" + obj["apiVersion"]
    where = "/namespaces/" + obj["metadata"]["namespace"] if namespaced else ""
    return prefix + where + "/" + resource + ("/" + obj["metadata"]["name"] if named else "")


class Generator(gator_differential.Generator):
    """Adds to the gator differential's generator what an API server stores and sends."""

    def template(self, kind, in_cluster=True):
        out = super().template(kind)
        if in_cluster and not self.sound(out, kind):
            return self.template(kind)
        target = out["spec"]["targets"][0] if isinstance(out["spec"]["targets"], list) and out["spec"]["targets"] else {}
        if in_cluster or self.maybe(0.9):
            body = self.r.choice(BROKEN if self.maybe(0.08) else CONTROLLER_BODIES + ([] if self.maybe(0.9) else [NOT_A_STRING]))
            text = "package " + self.r.choice([kind.lower(), "some.where"]) + "\n" + body + "\n"
            libs = [LIB] if "data.lib" in body else []
            if self.maybe(0.05):
                libs.append(self.r.choice(["package lib", "package other.x", "package lib.y\nz {", "package lib.z\nimport data.foo", ""]))
            if not isinstance(target, dict):
                return out
            target.pop("rego", None)
            target.pop("libs", None)
            target.pop("code", None)
            if self.maybe(0.1):
                target["code"] = [{"engine": "Rego", "source": {"version": "v1", "rego": "package v1x\n" + V1_BODY}}]
            elif self.maybe(0.7):
                target["rego"] = text
                if libs:
                    target["libs"] = libs
            else:
                source = dict({"rego": text}, **({"libs": libs} if libs else {}))
                if self.maybe(0.5):
                    source["version"] = self.r.choice(["v0", "", "v2"])
                target["code"] = [{"engine": "Rego", "source": source}]
            target["operations"] = self.r.choice([["CREATE"], ["CREATE", "UPDATE"], ["DELETE", "CONNECT"], ["*"], []])
            if self.maybe(0.8):
                target.pop("operations")
        if self.maybe(0.2):
            out["metadata"]["labels"] = self.labels()
        if self.maybe(0.1):
            out["spec"]["crd"]["spec"]["names"]["shortNames"] = [kind[:3].lower() + kind[-1].lower()]
        return out

    def sound(self, template, kind):
        """Gatekeeper's informer survives it, and so does the pair of API servers."""
        spec = template["spec"]
        return (isinstance(spec["targets"], list) and len(spec["targets"]) < 3 and template["metadata"]["name"] == kind.lower()
                and not any(" " in k for k in template["metadata"].get("labels", {})))

    def action(self, spec):
        spec.pop("enforcementAction", None)
        spec.pop("scopedEnforcementActions", None)
        if self.maybe(0.5):
            return
        action = self.r.choice(["deny", "warn", "dryrun", "scoped", "scoped", "scoped", self.r.choice(["block", "", "Deny"])])
        spec["enforcementAction"] = action
        if action == "scoped" and self.maybe(0.95) or self.maybe(0.05):
            points = ["*", "audit.gatekeeper.sh", "validation.gatekeeper.sh", "validation.gatekeeper.sh", "gator.gatekeeper.sh"]
            if self.maybe(0.08):
                points.append(self.r.choice(["nowhere", "vap.k8s.io", ""]))
            actions = ["deny", "warn", "dryrun"] + (["stop"] if self.maybe(0.08) else [])
            spec["scopedEnforcementActions"] = [{"action": self.r.choice(actions), "enforcementPoints": [{"name": p} for p in self.some(points, 0, 3)]}
                                                for _ in range(self.r.randint(0, 3))]

    def constraint(self, kind, index):
        out = super().constraint(kind, index)
        if isinstance(out.get("spec"), dict):
            if self.maybe(0.9):
                self.action(out["spec"])
            match = out["spec"].get("match")
            if isinstance(match, dict) and self.maybe(0.5):  # most constraints must match something
                match.pop("kinds", None)
                match.pop("labelSelector", None)
        return out

    def stored(self, index):
        """An object that the API server takes, named by its index."""
        kind = self.r.choice(["Pod", "Pod", "ConfigMap", "ConfigMap", "Deployment", "Widget", "Widget", "ClusterRole", "Secret"])
        labels = dict(self.labels() if self.maybe(0.8) else {}, diff="1")
        meta = {"name": f"{self.r.choice(['one', 'web-1', 'kube-x', 'n'])}-{index}", "labels": labels}
        if kind != "ClusterRole":
            meta["namespace"] = self.r.choice(NAMESPACES)
        if self.maybe(0.2):
            meta["annotations"] = {"note": self.r.choice(["x", "é\n<&>", "multi\nline"])}
        containers = [{"name": f"c{i}", "image": self.r.choice(["nginx", "nginx:1", "other/x", "a"])} for i in range(self.r.randint(1, 3))]
        out = {"apiVersion": "v1", "kind": kind, "metadata": meta}
        if kind == "Pod":
            out["spec"] = {"containers": containers}
        elif kind in ("ConfigMap", "Secret"):
            out["data"] = {k: "dmFsdWU=" for k in self.some(["a", "b", "c.d"], 0, 3)}
        elif kind == "Deployment":
            out.update(apiVersion="apps/v1", spec={"replicas": self.r.choice([0, 1, 3, 10]), "selector": {"matchLabels": {"x": "y"}}, "template": {
                "metadata": {"labels": {"x": "y"}}, "spec": {"containers": containers}}})
        elif kind == "Widget":
            out.update(apiVersion="example.com/v1alpha1", spec={"replicas": self.r.choice([0, 1, 3, 1000000, 2.5]), "items": self.value(), "extra": self.value(3)})
        else:
            out.update(apiVersion="rbac.authorization.k8s.io/v1", rules=[])
        return out

    def namespace(self, name):
        labels = dict(self.labels(), diff="1")
        if self.maybe(0.5):
            labels["env"] = self.r.choice(["prod", "dev"])
        return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}

    def config(self, synced=True):
        spec = {}
        gvks = [{"group": "", "version": "v1", "kind": "ConfigMap"}, {"group": "", "version": "v1", "kind": "Namespace"},
                {"group": "example.com", "version": "v1alpha1", "kind": "Widget"}, {"group": "apps", "version": "v1", "kind": "Deployment"}]
        if self.maybe(0.8) and synced:
            spec["sync"] = {"syncOnly": self.r.sample(gvks, self.r.randint(0, 3))}
        if self.maybe(0.8):
            spec["match"] = [{"excludedNamespaces": ["excluded-hook"], "processes": ["webhook"]},
                             {"excludedNamespaces": ["excluded-au*"], "processes": ["audit"]},
                             {"excludedNamespaces": ["*-sync"], "processes": self.r.choice([["sync"], ["*"], ["sync", "nothing"]])}]
        return {"apiVersion": "config.gatekeeper.sh/v1alpha1", "kind": "Config", "metadata": {"name": "config", "namespace": "gatekeeper-system"}, "spec": spec}

    def syncset(self, name):
        gvks = [{"group": "", "version": "v1", "kind": "Pod"}, {"group": "", "version": "v1", "kind": "Namespace"},
                {"group": "rbac.authorization.k8s.io", "version": "v1", "kind": "ClusterRole"}]
        return {"apiVersion": "syncset.gatekeeper.sh/v1alpha1", "kind": "SyncSet", "metadata": {"name": name}, "spec": {"gvks": self.r.sample(gvks, self.r.randint(1, 2))}}

    # ---- AdmissionReviews ----

    def user(self):
        out = {"username": self.r.choice(["admin", "bob", "system:serviceaccount:kube-system:job", "system:serviceaccount:gatekeeper-system:other"])}
        if self.maybe(0.02):
            out["username"] = "system:serviceaccount:gatekeeper-system:gatekeeper-admin"
        if self.maybe(0.6):
            out["groups"] = self.some(["system:authenticated", "dev", "ops"], 0, 3)
        if self.maybe(0.3):
            out["uid"] = "42"
        if self.maybe(0.2):
            out["extra"] = {"scopes": ["a", "b"]}
        return out

    def connect(self):
        """(object, kind, resource, subresource) of what kubectl exec, scale and their like send."""
        meta = {"name": "web-1", "namespace": "shop", "labels": self.labels()}
        return self.r.choice([
            ({"apiVersion": "v1", "kind": "PodExecOptions", "stdin": True, "container": "c0", "command": ["sh", "-c", "id"]}, ("", "v1", "PodExecOptions"), "pods", "exec"),
            ({"apiVersion": "v1", "kind": "PodAttachOptions", "stdout": True, "container": "c0"}, ("", "v1", "PodAttachOptions"), "pods", "attach"),
            ({"apiVersion": "v1", "kind": "PodPortForwardOptions"}, ("", "v1", "PodPortForwardOptions"), "pods", "portforward"),
            ({"apiVersion": "autoscaling/v1", "kind": "Scale", "metadata": meta, "spec": {"replicas": 3}}, ("autoscaling", "v1", "Scale"), "deployments", "scale"),
            ({"apiVersion": "policy/v1", "kind": "Eviction", "metadata": meta}, ("policy", "v1", "Eviction"), "pods", "eviction"),
            ({"apiVersion": "v1", "kind": "Binding", "metadata": meta, "target": {"kind": "Node", "name": "n"}}, ("", "v1", "Binding"), "pods", "binding"),
            ({"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": {"ephemeralContainers": [{"name": "debug", "image": "a"}]}}, ("", "v1", "Pod"), "pods", "ephemeralcontainers"),
            ({"apiVersion": "v1", "kind": "Service", "metadata": meta, "status": {}}, ("", "v1", "Service"), "services", "status")])

    def own_resource(self, kinds):
        """Gatekeeper's own kinds, good and bad."""
        pick = self.r.random()
        kind = self.r.choice(kinds)
        if pick < 0.4:
            return gator_differential.Generator.template(self, kind) if self.maybe(0.5) else self.template(kind, in_cluster=False)
        if pick < 0.85:
            return self.constraint(kind, self.r.randint(0, 5))
        if pick < 0.93:
            out = self.config()
            out["metadata"]["name"] = self.r.choice(["config", "config", "other", "x" * 64])
            return out
        if pick < 0.96:
            return self.syncset(self.r.choice(["s", "x" * 70]))
        return {"apiVersion": "status.gatekeeper.sh/v1beta1", "kind": "ConstraintPodStatus",
                "metadata": {"name": self.r.choice(["p-k-c", "y" * 80]), "namespace": "gatekeeper-system"}, "status": {"id": "p"}}

    def review(self, kinds=("KindA",), index=0):
        """(path, body, content type) of one request to the webhook."""
        request = {"uid": f"uid-{index}", "operation": self.r.choice(["CREATE"] * 5 + ["UPDATE"] * 3 + ["DELETE"] * 2 + ["CONNECT"])}
        sub = ""
        obj = self.obj(index) if self.maybe(0.4) else self.stored(self.r.randint(0, 400))
        pick = self.r.random()
        if pick < 0.1:
            obj, (group, version, kind), resource, sub = self.connect()
        elif pick < 0.2:
            obj = self.own_resource(kinds)
        elif pick < 0.27:
            obj = self.namespace(self.r.choice(NAMESPACES + ["new-one", "kube-system"]))
            if self.maybe(0.4):
                obj["metadata"]["labels"]["admission.gatekeeper.sh/ignore"] = self.r.choice(["", "x"])
        if not sub:
            api = obj.get("apiVersion", "v1")
            group, _, version = api.rpartition("/") if isinstance(api, str) else ("", "", "v1")
            kind = obj.get("kind", "Pod") if isinstance(obj.get("kind", "Pod"), str) else "Pod"
            resource = kind.lower() + "s"
        meta = obj.get("metadata") if isinstance(obj.get("metadata"), dict) else {}
        request["kind"] = {"group": group, "version": version, "kind": kind}
        request["resource"] = {"group": group, "version": version, "resource": resource}
        if sub:
            request["subResource"] = sub
        if self.maybe(0.5):
            request["requestKind"], request["requestResource"] = dict(request["kind"]), dict(request["resource"])
        name = meta.get("name")
        if isinstance(name, str):
            request["name"] = name
        ns = meta.get("namespace")
        if kind == "Namespace":
            ns = name
        if isinstance(ns, str):
            request["namespace"] = ns if self.maybe(0.97) else self.r.choice(NAMESPACES + [MISSING])
        elif self.maybe(0.1):
            request["namespace"] = self.r.choice(NAMESPACES)
        if request.get("namespace") == "kube-system" and kind != "Namespace":
            request["namespace"] = "web"
        request["userInfo"] = self.user()
        old = copy.deepcopy(obj)
        if isinstance(old.get("metadata"), dict) and self.maybe(0.5):
            old["metadata"]["labels"] = self.labels()
        operation = request["operation"]
        request["object"], request["oldObject"] = obj, None
        if operation == "UPDATE":
            request["oldObject"] = old
        elif operation == "DELETE":
            request["object"], request["oldObject"] = None, old
        if self.maybe(0.2):
            request["dryRun"] = self.maybe(0.5)
        if self.maybe(0.4):
            request["options"] = {"kind": operation.title() + "Options", "apiVersion": "meta.k8s.io/v1"}
        self.damage(request)
        body = {"apiVersion": "admission.k8s.io/" + self.r.choice(["v1", "v1", "v1", "v1beta1"]), "kind": "AdmissionReview", "request": request}
        path = "/v1/admitlabel" if kind == "Namespace" and self.maybe(0.5) or self.maybe(0.02) else "/v1/admit"
        return path, body, "application/json"

    def damage(self, request):
        if not self.maybe(0.04):
            return
        self.r.choice([lambda: request.pop("object"), lambda: request.pop("kind"), lambda: request.pop("uid"), lambda: request.update(object=None, oldObject=None),
                       lambda: request.pop("operation"), lambda: request.update(operation="PATCH"), lambda: request.pop("userInfo"), lambda: request.update(nope=1),
                       lambda: request.pop("namespace", None), lambda: request.update(namespace=MISSING), lambda: request.update(kind={"group": "", "version": "", "kind": ""}),
                       lambda: request.update(object={"spec": {}}), lambda: request.pop("name", None), lambda: request.update(dryRun=None)])()


# Requests that are no proper AdmissionReview: (path, body text, content type).
ODD_REQUESTS = [
    ("/v1/admit", "", "application/json"), ("/v1/admit", "{", "application/json"), ("/v1/admit", "[]", "application/json"), ("/v1/admit", "null", "application/json"),
    ("/v1/admit", "{}", "application/json"), ("/v1/admit", "{}{}", "application/json"), ("/v1/admit", "{} x", "application/json"),
    ("/v1/admit", '{"request": 5}', "application/json"), ("/v1/admit", '{"request": {"uid": 5}}', "application/json"),
    ("/v1/admit", '{"request": {"uid": "u", "object": "text"}}', "application/json"), ("/v1/admit", "{}", "text/plain"), ("/v1/admit", "{}", "application/json; charset=utf-8"),
    ("/v1/admit", '{"kind": "Other", "apiVersion": "x/v1", "request": {"uid": "u"}}', "application/json"),
    ("/v1/admitlabel", "", "application/json"), ("/v1/admitlabel", "{}", "application/json"), ("/v1/admitlabel", "{", "application/json"),
    ("/v1/admitlabel", '{"request": {"uid": "u", "kind": {"version": "v1", "kind": "Namespace"}}}', "application/json"),
    ("/v1/nothing", "{}", "application/json"), ("/", "{}", "application/json"), ("/v1/admit/", "{}", "application/json"),
]
