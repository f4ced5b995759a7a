#!/usr/bin/env python3
"""Runs a real opa over modules/*.rego and writes modules.jsonl. usage: record.py /path/to/opa

Each module is taken as it is and in many variants: line ends, comments, brackets and words put in or taken out at random
(with a fixed seed). "formatted" is null where the source is canonical already; "stable" says whether formatting the
result again gives the result.
"""
import glob
import json
import os
import random
import re
import subprocess
import sys
import tempfile

MODES = {
    "v1": [],
    "v0": ["--v0-compatible"],
    "v0v1": ["--v0-v1"],
    "v1v0v1": ["--v0-v1", "--v1-compatible"],
    "drop": ["--drop-v0-imports"],
}
VARIANTS = 80
TOKEN = re.compile(r'"(?:[^"\\\n]|\\.)*"|`[^`]*`|#[^\n]*|\s+|\w+|.', re.S)
COMMENTS = [" # in\n", "# in\n", "\n# in\n", "\n\n# in\n\n", " #in \t\n"]
WORDS = ["not ", "some x in ", ' with input as {\n"a": 1}', "[1, 2]", '{"x": 1}', "{x |", " | ", " & ", " + ", "true", ")",
         "in ", "every x in xs { x }", " else := 1 ", " if ", "contains ", "-", "x ", "_"]


def variant(source):
    tokens = TOKEN.findall(source)
    for _ in range(random.choice([1, 1, 2, 3, 6])):
        at = random.randrange(len(tokens))
        token, kind = tokens[at], random.random()
        if kind < 0.25:
            tokens.insert(at, random.choice(COMMENTS))
        elif kind < 0.4:
            tokens.insert(at, random.choice(["\n", "\n\n", "\n\n\n", " ", "\t"]))
        elif kind < 0.65 and token.isspace():
            tokens[at] = random.choice(["\n", " ", "\n\n", "\t", "\r\n"])
        elif kind < 0.8 and token in ",([{":
            tokens[at] = token + "\n"
        elif kind < 0.9 and token in ")]}":
            tokens[at] = random.choice(["\n", ",\n", ",# in\n", "# in\n"]) + token
        elif kind < 0.95:
            tokens[at] = "(" + token + ")"
        else:
            tokens.insert(at, random.choice(WORDS))
    return "".join(tokens)


def fmt(opa, mode, source):
    with tempfile.NamedTemporaryFile("w", suffix=".rego", newline="") as file:
        file.write(source)
        file.flush()
        run = subprocess.run([opa, "fmt", "--check-result=false", *MODES[mode], file.name], capture_output=True)
    return None if run.returncode else run.stdout.decode()


opa = sys.argv[1]
here = os.path.dirname(os.path.abspath(__file__))
random.seed(1)
with open(here + "/modules.jsonl", "w") as out:
    for path in sorted(glob.glob(here + "/modules/*.rego")):
        with open(path, encoding="utf-8", newline="") as file:
            original = file.read()
        sources = [original] + [variant(original) for _ in range(VARIANTS)]
        for number, source in enumerate(sources):
            written = set()
            for mode in MODES if number % 10 == 0 else ["v1", "v0", "v0v1"]:
                formatted = fmt(opa, mode, source)
                if formatted is None or formatted in written:
                    continue
                written.add(formatted)
                stable = mode != "v1v0v1" and fmt(opa, mode, formatted) == formatted
                record = {"mode": mode, "source": source, "formatted": None if formatted == source else formatted,
                          "stable": stable}
                out.write(json.dumps(record, ensure_ascii=False) + "\n")
