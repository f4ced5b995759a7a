#!/usr/bin/env bash
# A real Kubernetes control plane on free loopback ports: etcd and kube-apiserver, built from their Go modules.
# usage: control-plane.sh build [--controllers | --node | --helm]     into .cache/control-plane/ (minutes the first time)
#        control-plane.sh start DIR [--controllers]  DIR/kubeconfig (admin) and DIR/manager.kubeconfig (the service account
#                                                    of config/rbac.yaml) work when it returns; all it writes is in DIR
#        control-plane.sh stop DIR                   ends what start began, by process id, and keeps the logs
#        control-plane.sh apiserver-kill DIR | apiserver-start DIR    for cases about an API server that goes away
# --controllers adds kube-controller-manager with the garbage collector and the namespace controller, nothing else.
# kubectl is built as well when PATH has none; `control-plane.sh kubectl` prints the one to use,
# `control-plane.sh free-ports N` that many ports that are free.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/../tools/lib.sh"
bin=$(cd "$here/.." && pwd)/.cache/control-plane

build_one() {  # module folder, package, program
  local version
  version=$(cd "$here/control-plane/$1" && go list -m -f '{{.Version}}' "$4")
  say "building $3 $version"
  # Kubernetes programs built as a module do not know their version, and kubectl cannot read what they say instead.
  (cd "$here/control-plane/$1" && go build -buildvcs=false -trimpath \
    -ldflags "-s -w -X k8s.io/component-base/version.gitVersion=$version" -o "$bin/.$3.new" "$2")
  mv "$bin/.$3.new" "$bin/$3"
}

# A program is built again only when the modules it comes from changed.
build_if_stale() {
  local stamp="$bin/$3.stamp" now
  now=$(cat "$here/control-plane/$1/go.mod" "$here/control-plane/$1/go.sum" | sha256sum)
  if [ -x "$bin/$3" ] && [ "$(cat "$stamp" 2>/dev/null)" = "$now" ]; then return 0; fi
  build_one "$@" && echo "$now" >"$stamp"
}

build() {
  mkdir -p "$bin"
  if ! go_ready; then fail "the control plane needs Go: $go_problem"; fi
  build_if_stale etcd go.etcd.io/etcd/server/v3 etcd go.etcd.io/etcd/server/v3
  build_if_stale kube k8s.io/kubernetes/cmd/kube-apiserver kube-apiserver k8s.io/kubernetes
  local more=() program
  case ${1:-} in
    --controllers) more=(kube-controller-manager) ;;
    --node) more=(kube-controller-manager kube-scheduler kubelet) ;;
    --helm) build_if_stale helm helm.sh/helm/v3/cmd/helm helm helm.sh/helm/v3 ;;
  esac
  for program in "${more[@]}"; do
    build_if_stale kube "k8s.io/kubernetes/cmd/$program" "$program" k8s.io/kubernetes
  done
  command -v kubectl >/dev/null || build_if_stale kube k8s.io/kubernetes/cmd/kubectl kubectl k8s.io/kubernetes
}

kubectl_path() { command -v kubectl || { [ -x "$bin/kubectl" ] && echo "$bin/kubectl"; } || fail "no kubectl: run e2e/control-plane.sh build"; }

free_ports() {  # count -> that many free ports, all different
  python3 - "$1" <<'PY'
import socket, sys
held = [socket.socket() for _ in range(int(sys.argv[1]))]
for s in held:
    s.bind(("127.0.0.1", 0))
print(*[s.getsockname()[1] for s in held])
PY
}

alive() { [ -s "$1" ] && kill -0 "$(cat "$1")" 2>/dev/null; }

start_process() {  # name, program, arguments: own session, output to name.log, id to name.pid
  local name=$1; shift
  setsid "$@" >>"$dir/$name.log" 2>&1 </dev/null &
  echo $! >"$dir/$name.pid"
}

stop_process() {  # name [signal]: bounded wait, then SIGKILL
  local pid
  [ -s "$dir/$1.pid" ] || return 0
  pid=$(cat "$dir/$1.pid")
  kill -"${2:-TERM}" "$pid" 2>/dev/null || { rm -f "$dir/$1.pid"; return 0; }
  for _ in $(seq 100); do kill -0 "$pid" 2>/dev/null || break; sleep 0.1; done
  kill -KILL "$pid" 2>/dev/null || true
  rm -f "$dir/$1.pid"
}

wait_for() {  # what, seconds, process, command...
  local what=$1 seconds=$2 process=$3 deadline; shift 3
  deadline=$((SECONDS + seconds))
  until "$@" >/dev/null 2>&1; do
    alive "$dir/$process.pid" || { tail -n 20 "$dir/$process.log" >&2; say "$what ended early" >&2; return 1; }
    [ $SECONDS -lt $deadline ] || { tail -n 20 "$dir/$process.log" >&2; say "$what was not ready after $seconds s" >&2; return 1; }
    sleep 0.1
  done
}

