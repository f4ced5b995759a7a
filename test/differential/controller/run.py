#!/usr/bin/env python3
"""The real Gatekeeper's manager and ours, each on an API server of its own, with the same inputs from a seed: whatever
users, auditors and dashboards see must be the same, but for what docs/compatibility.md lists (allowed.json).

usage: run.py --ours bin/manager --real GATEKEEPERS-MANAGER [--seed 1] [--worlds 4] [--reviews 5000] [--passes 13] [--objects 400]

A world is a pair of fresh API servers with its own templates, constraints, objects and flags. Each of its rounds changes
something, waits until both managers have seen it, compares what they wrote, posts reviews, and compares an audit pass.
A difference is printed with the command that repeats its world, and its inputs are kept in --keep.
"""
import argparse
import concurrent.futures
import http.client
import json
import os
import re
import shutil
import signal
import sys
import time
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(os.path.dirname(os.path.dirname(HERE))), "bench", "load")]
import cluster  # noqa: E402
import compare  # noqa: E402
import generate  # noqa: E402

NAMES = ("real", "ours")
POD = "gatekeeper-manager-0"
# Flags by the number of the world: every fourth is the same. CEL stays off where statuses would only name it.
FLAGS = [[], ["--audit-chunk-size=7", "--constraint-violations-limit=3"], ["--audit-from-cache"],
         ["--audit-match-kind-only", "--disable-enforcementaction-validation", "--exempt-namespace-prefix=team-", "--exempt-namespace-suffix=-x"]]


def say(text):
    print(text, file=sys.stderr, flush=True)


class Report:
    """Counts and prints differences; each kind of difference is shown once with its first case."""

    def __init__(self, options):
        self.allowed = compare.Allowed()
        self.options, self.kinds, self.world, self.round = options, {}, 0, 0
        self.reviews = self.passes = self.compared = 0

    def open(self, diffs):
        return [d for d in diffs if not self.allowed.takes(*d)]

    def add(self, diffs, case):
        self.compared += 1
        for where, real, ours in self.open(diffs):
            signature = (re.sub(r"\d+", "N", where.split("/")[0] + where[where.find(".") :]), re.sub(r"\W?\w*[\d\"].*", "", str(real))[:40], re.sub(r"\W?\w*[\d\"].*", "", str(ours))[:40])
            self.kinds[signature] = self.kinds.get(signature, 0) + 1
            if self.kinds[signature] > 1 or len(self.kinds) > self.options.show:
                continue
            kept = os.path.join(self.options.keep, "case-%d.json" % len(self.kinds))
            os.makedirs(self.options.keep, exist_ok=True)
            with open(kept, "w") as f:
                json.dump({"where": where, "real": real, "ours": ours, "world": self.world, "round": self.round, "case": case}, f, indent=1, ensure_ascii=False)
            say("DIFFERENT at %s (world %d, round %d; inputs in %s)\n    real: %s\n    ours: %s" % (where, self.world, self.round, kept, cut(real), cut(ours)))
            say("    repeat: test/differential/controller/run.py --ours %s --real %s --seed %d --worlds 1 --reviews %d --passes %d --objects %d" % (
                self.options.ours, self.options.real, self.options.seed + self.world, self.options.reviews, self.options.passes, self.options.objects))


def cut(value):
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) < 700 else text[:700] + "..."


