#!/usr/bin/env python3
"""Changes calls a little, so that OPA's answers to many more can be compared with ours.

usage: ./mutate.py SEED COUNT PREFIX < documents.jsonl | (cd oracle && go run .) > /tmp/x.jsonl
       PC_BUILTIN_CALLS=/tmp/x.jsonl …/engine_rego_builtins_test --gtest_filter='*AnotherFile*'
PREFIX chooses builtins by the start of their names ("" for all).
"""
import json
import random
import re
import sys

TOKEN = re.compile(r'"""|"(?:[^"\\\n]|\\.)*"|[A-Za-z_]\w*|-?\d+(?:\.\d+)?|\.\.\.|\{\{-?|-?\}\}|\s+|.', re.S)


def mutate_text(text, rng, pool):
    tokens = TOKEN.findall(text)
    for _ in range(rng.randint(1, 3)):
        if not tokens:
            return text
        at = rng.randrange(len(tokens))
        kind = rng.randrange(5)
        if kind == 0:
            del tokens[at]
        elif kind == 1:
            tokens.insert(at, rng.choice(pool))
        elif kind == 2:
            tokens[at] = rng.choice(pool)
        elif kind == 3:
            other = rng.randrange(len(tokens))
            tokens[at], tokens[other] = tokens[other], tokens[at]
        else:
            tokens.insert(at, tokens[at])
    return "".join(tokens)


def mutate(value, rng, pool, values):
    if isinstance(value, str):
        return mutate_text(value, rng, pool)
    if isinstance(value, list) and value and rng.random() < 0.8:
        at = rng.randrange(len(value))
        return value[:at] + [mutate(value[at], rng, pool, values)] + value[at + 1:]
    if isinstance(value, dict) and value and rng.random() < 0.8:
        key = rng.choice(sorted(value))
        out = dict(value)
        if rng.random() < 0.2:
            del out[key]
        else:
            out[key] = mutate(value[key], rng, pool, values)
        return out
    return rng.choice(values)


def well_formed(value):
    """A set is written {"$set": [...]} and in no other way."""
    if isinstance(value, dict):
        if "$set" in value and not isinstance(value["$set"], list):
            return False
        return all(well_formed(v) for v in value.values())
    return all(well_formed(v) for v in value) if isinstance(value, list) else True


def main():
    seed, count, prefix = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    rng = random.Random(seed)
    calls = [json.loads(line) for line in sys.stdin]
    calls = [c for c in calls if c["f"].startswith(prefix)]
    pool = sorted({t for c in calls for a in c["a"] if isinstance(a, str) for t in TOKEN.findall(a) if len(t) < 40})
    pool = pool or ["a"]
    values = [None, True, False, 0, 1, -1, 1.5, "", "a", [], {}, ["a"], {"a": 1}, 1e3, "1"]
    for c in calls:
        values += [v for a in c["a"] if isinstance(a, dict) for v in a.values()]
    for _ in range(count):
        c = rng.choice(calls)
        args = list(c["a"])
        if args:
            at = rng.randrange(len(args))
            args[at] = mutate(args[at], rng, pool, values)
        if well_formed(args):
            print(json.dumps({"f": c["f"], "a": args}))


main()
