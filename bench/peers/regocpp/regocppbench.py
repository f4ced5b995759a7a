#!/usr/bin/env python3
"""Times rego-cpp (regopy, bundles on its VM) on the cases of bench/engines, in the columns of bench/peers/opa/main.go.

usage: regocppbench.py CASES      cases that it cannot compile or answer are named on standard error
"""
import json
import os
import sys
import time

from regopy import Input, Interpreter

ROUNDS, ROUND_NS = 5, 120e6


def measure(call):
    count = 1
    while True:
        start = time.process_time_ns()
        for _ in range(count):
            call()
        took = time.process_time_ns() - start
        if took >= ROUND_NS / 2:
            count = max(1, int(count * ROUND_NS / took))
            break
        count *= 2
    rounds = []
    for _ in range(ROUNDS):
        start = time.process_time_ns()
        for _ in range(count):
            call()
        rounds.append((time.process_time_ns() - start) / count)
    return sorted(rounds)[ROUNDS // 2]


def bench(folder, meta):
    package = meta["package"].replace(".", "/")
    rego = Interpreter()
    rego.well_formed_checks_enabled = False
    for name in meta["files"]:
        rego.add_module(name, open(os.path.join(folder, "v1", name)).read())
    if meta["data"]:
        rego.add_data_json(open(os.path.join(folder, "data.json")).read())
    entry = package + "/violation"
    bundle = rego.build(None, [entry])
    if not bundle.ok():
        raise RuntimeError("does not compile")
    for kind in ("ok", "viol"):
        text = open(os.path.join(folder, kind + ".json")).read()
        ready = Input(json.loads(text))

        def evaluate():
            rego.set_input(ready)
            return rego.query_bundle_entrypoint(bundle, entry)

        def from_bytes():
            rego.set_input_term(text)
            return rego.query_bundle_entrypoint(bundle, entry)

        output = evaluate()
        if not output.ok():
            raise RuntimeError(str(output))
        try:
            violations = len(json.loads(str(output))["expressions"][0])
        except ValueError:
            raise RuntimeError("its output is no JSON")
        print("%s\t%s\tplain\t%d\t%.0f\t%.0f" % (meta["name"], kind, violations, measure(evaluate), measure(from_bytes)), flush=True)


def main():
    for name in sorted(os.listdir(sys.argv[1])):
        folder = os.path.join(sys.argv[1], name)
        path = os.path.join(folder, "meta.json")
        meta = json.load(open(path)) if os.path.exists(path) else None
        # Its time on the large inventories is minutes for a figure that says nothing more.
        if meta is None or name.endswith("-10000"):
            continue
        try:
            bench(folder, meta)
        except Exception as error:  # noqa: BLE001: whatever it raises, the other cases go on
            print("rego-cpp: %s: %s" % (name, str(error).split("\n")[0][:200]), file=sys.stderr)


main()
