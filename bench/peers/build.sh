#!/usr/bin/env bash
# Builds the peers that benchmarks and differential tests run beside ours, each from its registry.
# usage: build.sh DEST [gator] [manager] [opa] [opabench] [regorus] [rego-cpp] [opa-wasm]   (none named: the first four)
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
dest=$(mkdir -p "$1" && cd "$1" && pwd); shift
wanted=${*:-gator manager opa opabench}
GATEKEEPER=${GATEKEEPER:-v3.23.1} OPA=${OPA:-v1.22.2} REGOPY=${REGOPY:-1.5.2}
work=$dest/modules

go_module() {  # folder, module@version: a module of its own that requires it with its replacements
  mkdir -p "$work/$1"; cd "$work/$1"
  [ -f go.mod ] || go mod init "peers.local/$1" 2>/dev/null
  local mod
  mod=$(go mod download -json "$2" | sed -n 's/.*"GoMod": "\(.*\)".*/\1/p')
  go mod edit -require "$2"
  sed -nE '/^replace/,/^\)/s#^\s*(replace )?([^ ]+)( v[^ ]+)? => ([^. ][^ ]*) (v[^ ]+).*#\2\3=\4@\5#p' "$mod" | sed 's/ v/@v/' |
    while read -r rule; do go mod edit -replace "$rule"; done
}

for peer in $wanted; do
  case $peer in
    gator|manager)
      module=github.com/open-policy-agent/gatekeeper/v3
      go_module gatekeeper "$module@$GATEKEEPER"
      go get -tool "$module/cmd/gator@$GATEKEEPER" "$module@$GATEKEEPER"
      if [ "$peer" = gator ]; then go build -o "$dest/gator" "$module/cmd/gator"; else go build -o "$dest/gatekeeper-manager" "$module"; fi ;;
    opa)
      go_module opa "github.com/open-policy-agent/opa@$OPA"
      go get -tool "github.com/open-policy-agent/opa@$OPA"
      go build -o "$dest/opa" github.com/open-policy-agent/opa ;;
    opabench)  # OPA's library, timed by opa/main.go on the cases of bench/engines
      go_module opabench "github.com/open-policy-agent/opa@$OPA"
      cp "$here/opa/main.go" .
      go get "github.com/open-policy-agent/opa/v1/rego@$OPA"
      go build -o "$dest/opabench" . ;;
    regorus)  # a crate; its RVM mode is timed by regorus/src/main.rs
      cargo build --quiet --release --manifest-path "$here/regorus/Cargo.toml" --target-dir "$work/regorus"
      cp "$work/regorus/release/regorusbench" "$dest/regorusbench" ;;
    rego-cpp)  # a wheel, in an environment of its own
      python3 -m venv "$work/rego-cpp"
      "$work/rego-cpp/bin/pip" install --quiet "regopy==$REGOPY"
      printf '#!/bin/sh\nexec "%s" "%s" "$@"\n' "$work/rego-cpp/bin/python" "$here/regocpp/regocppbench.py" >"$dest/regocppbench"
      chmod +x "$dest/regocppbench" ;;
    opa-wasm)  # an npm package runs what OPA's executable compiles
      [ -x "$dest/opa" ] || "$0" "$dest" opa
      mkdir -p "$work/opawasm"
      cp "$here/opawasm/package.json" "$here/opawasm/bench.mjs" "$work/opawasm/"
      (cd "$work/opawasm" && npm install --silent --no-audit --no-fund)
      printf '#!/bin/sh\nexec node "%s" "$1" "%s"\n' "$work/opawasm/bench.mjs" "$dest/opa" >"$dest/opawasmbench"
      chmod +x "$dest/opawasmbench" ;;
    *) echo "unknown peer '$peer': gator, manager, opa, opabench, regorus, rego-cpp or opa-wasm" >&2; exit 2 ;;
  esac
  echo "built $peer"
done
