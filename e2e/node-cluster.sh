#!/usr/bin/env bash
# A real one-node Kubernetes: etcd, kube-apiserver, controller manager, scheduler, kubelet, containerd and pods that run.
# usage: node-cluster.sh build                 the Kubernetes programs and the pause image, into .cache/
#        node-cluster.sh up DIR [NAME:TAG=ARCHIVE.tar]...    DIR/kubeconfig works inside (see exec); the images can be pulled
#        node-cluster.sh exec DIR COMMAND...   runs a command inside, with KUBECONFIG set
#        node-cluster.sh processes DIR         process id, pod and container of everything that runs in pods
#        node-cluster.sh crash DIR             the node goes: kubelet, containerd and every container, without a word
#        node-cluster.sh boot DIR              and comes back
#        node-cluster.sh down DIR              ends all of it; the logs stay
# It lives in a network namespace of its own, so nothing listens on the machine's addresses. Needs root, and the packages
# of group `node` in tools/packages.txt. There is no kube-proxy and no DNS: the API server owns the address of the
# kubernetes Service, and reaches webhooks by their endpoints.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/../tools/lib.sh"
bin=$(cd "$here/.." && pwd)/.cache/control-plane
pause=$bin/pause.tar
bridge=pcbr0 gateway=10.88.0.1 api=10.0.0.1 registry=127.0.0.1:5000

build() {
  "$here/control-plane.sh" build --node
  if [ ! -f "$pause" ] || [ "$here/node/pause.c" -nt "$pause" ]; then
    local root
    root=$(mktemp -d)
    gcc -static -Os -s -o "$root/pause" "$here/node/pause.c"
    python3 "$here/../tools/image_archive.py" "$root" localhost/pause:1 "$pause" /pause
    rm -rf "$root"
  fi
}

inside() { nsenter --net="/run/netns/$(cat "$dir/netns")" "$@"; }
k() { inside "$kubectl" --kubeconfig "$dir/kubeconfig" "$@"; }
containers() { ctr -a "$dir/containerd.sock" -n k8s.io "$@"; }
alive() { [ -s "$dir/$1.pid" ] && kill -0 "$(cat "$dir/$1.pid")" 2>/dev/null; }

start_process() {  # name, program, arguments. nsenter, not `ip netns exec`: that one hides /sys/fs/cgroup
  local name=$1; shift
  setsid nsenter --net="/run/netns/$(cat "$dir/netns")" "$@" >>"$dir/$name.log" 2>&1 </dev/null &
  echo $! >"$dir/$name.pid"
}
stop_process() {  # name [signal]
  local pid
  [ -s "$dir/$1.pid" ] || return 0
  pid=$(cat "$dir/$1.pid")
  kill -"${2:-TERM}" "$pid" 2>/dev/null || { rm -f "$dir/$1.pid"; return 0; }
  for _ in $(seq 50); do kill -0 "$pid" 2>/dev/null || break; sleep 0.1; done
  kill -KILL "$pid" 2>/dev/null || true
  rm -f "$dir/$1.pid"
}
wait_for() {  # what, seconds, process, command...
  local what=$1 deadline=$((SECONDS + $2)) process=$3; shift 3
  until "$@" >/dev/null 2>&1; do
    alive "$process" || { tail -n 20 "$dir/$process.log" >&2; fail "$what: $process ended"; }
    [ $SECONDS -lt $deadline ] || { tail -n 20 "$dir/$process.log" >&2; fail "$what: not in time"; }
    sleep 0.2
  done
}

write_kubeconfig() {  # file, token
  cat >"$1" <<YAML
apiVersion: v1
kind: Config
current-context: node
clusters:
- name: node
  cluster: {server: "https://$api:443", certificate-authority-data: $(base64 -w0 "$dir/pki/apiserver.crt")}
users:
- name: node
  user: {token: $2}
contexts:
- name: node
  context: {cluster: node, user: node}
YAML
}