class Side:
    """One API server with one manager."""

    def __init__(self, name, program, flags, interval):
        self.name = name
        self.plane = cluster.ControlPlane()
        self.plane.prepare()
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": POD, "namespace": "gatekeeper-system"},
               "spec": {"containers": [{"name": "manager", "image": "manager:1"}]}}
        self.plane.create("/api/v1/namespaces/gatekeeper-system/pods", pod)
        self.plane.pod_uid = self.plane.request("GET", "/api/v1/namespaces/gatekeeper-system/pods/" + POD)[1]["metadata"]["uid"]
        self.manager = cluster.Manager(name, program, self.plane, ["webhook", "audit", "status", "generate"], pod=POD,
                                       extra=["--audit-interval=%d" % interval, "--log-denies", "--exempt-namespace=default"] + flags)
        self.connection = None

    def post(self, path, body, content_type):
        """[HTTP status, content type, decoded answer] of a request to the webhook."""
        for attempt in (0, 1):  # a kept connection may have been closed meanwhile
            if self.connection is None:
                self.connection = http.client.HTTPSConnection("127.0.0.1", self.manager.port, timeout=30, context=self.plane.context)
            try:
                self.connection.request("POST", path, body=body.encode(), headers={"Content-Type": content_type})
                answer = self.connection.getresponse()
                text = answer.read().decode(errors="replace")
                break
            except (OSError, http.client.HTTPException):
                self.connection = None
                if attempt:
                    raise
        try:
            decoded = json.loads(text)
        except ValueError:
            decoded = text
        return [answer.status, answer.headers.get("Content-Type"), decoded]

    def metrics(self):
        with urllib.request.urlopen("http://127.0.0.1:%d/metrics" % self.manager.metrics, timeout=10) as answer:
            return compare.metrics(answer.read().decode())

    def log_size(self):
        return os.path.getsize(self.manager.log_path)

    def alive(self):
        if self.manager.process.poll() is not None:
            raise RuntimeError("the %s manager ended with %s: %s" % (self.name, self.manager.process.returncode, self.manager.tail()))

    def pass_after(self, moment, start, seconds):
        """The audit_id of a pass that began after `moment` and has ended."""
        deadline = time.time() + seconds
        while time.time() < deadline:
            self.alive()
            began = {}
            with open(self.manager.log_path, "rb") as f:
                f.seek(start)
                for raw in f:
                    if b'"audit_started"' in raw or b'"audit_finished"' in raw:
                        line = json.loads(raw)
                        if line.get("event_type") == "audit_started" and line["ts"] > moment:
                            began[line["audit_id"]] = line["ts"]
                        elif line.get("event_type") == "audit_finished" and line["audit_id"] in began:
                            return line["audit_id"]
            time.sleep(0.2)
        raise RuntimeError("the %s manager finished no audit within %d s: %s" % (self.name, seconds, self.manager.tail()))

    def stop(self):
        self.manager.stop()
        self.plane.stop()
        for folder in (self.plane.dir, self.manager.dir):
            shutil.rmtree(folder, ignore_errors=True)


