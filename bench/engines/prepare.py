#!/usr/bin/env python3
"""Writes the cases of bench/engines/cases in the form that all engines read: a folder each with meta.json, policy.rego,
v1/policy.rego, ok.json and viol.json (the `input` document: parameters as a constraint gives them, review as the webhook
gives it) and data.json where the policy reads data.inventory.

usage: prepare.py DEST [FOLDER...]     FOLDER: more cases, already in that form; they are copied
Cases named …-1000 that read an inventory of Ingresses get a sibling of 10,000 objects.
"""
import json
import os
import shutil
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
USER = {"username": "system:serviceaccount:ci:deployer", "uid": "b0c8f0f4-3c5e-4bb6-9c5e-8d0c1d2e3f40",
        "groups": ["system:serviceaccounts", "system:serviceaccounts:ci", "system:authenticated"],
        "extra": {"authentication.kubernetes.io/credential-id": ["JTI=5a1d2f3c-0000-4000-8000-000000000000"]}}
OPTIONS = {"kind": "CreateOptions", "apiVersion": "meta.k8s.io/v1", "fieldManager": "kubectl-client-side-apply",
           "fieldValidation": "Strict"}
POD_SPEC = {"restartPolicy": "Always", "terminationGracePeriodSeconds": 30, "dnsPolicy": "ClusterFirst",
            "serviceAccountName": "default", "serviceAccount": "default", "securityContext": {},
            "schedulerName": "default-scheduler", "priority": 0, "enableServiceLinks": True,
            "preemptionPolicy": "PreemptLowerPriority",
            "tolerations": [{"key": "node.kubernetes.io/%s" % k, "operator": "Exists", "effect": "NoExecute",
                             "tolerationSeconds": 300} for k in ("not-ready", "unreachable")]}
CONTAINER = {"image": "example.org/app:1.4.2", "terminationMessagePath": "/dev/termination-log",
             "terminationMessagePolicy": "File", "imagePullPolicy": "IfNotPresent", "ports": [{"containerPort": 8080}]}


def managed_fields(value):
    """A server-side record of who set which field, as large as a real one."""
    if isinstance(value, dict):
        return {"f:" + k: managed_fields(v) for k, v in value.items()} or {".": {}}
    return {}


def dressed(case, given):
    """The object as an API server would show it."""
    group = case.get("group", "")
    meta = {"name": "sample", "namespace": "default", **given.get("metadata", {})}
    bare = {"apiVersion": given.get("apiVersion", (group + "/" if group else "") + "v1"), "kind": case["kind"], "metadata": meta}
    bare.update({k: v for k, v in given.items() if k not in ("metadata", "apiVersion")})
    if case["kind"] == "Pod":
        spec = {**POD_SPEC, **bare.get("spec", {})}
        spec["containers"] = [{**CONTAINER, **c} for c in spec.get("containers", [{"name": "app"}])]
        bare["spec"] = spec
    applied = json.dumps(bare, separators=(",", ":"))
    meta = {**meta, "uid": "c6bb2a04-9d5f-4d3b-9a0e-5a5b6ad0e3a1", "creationTimestamp": "2026-11-24T03:00:00Z",
            "annotations": {**meta.get("annotations", {}), "kubectl.kubernetes.io/last-applied-configuration": applied},
            "managedFields": [{"manager": "kubectl-client-side-apply", "operation": "Update", "apiVersion": bare["apiVersion"],
                               "time": "2026-11-24T03:00:00Z", "fieldsType": "FieldsV1",
                               "fieldsV1": managed_fields({k: v for k, v in given.items() if k != "apiVersion"})}]}
    return {**bare, "metadata": meta}