make_network() {
  echo "pc-$$" >"$dir/netns"
  ip netns add "$(cat "$dir/netns")"
  inside sh -ec "ip link set lo up; ip link add $bridge type bridge; ip addr add $gateway/24 dev $bridge
    ip addr add $api/32 dev $bridge; ip link set $bridge up; ip route add default dev $bridge; sysctl -qw net.ipv4.ip_forward=1"
}

write_configuration() {
  mkdir -p "$dir/pki" "$dir/kubelet" "$dir/cni"
  openssl genrsa -out "$dir/pki/sa.key" 2048 2>/dev/null
  printf 'admin-token,admin,admin,"system:masters"\nnode-token,system:node:node1,node1,"system:nodes"\nuser-token,jane,jane,"developers"\n' >"$dir/tokens.csv"
  cat >"$dir/cni/10-pods.conflist" <<JSON
{"cniVersion": "1.0.0", "name": "pods", "plugins": [{"type": "bridge", "bridge": "$bridge", "isGateway": true, "ipMasq": false,
 "hairpinMode": true, "ipam": {"type": "host-local", "dataDir": "$dir/cni-addresses", "ranges": [[{"subnet": "10.88.0.0/24"}]],
 "routes": [{"dst": "0.0.0.0/0"}]}}]}
JSON
  # restrict_oom_score_adj: machines without CAP_SYS_RESOURCE (containers, some virtual machines) may not lower it.
  cat >"$dir/containerd.toml" <<TOML
version = 2
root = "$dir/containerd-root"
state = "$dir/containerd-state"
[grpc]
  address = "$dir/containerd.sock"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "localhost/pause:1"
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "$dir/cni"
  [plugins."io.containerd.grpc.v1.cri".registry.mirrors."docker.io"]
    endpoint = ["http://$registry"]
TOML
  cat >"$dir/kubelet.yaml" <<YAML
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
failCgroupV1: false
cgroupDriver: cgroupfs
enforceNodeAllocatable: []
containerRuntimeEndpoint: unix://$dir/containerd.sock
authentication: {anonymous: {enabled: true}, webhook: {enabled: false}}
authorization: {mode: AlwaysAllow}
failSwapOn: false
address: $gateway
localStorageCapacityIsolation: false
evictionHard: {nodefs.available: "1%", memory.available: "50Mi"}
syncFrequency: 10s
YAML
}

start_control_plane() {
  start_process etcd "$bin/etcd" --data-dir "$dir/etcd" --unsafe-no-fsync --log-level warn \
    --listen-client-urls http://127.0.0.1:23790 --advertise-client-urls http://127.0.0.1:23790 --listen-peer-urls http://127.0.0.1:23800
  start_process apiserver "$bin/kube-apiserver" --etcd-servers=http://127.0.0.1:23790 --cert-dir="$dir/pki" \
    --secure-port=443 --bind-address=$api --advertise-address=$api --endpoint-reconciler-type=none \
    --service-cluster-ip-range=10.0.0.0/24 --service-account-key-file="$dir/pki/sa.key" \
    --service-account-signing-key-file="$dir/pki/sa.key" --service-account-issuer=https://kubernetes.default.svc \
    --token-auth-file="$dir/tokens.csv" --authorization-mode=Node,RBAC --allow-privileged=true \
    --enable-aggregator-routing=true --kubelet-preferred-address-types=InternalIP
  wait_for "kube-apiserver's certificate" 60 apiserver test -f "$dir/pki/apiserver.crt"
  write_kubeconfig "$dir/kubeconfig" admin-token
  write_kubeconfig "$dir/node.kubeconfig" node-token
  write_kubeconfig "$dir/user.kubeconfig" user-token
  wait_for "kube-apiserver" 90 apiserver k get --raw /readyz
  start_process controllers "$bin/kube-controller-manager" --kubeconfig="$dir/kubeconfig" --leader-elect=false \
    --service-account-private-key-file="$dir/pki/sa.key" --root-ca-file="$dir/pki/apiserver.crt"
  start_process scheduler "$bin/kube-scheduler" --kubeconfig="$dir/kubeconfig" --leader-elect=false
}

