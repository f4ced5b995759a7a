"""Policies, objects and AdmissionReviews for the load benchmarks: deterministic, written for this project.

Fifteen checks that clusters really run, each twice with other parameters: thirty templates, thirty constraints, all on
pods. Objects look like stored ones (defaults, managedFields), about 4 KB.
"""
import json

CONTAINERS = """
containers[c] { c := input.review.object.spec.containers[_] }
containers[c] { c := input.review.object.spec.initContainers[_] }
"""

# name -> (rego body after the package line, parameter variants)
CHECKS = {
    "privileged": ("""
violation[{"msg": msg, "details": {}}] {
  c := containers[_]
  c.securityContext.privileged
  not exempt(c)
  msg := sprintf("privileged container is not allowed: %v", [c.name])
}
exempt(c) { startswith(c.image, input.parameters.exempt[_]) }
""", [{"exempt": []}, {"exempt": ["registry.example/system/"]}]),
    "hostnamespaces": ("""
violation[{"msg": msg, "details": {}}] {
  field := input.parameters.fields[_]
  input.review.object.spec[field] == true
  msg := sprintf("%v is not allowed in %v", [field, input.review.object.metadata.name])
}
""", [{"fields": ["hostPID", "hostIPC"]}, {"fields": ["hostNetwork"]}]),
    "capabilities": ("""
violation[{"msg": msg}] {
  c := containers[_]
  extra := {x | x := c.securityContext.capabilities.add[_]} - {x | x := input.parameters.allowed[_]}
  count(extra) > 0
  msg := sprintf("container %v adds capabilities %v", [c.name, extra])
}
violation[{"msg": msg}] {
  c := containers[_]
  dropped := {lower(x) | x := c.securityContext.capabilities.drop[_]}
  missing := {x | x := input.parameters.drop[_]; not dropped[lower(x)]; not dropped["all"]}
  count(missing) > 0
  msg := sprintf("container %v does not drop %v", [c.name, missing])
}
""", [{"allowed": ["NET_BIND_SERVICE"], "drop": ["NET_RAW"]}, {"allowed": ["CHOWN", "NET_BIND_SERVICE"], "drop": []}]),
    "repos": ("""
violation[{"msg": msg}] {
  c := containers[_]
  good := [ok | r := input.parameters.repos[_]; ok := startswith(c.image, r)]
  not any_true(good)
  msg := sprintf("container <%v> has an invalid image repo <%v>, allowed repos are %v", [c.name, c.image, input.parameters.repos])
}
any_true(xs) { xs[_] == true }
""", [{"repos": ["registry.example/"]}, {"repos": ["mirror.example/", "registry.example/", "docker.example/library/"]}]),
    "labels": ("""
violation[{"msg": msg, "details": {"missing_labels": missing}}] {
  provided := {l | input.review.object.metadata.labels[l]}
  required := {l | l := input.parameters.labels[_].key}
  missing := required - provided
  count(missing) > 0
  msg := sprintf("you must provide labels: %v", [missing])
}
violation[{"msg": msg}] {
  value := input.review.object.metadata.labels[key]
  expected := input.parameters.labels[_]
  expected.key == key
  expected.allowedRegex != ""
  not re_match(expected.allowedRegex, value)
  msg := sprintf("label <%v: %v> does not satisfy allowed regex: %v", [key, value, expected.allowedRegex])
}
""", [{"labels": [{"key": "app", "allowedRegex": "^[a-z0-9-]+$"}]},
      {"labels": [{"key": "team", "allowedRegex": ""}, {"key": "app", "allowedRegex": "^[a-z]"}]}]),
    "limits": ("""
violation[{"msg": msg}] {
  c := containers[_]
  not c.resources.limits.memory
  msg := sprintf("container <%v> has no memory limit", [c.name])
}
violation[{"msg": msg}] {
  c := containers[_]
  bytes := units.parse_bytes(c.resources.limits.memory)
  bytes > units.parse_bytes(input.parameters.memory)
  msg := sprintf("container <%v> memory limit <%v> is higher than the maximum allowed of <%v>", [c.name, c.resources.limits.memory, input.parameters.memory])
}
""", [{"memory": "2Gi"}, {"memory": "16Gi"}]),
    "requests": ("""
violation[{"msg": msg}] {
  c := containers[_]
  resource := input.parameters.resources[_]
  not c.resources.requests[resource]
  msg := sprintf("container <%v> does not request %v", [c.name, resource])
}
""", [{"resources": ["cpu", "memory"]}, {"resources": ["memory"]}]),
    "tags": ("""
violation[{"msg": msg}] {
  c := containers[_]
  tag := [t | parts := split(c.image, ":"); t := parts[count(parts) - 1]][0]
  tag == input.parameters.tags[_]
  msg := sprintf("container <%v> uses a disallowed tag <%v>; disallowed tags are %v", [c.name, c.image, input.parameters.tags])
}
""", [{"tags": ["latest"]}, {"tags": ["latest", "edge", "nightly"]}]),
    "readonlyroot": ("""
violation[{"msg": msg}] {
  input.parameters.enforced
  c := containers[_]
  not c.securityContext.readOnlyRootFilesystem == true
  msg := sprintf("only read-only root filesystem container is allowed: %v", [c.name])
}
""", [{"enforced": True}, {"enforced": False}]),
    "nonroot": ("""
violation[{"msg": msg}] {
  c := containers[_]
  user := run_as(c)
  user < input.parameters.min
  msg := sprintf("container %v runs as user %v, at least %v is wanted", [c.name, user, input.parameters.min])
}
run_as(c) = u { u := c.securityContext.runAsUser }
run_as(c) = u { not has_user(c); u := input.review.object.spec.securityContext.runAsUser }
has_user(c) { c.securityContext.runAsUser >= 0 }
""", [{"min": 1}, {"min": 1000}]),
    "seccomp": ("""
violation[{"msg": msg}] {
  c := containers[_]
  profile := profile_of(c)
  not allowed(profile)
  msg := sprintf("seccomp profile %v of container %v is not allowed; allowed are %v", [profile, c.name, input.parameters.profiles])
}
allowed(p) { p == input.parameters.profiles[_] }
profile_of(c) = p { p := c.securityContext.seccompProfile.type }
profile_of(c) = p { not c.securityContext.seccompProfile; p := input.review.object.spec.securityContext.seccompProfile.type }
profile_of(c) = "unset" { not c.securityContext.seccompProfile; not input.review.object.spec.securityContext.seccompProfile }
""", [{"profiles": ["RuntimeDefault", "Localhost"]}, {"profiles": ["RuntimeDefault"]}]),
    "hostpath": ("""
violation[{"msg": msg}] {
  v := input.review.object.spec.volumes[_]
  path := v.hostPath.path
  not allowed(path)
  msg := sprintf("hostPath volume %v with path %v is not allowed", [v.name, path])
}
allowed(path) { startswith(path, input.parameters.prefixes[_]) }
""", [{"prefixes": ["/var/log"]}, {"prefixes": []}]),
    "hostports": ("""
violation[{"msg": msg}] {
  port := containers[_].ports[_].hostPort
  not between(port)
  msg := sprintf("host port %v is outside %v-%v", [port, input.parameters.min, input.parameters.max])
}
between(p) { p >= input.parameters.min; p <= input.parameters.max }
""", [{"min": 8000, "max": 9000}, {"min": 0, "max": 0}]),
    "probes": ("""
violation[{"msg": msg}] {
  c := input.review.object.spec.containers[_]
  probe := input.parameters.probes[_]
  not c[probe]
  msg := sprintf("container <%v> in pod <%v> has no <%v>", [c.name, input.review.object.metadata.name, probe])
}
""", [{"probes": ["readinessProbe"]}, {"probes": ["readinessProbe", "livenessProbe"]}]),
    "serviceaccount": ("""
violation[{"msg": msg}] {
  name := object.get(input.review.object.spec, "serviceAccountName", "default")
  glob.match(input.parameters.forbidden[_], [], name)
  msg := sprintf("pod %v uses service account %v", [input.review.object.metadata.name, name])
}
""", [{"forbidden": ["admin*"]}, {"forbidden": ["*-root", "cluster-admin"]}]),
}


