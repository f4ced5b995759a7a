#!/usr/bin/env python3
"""Writes what a real gator answers to commands.txt into cases.json: GATOR=/path/to/gator capture.py"""
import json, os, re, shlex, subprocess, sys

here = os.path.dirname(os.path.abspath(__file__))
inputs = os.path.join(here, "inputs")
gator = os.environ["GATOR"]


def normalise(text):
    text = text.replace(inputs.lstrip("/"), "<cwd>")
    text = re.sub(r"\d+\.\d{3}s", "<t>", text)
    text = re.sub(r"\d{4}/\d\d/\d\d \d\d:\d\d:\d\d", "<date>", text)
    text = re.sub(r'("name": "templateRunTimeNS",\s*"value": )[0-9.e+]+', r"\1<n>", text)
    text = re.sub(r"(name: templateRunTimeNS\s*value: )[0-9.e+]+", r"\1<n>", text)
    return text


cases = []
for line in open(os.path.join(here, "commands.txt")):
    line = line.strip()
    if not line or line.startswith("#"):
        continue
    directory, command = "", line
    found = re.match(r"^(\S+)\$ (.*)$", line)
    if found:
        directory, command = found.groups()
    stdin = None
    if " < " in command:
        command, stdin = command.rsplit(" < ", 1)
    args = shlex.split(command)
    cwd = os.path.join(inputs, directory)
    text = open(os.path.join(inputs, stdin)).read() if stdin else ""
    run = subprocess.run([gator, *args], cwd=cwd, input=text, capture_output=True, text=True)
    cases.append({"line": line, "directory": directory, "args": args, "stdin": text, "code": run.returncode,
                  "out": normalise(run.stdout), "err": normalise(run.stderr)})
json.dump(cases, open(os.path.join(here, sys.argv[1] if len(sys.argv) > 1 else "cases.json"), "w"), indent=1, ensure_ascii=False)
print(len(cases), "cases")
