#!/usr/bin/env python3
"""Writes inputs that a fuzz target begins with, taken from the test data: fuzz_seeds.py TARGET FOLDER.

A target without any gets an empty folder. At most MOST inputs, spread evenly over what there is."""

import glob
import hashlib
import os
import re
import sys

MOST = 3000
LONGEST = 16384  # bytes of one input

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")


def read(pattern):
    for path in sorted(glob.glob(os.path.join(ROOT, pattern), recursive=True)):
        with open(path, "rb") as file:
            yield file.read()


def lines(pattern):
    for text in read(pattern):
        yield from text.splitlines()


def calls():
    """Calls without their answers: those are for the tests."""
    for line in lines("engine/rego/builtins/testdata/*.jsonl"):
        cut = max(line.rfind(b',"want":'), line.rfind(b',"error":'))
        yield line if cut < 0 else line[:cut] + b"}"


def modules():
    for pattern in ("bench/engines/cases/**/*.rego", "e2e/**/*.rego", "opa/testdata/files/**/*.rego"):
        yield from read(pattern)
    for text in list(read("engine/rego/syntax/testdata/*.txt")) + list(read("engine/rego/compile/testdata/*.txt")):
        for case in re.split(rb"(?m)^=== .*\n", text)[1:]:
            yield re.split(rb"(?m)^---.*\n", case)[0]


def with_modes(modes):
    for module in modules():
        for mode in modes:
            yield bytes([mode]) + module


def yaml_files():
    for pattern in ("config/*.yaml", "crds/*.yaml", "e2e/demo/*.yaml", "test/golden/**/*.yaml"):
        yield from read(pattern)


def reviews():
    yield from read("bench/engines/cases/**/*.json")
    for line in lines("bench/engines/cases/**/*.jsonl"):
        yield line
    yield (b'{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","request":{"uid":"u","kind":{"group":"",'
           b'"version":"v1","kind":"Pod"},"operation":"CREATE","name":"p","namespace":"ab","userInfo":{"username":"n"},'
           b'"object":{"apiVersion":"v1","kind":"Pod","metadata":{"name":"p","namespace":"ab","labels":{"x":"y"}},'
           b'"spec":{"containers":[{"name":"c","image":"i"}]}},"oldObject":null,"dryRun":false}}')
    yield (b'\x01{"apiVersion":"constraints.gatekeeper.sh/v1beta1","kind":"Fuzz","metadata":{"name":"c"},"spec":'
           b'{"enforcementAction":"deny","match":{"kinds":[{"apiGroups":["*"],"kinds":["*"]}],"excludedNamespaces":["k*"],'
           b'"labelSelector":{"matchLabels":{"x":"y"}}},"parameters":{"labels":["a"],"n":1}}}')


SEEDS = {
    "fuzz_builtins": calls,
    "fuzz_rego_parse": lambda: with_modes((0, 1, 6)),
    "fuzz_rego_format": lambda: with_modes((0, 1, 2)),
    "fuzz_rego_compile": lambda: with_modes((0, 1, 3)),
    "fuzz_rego_eval": modules,
    "fuzz_json": lambda: lines("engine/rego/builtins/testdata/calls.jsonl"),
    "fuzz_yaml": yaml_files,
    "fuzz_admission_review": reviews,
}


def main():
    target, folder = sys.argv[1:]
    os.makedirs(folder, exist_ok=True)
    for name in os.listdir(folder):
        os.remove(os.path.join(folder, name))
    seeds = [seed for seed in SEEDS.get(target, lambda: [])() if 0 < len(seed) <= LONGEST]
    step = max(1.0, len(seeds) / MOST)
    for i in range(int(len(seeds) / step)):
        seed = seeds[int(i * step)]
        with open(os.path.join(folder, hashlib.sha256(seed).hexdigest()[:16]), "wb") as file:
            file.write(seed)


main()
