#!/usr/bin/env bash
# Builds the peers that benchmarks and differential tests run beside ours, from their Go modules.
# usage: build.sh DEST [gator] [manager] [opa] [opabench]      (all when none is named)
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
dest=$(mkdir -p "$1" && cd "$1" && pwd); shift
wanted=${*:-gator manager opa opabench}
GATEKEEPER=${GATEKEEPER:-v3.23.1} OPA=${OPA:-v1.22.2}
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
    *) echo "unknown peer '$peer': gator, manager, opa or opabench" >&2; exit 2 ;;
  esac
  echo "built $peer"
done
