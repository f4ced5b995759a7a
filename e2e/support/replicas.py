#!/usr/bin/env python3
"""Two replicas of the manager behind a small balancer, under load through the API server, while things happen to them.

usage: replicas.py RUN KUBECTL PORT PHASE=COUNT... -- MANAGER COMMAND...
RUN holds kubeconfig and manager.kubeconfig; PORT is where the webhook's Service points: the balancer listens there.
Phases: restarts=N      one replica after the other is ended by SIGTERM and replaced
        certificates=N  the Secret is deleted, emptied, damaged, rotated to another authority, the registration re-applied
        applies=N       a template and its constraint in one apply, in either order, until every replica enforces it
        replaced=N      the registration is replaced by one without caBundle: how long until it is back
The balancer is what a Service is: new connections go to ready replicas, and to one that is ending for a moment longer
(LAG); what is connected stays. Fails (exit 1) when a request was wrongly admitted, refused for want of a webhook, a TLS
connection failed, or a replica did not enforce within 2 s what the API server had taken. Prints progress and figures; FIGURES=file gets them as well.
"""
import asyncio
import base64
import http.client
import json
import os
import random
import re
import signal
import socket
import ssl
import statistics
import subprocess
import sys
import threading
import time
import urllib.request

LAG = 0.2          # seconds that a Service goes on sending to a pod that has been told to end
SYSTEM = "gatekeeper-system"
SECRET = f"/api/v1/namespaces/{SYSTEM}/secrets/gatekeeper-webhook-server-cert"
HOOKS = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/gatekeeper-validating-webhook-configuration"
SERVER_NAME = f"gatekeeper-webhook-service.{SYSTEM}.svc"
NAMESPACE = os.environ.get("LOAD_NAMESPACE", "e2e-replicas")
PAUSE = float(os.environ.get("LOAD_PAUSE", "0.02"))  # between the requests of one loader

run, kubectl, port = os.path.abspath(sys.argv[1]), sys.argv[2], int(sys.argv[3])
split = sys.argv.index("--")
phases = [(name, int(count)) for name, count in (word.split("=") for word in sys.argv[4:split])]
manager = sys.argv[split + 1:]
began = time.monotonic()
problems = []


def say(text):
    line = f"{time.monotonic() - began:7.1f} s  {text}"
    print(line, flush=True)
    if os.environ.get("FIGURES"):
        with open(os.environ["FIGURES"], "a", encoding="utf-8") as out:
            out.write(line + "\n")


class Api:
    """One keep-alive connection to the API server; not shared between threads."""

    def __init__(self):
        with open(f"{run}/kubeconfig", encoding="utf-8") as text:
            content = text.read()
        pick = lambda pattern: re.search(pattern, content).group(1)
        self.server = pick(r"server: \"?https://([^\",}\s]+)")
        authority = base64.b64decode(pick(r"certificate-authority-data: ([^\s,}]+)")).decode()
        self.token = pick(r"token: ([^\s}]+)")
        self.context = ssl.create_default_context(cadata=authority)
        self.connection = None

    def call(self, method, path, body=None, content_type="application/json"):
        for attempt in (1, 2):
            try:
                if self.connection is None:
                    self.connection = http.client.HTTPSConnection(self.server, timeout=30, context=self.context)
                self.connection.request(method, path, None if body is None else json.dumps(body),
                                        {"Authorization": f"Bearer {self.token}", "Content-Type": content_type})
                response = self.connection.getresponse()
                text = response.read()
                return response.status, json.loads(text) if text.startswith(b"{") else {"message": text.decode(errors="replace")}
            except (OSError, http.client.HTTPException):
                self.connection = None
                if attempt == 2:
                    raise
        raise AssertionError


def wait_for(what, seconds, condition, pause=0.02):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(f"not within {seconds} s: {what}")
        time.sleep(pause)