class World:
    def __init__(self, options, report, number):
        self.options, self.report = options, report
        self.g = generate.Generator(options.seed + number)
        self.flags = FLAGS[(options.seed + number) % len(FLAGS)]
        self.kinds = ["Kind" + chr(65 + i) for i in range(options.templates)]
        self.templates, self.constraints, self.objects, self.others = {}, {}, {}, {}
        self.next_object = self.review_index = 0
        self.sides = []

    def start(self):
        programs = (self.options.real, self.options.ours)
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            futures = [pool.submit(Side, *pair, self.flags, self.options.interval) for pair in zip(NAMES, programs)]
            for future in futures:
                self.sides.append(future.result())
        for side in self.sides:
            side.manager.wait_ready()

    def both(self, work):
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            return list(pool.map(work, self.sides))

    # ---- changes ----

    def send(self, verb, obj):
        """The same change on both API servers; they must agree about it. True when it was taken."""
        path = generate.path_of(obj, verb != "create")
        def on(side):
            if verb == "create":
                return side.plane.request("POST", path, obj)
            if verb == "delete":
                return side.plane.request("DELETE", path)
            for _ in range(20):  # the manager writes to some of the same objects
                status, current = side.plane.request("GET", path)
                if status != 200:
                    return status, current
                new = dict(current, **{k: v for k, v in obj.items() if k not in ("metadata", "status")})
                new["metadata"] = dict(current["metadata"], labels=obj["metadata"].get("labels", {}))
                status, answer = side.plane.request("PUT", path, new)
                if status != 409:
                    break
            return status, answer
        answers = self.both(on)
        if answers[0][0] != answers[1][0]:
            self.report.add([("api server", [answers[0][0], answers[0][1].get("message")], [answers[1][0], answers[1][1].get("message")])], {verb: obj})
        return answers[0][0] < 300 and answers[1][0] < 300

    def put(self, shelf, key, obj):
        if self.send("update" if key in shelf else "create", obj):
            shelf[key] = obj
            return True
        return False

    def drop(self, shelf, key):
        if self.send("delete", shelf[key]):
            del shelf[key]

    def add_constraint(self):
        kinds = [k for k in self.kinds if k in self.served]
        if not kinds:
            return
        constraint = self.g.constraint(self.g.r.choice(kinds), len(self.constraints) + self.g.r.randint(0, 3) * 100)
        if constraint["kind"] in kinds and isinstance(constraint["metadata"].get("name"), str):
            self.put(self.constraints, constraint["kind"] + "/" + constraint["metadata"]["name"], constraint)

    def add_object(self):
        self.next_object += 1
        obj = self.g.stored(self.next_object)
        self.put(self.objects, self.next_object, obj)

    def begin(self):
        self.served = []
        self.send("create", generate.WIDGET_CRD)
        for name in generate.NAMESPACES[1:]:
            self.put(self.objects, name, self.g.namespace(name))
        for kind in self.kinds:
            self.put(self.templates, kind, self.g.template(kind))
        self.put(self.others, "config", self.g.config(synced=not self.options.record))
        if not self.options.record:
            self.put(self.others, "syncset", self.g.syncset("one"))
        for _ in range(self.options.objects):
            self.add_object()
        self.settle("templates")
        for _ in range(self.options.constraints):
            self.add_constraint()

    def change(self):
        """About ten changes of every kind. True when synced kinds may have changed, which Gatekeeper takes seconds to follow."""
        g, synced = self.g, False
        for _ in range(g.r.randint(4, 14)):
            pick = g.r.random()
            if pick < 0.3:
                self.add_object()
            elif pick < 0.45 and len(self.objects) > 50:
                key = g.r.choice([k for k in self.objects if isinstance(k, int)])
                self.drop(self.objects, key)
            elif pick < 0.6:
                key = g.r.choice(sorted(self.objects, key=str))
                obj = json.loads(json.dumps(self.objects[key]))
                obj["metadata"]["labels"] = dict(g.labels(), diff="1")
                self.put(self.objects, key, obj)
            elif pick < 0.72:
                self.add_constraint()
            elif pick < 0.84 and self.constraints:
                key = g.r.choice(sorted(self.constraints))
                kind, name = key.split("/")
                new = g.constraint(kind, 0)
                new["metadata"]["name"], new["kind"] = name, kind
                self.put(self.constraints, key, new)
            elif pick < 0.89 and self.constraints:
                self.drop(self.constraints, g.r.choice(sorted(self.constraints)))
            elif pick < 0.96:
                kind = g.r.choice(self.kinds)
                self.put(self.templates, kind, self.g.template(kind))
            elif pick < 0.97 and len(self.templates) > 5:
                kind = g.r.choice(sorted(self.templates))
                self.drop(self.templates, kind)
                for key in [k for k in self.constraints if k.startswith(kind + "/")]:  # no garbage collector runs here
                    self.drop(self.constraints, key)
                self.both(lambda side: side.plane.request("DELETE", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/%s.constraints.gatekeeper.sh" % kind.lower()))
            elif pick < 0.985:
                synced = True
                self.put(self.others, "config", g.config())
            else:
                synced = True
                self.put(self.others, "syncset", g.syncset("one"))
        return synced

    # ---- comparisons ----

    def settled_snapshots(self, audit):
        shots = self.both(lambda side: compare.snapshot(side.plane))
        if not audit:
            for shot in shots:
                for place, item in shot.items():
                    if place.startswith("constraints/"):
                        for key in ("auditTimestamp", "totalViolations", "violations"):
                            item.get("status", {}).pop(key, None)
        return shots

    def behind(self):
        """Objects whose status does not speak of their present generation, on either side."""
        def on(side):
            late = []
            places = {"templates": compare.OWN_LISTS["templates"]}
            places.update({k: "/apis/constraints.gatekeeper.sh/v1beta1/" + k.lower() for k in compare.constraint_kinds(side.plane)})
            for path in places.values():
                for item in side.plane.request("GET", path)[1].get("items") or []:
                    seen = [p.get("observedGeneration") for p in (item.get("status") or {}).get("byPod") or []]
                    if seen != [item["metadata"]["generation"]]:
                        late.append(path + "/" + item["metadata"]["name"])
            return late
        return sum(self.both(on), [])

    def settle(self, what, audit=False):
        """Waits until both sides show the same, for a bounded time; what still differs then is a difference."""
        deadline, soon = time.time() + self.options.settle, time.time() + 25
        while True:
            late = self.behind() if not audit else []
            if not late or time.time() > soon:
                shots = self.settled_snapshots(audit)
                diffs = compare.differences("", *shots)
                if not self.report.open(diffs) or time.time() > deadline:
                    break
            time.sleep(0.5)
        for where, real, ours in diffs:
            place = re.match(r"\.?([^/]*/[^.]*(?:\.constraints\.gatekeeper\.sh)?)", where)
            self.report.add([(where.lstrip("."), real, ours)], {"while": what, "state": self.state_of(where)})
        self.served = sorted(set(compare.constraint_kinds(self.sides[0].plane)) & set(compare.constraint_kinds(self.sides[1].plane)))

    def state_of(self, where):
        found = {}
        for kind in self.kinds:
            if re.search(r"\b%s\b" % kind, where, re.I):
                found = {"template": self.templates.get(kind), "constraints": [c for k, c in self.constraints.items() if k.startswith(kind + "/")]}
        return found

    def review(self, path, text, content_type):
        answers = [side.post(path, text, content_type) for side in self.sides]
        diffs = compare.answer_difference(*answers)
        self.report.reviews += 1
        if diffs:
            named = {n for a in answers for n in re.findall(r"\[([^\]\s]+)\] ", json.dumps(a))}
            self.report.add(diffs, {"path": path, "request": text, "type": content_type, "config": self.others.get("config"),
                                    "constraints": [c for c in self.constraints.values() if c["metadata"]["name"] in named][:6],
                                    "templates": [self.templates.get(c["kind"]) for c in self.constraints.values() if c["metadata"]["name"] in named][:6]})
        else:
            self.report.compared += 1

    def post_reviews(self, count):
        before = [side.log_size() for side in self.sides]
        for _ in range(count):
            path, body, content_type = self.g.review(self.kinds, self.review_index)
            self.review_index += 1
            self.review(path, json.dumps(body), content_type)
        self.compare_logs(before, {"violation"}, None)

    def compare_logs(self, starts, kinds, ids):
        sets = []
        for i, side in enumerate(self.sides):
            time.sleep(0.1)
            lines = compare.log_lines(side.manager.log_path, starts[i], kinds, self.report.allowed.log_keys)
            sets.append({(event, text) for audit_id, event, text in lines if ids is None or audit_id == ids[i]})
        # Gatekeeper samples: of more than a hundred lines it may leave some out. None that it writes may lack here.
        missing = sorted(sets[0] - sets[1])
        extra = sorted(sets[1] - sets[0]) if len(sets[1]) <= 100 else []
        self.report.add([("log of " + m[0], m[1], "<absent>") for m in missing[:5]] + [("log of " + e[0], "<absent>", e[1]) for e in extra[:5]],
                        {"logs": sorted(kinds)})

    def audit(self, starts, moment):
        ids = self.both(lambda side: side.pass_after(moment, starts[self.sides.index(side)], self.options.audit_limit))
        self.report.passes += 1
        self.settle("audit", audit=True)
        self.compare_logs(starts, {"audit_started", "audit_finished", "violation_audited", "constraint_audited"}, ids)

    def watch_metrics(self):
        deadline = time.time() + 10
        while True:
            diffs = compare.differences("metrics", *self.both(lambda side: side.metrics()))
            if not self.report.open(diffs) or time.time() > deadline:
                break
            time.sleep(1)
        truth = compare.counts(compare.snapshot(self.sides[1].plane))
        for diff in diffs:
            sample = diff[0].rpartition("samples.")[2]
            if sample in truth and diff[2] == truth[sample]:  # the real one follows late; ours is what the statuses say
                diff = (diff[0] + " while ours is what the statuses say",) + diff[1:]
            self.report.add([diff], {"metrics": diff[0], "others": self.others, "templates": self.templates, "constraints": list(self.constraints)})

    def run(self):
        options = self.options
        self.start()
        self.begin()
        per_round = options.reviews // options.passes
        for number in range(options.passes):
            self.report.round = number
            synced = self.change() if number else True
            starts = [side.log_size() for side in self.sides]
            self.settle("statuses")
            time.sleep(8 if synced else 1)  # Gatekeeper lists synced kinds again a few seconds after a change
            moment = time.time()
            self.post_reviews(per_round)
            if number == 0:
                for odd in generate.ODD_REQUESTS:
                    self.review(*odd)
            self.audit(starts, moment)
            self.watch_metrics()
            if number % 5 == 0:
                self.report.add(compare.differences("printed", *self.both(lambda side: compare.printed(side.plane, self.served))), {"printed": self.served})
            say("world %d, round %d: %d reviews, %d passes, %d kinds of difference" % (
                self.report.world, number, self.report.reviews, self.report.passes, len(self.report.kinds)))

    def record(self, path):
        """The sample that `make test` replays against our code: inputs, and what the real one makes of them. What is a
        listed difference is no part of it; answers whose lines have no fixed order (ties) say so."""
        real = self.sides[0]
        lines = [{"namespace": self.objects[n]} for n in generate.NAMESPACES[1:]] + [{"namespace": self.g.namespace("default")}]
        lines[-1]["namespace"]["metadata"]["labels"] = {"kubernetes.io/metadata.name": "default"}
        self.send("update", lines[-1]["namespace"])
        lines.append({"namespace": {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "gatekeeper-system"}}})
        self.settle("statuses")
        time.sleep(8)
        for kind, template in sorted(self.templates.items()):
            stored = real.plane.request("GET", generate.path_of(template))[1]
            lines.append({"template": bare(stored), "errors": stored["status"]["byPod"][0].get("errors", [])})
        for key, constraint in sorted(self.constraints.items()):
            stored = real.plane.request("GET", generate.path_of(constraint))[1]
            lines.append({"constraint": bare(stored), "errors": stored["status"]["byPod"][0].get("errors", [])})
        lines.append({"config": self.others["config"]})
        requests = [(p, json.dumps(b, separators=(",", ":")), c) for p, b, c in (self.g.review(self.kinds, i) for i in range(self.options.reviews))]
        for path_of_review, text, content_type in generate.ODD_REQUESTS + requests:
            answers = [side.post(path_of_review, text, content_type) for side in self.sides]
            diffs = compare.answer_difference(*answers)
            tied = answers[0] != answers[1] and not diffs
            if tied and "schema validation failed" in json.dumps(answers[0]) or diffs and not self.report.open(diffs):
                continue
            lines.append(dict({"path": path_of_review, "type": content_type, "body": text, "answer": answers[0]}, **({"tied": True} if tied else {})))
        with open(path, "w") as f:
            for line in lines:
                f.write(json.dumps(line, ensure_ascii=False, separators=(",", ":")) + "\n")
        say("%d lines recorded in %s" % (len(lines), path))

    def stop(self):
        for side in self.sides:
            side.stop()


def bare(stored):
    meta = {k: v for k, v in stored["metadata"].items() if k in ("name", "labels", "annotations")}
    return dict({k: v for k, v in stored.items() if k != "status"}, metadata=meta)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ours", required=True)
    parser.add_argument("--real", required=True)
    parser.add_argument("--keep", default="build/differential/controller", help="folder for the inputs of cases that differ")
    for name, value, text in (("seed", 1, "first seed"), ("worlds", 4, "worlds, each with the next seed"), ("reviews", 5000, "reviews of a world"),
                              ("passes", 13, "audit passes of a world"), ("objects", 400, "objects of a world"), ("templates", 20, ""), ("constraints", 30, ""),
                              ("interval", 5, "seconds between audits"), ("audit-limit", 180, "longest wait for a pass"), ("settle", 90, "longest wait for equal statuses"),
                              ("show", 60, "kinds of difference that are printed")):
        parser.add_argument("--" + name, type=int, default=value, help=text)
    parser.add_argument("--record", help="write the sample that tests replay to this file, and stop")
    options = parser.parse_args()
    options.ours, options.real = os.path.abspath(options.ours), os.path.abspath(options.real)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # everything that was started is stopped
    began = time.time()
    report = Report(options)
    for number in range(options.worlds):
        report.world = number
        world = World(options, report, number)
        try:
            if options.record:
                world.start()
                world.begin()
                world.record(options.record)
                return
            world.run()
        finally:
            world.stop()
    for docs, count in sorted(report.allowed.used.items()):
        print("listed difference, %5d times: %s" % (count, docs))
    for signature, count in sorted(report.kinds.items(), key=lambda item: -item[1]):
        print("UNLISTED, %5d times: %s" % (count, " | ".join(signature)))
    print("controller differential, seeds %d-%d: %d reviews, %d audit passes, %d comparisons, %d kinds of unlisted difference, %d s" % (
        options.seed, options.seed + options.worlds - 1, report.reviews, report.passes, report.compared, len(report.kinds), time.time() - began))
    sys.exit(1 if report.kinds else 0)


if __name__ == "__main__":
    main()
