"""A control plane and a manager under measurement: start, talk, read CPU and memory, stop by process id."""
import json
import os
import signal
import socket
import ssl
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
CONTROL_PLANE = os.path.join(ROOT, "e2e", "control-plane.sh")


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def cpu_of(pid):
    """CPU seconds of a process so far, user and system."""
    with open("/proc/%d/stat" % pid) as f:
        fields = f.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class ControlPlane:
    def __init__(self):
        self.dir = tempfile.mkdtemp(prefix="portcullis-bench-")
        subprocess.run(["bash", CONTROL_PLANE, "start", os.path.join(self.dir, "cp")], check=True, stdin=subprocess.DEVNULL)
        self.kubeconfig = os.path.join(self.dir, "cp", "kubeconfig")
        view = json.loads(self.kubectl("config", "view", "--raw", "-o", "json"))
        self.server = view["clusters"][0]["cluster"]["server"]
        self.token = view["users"][0]["user"]["token"]
        self.context = ssl._create_unverified_context()  # loopback, started a moment ago by us

    def kubectl(self, *args, stdin=None):
        done = subprocess.run(["kubectl", "--kubeconfig", self.kubeconfig, *args], input=stdin, text=True,
                              capture_output=True, timeout=180)
        if done.returncode != 0:
            raise RuntimeError("kubectl %s: %s" % (" ".join(args), done.stderr.strip()))
        return done.stdout

    def request(self, method, path, body=None):
        """(status, decoded body) of one API request."""
        data = None if body is None else json.dumps(body).encode()
        req = urllib.request.Request(self.server + path, data=data, method=method, headers={
            "Authorization": "Bearer " + self.token, "Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(req, context=self.context, timeout=30) as answer:
                return answer.status, json.loads(answer.read() or b"null")
        except urllib.error.HTTPError as error:
            text = error.read().decode(errors="replace")
            return error.code, json.loads(text) if text.startswith("{") else {"message": text.strip()}

    def create(self, path, body):
        status, answer = self.request("POST", path, body)
        if status not in (200, 201, 409):
            raise RuntimeError("POST %s: %s %s" % (path, status, answer.get("message")))

    def prepare(self):
        self.kubectl("apply", "--server-side", "-f", os.path.join(ROOT, "crds"))
        self.create("/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "gatekeeper-system"}})

    def load(self, pairs, wait=120):
        """Templates, then (once their kinds are served) constraints."""
        for template, _ in pairs:
            self.create("/apis/templates.gatekeeper.sh/v1/constrainttemplates", template)
        deadline = time.time() + wait
        for _, constraint in pairs:
            path = "/apis/constraints.gatekeeper.sh/v1beta1/" + constraint["kind"].lower()
            while True:
                status, answer = self.request("POST", path, constraint)
                if status in (200, 201, 409):
                    break
                if time.time() > deadline:
                    raise RuntimeError("constraint kind %s is not served: %s %s" % (constraint["kind"], status, answer))
                time.sleep(0.2)

    def pid(self, name):
        with open(os.path.join(self.dir, "cp", name + ".pid")) as f:
            return int(f.read())

    def stop(self):
        subprocess.run(["bash", CONTROL_PLANE, "stop", os.path.join(self.dir, "cp")], stdin=subprocess.DEVNULL)


class Manager:
    """One manager process with Gatekeeper's flags; ours and the peer take the same. `pod`: the name of a Pod object that
    its statuses belong to; without one the manager runs under --debug-use-fake-pod."""

    def __init__(self, name, program, plane, operations, core=None, extra=(), pod=None, native=False):
        self.name, self.plane = name, plane
        self.port, self.health, self.metrics = free_port(), free_port(), free_port()
        self.dir = tempfile.mkdtemp(prefix="portcullis-bench-%s-" % name)
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                        "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost",
                        "-keyout", self.dir + "/tls.key", "-out", self.dir + "/tls.crt"], check=True, capture_output=True)
        cache = os.path.join(self.dir, "cache")
        os.makedirs(cache)
        args = [program, "--kubeconfig=" + plane.kubeconfig, "--port=%d" % self.port, "--health-addr=127.0.0.1:%d" % self.health,
                "--prometheus-port=%d" % self.metrics, "--cert-dir=" + self.dir, "--disable-cert-rotation", "--api-cache-dir=" + cache]
        args += [] if pod else ["--debug-use-fake-pod"]
        args += [] if native else ["--enable-k8s-native-validation=false"]
        args += ["--operation=" + o for o in operations] + list(extra)
        if core is not None:
            args = ["taskset", "-c", str(core)] + args
        env = dict(os.environ, POD_NAMESPACE="gatekeeper-system", POD_NAME=pod or "no-pod", KUBECONFIG=plane.kubeconfig)
        if core is not None:
            env["GOMAXPROCS"] = "1"
        self.log_path = os.path.join(self.dir, "log")
        self.log = open(self.log_path, "wb")
        self.started = time.time()
        self.process = subprocess.Popen(args, stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log, env=env)

    def check_alive(self, after=2):
        time.sleep(after)
        if self.process.poll() is not None:
            raise RuntimeError("%s ended with %s: %s" % (self.name, self.process.returncode, self.tail()))

    def is_ready(self):
        if self.process.poll() is not None:
            raise RuntimeError("%s ended with %s: %s" % (self.name, self.process.returncode, self.tail()))
        try:
            with urllib.request.urlopen("http://127.0.0.1:%d/readyz" % self.health, timeout=2) as answer:
                return answer.status == 200
        except OSError:
            return False

    def wait_ready(self, seconds=180, step=0.1):
        deadline = time.time() + seconds
        while time.time() < deadline:
            if self.is_ready():
                return time.time() - self.started
            time.sleep(step)
        raise RuntimeError("%s is not ready: %s" % (self.name, self.tail()))

    def tail(self):
        with open(self.log_path, errors="replace") as f:
            return f.read()[-2000:]

    def cpu(self):
        """CPU seconds so far, user and system."""
        return cpu_of(self.process.pid)

    def pss_mb(self):
        """Memory with shared pages counted by their share; what the process alone costs the machine."""
        with open("/proc/%d/smaps_rollup" % self.process.pid) as f:
            for line in f:
                if line.startswith("Pss:"):
                    return int(line.split()[1]) / 1024
        return 0.0

    def rss_mb(self, key="VmRSS"):
        with open("/proc/%d/status" % self.process.pid) as f:
            for line in f:
                if line.startswith(key + ":"):
                    return int(line.split()[1]) / 1024
        return 0.0

    def admit(self, body):
        """One AdmissionReview, answered."""
        req = urllib.request.Request("https://127.0.0.1:%d/v1/admit" % self.port, data=json.dumps(body).encode(),
                                     headers={"Content-Type": "application/json"})
        with urllib.request.urlopen(req, context=self.plane.context, timeout=10) as answer:
            return json.loads(answer.read())["response"]

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.log.close()
