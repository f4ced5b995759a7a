# Memory by kind adds up to what the process has, and `go tool pprof` reads its profiles.
# gatekeeper differs: it has no such metric
rule E2eProfiles profiles-label deny
manager_end TERM 30
pprof_port=$("$here/control-plane.sh" free-ports 1)
manager_start --enable-pprof --pprof-port="$pprof_port"
manager_wait_ready 60
pod load >"$run/load.json"
rm -f "$run/stop-load"
python3 "$here/support/load.py" "$run/kubeconfig" "/api/v1/namespaces/$ns/pods" "$run/load.json" 60 "$run/stop-load" >"$run/load.out" &
load=$!

step "profiles"
curl -fsS --max-time 20 "http://127.0.0.1:$pprof_port/debug/pprof/profile?seconds=3" -o "$run/cpu.pprof"
curl -fsS --max-time 20 "http://127.0.0.1:$pprof_port/debug/pprof/heap" -o "$run/heap.pprof"
cpu=$(go tool pprof -top "$run/cpu.pprof" 2>/dev/null); head -n 12 <<<"$cpu"
expect_in "$cpu" 'Type: cpu'
expect_in "$cpu" 'flat%'
heap=$(go tool pprof -top "$run/heap.pprof" 2>/dev/null); echo "$heap"
expect_in "$heap" 'Type: inuse_space'
expect_in "$heap" 'program'
expect_in "$(curl -sS --max-time 5 "http://127.0.0.1:$pprof_port/debug/pprof/goroutine")" 'Not there, since this is no Go program'

step "memory by kind"
metrics >"$run/memory.metrics"
grep '^portcullis_memory_bytes' "$run/memory.metrics"
sum=$(awk '/^portcullis_memory_bytes/ { sum += $NF } END { printf "%.0f", sum }' "$run/memory.metrics")
resident=$(awk '/^process_resident_memory_bytes/ { printf "%.0f", $NF }' "$run/memory.metrics")
say "kinds add up to $((sum * 100 / resident)) % of $resident bytes"
[ $((sum * 100)) -ge $((resident * 90)) ]
[ $((sum * 100)) -le $((resident * 110)) ]
touch "$run/stop-load"
wait "$load"
manager_end TERM 30
manager_start
manager_wait_ready 60
