#!/usr/bin/env bash
# Ours and the peers that can be built here, on the same cases, in one run on one core: CPU time, medians, ratios.
# usage: run.sh [--peers "opabench regorus rego-cpp opa-wasm"] [--core N] [--out FILE] [CASES...]
# CASES: folders with more cases beside bench/engines/cases; ENGINE_CASES (default: ../shared/cases/engine) is one where
# it is there. Peers are built on demand into build/peers (PEERS); one that cannot be built is named and left out.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
. tools/lib.sh

wanted="opabench regorus rego-cpp opa-wasm" core=0 out=build/bench-engines.md folders=()
while [ $# -gt 0 ]; do
  case $1 in
    --peers) wanted=$2; shift 2 ;;
    --core) core=$2; shift 2 ;;
    --out) out=$2; shift 2 ;;
    *) folders+=("$1"); shift ;;
  esac
done
peers=${PEERS:-build/peers}
[ ! -d "${ENGINE_CASES:-../shared/cases/engine}" ] || folders+=("${ENGINE_CASES:-../shared/cases/engine}")

[ -f build/bench/build.ninja ] || cmake --preset bench >/dev/null
cmake --build build/bench --target bench_engines -j "$(job_count)"
cases=build/bench-cases tables=build/bench-tables
python3 bench/engines/prepare.py "$cases" ${folders[@]+"${folders[@]}"}
rm -rf "$tables"; mkdir -p "$tables" "$peers"

binary_of() { case $1 in regorus) echo regorusbench ;; rego-cpp) echo regocppbench ;; opa-wasm) echo opawasmbench ;; *) echo "$1" ;; esac; }
title_of() { case $1 in opabench) echo "OPA" ;; regorus) echo "regorus RVM" ;; opa-wasm) echo "OPA wasm" ;; *) echo "$1" ;; esac; }
needs() { case $1 in opabench) echo go ;; regorus) echo cargo ;; rego-cpp) echo python3 ;; opa-wasm) echo npm ;; esac; }

arguments=()
for peer in $wanted; do
  program=$peers/$(binary_of "$peer")
  log=$tables/$peer.log
  if [ ! -x "$program" ]; then
    if ! command -v "$(needs "$peer")" >/dev/null; then say "peer not built: $peer: $(needs "$peer") is not there"; continue; fi
    say "building $peer"
    if ! bench/peers/build.sh "$peers" "$peer" >"$log" 2>&1; then say "peer not built: $peer: $(tail -n 1 "$log") (log: $log)"; continue; fi
  fi
  say "running $peer"
  # A peer that stops half-way keeps what it measured; what it could not do is in its log.
  GOMAXPROCS=1 timeout "${PEER_SECONDS:-900}" taskset -c "$core" "$program" "$cases" >"$tables/$peer" 2>"$log" ||
    say "$peer stopped early: $(tail -n 1 "$log")"
  sed "s/^/  /" "$log" | head -n 20
  arguments+=(--peer "$(title_of "$peer")=$tables/$peer")
done

say "running ours"
build/bench/bench/engines/bench_engines "$cases" --core "$core" --out "$out" ${arguments[@]+"${arguments[@]}"}
say "written to $out"
