#!/usr/bin/env python3
"""The webhook and the audit under load, ours beside Gatekeeper in the same run.

usage: run.py webhook|audit --ours bin/manager [--peer GATEKEEPER] [--constraints 30] [--pods 2000] [--rounds 3] [--out FILE]

webhook: wrk (TLS keep-alive, 8 connections) posts AdmissionReviews; CPU per request is read from /proc, the manager on
         core 0, wrk on core 1, the two managers in turn, `rounds` times; medians.
audit:   pods in a real API server, one manager at a time; wall time from the log, CPU and memory from /proc.
Load goes to loopback only and is bounded in time.
"""
import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import cluster  # noqa: E402
import policies  # noqa: E402


def say(text):
    print(text, file=sys.stderr, flush=True)


def wrk(manager, script, seconds, connections):
    before, start = manager.cpu(), time.time()
    out = subprocess.run(["taskset", "-c", "1", "wrk", "-t1", "-c%d" % connections, "-d%ds" % seconds, "--latency", "--timeout", "20s",
                          "-s", script, "https://127.0.0.1:%d/v1/admit" % manager.port], text=True, capture_output=True, check=True).stdout
    cpu = manager.cpu() - before
    requests = int(re.search(r"(\d+) requests in", out).group(1))
    bad = re.search(r"Non-2xx or 3xx responses: (\d+)", out)
    if bad or requests == 0:
        raise RuntimeError("wrk saw failures:\n" + out)
    latency = {p: v for p, v in re.findall(r"(50|99)%\s+([0-9.]+[a-z]+)", out)}
    return {"requests": requests, "seconds": time.time() - start, "cpu_us": cpu / requests * 1e6, "p50": latency.get("50"), "p99": latency.get("99")}


def same_answers(managers, count):
    """The managers must agree before their cost is worth comparing."""
    for i in range(count):
        answers = [m.admit(policies.review(i)) for m in managers]
        views = [(a["allowed"], sorted(a.get("status", {}).get("message", "").split("\n"))) for a in answers]
        if any(v != views[0] for v in views):
            raise RuntimeError("review %d: answers differ: %s" % (i, views))


def webhook(args, plane):
    pairs = policies.policies(args.constraints)
    managers = []
    planes = []
    report = {}
    try:
        for name, program in programs(args):
            if managers:  # a control plane each: two managers of one name would take turns at the same status objects
                plane = cluster.ControlPlane()
                planes.append(plane)
                plane.prepare()
            m = cluster.Manager(name, program, plane, ["webhook", "status", "generate"], core=0)
            managers.append(m)
            m.check_alive()
            say("%s: loading %d templates and constraints" % (name, len(pairs)))
            plane.load(pairs)
            say("%s ready after %.2f s" % (name, m.wait_ready()))
        wait_for_constraints(managers, pairs)
        same_answers(managers, 40)
        script = os.path.join(tempfile.mkdtemp(), "reviews.lua")
        with open(script, "w") as f:
            f.write(policies.wrk_script(20, "/v1/admit"))
        rows = {m.name: [] for m in managers}
        for round_number in range(args.rounds):
            for m in managers:
                row = wrk(m, script, args.seconds, args.connections)
                row["rss_mb"] = m.rss_mb()
                rows[m.name].append(row)
                say("round %d %-10s %8d requests, %8.1f us CPU each, p50 %s p99 %s, %.0f MB" % (
                    round_number, m.name, row["requests"], row["cpu_us"], row["p50"], row["p99"], row["rss_mb"]))
        for name, list_ in rows.items():
            report[name] = {"cpu_us": statistics.median(r["cpu_us"] for r in list_), "rss_mb": max(r["rss_mb"] for r in list_),
                            "rps": statistics.median(r["requests"] / r["seconds"] for r in list_), "p50": list_[-1]["p50"], "p99": list_[-1]["p99"]}
    finally:
        for m in managers:
            m.stop()
        for extra in planes:
            extra.stop()
    return report


def wait_for_constraints(managers, pairs):
    """Every manager denies a pod that breaks the first constraint: all is loaded (bounded wait)."""
    deadline = time.time() + 60
    for m in managers:
        while True:
            answer = m.admit(policies.review(3))
            if not answer["allowed"]:
                break
            if time.time() > deadline:
                raise RuntimeError("%s never denied: %s" % (m.name, answer))
            time.sleep(0.2)


