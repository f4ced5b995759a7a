"""What is compared between the two managers, and how: values that differ by nature are taken out, lists without an order
are sorted. A difference is (where, real, ours); differences that docs/compatibility.md lists are in allowed.json."""
import json
import os
import re

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(HERE)))
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
OWN_LISTS = {  # what the managers write, and where the API server keeps it
    "crds": "/apis/apiextensions.k8s.io/v1/customresourcedefinitions?labelSelector=gatekeeper.sh/constraint=yes",
    "templates": "/apis/templates.gatekeeper.sh/v1/constrainttemplates",
    "configs": "/apis/config.gatekeeper.sh/v1alpha1/configs",
    "syncsets": "/apis/syncset.gatekeeper.sh/v1alpha1/syncsets",
    "templatepodstatuses": "/apis/status.gatekeeper.sh/v1beta1/constrainttemplatepodstatuses",
    "constraintpodstatuses": "/apis/status.gatekeeper.sh/v1beta1/constraintpodstatuses",
    "configpodstatuses": "/apis/status.gatekeeper.sh/v1beta1/configpodstatuses",
}


class Allowed:
    """allowed.json: each entry names the line of docs/compatibility.md that it stands for; one that is gone is an error."""

    def __init__(self):
        with open(os.path.join(HERE, "allowed.json")) as f:
            self.entries = json.load(f)
        with open(os.path.join(ROOT, "docs", "compatibility.md")) as f:
            docs = f.read()
        self.used = {}
        self.log_keys = {e["log"]: e["keys"] for e in self.entries if "log" in e}
        for entry in self.entries:
            if entry["docs"] not in docs:
                raise SystemExit("allowed.json points to a line that docs/compatibility.md does not have: " + entry["docs"])

    def takes(self, where, real, ours):
        real, ours = (v if isinstance(v, str) else json.dumps(v, ensure_ascii=False, sort_keys=True) for v in (real, ours))
        for entry in self.entries:
            if "where" in entry and (re.search(entry["where"], where) and re.search(entry.get("real", ""), real, re.S) and re.search(entry.get("ours", ""), ours, re.S)):
                self.used[entry["docs"]] = self.used.get(entry["docs"], 0) + 1
                return True
        return False


def neutral(value, uids):
    """A value without what every API server makes up: UIDs become what they belong to, times become <time>."""
    if isinstance(value, dict):
        # The words that describe fields of a CRD are each project's own (docs/compatibility.md says so).
        value = {k: v for k, v in value.items() if not (k == "description" and isinstance(v, str))}
        return {k: neutral(v, uids) for k, v in value.items() if k not in ("managedFields", "resourceVersion", "creationTimestamp", "generation")}
    if isinstance(value, list):
        return [neutral(v, uids) for v in value]
    if isinstance(value, str):
        return TIME.sub("<time>", UUID.sub(lambda m: "<uid of %s>" % uids.get(m.group(), "nothing"), value))
    return value


def differences(where, real, ours):
    """The leaves at which two values differ; one of a missing pair is <absent>."""
    if type(real) is type(ours) and isinstance(real, dict):
        out = []
        for key in sorted(set(real) | set(ours)):
            out += differences("%s.%s" % (where, key), real.get(key, "<absent>"), ours.get(key, "<absent>"))
        return out
    if type(real) is type(ours) and isinstance(real, list) and len(real) == len(ours):
        out = []
        for i, pair in enumerate(zip(real, ours)):
            out += differences("%s[%d]" % (where, i), *pair)
        return out
    return [] if real == ours and type(real) is type(ours) else [(where, real, ours)]


# ---- objects of the API server ----

def constraint_kinds(plane):
    status, crds = plane.request("GET", OWN_LISTS["crds"])
    return sorted(c["spec"]["names"]["kind"] for c in crds["items"]
                  if any(x["type"] == "Established" and x["status"] == "True" for x in (c.get("status") or {}).get("conditions") or []))


def snapshot(plane):
    """Everything the manager answers for, by place: {"templates/x": {...}}."""
    lists = dict(OWN_LISTS)
    for kind in constraint_kinds(plane):
        lists["constraints/" + kind] = "/apis/constraints.gatekeeper.sh/v1beta1/" + kind.lower()
    found, uids = {}, {}
    for name, path in lists.items():
        status, answer = plane.request("GET", path)
        for item in answer.get("items") or []:
            place = "%s/%s" % (name, item["metadata"]["name"])
            uids[item["metadata"]["uid"]] = place
            found[place] = item
    uids[plane.pod_uid] = "pod"
    return {place: ordered(place, neutral(item, uids)) for place, item in found.items()}


def ordered(place, item):
    """Conditions of CRDs and unordered lists in one order."""
    status = item.get("status") or {}
    if place.startswith("crds/"):
        status["conditions"] = sorted((c["type"], c["status"]) for c in status.get("conditions") or [])
    for violation in status.get("violations", []) if isinstance(status.get("violations"), list) else []:
        if isinstance(violation, dict) and "enforcementActions" in violation:
            violation["enforcementActions"] = sorted(violation["enforcementActions"])
    status.pop("auditTimestamp", None) if status.get("totalViolations") is not None else None
    return item


