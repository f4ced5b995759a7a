#!/usr/bin/env python3
"""Runs calls.txt with a real opa and writes calls.jsonl. usage: capture.py /path/to/opa

Each line of calls.txt is a call in shell quoting, run in files/; "<text>" in front of it is standard input. Left out
of what opa prints: stack traces of evaluation errors, and the types in "details" of type errors.
"""
import json
import os
import shlex
import subprocess
import sys

here = os.path.dirname(os.path.abspath(__file__))


def without_traces(text):
    if not text.startswith('{\n  "errors"'):
        return text
    answer = json.loads(text)
    for error in answer["errors"]:
        error.pop("stack_trace", None)
        if "line" not in (error.get("details") or {"line": 1}):
            error.pop("details")
    out = json.dumps(answer, indent=2, ensure_ascii=False) + "\n"
    return out.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


with open(here + "/calls.txt") as calls, open(here + "/calls.jsonl", "w") as out:
    for line in calls:
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        stdin = None
        if line.startswith("<"):
            stdin, line = line[1:].split(">", 1)
            stdin = stdin.replace("\\n", "\n")
        args = shlex.split(line)
        run = subprocess.run([sys.argv[1]] + args, input=stdin or "", capture_output=True, text=True, cwd=here + "/files")
        err = run.stderr.split("\n\nTraceback:")[0]
        if err != run.stderr:
            err += "\n"
        if "\nUsage:\n" in err:  # the flags are ours
            err = err.split("Usage:\n")[0]
        json.dump({"args": args, "stdin": stdin or "", "exit": run.returncode, "out": without_traces(run.stdout), "err": err}, out, ensure_ascii=False)
        out.write("\n")