def audit(args, plane):
    pairs = policies.policies(args.constraints)
    say("creating %d pods" % args.pods)
    for k in range(20):
        plane.create("/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "load-%d" % k}})
    for i in range(args.pods):
        namespace = "load-%d" % (i % 20)
        plane.create("/api/v1/namespaces/%s/pods" % namespace, policies.pod(i, namespace, privileged=i % 10 == 0))
    report = {}
    for name, program in programs(args):
        m = cluster.Manager(name, program, plane, ["audit", "status", "generate"], extra=["--audit-interval=10"])
        try:
            plane.load(pairs)
            m.wait_ready()
            before = m.rss_mb()
            passes = []
            cpu_at_start = None
            deadline = time.time() + 60 * (args.rounds + 1) + 120
            while len(passes) < args.rounds + 1 and time.time() < deadline:  # the first pass may see half the constraints
                time.sleep(0.05)
                started, finished = audit_marks(m)
                if started > len(passes) and cpu_at_start is None:
                    cpu_at_start = m.cpu()
                if finished > len(passes) and cpu_at_start is not None:
                    passes.append({"wall": audit_durations(m)[len(passes)], "cpu": m.cpu() - cpu_at_start})
                    say("%s pass: %.2f s wall, %.2f s CPU" % (name, passes[-1]["wall"], passes[-1]["cpu"]))
                    cpu_at_start = None
            measured = passes[1:]
            if not measured:
                raise RuntimeError("%s finished no pass: %s" % (name, m.tail()))
            totals = sorted((c["metadata"]["name"], c.get("status", {}).get("totalViolations")) for _, p in enumerate(pairs)
                            for c in [plane.request("GET", "/apis/constraints.gatekeeper.sh/v1beta1/%s/%s" % (p[1]["kind"].lower(), p[1]["metadata"]["name"]))[1]])
            report[name] = {"wall_s": statistics.median(p["wall"] for p in measured), "cpu_s": statistics.median(p["cpu"] for p in measured),
                            "rss_before_mb": before, "rss_peak_mb": m.rss_mb("VmHWM"), "totals": totals}
        finally:
            m.stop()
    views = [r.pop("totals") for r in report.values()]
    if any(v != views[0] for v in views):
        raise RuntimeError("the audits disagree: %s" % views)
    say("both audits found %s violations" % sum(n or 0 for _, n in views[0]))
    return report


def log_lines(m):
    with open(m.log_path, errors="replace") as f:
        for line in f:
            if '"event_type":"audit_' in line.replace(" ", ""):
                try:
                    yield json.loads(line)
                except ValueError:
                    pass


def audit_marks(m):
    kinds = [e.get("event_type") for e in log_lines(m)]
    return kinds.count("audit_started"), kinds.count("audit_finished")


def audit_durations(m):
    marks = {}
    for e in log_lines(m):
        marks.setdefault(e.get("audit_id"), {})[e.get("event_type")] = e.get("ts")
    return [v["audit_finished"] - v["audit_started"] for v in marks.values() if "audit_finished" in v and "audit_started" in v]


def programs(args):
    return [("portcullis", args.ours)] * bool(args.ours) + [("gatekeeper", args.peer)] * bool(args.peer)


def table(kind, report, args):
    keys = list(next(iter(report.values())))
    lines = ["| %s, %d constraints | %s |" % (kind, args.constraints, " | ".join(keys)), "|---|%s|" % "|".join("---" for _ in keys)]
    for name, row in report.items():
        lines.append("| %s | %s |" % (name, " | ".join("%.2f" % v if isinstance(v, float) else str(v) for v in row.values())))
    if len(report) == 2:
        ours, peer = report["portcullis"], report["gatekeeper"]
        lines.append("| ratio (Gatekeeper / ours) | %s |" % " | ".join(
            "%.1fx" % (peer[k] / ours[k]) if isinstance(peer[k], float) and ours[k] else "" for k in keys))
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kind", choices=["webhook", "audit"])
    parser.add_argument("--ours")
    parser.add_argument("--peer")
    parser.add_argument("--constraints", type=int, default=30)
    parser.add_argument("--pods", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=8)
    parser.add_argument("--connections", type=int, default=8)
    parser.add_argument("--out")
    args = parser.parse_args()
    if not args.ours and not args.peer:
        parser.error("nothing to measure: give --ours, --peer or both")
    plane = cluster.ControlPlane()
    try:
        plane.prepare()
        report = (webhook if args.kind == "webhook" else audit)(args, plane)
    finally:
        plane.stop()
    text = table(args.kind, report, args)
    print(text)
    if args.out:
        with open(args.out, "w") as f:
            f.write(text + "\n")


if __name__ == "__main__":
    main()