# ---- the balancer ----
class Balancer(threading.Thread):
    def __init__(self):
        super().__init__(daemon=True)
        self.backends = []
        self.loop = asyncio.new_event_loop()
        self.up = threading.Event()
        self.refused = 0

    async def pump(self, reader, writer):
        try:
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
            if writer.can_write_eof():
                writer.write_eof()
        except OSError:
            writer.close()

    async def serve(self, reader, writer):
        try:
            if not self.backends:
                raise OSError("no replica")
            backend = await asyncio.open_connection("127.0.0.1", random.choice(self.backends))
        except OSError:
            self.refused += 1
            writer.transport.abort()
            return
        await asyncio.gather(self.pump(reader, backend[1]), self.pump(backend[0], writer))
        backend[1].close()
        writer.close()

    def run(self):
        asyncio.set_event_loop(self.loop)
        self.loop.run_until_complete(asyncio.start_server(self.serve, "127.0.0.1", port))
        self.up.set()
        self.loop.run_forever()


# ---- the replicas ----
class Replica:
    number = 0

    def __init__(self, api):
        Replica.number += 1
        self.name = f"replica-{Replica.number}"
        with socket.socket() as a, socket.socket() as b, socket.socket() as c:
            for one in (a, b, c):
                one.bind(("127.0.0.1", 0))
            self.port, self.health, self.metrics = (one.getsockname()[1] for one in (a, b, c))
        status, answer = api.call("POST", f"/api/v1/namespaces/{SYSTEM}/pods", {
            "apiVersion": "v1", "kind": "Pod", "metadata": {"name": self.name},
            "spec": {"securityContext": {"runAsNonRoot": True, "runAsUser": 1000, "seccompProfile": {"type": "RuntimeDefault"}},
                     "containers": [{"name": "manager", "image": "portcullis:e2e", "securityContext": {
                         "allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}}]}})
        if status != 201:
            raise RuntimeError(f"cannot create the pod {self.name}: {answer.get('message')}")
        environment = dict(os.environ, KUBECONFIG=f"{run}/manager.kubeconfig", POD_NAME=self.name, POD_NAMESPACE=SYSTEM,
                           NAMESPACE=SYSTEM, CONTAINER_NAME="manager")
        self.log = f"{run}/{self.name}.log"
        self.began = time.monotonic()
        self.ready_after = None
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                manager + [f"--port={self.port}", "--host=127.0.0.1", f"--cert-dir={run}/certs",
                           f"--health-addr=127.0.0.1:{self.health}", f"--prometheus-port={self.metrics}",
                           "--shutdown-delay=1", f"--exempt-namespace={SYSTEM}", "--operation=webhook",
                           "--operation=status", "--operation=generate"],
                env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)

    def ready(self):
        if self.process.poll() is not None:
            raise RuntimeError(f"{self.name} ended by itself, exit code {self.process.returncode}: {self.log}")
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.health}/readyz", timeout=5) as answer:
                good = answer.status == 200
        except OSError:
            return False
        if good and self.ready_after is None:
            self.ready_after = time.monotonic() - self.began
        return good

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


class Fleet:
    def __init__(self, api, balancer):
        self.api, self.balancer = api, balancer
        self.replicas, self.ending, self.start_times = [], [], []

    def add(self):
        replica = Replica(self.api)
        self.replicas.append(replica)
        return replica

    def join(self, replica):
        wait_for(f"{replica.name} is ready", 60, replica.ready)
        self.start_times.append(replica.ready_after)
        self.balancer.backends = [*self.balancer.backends, replica.port]

    def end(self, replica):
        """As a Service sees it: told to end, and for a moment longer still asked."""
        self.replicas.remove(replica)
        replica.process.send_signal(signal.SIGTERM)
        time.sleep(LAG)
        self.balancer.backends = [p for p in self.balancer.backends if p != replica.port]
        self.ending.append((replica, time.monotonic() + 20))

    def reap(self, all_of_them=False):
        left = []
        for replica, deadline in self.ending:
            if all_of_them or len(self.ending) > 6:
                try:
                    replica.process.wait(max(0.1, deadline - time.monotonic()))
                except subprocess.TimeoutExpired:
                    pass
            code = replica.process.poll()
            if code is None and time.monotonic() < deadline:
                left.append((replica, deadline))
                continue
            if code != 0:
                problems.append(f"{replica.name} ended with {code}: {replica.log}")
            else:
                os.unlink(replica.log)
            replica.kill()
            self.api.call("DELETE", f"/api/v1/namespaces/{SYSTEM}/pods/{replica.name}?gracePeriodSeconds=0")
        self.ending = left

    def kill(self):
        for replica in [*self.replicas, *(r for r, _ in self.ending)]:
            replica.kill()


# ---- the load ----
class Loader(threading.Thread):
    """Creates pods (dry run), one after the other: with `team` they are to be admitted, without to be denied."""

    def __init__(self, good):
        super().__init__(daemon=True)
        self.good, self.stop = good, False
        self.counts = {"admitted": 0, "denied": 0, "failed": 0}
        self.samples, self.slowest = [], 0.0

    def run(self):
        api, number = Api(), 0
        while not self.stop:
            number += 1
            pod = {"apiVersion": "v1", "kind": "Pod",
                   "metadata": {"name": f"load-{number}", "labels": {"team": "a"} if self.good else {}},
                   "spec": {"containers": [{"name": "main", "image": "example/app:1"}]}}
            at = time.monotonic()
            status, answer = api.call("POST", f"/api/v1/namespaces/{NAMESPACE}/pods?dryRun=All", pod)
            self.slowest = max(self.slowest, time.monotonic() - at)
            message = answer.get("message", "")
            kind = "admitted" if status in (200, 201) else "denied" if "[replicas-team]" in message else "failed"
            self.counts[kind] += 1
            if kind == "failed" and len(self.samples) < 5:
                self.samples.append(f"{time.monotonic() - began:.1f} s: {message}")
            time.sleep(PAUSE)


class Prober(threading.Thread):
    """New TLS connections to every replica, trusting what the registration says to trust at that time."""

    def __init__(self, fleet):
        super().__init__(daemon=True)
        self.fleet, self.stop = fleet, False
        self.good, self.samples, self.failed, self.late = 0, [], 0, 0

    def run(self):
        api = Api()
        while not self.stop:
            read_at = time.monotonic()
            _, hooks = api.call("GET", HOOKS)
            bundle = base64.b64decode(hooks["webhooks"][0]["clientConfig"].get("caBundle", "")).decode()
            for replica in list(self.fleet.replicas):
                if replica.port not in self.fleet.balancer.backends:
                    continue
                try:
                    context = ssl.create_default_context(cadata=bundle)
                    with socket.create_connection(("127.0.0.1", replica.port), timeout=10) as raw:
                        with context.wrap_socket(raw, server_hostname=SERVER_NAME):
                            self.good += 1
                except (OSError, ssl.SSLError, ValueError) as error:
                    if time.monotonic() - read_at > 2:
                        self.late += 1  # this process was not given the processor: what it knew is too old
                    elif replica in self.fleet.replicas:
                        self.failed += 1
                        if len(self.samples) < 5:
                            self.samples.append(f"{time.monotonic() - began:.1f} s, {replica.name}: {error}")
            time.sleep(0.05)


# ---- what happens ----
def restarts(fleet, count):
    times, peers = [], []
    for done in range(1, count + 1):
        at = time.monotonic()
        victim = fleet.replicas[0]
        fleet.end(victim)
        fleet.join(fleet.add())
        fleet.reap()
        times.append(time.monotonic() - at)
        peers.append(len(fleet.balancer.backends))
        if done % max(10, count // 20) == 0:
            say(f"{done} of {count} restarts, {loads_text()}")
    fleet.reap(all_of_them=True)
    say(f"figure: {count} restarts of one of two replicas, {sum(times):.0f} s; start to ready: median "
        f"{statistics.median(fleet.start_times):.2f} s, longest {max(fleet.start_times):.2f} s; {loads_text()}")


def make_sets(count):
    folder, sets = f"{run}/sets", []
    os.makedirs(folder, exist_ok=True)
    for i in range(count):
        base = f"{folder}/{i}"
        with open(f"{base}.ext", "w", encoding="utf-8") as ext:
            ext.write(f"subjectAltName=DNS:{SERVER_NAME}\nextendedKeyUsage=serverAuth\nkeyUsage=digitalSignature,keyEncipherment\n")
        quiet = {"check": True, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", f"{base}.ca.key", "-out",
                        f"{base}.ca.crt", "-days", "3650", "-subj", "/O=gatekeeper/CN=gatekeeper-ca"], **quiet)
        subprocess.run(["openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", f"{base}.key", "-out", f"{base}.csr",
                        "-subj", f"/CN={SERVER_NAME}"], **quiet)
        subprocess.run(["openssl", "x509", "-req", "-in", f"{base}.csr", "-CA", f"{base}.ca.crt", "-CAkey", f"{base}.ca.key",
                        "-CAcreateserial", "-days", "365", "-out", f"{base}.crt", "-extfile", f"{base}.ext"], **quiet)
        entry = lambda name: base64.b64encode(open(f"{base}.{name}", "rb").read()).decode()
        sets.append({"ca.crt": entry("ca.crt"), "ca.key": entry("ca.key"), "tls.crt": entry("crt"), "tls.key": entry("key")})
    return sets


def served_by_all(fleet, certificate):
    wanted = ssl.PEM_cert_to_DER_cert(base64.b64decode(certificate).decode())
    for replica in fleet.replicas:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        with socket.create_connection(("127.0.0.1", replica.port), timeout=10) as raw:
            with context.wrap_socket(raw, server_hostname=SERVER_NAME) as connection:
                if connection.getpeercert(binary_form=True) != wanted:
                    return False
    return True


def certificates(fleet, count):
    api, sets, chosen = fleet.api, make_sets(6), random.Random(7)
    done = {"deleted": 0, "emptied": 0, "damaged": 0, "rotated": 0, "re-applied": 0, "replica replaced": 0}
    complete = lambda: (lambda answer: answer[0] == 200 and len(answer[1].get("data", {}).get("tls.crt", "")) > 100)(api.call("GET", SECRET))
    secret = lambda data: {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": SECRET.rsplit("/", 1)[1]}, "data": data}
    manifest = subprocess.run([f"{os.path.dirname(os.path.abspath(__file__))}/webhook_objects.py", str(port), "Fail"],
                              check=True, capture_output=True, text=True).stdout
    with open(f"{run}/registration.yaml", "w", encoding="utf-8") as out:
        out.write(manifest)
    for number in range(1, count + 1):
        what = chosen.choices(["deleted", "emptied", "damaged", "rotated", "re-applied"], [30, 20, 15, 15, 20])[0]
        done[what] += 1
        if what == "deleted":
            api.call("DELETE", SECRET)
        elif what == "emptied":
            api.call("PUT", SECRET, secret({}))
        elif what == "damaged":
            api.call("PATCH", SECRET, {"data": {chosen.choice(["ca.crt", "ca.key", "tls.crt", "tls.key"]): "YnJva2Vu"}},
                     "application/merge-patch+json")
        elif what == "re-applied":
            subprocess.run([kubectl, "--kubeconfig", f"{run}/kubeconfig", "apply", "-f", f"{run}/registration.yaml"],
                           check=True, stdout=subprocess.DEVNULL)
        else:
            new = sets[done["rotated"] % len(sets)]
            api.call("PUT", SECRET, secret(new))
            if done["rotated"] % 3 != 0:  # else the next change comes in the middle of this one
                wait_for("every replica serves the new certificate", 30, lambda: served_by_all(fleet, new["tls.crt"]), 0.1)
        if what != "rotated":
            wait_for("the Secret is whole again", 30, lambda: complete() and whole(api), 0.02)
        if number % 25 == 0:
            done["replica replaced"] += 1
            fleet.join(fleet.add())
            fleet.end(fleet.replicas[0])
            fleet.reap()
        if number % max(10, count // 20) == 0:
            say(f"{number} of {count} certificate changes {done}, {loads_text()}")
    fleet.reap(all_of_them=True)
    _, hooks = api.call("GET", HOOKS)
    bundle = base64.b64decode(hooks["webhooks"][0]["clientConfig"]["caBundle"]).decode()
    say(f"figure: {count} certificate changes: {done}; caBundle holds {bundle.count('BEGIN CERTIFICATE')} authorities; {loads_text()}")


def whole(api):
    """Authority, certificate and keys of the Secret decode to PEM."""
    _, answer = api.call("GET", SECRET)
    data = answer.get("data", {})
    return all(base64.b64decode(data.get(key, "")).startswith(b"-----BEGIN") for key in ("ca.crt", "ca.key", "tls.crt", "tls.key"))


def template(kind):
    return {"apiVersion": "templates.gatekeeper.sh/v1", "kind": "ConstraintTemplate", "metadata": {"name": kind.lower()},
            "spec": {"crd": {"spec": {"names": {"kind": kind}}}, "targets": [{"target": "admission.k8s.gatekeeper.sh", "rego":
                     "package t\nviolation[{\"msg\": msg}] {\n  not input.review.object.metadata.labels.team\n  msg := \"no team\"\n}\n"}]}}


def constraint(kind, name, namespace):
    return {"apiVersion": "constraints.gatekeeper.sh/v1beta1", "kind": kind, "metadata": {"name": name},
            "spec": {"match": {"kinds": [{"apiGroups": [""], "kinds": ["Pod"]}], "namespaces": [namespace]}}}


def post_constraint(api, kind, name, namespace):
    status, _ = api.call("POST", f"/apis/constraints.gatekeeper.sh/v1beta1/{kind.lower()}", constraint(kind, name, namespace))
    return status in (200, 201, 409)


def ask(replica, bundle, namespace):
    """What this replica itself answers about a pod without labels."""
    review = {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": {
        "uid": "probe", "kind": {"group": "", "version": "v1", "kind": "Pod"},
        "resource": {"group": "", "version": "v1", "resource": "pods"}, "operation": "CREATE", "namespace": namespace,
        "name": "probe", "userInfo": {"username": "admin"},
        "object": {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "probe", "namespace": namespace}}}}
    context = ssl.create_default_context(cadata=bundle)
    connection = http.client.HTTPSConnection("127.0.0.1", replica.port, timeout=10)
    raw = socket.create_connection(("127.0.0.1", replica.port), timeout=10)
    connection.sock = context.wrap_socket(raw, server_hostname=SERVER_NAME)
    connection.request("POST", "/v1/admit", json.dumps(review), {"Content-Type": "application/json"})
    answer = json.loads(connection.getresponse().read())
    connection.close()
    return answer["response"].get("status", {}).get("message", "")


def applies(fleet, count):
    api, accepted_to, first_to = fleet.api, [], []
    _, hooks = api.call("GET", HOOKS)
    bundle = base64.b64decode(hooks["webhooks"][0]["clientConfig"]["caBundle"]).decode()
    for number in range(1, count + 1):
        kind, name = f"E2eApply{number}", f"apply-{number}"
        at = time.monotonic()
        if number % 2 == 0:  # the constraint comes first in the file: refused, as its kind is not known yet
            post_constraint(api, kind, name, NAMESPACE)
        status, answer = api.call("POST", "/apis/templates.gatekeeper.sh/v1/constrainttemplates", template(kind))
        if status != 201:
            raise RuntimeError(f"template: {answer.get('message')}")
        wait_for("the constraint is taken", 30, lambda: post_constraint(api, kind, name, NAMESPACE), 0.01)
        accepted = time.monotonic()
        for replica in fleet.replicas:
            wait_for(f"{replica.name} enforces {name}", 30, lambda: f"[{name}]" in ask(replica, bundle, NAMESPACE), 0.005)
        accepted_to.append(time.monotonic() - accepted)
        first_to.append(time.monotonic() - at)
        api.call("DELETE", f"/apis/templates.gatekeeper.sh/v1/constrainttemplates/{kind.lower()}")
        if number % max(10, count // 10) == 0:
            say(f"{number} of {count} applies, {loads_text()}")
    say(f"figure: {count} applies of a template and its constraint, in either order: enforced on all replicas after the first "
        f"apply began: median {statistics.median(first_to):.2f} s, longest {max(first_to):.2f} s; after the API server took "
        f"the constraint: median {statistics.median(accepted_to):.3f} s, longest {max(accepted_to):.3f} s")
    if max(accepted_to) > 2:
        problems.append(f"what the API server took was not enforced everywhere within 2 s: {max(accepted_to):.2f} s")


def replaced(fleet, count):
    """A window that no controller can close: the API server itself takes the caBundle away. Requests are refused, not let in."""
    api, windows = fleet.api, []
    for loader in loaders:
        loader.stop = True
    prober.stop = True
    for _ in range(count):
        _, hooks = api.call("GET", HOOKS)
        for hook in hooks["webhooks"]:
            hook["clientConfig"].pop("caBundle", None)
        api.call("PUT", HOOKS, hooks)
        at = time.monotonic()
        wait_for("the caBundle is back", 30, lambda: all(
            h["clientConfig"].get("caBundle") for h in api.call("GET", HOOKS)[1]["webhooks"]), 0.001)
        windows.append(time.monotonic() - at)
    say(f"figure: {count} registrations replaced by one without caBundle: back after median "
        f"{statistics.median(windows) * 1000:.0f} ms, longest {max(windows) * 1000:.0f} ms")


def loads_text():
    good = [l for l in loaders if l.good]
    bad = [l for l in loaders if not l.good]
    total = lambda some, kind: sum(l.counts[kind] for l in some)
    return (f"to deny: {total(bad, 'denied')} denied, {total(bad, 'admitted')} admitted, {total(bad, 'failed')} failed; to admit: "
            f"{total(good, 'admitted')} admitted, {total(good, 'denied')} denied, {total(good, 'failed')} failed; TLS: "
            f"{prober.good} good, {prober.failed} failed; slowest answer {max(l.slowest for l in loaders):.2f} s")


api = Api()
balancer = Balancer()
balancer.start()
balancer.up.wait()
fleet = Fleet(api, balancer)
loaders = [Loader(False), Loader(False), Loader(True)]
prober = Prober(fleet)
signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
try:
    for replica in [fleet.add(), fleet.add()]:
        fleet.join(replica)
    if api.call("POST", "/apis/templates.gatekeeper.sh/v1/constrainttemplates", template("E2eReplicas"))[0] not in (201, 409):
        raise RuntimeError("the template was not taken")
    wait_for("the constraint is taken", 30, lambda: post_constraint(api, "E2eReplicas", "replicas-team", NAMESPACE))
    bundle = lambda: base64.b64decode(api.call("GET", HOOKS)[1]["webhooks"][0]["clientConfig"]["caBundle"]).decode()
    for replica in fleet.replicas:
        wait_for("enforced everywhere", 30, lambda: "[replicas-team]" in ask(replica, bundle(), NAMESPACE))
    time.sleep(1)  # and the API server has heard of the webhook
    for thread in (*loaders, prober):
        thread.start()
    for name, count in phases:
        if count > 0:
            {"restarts": restarts, "certificates": certificates, "applies": applies, "replaced": replaced}[name](fleet, count)
    for thread in (*loaders, prober):
        thread.stop = True
    for thread in (*loaders, prober):
        thread.join(30)
    for loader in loaders:
        wrong = loader.counts["denied" if loader.good else "admitted"]
        if wrong:
            problems.append(f"{wrong} requests wrongly {'denied' if loader.good else 'admitted'}")
        if loader.counts["failed"]:
            problems.append(f"{loader.counts['failed']} requests refused for want of a webhook: {loader.samples}")
    if prober.failed:
        problems.append(f"{prober.failed} TLS connections failed: {prober.samples}")
    if prober.good == 0 or sum(l.counts["denied"] for l in loaders) == 0:
        problems.append("there was no load")
except (RuntimeError, TimeoutError, subprocess.CalledProcessError) as error:
    problems.append(str(error))
finally:
    fleet.kill()
    for problem in problems:
        say(f"WRONG: {problem}")
    say(f"{'FAILED' if problems else 'passed'}: {loads_text()}")
sys.exit(1 if problems else 0)