start_apiserver() {
  local etcd_port api_port
  read -r etcd_port _ api_port _ <"$dir/ports"
  start_process apiserver "$bin/kube-apiserver" --etcd-servers="http://127.0.0.1:$etcd_port" --cert-dir="$dir/pki" \
    --secure-port="$api_port" --bind-address=127.0.0.1 --advertise-address=127.0.0.1 --endpoint-reconciler-type=none \
    --service-cluster-ip-range=10.0.0.0/24 --service-account-key-file="$dir/sa.key" \
    --service-account-signing-key-file="$dir/sa.key" --service-account-issuer=https://kubernetes.default.svc \
    --token-auth-file="$dir/tokens.csv" --authorization-mode=RBAC --disable-admission-plugins=ServiceAccount \
    --allow-privileged=true --enable-priority-and-fairness=false
  wait_for kube-apiserver 90 apiserver test -f "$dir/pki/apiserver.crt" || return 1
  write_kubeconfig "$dir/kubeconfig" admin-token
  write_kubeconfig "$dir/manager.kubeconfig" manager-token
  wait_for kube-apiserver 90 apiserver "$kubectl" --kubeconfig "$dir/kubeconfig" get --raw /readyz || return 1
}

write_kubeconfig() {  # file, token
  local api_port
  read -r _ _ api_port _ <"$dir/ports"
  cat >"$1" <<YAML
apiVersion: v1
kind: Config
current-context: e2e
clusters:
- name: e2e
  cluster: {server: "https://127.0.0.1:$api_port", certificate-authority-data: $(base64 -w0 "$dir/pki/apiserver.crt")}
users:
- name: e2e
  user: {token: $2}
contexts:
- name: e2e
  context: {cluster: e2e, user: e2e}
YAML
}

start_once() {
  local etcd_port peer_port _api kcm_port
  free_ports 4 >"$dir/ports"
  read -r etcd_port peer_port _api kcm_port <"$dir/ports"
  start_process etcd "$bin/etcd" --name e2e --data-dir "$dir/etcd" --unsafe-no-fsync --log-level warn \
    --listen-client-urls "http://127.0.0.1:$etcd_port" --advertise-client-urls "http://127.0.0.1:$etcd_port" \
    --listen-peer-urls "http://127.0.0.1:$peer_port" --initial-advertise-peer-urls "http://127.0.0.1:$peer_port" \
    --initial-cluster "e2e=http://127.0.0.1:$peer_port"
  start_apiserver || return 1
  if [ "$1" = --controllers ]; then
    start_process controllers "$bin/kube-controller-manager" --kubeconfig="$dir/kubeconfig" --leader-elect=false \
      --bind-address=127.0.0.1 --secure-port="$kcm_port" --cert-dir="$dir/pki-controllers" \
      --controllers=garbage-collector-controller,namespace-controller --use-service-account-credentials=false
    alive "$dir/controllers.pid" || return 1
  fi
}

start() {
  [ ! -e "$dir/etcd" ] || fail "$dir was used before: give start a new folder"
  mkdir -p "$dir/pki"
  [ -x "$bin/kube-apiserver" ] && [ -x "$bin/etcd" ] || fail "not built: run e2e/control-plane.sh build"
  openssl genrsa -out "$dir/sa.key" 2048 2>/dev/null
  # The manager comes as the service account that config/rbac.yaml gives its rights to.
  cat >"$dir/tokens.csv" <<'CSV'
admin-token,admin,admin,"system:masters"
manager-token,system:serviceaccount:gatekeeper-system:gatekeeper-admin,manager,"system:serviceaccounts,system:serviceaccounts:gatekeeper-system"
CSV
  local try
  for try in 1 2 3; do  # a port that was free a moment ago may be taken by now
    if start_once "${1:-}"; then return 0; fi
    stop_all; rm -rf "$dir/etcd"
    [ "$try" = 3 ] || say "the control plane did not start; trying again on other ports" >&2
  done
  fail "the control plane did not start; logs are in $dir"
}

stop_all() { stop_process controllers; stop_process apiserver; stop_process etcd; }

command=${1:-help}; shift || true
case $command in
  build) build "$@" ;;
  kubectl) kubectl_path ;;
  free-ports) free_ports "$1" ;;
  start|stop|apiserver-kill|apiserver-start)
    [ $# -gt 0 ] || fail "usage: control-plane.sh $command DIR"
    mkdir -p "$1"; dir=$(cd "$1" && pwd); shift; kubectl=$(kubectl_path)
    case $command in
      start) start "$@" ;;
      stop) stop_all ;;
      apiserver-kill) stop_process apiserver KILL ;;
      apiserver-start) start_apiserver ;;
    esac ;;
  *) sed -n '2,/^set/{/^#/s/^# \{0,1\}//p}' "${BASH_SOURCE[0]}" ;;
esac