def review(case, given):
    obj = dressed(case, given)
    group, _, version = obj["apiVersion"].rpartition("/")
    kind = {"group": group, "version": version, "kind": case["kind"]}
    resource = {"group": group, "version": version, "resource": case["kind"].lower() + "s"}
    return {"uid": "0df28fbd-5f5f-11e8-bc74-36e6bb280816", "kind": kind, "resource": resource, "requestKind": kind,
            "requestResource": resource, "name": "sample", "namespace": "default", "operation": "CREATE", "userInfo": USER,
            "object": obj, "oldObject": None, "dryRun": False, "options": OPTIONS}


def services(case):
    spaces = {}
    for i in range(case["inventory"]["count"]):
        space = "ns%d" % (i % 20)
        obj = {"apiVersion": "v1", "kind": "Service",
               "metadata": {"name": "svc%d" % i, "namespace": space, "uid": "00000000-0000-4000-8000-%012d" % i},
               "spec": {"type": "NodePort", "ports": [{"port": 80, "nodePort": 30000 + i}]}}
        spaces.setdefault(space, {}).setdefault("v1", {}).setdefault("Service", {})[obj["metadata"]["name"]] = obj
    return {"inventory": {"namespace": spaces}}


def write(path, value):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as f:
        f.write(value if isinstance(value, str) else json.dumps(value, separators=(",", ":")))


def copy(source, dest):
    """The folder's files; their modes stay behind (the source may be read-only)."""
    for folder, _, files in os.walk(source):
        to = os.path.join(dest, os.path.relpath(folder, source))
        os.makedirs(to, exist_ok=True)
        for name in files:
            shutil.copyfile(os.path.join(folder, name), os.path.join(to, name))


def own(name, dest):
    source = os.path.join(HERE, "cases", name)
    case = json.load(open(os.path.join(source, "case.json")))
    rego = open(os.path.join(source, "policy.rego")).read()
    package = rego.split()[1]
    head, _, body = rego.partition("\n")
    write(os.path.join(dest, "policy.rego"), head + "\n\nimport rego.v1\n" + body)
    write(os.path.join(dest, "v1/policy.rego"), rego)
    for kind in ("ok", "viol"):
        write(os.path.join(dest, kind + ".json"), {"parameters": case["parameters"], "review": review(case, case[kind])})
    if "inventory" in case:
        write(os.path.join(dest, "data.json"), services(case))
    write(os.path.join(dest, "meta.json"), {"name": name, "package": package, "files": ["policy.rego"],
                                            "data": "inventory" in case, "v1": True})


def enlarged(source, dest, count):
    """The case with `count` objects: each is the first one under another name, namespace and host."""
    copy(source, dest)
    meta = json.load(open(os.path.join(source, "meta.json")))
    meta["name"] = os.path.basename(dest)
    spaces = {}
    space, versions = next(iter(json.load(open(os.path.join(source, "data.json")))["inventory"]["namespace"].items()))
    version = next(iter(versions))
    first = json.dumps(next(iter(versions[version]["Ingress"].values())))
    for i in range(count):
        text = first.replace('"%s"' % space, '"ns%d"' % i).replace("ing0", "ing%d" % i).replace("app0", "app%d" % i)
        spaces.setdefault("ns%d" % i, {version: {"Ingress": {}}})[version]["Ingress"]["ing%d" % i] = json.loads(text)
    write(os.path.join(dest, "data.json"), {"inventory": {"namespace": spaces}})
    write(os.path.join(dest, "meta.json"), meta)


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    dest = sys.argv[1]
    shutil.rmtree(dest, ignore_errors=True)
    for name in sorted(os.listdir(os.path.join(HERE, "cases"))):
        own(name, os.path.join(dest, name))
    for folder in sys.argv[2:]:
        for name in sorted(os.listdir(folder)):
            source = os.path.join(folder, name)
            if not os.path.exists(os.path.join(source, "meta.json")):
                continue
            copy(source, os.path.join(dest, name))
            if name.endswith("-1000") and os.path.exists(os.path.join(source, "data.json")):
                enlarged(source, os.path.join(dest, name[:-4] + "10000"), 10000)


main()
