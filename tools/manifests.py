#!/usr/bin/env python3
"""Writes what is generated from config/ and crds/, so that a rule or a schema is written once.

usage: manifests.py            writes it
       manifests.py --check    exit code 1 when a file is not what would be written, or a version is not the project's

  manifests/portcullis.yaml               the namespace, the CRDs, then the rest of config/, as one file to apply
  charts/portcullis/crds/                 the CRDs, as they are
  charts/portcullis/templates/rbac.yaml   config/rbac.yaml with the chart's names and values in place of the fixed ones

The files are taken as they are, comments included. Which files of config/, and in what order, is what
config/kustomization.yaml says.
"""
import glob
import os
import re
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
MANIFEST = "manifests/portcullis.yaml"
CHART = "charts/portcullis"
HEAD = "# Written by tools/manifests.py from config/ and crds/: change those, then run `make manifests`.\n"


def read(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as text:
        return text.read()


def config_files():
    text = read("config/kustomization.yaml")
    return re.findall(r"^\s+- (\S+\.yaml)$", text.partition("resources:")[2], re.MULTILINE)


def crd_files():
    return sorted(os.path.basename(path) for path in glob.glob(os.path.join(ROOT, "crds", "*.yaml")))


def manifest():
    config = [f"config/{name}" for name in config_files()]
    # CustomResourceDefinitions come right after the namespace, so that they are served early.
    files = config[:1] + [f"crds/{name}" for name in crd_files()] + config[1:]
    return HEAD + "".join("---\n" + read(name) for name in files)


def webhook_names(kind):
    return (f"{{{{ concat (list .Values.{kind.lower()}WebhookName) "
            f"(default list .Values.additional{kind}WebhookConfigsToRotateCerts) | toJson }}}}")


def chart_rbac():
    """The roles and bindings; the service account is a value of its own in the chart."""
    documents = [d for d in re.split(r"^---\n", read("config/rbac.yaml"), flags=re.MULTILINE)
                 if "kind: ServiceAccount\nmetadata" not in d]
    out = []
    for text in documents:
        replaced = (
            ('  labels: {gatekeeper.sh/system: "yes"}\n',
             '  labels:\n    {{- include "portcullis.labels" . | nindent 4 }}\n'),
            ("namespace: gatekeeper-system", "namespace: {{ .Release.Namespace | quote }}"),
            ("[gatekeeper-validating-webhook-configuration]", webhook_names("Validating")),
            ("[gatekeeper-mutating-webhook-configuration]", webhook_names("Mutating")))
        for old, new in replaced:
            text = text.replace(old, new)
        if "kind: Role\n" in text:
            text += "  {{- with .Values.controllerManager.extraRules }}\n  {{- toYaml . | nindent 2 }}\n  {{- end }}\n"
        out.append(text)
    return HEAD + "{{- if .Values.rbac.create }}\n" + "---\n".join(out) + "{{- end }}\n"


def outputs():
    files = {MANIFEST: manifest(), f"{CHART}/templates/rbac.yaml": chart_rbac()}
    files.update({f"{CHART}/crds/{name}": read(f"crds/{name}") for name in crd_files()})
    return files


def leftovers(files):
    present = glob.glob(os.path.join(ROOT, CHART, "crds", "*"))
    return [path for path in (os.path.relpath(p, ROOT) for p in present) if path not in files]


def wrong_versions():
    """Every place that names the project's version."""
    version = re.search(r"^project\(portcullis VERSION ([0-9.]+)", read("CMakeLists.txt"), re.MULTILINE).group(1)
    wanted = {f"{CHART}/Chart.yaml": (f"version: {version}\n", f"appVersion: v{version}\n"),
              f"{CHART}/values.yaml": (f"  release: v{version}\n",),
              "config/manager.yaml": (f"image: portcullis:v{version}\n",),
              "config/audit.yaml": (f"image: portcullis:v{version}\n",)}
    return [f"{path}: no '{line.strip()}'" for path, lines in wanted.items() for line in lines if line not in read(path)]


def check(files):
    wrong = [path for path, text in files.items()
             if not os.path.exists(os.path.join(ROOT, path)) or read(path) != text] + leftovers(files)
    if wrong:
        sys.exit("not what config/ and crds/ say (run `make manifests`):\n  " + "\n  ".join(sorted(wrong)))
    if wrong_versions():
        sys.exit("not the project's version:\n  " + "\n  ".join(wrong_versions()))


def main():
    files = outputs()
    if sys.argv[1:] == ["--check"]:
        check(files)
        return
    if sys.argv[1:]:
        sys.exit(__doc__)
    for path in leftovers(files):
        os.remove(os.path.join(ROOT, path))
    for path, text in files.items():
        path = os.path.join(ROOT, path)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as out:
            out.write(text)


main()