start_node() {
  start_process containerd containerd -c "$dir/containerd.toml"
  wait_for containerd 30 containerd containers version
  containers images import "$pause" >/dev/null
  start_process kubelet "$bin/kubelet" --config="$dir/kubelet.yaml" --kubeconfig="$dir/node.kubeconfig" \
    --hostname-override=node1 --node-ip=$gateway --root-dir="$dir/kubelet" --cert-dir="$dir/kubelet/pki"
}

up() {
  [ ! -e "$dir/netns" ] || fail "$dir was used before: give up a new folder"
  [ "$(id -u)" = 0 ] || fail "a node needs root"
  [ -x "$bin/kubelet" ] && [ -f "$pause" ] || fail "not built: run e2e/node-cluster.sh build"
  make_network
  write_configuration
  start_process registry python3 "$here/support/registry.py" "$registry" "$@"
  start_control_plane
  start_node
  k wait --for=create node/node1 --timeout=60s >/dev/null
  k wait --for=condition=Ready node/node1 --timeout=120s >/dev/null
}

# Every process whose arguments name this cluster's containerd: the shims.
shims() {
  local process
  for process in /proc/[0-9]*; do
    if { tr '\0' ' ' <"$process/cmdline"; } 2>/dev/null | grep -q "^[^ ]*containerd-shim.*$dir/containerd.sock"; then echo "${process#/proc/}"; fi
  done
}

kill_containers() {
  local id pid
  for id in $(timeout 20 ctr -a "$dir/containerd.sock" -n k8s.io tasks ls -q 2>/dev/null); do
    timeout 20 ctr -a "$dir/containerd.sock" -n k8s.io tasks kill -s KILL "$id" 2>/dev/null || true
  done
  for _ in $(seq 30); do
    [ -n "$(timeout 20 ctr -a "$dir/containerd.sock" -n k8s.io tasks ls 2>/dev/null | grep -w RUNNING)" ] || break
    sleep 0.1
  done
}

crash() {
  stop_process kubelet KILL
  kill_containers
  stop_process containerd KILL
}

processes() {
  local pid
  for pid in $(containers tasks ls | awk 'NR > 1 && $3 == "RUNNING" { print $2 }'); do
    [ "$(cat "/proc/$pid/comm")" = pause ] || printf '%s %s\n' "$pid" "$(tr '\0' '\n' <"/proc/$pid/environ" | sed -n 's/^HOSTNAME=//p')"
  done
}

down() {
  local name spaces pid
  spaces=$(containers containers ls -q 2>/dev/null | while read -r name; do
    containers containers info "$name" 2>/dev/null | grep -o '/[a-z/]*netns/cni-[^"]*' || true; done | sort -u || true)
  stop_process kubelet KILL
  for name in controllers scheduler apiserver etcd registry; do stop_process $name; done
  [ ! -S "$dir/containerd.sock" ] || kill_containers
  stop_process containerd
  for pid in $(shims); do kill -KILL "$pid" 2>/dev/null || true; done
  awk -v d="$dir/" 'index($2, d) == 1 { print $2 }' /proc/mounts | sort -r | xargs -r umount -l 2>/dev/null || true
  for name in $spaces; do ip netns del "$(basename "$name")" 2>/dev/null || true; done
  if [ -s "$dir/netns" ]; then ip netns del "$(cat "$dir/netns")" 2>/dev/null || true; fi
  find /sys/fs/cgroup -depth -type d -path '*/kubepods*' -exec rmdir {} + 2>/dev/null || true
}

command=${1:-help}; shift || true
case $command in
  build) build ;;
  up|exec|processes|crash|boot|down)
    [ $# -gt 0 ] || fail "usage: node-cluster.sh $command DIR"
    mkdir -p "$1"; dir=$(cd "$1" && pwd); shift
    kubectl=$("$here/control-plane.sh" kubectl)
    case $command in
      up) up "$@" ;;
      exec) KUBECONFIG="$dir/kubeconfig" inside "$@" ;;
      processes) processes ;;
      crash) crash ;;
      boot) start_node ;;
      down) down ;;
    esac ;;
  *) sed -n '2,/^set/{/^#/s/^# \{0,1\}//p}' "${BASH_SOURCE[0]}" ;;
esac
