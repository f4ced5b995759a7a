#!/usr/bin/env python3
"""What the manager costs beside Gatekeeper's, on one API server, one after the other: `make bench-controller`.

usage: controller.py --ours bin/manager [--peer GATEKEEPERS-MANAGER] [--small] [--out FILE] [--only PART...]
       parts: requests, start, audit. --small takes a tenth of the audit and shorter loads, for a first look.

requests: CPU per admission request with 1, 30 and 200 constraints (wrk over TLS, 8 connections, the manager on core 0,
          wrk on core 1), memory idle and under that load.
start:    from the start of the process to /readyz 200, with 200 templates and their constraints in place; and once with
          30 templates whose CRDs are still to be made, split into what the API server took and what the manager did.
audit:    a pass over 10,000 pods with 30 constraints: wall time from the log, CPU and peak memory from /proc.
Every part compares the managers' answers or counts before it believes their cost. The real one needs minutes per audit.
"""
import argparse
import json
import os
import signal
import statistics
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import cluster  # noqa: E402
import policies  # noqa: E402
import run  # noqa: E402

OPERATIONS = ["webhook", "audit", "status", "generate"]
# What Portcullis is held to: (figure, target, better is). Ratios are Gatekeeper's figure by ours.
TARGETS = {"requests 1": ("ratio", 20), "requests 30": ("ratio", 150), "requests 200": ("ratio", 400),
           "memory idle": ("MB", 20), "memory under load": ("MB", 30), "start": ("s", 0.3),
           "audit wall": ("s", 2), "audit CPU": ("s", 1.5), "audit memory": ("MB", 64)}
say = run.say