def policies(count):
    """(template, constraint) pairs; the checks in turn, first with their first parameters, then with their second."""
    pairs = []
    names = list(CHECKS)
    for i in range(count):
        name = names[i % len(names)]
        body, variants = CHECKS[name]
        kind = "Load" + name.capitalize() + str(i // len(names))
        template = {
            "apiVersion": "templates.gatekeeper.sh/v1", "kind": "ConstraintTemplate", "metadata": {"name": kind.lower()},
            "spec": {"crd": {"spec": {"names": {"kind": kind}, "validation": {"openAPIV3Schema": {
                "type": "object", "x-kubernetes-preserve-unknown-fields": True}}}},
                "targets": [{"target": "admission.k8s.gatekeeper.sh",
                             "rego": "package load" + CONTAINERS * ("containers[" in body) + body}]}}
        constraint = {
            "apiVersion": "constraints.gatekeeper.sh/v1beta1", "kind": kind, "metadata": {"name": "load-%d" % i},
            "spec": {"match": {"kinds": [{"apiGroups": [""], "kinds": ["Pod"]}]},
                     "parameters": variants[(i // len(names)) % len(variants)]}}
        pairs.append((template, constraint))
    return pairs


def pod(i, namespace="default", privileged=False, containers=2):
    """A pod as the API server stores one."""
    def container(k):
        return {
            "name": "main-%d" % k, "image": "registry.example/shop/web:%d.%d" % (i % 7, k), "imagePullPolicy": "IfNotPresent",
            "command": ["/bin/web", "--listen=:8080", "--config=/etc/web/config.yaml"],
            "env": [{"name": "REGION", "value": "north"}, {"name": "POD_IP", "valueFrom": {"fieldRef": {"apiVersion": "v1", "fieldPath": "status.podIP"}}}],
            "ports": [{"containerPort": 8080 + k, "name": "http-%d" % k, "protocol": "TCP"}],
            "resources": {"limits": {"cpu": "500m", "memory": "256Mi"}, "requests": {"cpu": "100m", "memory": "128Mi"}},
            "securityContext": {"privileged": privileged, "readOnlyRootFilesystem": True, "runAsUser": 1000 + i % 5,
                                "allowPrivilegeEscalation": privileged, "capabilities": {"drop": ["ALL"]}},
            "readinessProbe": {"httpGet": {"path": "/ready", "port": 8080, "scheme": "HTTP"}, "periodSeconds": 10, "timeoutSeconds": 1},
            "livenessProbe": {"httpGet": {"path": "/live", "port": 8080, "scheme": "HTTP"}, "periodSeconds": 10, "timeoutSeconds": 1},
            "terminationMessagePath": "/dev/termination-log", "terminationMessagePolicy": "File",
            "volumeMounts": [{"mountPath": "/etc/web", "name": "config", "readOnly": True}]}
    fields = {"f:metadata": {"f:labels": {".": {}, "f:app": {}, "f:team": {}}, "f:annotations": {".": {}, "f:owner": {}}},
              "f:spec": {"f:containers": {'k:{"name":"main-%d"}' % k: {".": {}, "f:image": {}, "f:imagePullPolicy": {}, "f:name": {},
                         "f:resources": {".": {}, "f:limits": {".": {}, "f:cpu": {}, "f:memory": {}}},
                         "f:securityContext": {".": {}, "f:privileged": {}, "f:runAsUser": {}}} for k in range(containers)},
                         "f:dnsPolicy": {}, "f:restartPolicy": {}, "f:schedulerName": {}, "f:securityContext": {}}}
    return {
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": "web-%05d" % i, "namespace": namespace, "labels": {"app": "web", "team": "shop-%d" % (i % 9)},
                     "annotations": {"owner": "shop@example.test"},
                     "managedFields": [{"apiVersion": "v1", "fieldsType": "FieldsV1", "fieldsV1": fields, "manager": "kubectl",
                                        "operation": "Update", "time": "2026-01-01T00:00:00Z"}]},
        "spec": {"containers": [container(k) for k in range(containers)], "dnsPolicy": "ClusterFirst", "restartPolicy": "Always",
                 "schedulerName": "default-scheduler", "serviceAccountName": "web", "serviceAccount": "web",
                 "automountServiceAccountToken": False,
                 "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
                 "terminationGracePeriodSeconds": 30, "enableServiceLinks": True, "priority": 0,
                 "tolerations": [{"effect": "NoExecute", "key": "node.kubernetes.io/not-ready", "operator": "Exists", "tolerationSeconds": 300}],
                 "volumes": [{"name": "config", "configMap": {"name": "web", "defaultMode": 420}}]}}


def review(i):
    """An AdmissionReview as the API server sends one: two of fourteen pods are denied, a few are other kinds."""
    kind, group, version, resource = "Pod", "", "v1", "pods"
    if i % 20 < 14:
        obj = pod(i, privileged=i % 7 == 3, containers=1)
    elif i % 20 < 18:
        kind, group, version, resource = "Deployment", "apps", "v1", "deployments"
        inner = pod(i, containers=1)
        obj = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": dict(inner["metadata"]),
               "spec": {"replicas": 2, "selector": {"matchLabels": {"app": "web"}},
                        "template": {"metadata": {"labels": inner["metadata"]["labels"]}, "spec": inner["spec"]}}}
    else:
        kind, resource = "Service", "services"
        obj = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web", "namespace": "default", "labels": {"app": "web"}},
               "spec": {"selector": {"app": "web"}, "ports": [{"port": 80, "targetPort": 8080, "protocol": "TCP"}], "type": "ClusterIP"}}
    return {"kind": "AdmissionReview", "apiVersion": "admission.k8s.io/v1", "request": {
        "uid": "705ab4f5-6393-11e8-b7cc-%012d" % i, "kind": {"group": group, "version": version, "kind": kind},
        "resource": {"group": group, "version": version, "resource": resource},
        "requestKind": {"group": group, "version": version, "kind": kind},
        "requestResource": {"group": group, "version": version, "resource": resource},
        "name": obj["metadata"]["name"], "namespace": "default", "operation": "CREATE",
        "userInfo": {"username": "deployer", "uid": "42", "groups": ["system:authenticated", "shop"]},
        "object": obj, "oldObject": None, "dryRun": False,
        "options": {"kind": "CreateOptions", "apiVersion": "meta.k8s.io/v1", "fieldManager": "kubectl-client-side-apply"}}}


def wrk_script(count, path):
    """A wrk script that posts `count` reviews in turn."""
    lines = ["local bodies = {"]
    for i in range(count):
        lines.append("  %s," % lua_string(json.dumps(review(i), separators=(",", ":"))))
    lines += ["}", "local at = 0", "wrk.method = 'POST'", "wrk.headers['Content-Type'] = 'application/json'",
              "function request() at = at % #bodies + 1; return wrk.format(nil, '" + path + "', nil, bodies[at]) end", ""]
    return "\n".join(lines)


def lua_string(text):
    level = 0
    while "]" + "=" * level + "]" in text:
        level += 1
    return "[" + "=" * level + "[" + text + "]" + "=" * level + "]"