def counts(shot):
    """What the gauges of templates and constraints should say, by the statuses: {sample: value}."""
    out = {}
    for status in ("active", "error"):
        out['gatekeeper_constraint_templates{status="%s"}' % status] = 0.0
        for action in ("deny", "dryrun", "scoped", "unrecognized", "warn"):
            out['gatekeeper_constraints{enforcement_action="%s",status="%s"}' % (action, status)] = 0.0
    for place, item in shot.items():
        for pod in item.get("status", {}).get("byPod") or []:
            status = "error" if pod.get("errors") else "active"
            if place.startswith("templates/"):
                out['gatekeeper_constraint_templates{status="%s"}' % status] += 1
            elif place.startswith("constraints/") and (pod.get("enforced") or not pod.get("errors")):
                action = item["spec"].get("enforcementAction", "deny") or "deny"
                action = action if action in ("deny", "dryrun", "scoped", "warn") else "unrecognized"
                out['gatekeeper_constraints{enforcement_action="%s",status="%s"}' % (action, status)] += 1
    return out


def printed(plane, kinds):
    """What kubectl prints: columns and cells, ages left out."""
    out = {}
    for what in ["constrainttemplates", "constraints"] + [k.lower() for k in kinds[:5]]:
        try:
            text = plane.kubectl("get", what, "-o", "wide")
        except RuntimeError as error:
            text = str(error)
        # Ages, and the count of a constraint that no audit looks at (its status is compared with the others).
        out["kubectl get " + what] = re.sub(r"\s+(0|\d+[smh]\S*|)\s*$", "", text, flags=re.M).split("\n")
    return out


# ---- webhook answers ----

def answer_difference(real, ours):
    """Empty when two answers are the same; results that tie in action and message have no order in Gatekeeper."""
    if real == ours:
        return []
    if real[:2] == ours[:2] and isinstance(real[2], dict) and isinstance(ours[2], dict) and tied(real[2]) == tied(ours[2]):
        return []
    return differences("answer", list(real), list(ours))


def tied(body):
    body = json.loads(json.dumps(body))
    response = body.get("response", {})
    status = response.get("status", {})
    if isinstance(status.get("message"), str):
        status["message"] = message_order(status["message"])
    if isinstance(response.get("warnings"), list):
        response["warnings"] = [message_order("\n".join(response["warnings"]))]
    return body


def message_order(text):
    """[the lines without constraint names in their order, all lines sorted]; schema errors are a set as well."""
    if "schema validation failed" in text or "unrecognized" in text or "ValidationError" in text:
        return sorted(re.split(r"\n|, |: |\[|\]", text))
    return [re.sub(r"(?m)^\[[^\]]*\] ", "", text), sorted(text.split("\n"))]


# ---- metrics and logs ----

# Samples whose values follow from the inputs; of the others only their names and labels are compared.
COUNTED = re.compile(r"^gatekeeper_(constraints|constraint_templates|violations|sync|watch_manager_(watched|intended_watch)_gvk|"
                     r"validation_request_count_total|constraint_templates_with_cel|mutators|providers|expansion_templates)(\{|$)")


def metrics(text):
    """{family: {"type", "help", "samples": {name and labels: value, where it follows from the inputs}}}"""
    out = {}
    for line in text.split("\n"):
        if line.startswith(("# HELP gatekeeper_", "# TYPE gatekeeper_")):
            _, what, name, rest = line.split(" ", 3)
            out.setdefault(name, {"samples": {}})[what.lower()] = rest
        elif line.startswith("gatekeeper_"):
            sample, value = line.rsplit(" ", 1)
            name = re.match(r"[a-z0-9_]+", sample).group()
            family = name if name in out else re.sub(r"_(bucket|sum|count)$", "", name)
            labels = sorted(re.findall(r'([a-z_]+="[^"]*")', sample))
            out.setdefault(family, {"samples": {}})["samples"]["%s{%s}" % (name, ",".join(labels))] = float(value) if COUNTED.match(sample) else "any"
    return out


def log_lines(path, start, kinds, left_out):
    """Lines that auditors keep, from byte `start` of the log: [(audit_id, event_type, the line without its times)].
    `left_out`: {event_type: keys that are listed as ours alone}."""
    out = []
    with open(path, "rb") as f:
        f.seek(start)
        for raw in f:
            try:
                line = json.loads(raw)
            except ValueError:
                continue
            if isinstance(line, dict) and line.get("event_type") in kinds:
                own = left_out.get(line["event_type"], ())
                entry = {k: ("<id>" if k in ("ts", "audit_id", "duration") else v) for k, v in line.items() if k not in own}
                if isinstance(entry.get("constraint_enforcement_actions"), list):
                    entry["constraint_enforcement_actions"].sort()
                out.append((line.get("audit_id"), line["event_type"], json.dumps(entry, sort_keys=True, ensure_ascii=False)))
    return out
