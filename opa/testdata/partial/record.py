#!/usr/bin/env python3
"""Runs calls.txt with a real opa and writes calls.jsonl. usage: record.py /path/to/opa

Each line is what follows `opa eval --partial`. Support modules, which OPA prints in any order, are put in the order of
their packages; calls whose output cannot be put in order (several modules in a table) are left out.
"""
import json
import os
import re
import shlex
import subprocess
import sys

here = os.path.dirname(os.path.abspath(__file__))


def settled(text):
    parts = re.split(r"(?m)^# Module \d+\n", text)
    if len(parts) > 2:
        # Lines behind the package's, too: "package a.b" before "package a.b.c".
        modules = sorted(parts[1:], key=lambda part: part.split("\n", 1)[0])
        return parts[0] + "".join(f"# Module {i + 1}\n{part}" for i, part in enumerate(modules))
    if text.count("Support ") > 1:
        return None
    if text.startswith("{") and len(json.loads(text).get("partial", {}).get("modules", [])) > 1:
        return None
    return text


with open(here + "/calls.txt") as calls, open(here + "/calls.jsonl", "w") as out:
    for line in calls:
        args = ["eval", "--partial"] + shlex.split(line)
        run = subprocess.run([sys.argv[1]] + args, capture_output=True, text=True, cwd=here)
        text = settled(run.stdout)
        if text is None:
            continue
        err = run.stderr.split("Usage:\n")[0]
        json.dump({"args": args, "exit": run.returncode, "out": text, "err": err}, out, ensure_ascii=False)
        out.write("\n")
