#!/usr/bin/env python3
"""Runs calls.txt with a real opa and writes calls.jsonl. usage: capture.py /path/to/opa

Each line of calls.txt is a call in shell quoting, run in files/; "<text>" in front of it is standard input. Left out
of what opa prints: stack traces of evaluation errors, and the types in "details" of type errors.
"""
import json
import os
import re
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


def settled(text):
    """What `opa test` prints, without durations and with the tests, which run in any order, in the order of the source."""
    text = re.sub(r" \(\d[\d.hmsµn]*\)", " (0s)", text)
    if text.startswith("{"):
        return text
    if text.startswith("["):
        results = json.loads(text)
        for result in results:
            result["duration"] = 0
            result.get("error", {}).pop("stack_trace", None)
        results.sort(key=lambda r: (r["location"]["file"], r["location"]["row"]))
        out = json.dumps(results, indent=2, ensure_ascii=False) + "\n"
        return out.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")
    head, ruler, tail = text.partition("-" * 80 + "\n")
    if not ruler:
        return text
    head = re.sub(r"  Traceback:\n(    .*\n)+", "", head)
    blocks = [b for b in re.split(r"(?m)^(?=\S+\.rego:\d+:\n)", head) if b]
    place = re.compile(r"(\S+):(\d+):")
    # An empty line stands between files: put it back where the files change.
    files = [place.match(b).group(1) for b in blocks]
    for i in range(len(blocks) - 1):
        if files[i] != files[i + 1]:
            blocks[i] = blocks[i][:-1]
    blocks.sort(key=lambda b: (place.match(b).group(1), int(place.match(b).group(2))))
    for i in range(len(blocks) - 1):
        if place.match(blocks[i]).group(1) != place.match(blocks[i + 1]).group(1):
            blocks[i] += "\n"
    return "".join(blocks) + ruler + tail


def loose(text):
    """Without what differs from run to run: times, widths of tables, the order of a profile's rows, where the files lie."""
    text = text.replace(here + "/files", "@")
    text = re.sub(r'("(?:timer_\w+|total_time_ns)": )\d+', r"\g<1>0", text)
    text = re.sub(r"(│ timer_\w+ +│) \d+ +│", r"\1 0 │", text)
    text = re.sub(r"│ \d[\d.]*(?:ns|µs|ms|s) +│", "│ T │", text)
    text = re.sub(r".*timer_rego_external_resolve_ns.*\n", "", text)
    text = re.sub(r" +", " ", re.sub(r"─+", "─", text))
    lines = text.split("\n")
    rows = sorted(line for line in lines if line.startswith("│ T │"))
    return "\n".join(rows.pop(0) if line.startswith("│ T │") else line for line in lines)


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
        real = [arg.replace("@", here + "/files") if "file://@" in arg else arg for arg in args]
        is_loose = real != args or any(arg in ("--metrics", "--profile") or arg.startswith("--profile-") for arg in args)
        run = subprocess.run([sys.argv[1]] + real, input=stdin or "", capture_output=True, text=True, cwd=here + "/files")
        err = run.stderr.split("\n\nTraceback:")[0]
        if err != run.stderr:
            err += "\n"
        if "\nUsage:\n" in err:  # the flags are ours
            err = err.split("Usage:\n")[0]
        printed = settled(run.stdout) if args[0] == "test" else without_traces(run.stdout)
        err = without_traces(err)
        if is_loose:
            printed, err = loose(printed), loose(err)
        call = {"args": args, "stdin": stdin or "", "exit": run.returncode, "out": printed, "err": err}
        if is_loose:
            call["loose"] = True
        json.dump(call, out, ensure_ascii=False)
        out.write("\n")
