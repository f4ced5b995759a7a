#!/usr/bin/env python3
"""Feeds random cases to the engine and to OPA, compares the answers and shrinks what differs.

usage: differential.py --ours PROGRAM --opa PROGRAM [--from SEED] [--pairs N] [--sample FILE] [--stop N]

A pair is one set of modules with one input: the values of all rules, of the whole package and of two queries, the codes
of errors. Modules that OPA refuses are compared only with --refused. Exit 1: there was a difference.
--sample writes cases with OPA's answers, for `differential_tests check`.
"""

import argparse
import json
import os
import subprocess
import sys
import time

import generator


class Side:
    """A program that answers a request a line. One that dies or hangs is started anew."""

    def __init__(self, command):
        self.command = command
        self.process = None

    def send(self, line):
        if self.process is None or self.process.poll() is not None:
            self.process = subprocess.Popen(self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.process.stdin.write(line)
        self.process.stdin.flush()

    def receive(self):
        line = self.process.stdout.readline()
        if not line:
            code = self.process.wait()
            self.process = None
            return {"errors": [["died", "", 0, 0, str(code)]]}
        return json.loads(line)

    def close(self):
        if self.process is not None:
            self.process.stdin.close()
            self.process.wait()


def request_line(case):
    """Inputs and data are JSON texts: numbers stay as they were spelled."""
    rest = {k: v for k, v in case.items() if k not in ("data", "inputs")}
    out = json.dumps(rest, ensure_ascii=False)
    if "inputs" in case:
        out = out[:-1] + ', "data": ' + case["data"] + ', "inputs": [' + ", ".join(case["inputs"]) + "]}"
    return out.encode() + b"\n"


class Pair:
    def __init__(self, arguments):
        self.ours = Side([arguments.ours, "serve", "--modes"])
        self.opa = Side([arguments.opa])

    def ask(self, case):
        line = request_line(case)
        self.ours.send(line)
        self.opa.send(line)
        return self.ours.receive(), self.opa.receive()


def compiled(answer):
    return not answer.get("errors")


def solutions(answer):
    """OPA walks over a set's elements before their variables are known: in another order, equal ones twice."""
    return sorted(set(answer.split("; ")))


def same_value(ours, theirs):
    # The rule index passes over rules that cannot succeed, and so over the errors in them: OPA without it is right, too.
    if " || not indexed: " in theirs:
        return any(same_value(ours, one) for one in theirs.split(" || not indexed: "))
    # What OPA asks with a known key is evaluated whole here: a strict evaluation may meet errors that OPA's does not.
    if " || not strict: " in ours:
        strict, _, lenient = ours.partition(" || not strict: ")
        return theirs.startswith("error ") or same_value(lenient, theirs) or same_value(strict, theirs)
    if ours == theirs or "limit" in (ours, theirs):
        return True
    # docs/compatibility.md: what only OPA refuses as a query; conflicts in what nobody asked for.
    if theirs.startswith("refused") or (ours.startswith("error eval_conflict_error") and "keys must be unique" in ours):
        return True
    # Where several things go wrong, which one is met first is not the same: its code must be.
    if ours.startswith("error ") and theirs.startswith("error "):
        return ours.split()[1] == theirs.split()[1]
    return solutions(ours) == solutions(theirs)


def differing(ours, theirs):
    """(input, place in the row) of the first answer that differs; None: they are alike."""
    if ours.get("errors") != theirs.get("errors"):
        return (-1, -1)
    for i, (a, b) in enumerate(zip(ours.get("results", []), theirs.get("results", []))):
        for j, (x, y) in enumerate(zip(a, b)):
            if not same_value(x, y):
                return (i, j)
    return None


def narrowed(case, where):
    """The case with only the input and the rule or query that differ."""
    i, j = where
    if i < 0:
        return {**case, "inputs": [], "rules": [], "queries": []} if "inputs" in case else case
    out = {**case, "inputs": [case["inputs"][i]]}
    rules = case["rules"]
    out["rules"] = [rules[j]] if j < len(rules) else []
    out["queries"] = [] if j < len(rules) else [case["queries"][j - len(rules)]]
    return out


def kind_of(ours, theirs, where):
    """What must stay while a case is made smaller: whether both sides compile it."""
    return (compiled(ours), compiled(theirs), where is not None and where[0] < 0)


def without_lines(case, still):
    for number in range(len(case["modules"])):
        lines = case["modules"][number].split("\n")
        size = max(1, len(lines) // 2)
        while size > 0:
            at = 1
            while at < len(lines):
                fewer = lines[:at] + lines[at + size:]
                trial = {**case, "modules": [*case["modules"]]}
                trial["modules"][number] = "\n".join(fewer)
                if still(trial):
                    lines, case = fewer, trial
                else:
                    at += 1
            size //= 2
    return case


def smaller_json(text):
    """Texts of documents with one member or element less, or one part replaced."""
    value = json.loads(text, parse_int=str_number, parse_float=str_number)

    def variants(v):
        if isinstance(v, dict):
            for key in v:
                yield {k: x for k, x in v.items() if k != key}
            for key in v:
                for smaller in variants(v[key]):
                    yield {**v, key: smaller}
        elif isinstance(v, list):
            for i in range(len(v)):
                yield v[:i] + v[i + 1:]
            for i, x in enumerate(v):
                for smaller in variants(x):
                    yield v[:i] + [smaller] + v[i + 1:]

    for v in variants(value):
        yield json.dumps(v, ensure_ascii=False, default=str).replace('"\\u0000', "").replace('\\u0000"', "")


def str_number(text):
    return "\0" + text + "\0"


def smaller_documents(case, still):
    for place in ("inputs", "data"):
        again = True
        while again and case.get("inputs"):
            again = False
            for text in smaller_json(case["inputs"][0] if place == "inputs" else case["data"]):
                trial = {**case, "inputs": [text]} if place == "inputs" else {**case, "data": text}
                if still(trial):
                    case, again = trial, True
                    break
    return case


CLOSING = {"(": ")", "[": "]", "{": "}"}


def smaller_terms(case, still):
    """Replaces what stands in brackets, between commas and semicolons by less."""
    for number in range(len(case["modules"])):
        at = 0
        while at < len(case["modules"][number]):
            text = case["modules"][number]
            if text[at] in CLOSING:
                end = matching(text, at)
                inside = text[at + 1:end]
                start = at
                while start > 0 and (text[start - 1].isalnum() or text[start - 1] in "._"):
                    start -= 1
                options = [text[:start] + new + text[end + 1:] for new in ("1", "\"a\"", "[]", inside)] if end > 0 else []
                for part in split_top(inside):
                    options.append(text[:at + 1] + inside.replace(part, "", 1).strip("; ") + text[end:])
                for option in options:
                    if len(option) >= len(text):
                        continue
                    trial = {**case, "modules": [*case["modules"]]}
                    trial["modules"][number] = option
                    if still(trial):
                        case, at = trial, max(0, start - 1)
                        break
            at += 1
    return case


def matching(text, at):
    depth, quoted, i = 0, False, at
    while i < len(text):
        c = text[i]
        if c == "\\" and quoted:
            i += 1
        elif c == '"':
            quoted = not quoted
        elif not quoted and c in CLOSING:
            depth += 1
        elif not quoted and c in CLOSING.values():
            depth -= 1
            if depth == 0:
                return i
        i += 1
    return -1


def split_top(text):
    parts, depth, start = [], 0, 0
    for i, c in enumerate(text):
        depth += (c in CLOSING) - (c in CLOSING.values())
        if depth == 0 and c == ";":
            parts.append(text[start:i + 1])
            start = i + 1
    return parts + [text[start:]] if parts else []


def shrink(pair, case, kind, seconds=40):
    until = time.monotonic() + seconds

    def still(trial):
        if time.monotonic() > until:
            return False
        ours, theirs = pair.ask(trial)
        where = differing(ours, theirs)
        return where is not None and kind_of(ours, theirs, where) == kind

    for step in (without_lines, smaller_terms, without_lines, smaller_documents):
        case = step(case, still)
    return case


def show(seed, case, ours, theirs):
    print(f"--- difference, seed {seed}")
    for i, module in enumerate(case["modules"]):
        if i == 0 or len(module.strip().splitlines()) > 1 or len(case["modules"]) == 1:
            print(module.strip("\n"))
            print()
    for key in ("strict", "v0", "annotations", "strict_errors", "rules", "queries", "inputs", "data"):
        if case.get(key):
            print(f"{key}: {case[key]}")
    print("ours:", json.dumps(ours, ensure_ascii=False)[:1500])
    print("opa: ", json.dumps(theirs, ensure_ascii=False)[:1500], flush=True)


def builtins_of(opa):
    out = []
    for line in subprocess.run([opa, "builtins"], check=True, capture_output=True, text=True).stdout.splitlines():
        one = json.loads(line)
        if one["name"] in generator.EXCLUDED or one["name"].startswith("internal.") or one.get("relation") or \
                one.get("deprecated"):
            continue
        out.append({"name": one["name"], "infix": one.get("infix"), "args": one["decl"].get("args", []),
                    "result": one["decl"].get("result", {}).get("type", "any")})
    return out


def cases(arguments):
    seed = getattr(arguments, "from")
    builtins = builtins_of(arguments.opa)
    while True:
        yield seed, generator.Generator(seed, builtins).case()
        seed += 1


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--ours", required=True)
    parser.add_argument("--opa", required=True)
    parser.add_argument("--from", type=int, default=1)
    parser.add_argument("--pairs", type=int, default=3000)
    parser.add_argument("--stop", type=int, default=10, help="after that many differences")
    parser.add_argument("--sample", help="write the cases with OPA's answers to this file")
    parser.add_argument("--seconds", type=float, default=1e9, help="end after that time")
    parser.add_argument("--no-shrink", action="store_true")
    parser.add_argument("--refused", action="store_true", help="also compare the errors of modules that are refused")
    arguments = parser.parse_args()

    pair = Pair(arguments)
    pairs = refused = answers = undefined = errors = differences = 0
    sample = open(arguments.sample, "w", encoding="utf-8") if arguments.sample else None
    began = time.monotonic()
    seed = None
    for seed, case in cases(arguments):
        if pairs >= arguments.pairs or differences >= arguments.stop or \
                time.monotonic() - began > arguments.seconds:
            break
        ours, theirs = pair.ask(case)
        where = differing(ours, theirs)
        if not compiled(theirs):
            refused += 1
        if compiled(theirs):
            pairs += len(case["inputs"])
            for row in theirs["results"]:
                answers += len(row)
                undefined += sum(x == "" for x in row)
                errors += sum(x.startswith("error") for x in row)
        if where is None:
            # Only what is alike to the letter: the sample's program compares nothing else.
            line = request_line(case).decode().rstrip()[:-1]
            if sample and ours == theirs and len(line) < 2500:
                sample.write(line + ', "want": ' + json.dumps(theirs, ensure_ascii=False) + "}\n")
            continue
        if where[0] < 0 and compiled(ours) == compiled(theirs) and not arguments.refused:
            continue
        differences += 1
        kind = kind_of(ours, theirs, where)
        case = narrowed(case, where)
        if not arguments.no_shrink:
            case = shrink(pair, case, kind)
        show(seed, case, *pair.ask(case))
    pair.ours.close()
    pair.opa.close()
    seconds = time.monotonic() - began
    print(f"{pairs} pairs, {differences} differences; seeds {getattr(arguments, 'from')} to {seed}; "
          f"{refused} modules refused by OPA, {answers} answers, of them {undefined} undefined and {errors} errors; "
          f"{pairs / max(seconds, 0.001):.0f} pairs/s")
    sys.exit(1 if differences or pairs == 0 else 0)


if __name__ == "__main__":
    main()
