#!/usr/bin/env python3
"""Compares what two charts render, object by object: ours, and Gatekeeper's with the same values.

usage: compare_charts.py OURS.yaml THEIRS.yaml
What carries no meaning is left out (the order of flags and variables, empty values, the chart's own name and version).
What differs on purpose is listed below.
"""
import sys

import yaml

IGNORED_LABELS = ("helm.sh/chart", "app.kubernetes.io/version", "app.kubernetes.io/name")
# (kind, end of the path): why
DELIBERATE = {
    ("*", "/image"): "another image",
    ("Job", "/command"): "Portcullis's own image does what kubectl and curl do",
    ("Job", "/args"): "the same",
    ("Job", "/imagePullPolicy"): "it follows the image",
    ("Job", "/runAsGroup"): "one user for everything",
    ("Job", "/runAsUser"): "one user for everything",
    ("Job", "/backoffLimit"): "tries are bounded",
    ("Job", "/template/metadata/annotations"): "podAnnotations go to every pod",
    ("NetworkPolicy", "/from/0/podSelector/matchLabels"): "the release's pods, without labels that change with a version",
    ("ClusterRoleBinding", "/subjects/0/name"): "Gatekeeper's pre-delete binding names no account",
}


def load(path):
    with open(path, encoding="utf-8") as text:
        documents = [d for d in yaml.safe_load_all(text) if d]
    return {f"{d['kind']}/{d['metadata']['name']}": d for d in documents if d["kind"] != "CustomResourceDefinition"}


def normal(value, path=""):
    if isinstance(value, dict):
        out = {}
        for key, inner in value.items():
            if key in IGNORED_LABELS:
                continue
            inner = normal(inner, f"{path}/{key}")
            if inner not in (None, {}, [], ""):
                out[key] = inner
        return out
    if isinstance(value, list):
        items = [normal(inner, path) for inner in value]
        last = path.rsplit("/", 1)[-1]
        if items and isinstance(items[0], dict) and "name" in items[0]:
            return sorted(items, key=lambda item: item["name"])
        if last in ("args", "env", "volumes", "volumeMounts", "matchExpressions", "values", "webhooks"):
            return sorted(items, key=str)
        return items
    return value


def defaulted(name, document):
    """Fields whose default one chart writes out."""
    spec = document.get("spec", {})
    if name.startswith("Deployment/") and spec.get("strategy") == {"type": "RollingUpdate"}:
        del spec["strategy"]
    if name.startswith("ResourceQuota/"):
        spec["hard"]["pods"] = str(spec["hard"]["pods"])
        expression = spec["scopeSelector"]["matchExpressions"][0]
        expression["values"] = sorted({v for v in expression["values"] if v})
    if "helm.sh/hook" in (document["metadata"].get("annotations") or {}):
        document["metadata"].pop("labels", None)
    if name.startswith("Service/") and spec.get("type") == "ClusterIP":
        del spec["type"]
    if name.startswith("Job/"):
        pod = spec["template"]["spec"]
        pod["serviceAccountName"] = pod.pop("serviceAccount", pod.get("serviceAccountName"))
        spec["template"].get("metadata", {}).pop("name", None)
    if name.startswith(("Deployment/", "Job/")):
        for container in spec["template"]["spec"]["containers"]:
            # Gatekeeper's spelling of a flag that has no argument, and of numbers that Go prints in exponents.
            container["args"] = [a.replace("=1.2e+06", "=1200000") for a in container.get("args", [])]
    if document["metadata"].get("namespace") is None:
        document["metadata"]["namespace"] = "gatekeeper-system"
    return document


def rights(role):
    return {(group, resource, name, verb) for rule in role.get("rules", []) for group in rule["apiGroups"]
            for resource in rule["resources"] for name in rule.get("resourceNames", [""]) for verb in rule["verbs"]}


def differences(ours, theirs, path=""):
    if isinstance(ours, dict) and isinstance(theirs, dict):
        for key in sorted(set(ours) | set(theirs)):
            if key not in ours or key not in theirs:
                yield f"{path}/{key}", ours.get(key), theirs.get(key)
            else:
                yield from differences(ours[key], theirs[key], f"{path}/{key}")
    elif isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs) and isinstance(ours[0], dict):
        for index, (a, b) in enumerate(zip(ours, theirs)):
            yield from differences(a, b, f"{path}/{index}")
    elif isinstance(ours, list) and isinstance(theirs, list) and ours != theirs:
        yield path, [x for x in ours if x not in theirs], [x for x in theirs if x not in ours]
    elif ours != theirs:
        yield path, ours, theirs


def deliberate(name, path):
    return any(kind in ("*", name.split("/")[0]) and (path.endswith(end) or f"{end}/" in path) for kind, end in DELIBERATE)


def main():
    ours, theirs = load(sys.argv[1]), load(sys.argv[2])
    wrong = 0
    for name in sorted(set(ours) | set(theirs)):
        if name not in ours or name not in theirs:
            print(f"only in {'ours' if name in ours else 'theirs'}: {name}")
            wrong += 1
            continue
        a, b = normal(defaulted(name, ours[name])), normal(defaulted(name, theirs[name]))
        if name.split("/")[0] in ("Role", "ClusterRole"):
            granted = rights(b)
            more = {r for r in rights(a) if r not in granted and (r[0], r[1], "", r[3]) not in granted}
            found = [("/rules", more, "")] if more else []
        else:
            found = [d for d in differences(a, b) if not deliberate(name, d[0])]
        for path, mine, other in found:
            print(f"{name} {path}\n  ours:   {mine}\n  theirs: {other}")
        wrong += len(found)
    print(f"{len(theirs)} objects compared, {wrong} differences that are not deliberate")
    sys.exit(1 if wrong else 0)


main()
