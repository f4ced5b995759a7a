#!/usr/bin/env python3
"""Writes manifests/portcullis.yaml: the namespace, the CRDs, then the rest of config/, as one file to apply.

usage: manifests.py            writes it
       manifests.py --check    exit code 1 when the file is not what would be written

The files are taken as they are, comments included. Which files of config/, and in what order, is what
config/kustomization.yaml says.
"""
import glob
import os
import re
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
OUTPUT = os.path.join(ROOT, "manifests", "portcullis.yaml")
HEAD = "# Written by tools/manifests.py from config/ and crds/: change those, then run `make manifests`.\n"


def read(*parts):
    with open(os.path.join(ROOT, *parts), encoding="utf-8") as text:
        return text.read()


def config_files():
    text = read("config", "kustomization.yaml")
    return re.findall(r"^\s+- (\S+\.yaml)$", text.partition("resources:")[2], re.MULTILINE)


def render():
    crds = [os.path.relpath(path, ROOT) for path in sorted(glob.glob(os.path.join(ROOT, "crds", "*.yaml")))]
    config = [os.path.join("config", name) for name in config_files()]
    # CustomResourceDefinitions come right after the namespace, so that they are served early.
    files = config[:1] + crds + config[1:]
    return HEAD + "".join("---\n" + read(name) for name in files)


def main():
    wanted = render()
    if sys.argv[1:] == ["--check"]:
        current = read("manifests", "portcullis.yaml") if os.path.exists(OUTPUT) else ""
        if current != wanted:
            sys.exit("manifests/portcullis.yaml is not what config/ and crds/ say: run `make manifests`")
        return
    if sys.argv[1:]:
        sys.exit(__doc__)
    with open(OUTPUT, "w", encoding="utf-8") as out:
        out.write(wanted)


main()