class Bench:
    def __init__(self, args):
        self.args = args
        self.plane = cluster.ControlPlane()
        self.figures = {}  # figure -> {manager: value}
        self.notes = []

    def record(self, figure, name, value):
        self.figures.setdefault(figure, {})[name] = value
        say("%-22s %-10s %s" % (figure, name, "%.4g" % value))

    def manager(self, name, program, operations, interval=0, core=None):
        return cluster.Manager(name, program, self.plane, operations, core=core, extra=["--audit-interval=%d" % interval])

    def load(self, m, pairs):
        """All pairs are enforced by this manager: each constraint's status says so."""
        self.plane.load(pairs, wait=600)
        m.wait_ready()
        deadline = time.time() + 600
        for _, constraint in pairs:
            path = "/apis/constraints.gatekeeper.sh/v1beta1/%s/%s" % (constraint["kind"].lower(), constraint["metadata"]["name"])
            while True:
                status, answer = self.plane.request("GET", path)
                by_pod = answer.get("status", {}).get("byPod", []) if status == 200 else []
                if by_pod and all(p.get("enforced") for p in by_pod):
                    break
                if time.time() > deadline:
                    raise RuntimeError("%s does not enforce %s: %s" % (m.name, path, answer.get("status")))
                time.sleep(0.1)

    def pause(self, pairs):
        """The next manager must not find statuses that the last one wrote under the same pod name."""
        for plural in ("constraintpodstatuses", "constrainttemplatepodstatuses"):
            self.plane.request("DELETE", "/apis/status.gatekeeper.sh/v1beta1/namespaces/gatekeeper-system/" + plural)
        for template, constraint in pairs:
            for path in ("/apis/constraints.gatekeeper.sh/v1beta1/%s/%s" % (constraint["kind"].lower(), constraint["metadata"]["name"]),
                         "/apis/templates.gatekeeper.sh/v1/constrainttemplates/" + template["metadata"]["name"]):
                for _ in range(10):
                    status, answer = self.plane.request("GET", path)
                    if status != 200 or "status" not in answer:
                        break
                    answer["status"] = {}
                    if self.plane.request("PUT", path + "/status", answer)[0] == 200:
                        break

    # ---- parts ----

    def requests(self):
        pairs = policies.policies(200)
        answers, rows = {}, {}
        script = os.path.join(tempfile.mkdtemp(), "reviews.lua")
        with open(script, "w") as f:
            f.write(policies.wrk_script(20, "/v1/admit"))
        seconds, rounds = (4, 1) if self.args.small else (10, 3)
        loaded = 0
        for count in (1, 30, 200):
            for name, program in run.programs(self.args):
                self.pause(pairs[:loaded])
                m = self.manager(name, program, ["webhook", "status", "generate"], core=0)
                try:
                    m.wait_ready()
                    self.load(m, pairs[:count])
                    loaded = max(loaded, count)
                    time.sleep(3)
                    idle = m.rss_mb(), m.pss_mb()
                    answers.setdefault(count, {})[name] = [view(m.admit(policies.review(i))) for i in range(40)]
                    figures = [run.wrk(m, script, seconds, 8) for _ in range(rounds)]
                    row = {"cpu_us": statistics.median(f["cpu_us"] for f in figures), "p50": figures[-1]["p50"], "p99": figures[-1]["p99"],
                           "rps": statistics.median(f["requests"] / f["seconds"] for f in figures), "idle": idle, "load": (m.rss_mb(), m.pss_mb()), "peak": m.rss_mb("VmHWM")}
                    rows[count, name] = row
                    self.record("requests %d (us CPU)" % count, name, row["cpu_us"])
                    self.record("memory idle %d (MB)" % count, name, row["idle"][1])
                    self.record("memory under load %d (MB)" % count, name, row["load"][1])
                    self.notes.append("%d constraints, %s: %.0f requests/s, p50 %s, p99 %s; RSS idle %.1f, under load %.1f, peak %.1f MB; PSS %.1f, %.1f MB" % (
                        count, name, row["rps"], row["p50"], row["p99"], idle[0], row["load"][0], row["peak"], idle[1], row["load"][1]))
                finally:
                    m.stop()
            views = list(answers[count].values())
            if any(v != views[0] for v in views):
                raise RuntimeError("the managers answer differently with %d constraints: %s" % (count, views))

    def start(self):
        pairs = policies.policies(200)
        fresh = [(rename(t, "Fresh"), rename(c, "Fresh")) for t, c in policies.policies(30)]
        for name, program in run.programs(self.args):
            m = self.manager(name, program, OPERATIONS)
            try:
                self.load(m, pairs)  # CRDs are there afterwards, for both
            finally:
                m.stop()
            times = []
            for _ in range(1 if self.args.small else 5):
                m = self.manager(name, program, OPERATIONS)
                try:
                    times.append((m.wait_ready(step=0.01), m.cpu()))
                finally:
                    m.stop()
            self.record("start 200 templates (s)", name, statistics.median(t for t, _ in times))
            self.record("start 200 templates (s CPU)", name, statistics.median(c for _, c in times))
        for name, program in run.programs(self.args):
            self.fresh_start(name, program, fresh)

    def fresh_start(self, name, program, pairs):
        """Templates whose CRDs do not exist: when each CRD was made, when the API server served it, when the manager was done."""
        for template, _ in pairs:
            self.plane.request("DELETE", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/%s.constraints.gatekeeper.sh" % template["metadata"]["name"])
            self.plane.request("DELETE", "/apis/templates.gatekeeper.sh/v1/constrainttemplates/" + template["metadata"]["name"])
        wait_gone(self.plane, [t["metadata"]["name"] for t, _ in pairs])
        for template, _ in pairs:
            self.plane.create("/apis/templates.gatekeeper.sh/v1/constrainttemplates", template)
        api = cluster.cpu_of(self.plane.pid("apiserver"))
        m = self.manager(name, program, OPERATIONS)
        try:
            began, made, served, ready = time.time(), {}, {}, None
            while time.time() < began + 120 and (len(served) < len(pairs) or ready is None):
                status, answer = self.plane.request("GET", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions?labelSelector=gatekeeper.sh/constraint=yes")
                now = time.time() - began
                for crd in answer.get("items", []):
                    kind = crd["metadata"]["name"].split(".")[0]
                    if not kind.startswith("fresh"):
                        continue
                    made.setdefault(kind, now)
                    if any(c["type"] == "Established" and c["status"] == "True" for c in crd.get("status", {}).get("conditions", [])):
                        served.setdefault(kind, now)
                if ready is None and m.is_ready():
                    ready = time.time() - began
                time.sleep(0.02)
            if ready is None:
                raise RuntimeError("%s is not ready: %s" % (name, m.tail()))
            self.record("start 30 new templates (s)", name, ready)
            self.notes.append("30 new templates, %s: last CRD made after %.2f s, last one established after %.2f s, ready after %.2f s; CPU of the manager %.2f s, of the API server %.2f s" % (
                name, max(made.values(), default=0), max(served.values(), default=0), ready, m.cpu(), cluster.cpu_of(self.plane.pid("apiserver")) - api))
        finally:
            m.stop()

    def audit(self):
        pods = 1000 if self.args.small else 10000
        say("creating %d pods" % pods)
        for k in range(20):
            self.plane.create("/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "load-%d" % k}})
        for i in range(pods):
            namespace = "load-%d" % (i % 20)
            self.plane.create("/api/v1/namespaces/%s/pods" % namespace, policies.pod(i, namespace, privileged=i % 10 == 0))
        pairs, totals = policies.policies(30), {}
        for name, program in run.programs(self.args):
            if self.args.skip_peer_audit and name == "gatekeeper":
                continue
            m = self.manager(name, program, ["audit", "status", "generate"], interval=5)
            try:
                self.load(m, pairs)
                whole, passes = run.audit_marks(m)[0] + 1, []  # the first pass that began after everything was loaded
                deadline = time.time() + 900
                wanted = 1 if name == "gatekeeper" else 3
                while len(passes) < wanted and time.time() < deadline:
                    number = whole + len(passes)
                    cpu = mark = None
                    while time.time() < deadline:
                        time.sleep(0.01)
                        started, finished = run.audit_marks(m)
                        if started >= number and cpu is None:
                            cpu = m.cpu()
                        if finished >= number:
                            mark = run.audit_durations(m)[number - 1]
                            break
                    if mark is not None and cpu is not None:
                        passes.append((mark, m.cpu() - cpu))
                        say("%s pass: %.2f s wall, %.2f s CPU" % (name, *passes[-1]))
                if not passes:
                    raise RuntimeError("%s finished no pass: %s" % (name, m.tail()))
                self.record("audit wall (s)", name, statistics.median(w for w, _ in passes))
                self.record("audit CPU (s)", name, statistics.median(c for _, c in passes))
                self.record("audit memory (MB)", name, m.rss_mb("VmHWM"))
                time.sleep(3)
                totals[name] = [self.plane.request("GET", "/apis/constraints.gatekeeper.sh/v1beta1/%s/%s" % (c["kind"].lower(), c["metadata"]["name"]))[1].get("status", {}).get("totalViolations")
                                for _, c in pairs]
            finally:
                m.stop()
        views = list(totals.values())
        if any(v != views[0] for v in views):
            raise RuntimeError("the audits disagree: %s" % totals)
        self.notes.append("audit of %d pods x 30 constraints: %s violations in both" % (pods, sum(n or 0 for n in views[0])))

    def table(self):
        lines = ["| figure | Portcullis | Gatekeeper | ratio | target |", "|---|---|---|---|---|"]
        for figure, row in self.figures.items():
            ours, peer = row.get("portcullis"), row.get("gatekeeper")
            kind, target = next((t for key, t in TARGETS.items() if figure.startswith(key)), (None, None))
            if figure.startswith("start 200 templates (s CPU)") or figure.startswith("start 30"):
                target = None
            ratio = peer / ours if peer and ours else None
            verdict = ""
            if target is not None:
                value = ratio if kind == "ratio" else ours
                met = value is not None and (value >= target if kind == "ratio" else value <= target)
                verdict = "%s%s: %s" % ("%gx less" % target if kind == "ratio" else "%g %s" % (target, kind), "", "met" if met else "not met" if value is not None else "not measured")
            lines.append("| %s | %s | %s | %s | %s |" % (figure, number(ours), number(peer), "%.1fx" % ratio if ratio else "", verdict))
        return "\n".join(lines + [""] + ["* " + n for n in self.notes])


def number(value):
    return "" if value is None else "%.2f" % value if value < 100 else "%.0f" % value


def view(answer):
    return answer["allowed"], sorted(answer.get("status", {}).get("message", "").split("\n"))


def rename(obj, prefix):
    return json.loads(json.dumps(obj).replace('"Load', '"' + prefix).replace('"load', '"' + prefix.lower()))


def wait_gone(plane, names):
    deadline = time.time() + 120
    while time.time() < deadline:
        status, answer = plane.request("GET", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions?labelSelector=gatekeeper.sh/constraint=yes")
        if not any(c["metadata"]["name"].split(".")[0] in names for c in answer.get("items", [])):
            return
        time.sleep(0.2)
    raise RuntimeError("old CRDs do not go away")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ours", required=True)
    parser.add_argument("--peer")
    parser.add_argument("--small", action="store_true")
    parser.add_argument("--skip-peer-audit", action="store_true", help="do not wait for the audits of the peer")
    parser.add_argument("--only", nargs="*", choices=["requests", "start", "audit"], default=["requests", "start", "audit"])
    parser.add_argument("--out")
    args = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # everything that was started is stopped
    began = time.time()
    bench = Bench(args)
    try:
        bench.plane.prepare()
        for part in args.only:
            say("== " + part)
            getattr(bench, part)()
    finally:
        bench.plane.stop()
    text = bench.table() + "\n* measured in %d s" % (time.time() - began)
    print(text)
    if args.out:
        with open(args.out, "w") as f:
            f.write(text + "\n")


if __name__ == "__main__":
    main()
