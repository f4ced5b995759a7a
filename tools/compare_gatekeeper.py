#!/usr/bin/env python3
"""Compares crds/ and config/ with the manifest that Gatekeeper releases, field by field, descriptions left out.

usage: compare_gatekeeper.py [gatekeeper.yaml]
Without an argument the manifest of the Go module is used when Go's module cache has it; exit code 77 (skipped) when not.
What differs on purpose is listed below, with the reason; a listed difference that is gone is an error too.
"""
import os
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
MODULE = "github.com/open-policy-agent/gatekeeper/v3@v3.23.1/deploy/gatekeeper.yaml"
DEPLOYMENT = "/spec/template/spec/containers/0"
# (object, path, why)
DELIBERATE = [
    ("MutatingWebhookConfiguration/gatekeeper-mutating-webhook-configuration", "", "there is no mutation yet"),
    ("Deployment/gatekeeper-audit", DEPLOYMENT + "/image", "our image"),
    ("Deployment/gatekeeper-audit", DEPLOYMENT + "/imagePullPolicy", "a fixed tag need not be pulled again"),
    ("Deployment/gatekeeper-audit", DEPLOYMENT + "/args", "no mutation yet; http.send without the braces that make the flag do nothing"),
    ("Deployment/gatekeeper-controller-manager", DEPLOYMENT + "/image", "our image"),
    ("Deployment/gatekeeper-controller-manager", DEPLOYMENT + "/imagePullPolicy", "a fixed tag need not be pulled again"),
    ("Deployment/gatekeeper-controller-manager", DEPLOYMENT + "/args", "as for audit"),
    ("Deployment/gatekeeper-controller-manager", "/spec/template/spec/topologySpreadConstraints", "replicas spread over zones"),
    ("Role/gatekeeper-manager-role", "/rules", "fewer rights: of Secrets only the certificate's, never deleted"),
    ("ClusterRole/gatekeeper-manager-role", "/rules", "fewer rights: the webhook configuration is never created or deleted"),
]


def skip(reason):
    print(f"skipped: {reason}")
    sys.exit(77)


try:
    import yaml
except ImportError:
    skip("python3-yaml is not installed")


def module_manifest():
    try:
        cache = subprocess.run(["go", "env", "GOMODCACHE"], capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        skip("no Go, so no module cache to look in")
    path = os.path.join(cache, MODULE)
    if not os.path.exists(path):
        skip(f"{MODULE} is not in Go's module cache")
    return path


def load(path):
    with open(path, encoding="utf-8") as text:
        documents = [d for d in yaml.safe_load_all(text) if d]
    return {f"{d['kind']}/{d['metadata']['name']}": d for d in documents}


def normal(value, path=""):
    """Descriptions, the generator's annotations and the order of RBAC rules carry no meaning."""
    if isinstance(value, dict):
        out = {}
        for key, inner in value.items():
            if key == "description" and isinstance(inner, str):
                continue
            if path == "/metadata" and key == "annotations":
                continue
            out[key] = normal(inner, f"{path}/{key}")
        return out
    if isinstance(value, list):
        items = [normal(inner, f"{path}/{index}") for index, inner in enumerate(value)]
        keyed = path in ("/rules", "/spec/versions") or path.endswith("/env")
        return sorted(items, key=str) if keyed else items
    return value


def rules(role):
    """Every single right, so that rules may be grouped differently."""
    return sorted({(group, resource, name, verb) for rule in role.get("rules", []) for group in rule["apiGroups"]
                   for resource in rule["resources"] for name in rule.get("resourceNames", [""]) for verb in rule["verbs"]})


def covered(wanted, granted):
    """Those of `wanted` that `granted` holds, by name or for every name."""
    return {right for right in wanted if right in granted or (right[0], right[1], "", right[3]) in granted}


def differences(ours, theirs, path=""):
    if type(ours) is not type(theirs):
        yield path
    elif isinstance(ours, dict):
        for key in sorted(set(ours) | set(theirs)):
            if key not in ours or key not in theirs:
                yield f"{path}/{key}"
            else:
                yield from differences(ours[key], theirs[key], f"{path}/{key}")
    elif isinstance(ours, list) and len(ours) == len(theirs) and any(isinstance(x, (dict, list)) for x in ours):
        for index, (a, b) in enumerate(zip(ours, theirs)):
            yield from differences(a, b, f"{path}/{index}")
    elif ours != theirs:
        yield path


def main():
    theirs = load(sys.argv[1] if len(sys.argv) > 1 else module_manifest())
    ours = load(os.path.join(ROOT, "manifests", "portcullis.yaml"))
    found = set()
    for name in sorted(set(ours) | set(theirs)):
        if name not in ours or name not in theirs:
            found.add((name, ""))
        elif name.split("/")[0] in ("Role", "ClusterRole"):
            mine, granted = set(rules(ours[name])), set(rules(theirs[name]))
            found |= {(name, f"/rules: {right} is more than Gatekeeper asks for") for right in mine - covered(mine, granted)}
            if mine != granted:
                found.add((name, "/rules"))
        else:
            found |= {(name, path) for path in differences(normal(ours[name]), normal(theirs[name]))}
    expected = {(name, path) for name, path, _ in DELIBERATE}
    for name, path in sorted(found - expected):
        print(f"differs: {name} {path}")
    for name, path in sorted(expected - found):
        print(f"listed as different but equal: {name} {path}")
    print(f"{len(theirs)} objects compared, {len(found)} differences, {len(expected & found)} of them deliberate")
    sys.exit(1 if found != expected else 0)


main()
