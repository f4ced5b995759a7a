#!/usr/bin/env bash
# Runs OPA's test cases through the engine. usage: run.sh <conformance program> [its options]
# The cases are found through $OPA_CASES (a folder with v0 and v1 in it) or through the Go module in corpus/.
# Exit 77: they are not there (no Go, no module), so nothing was tested.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
program=$1
shift
cases=${OPA_CASES:-}
if [ -z "$cases" ]; then
  if ! command -v go >/dev/null; then
    echo "conformance: skipped, there is no Go to find OPA's cases with (set OPA_CASES to their folder)"
    exit 77
  fi
  if ! module=$(cd "$here/corpus" && go mod download github.com/open-policy-agent/opa 2>&1 &&
                go list -m -f '{{.Dir}}' github.com/open-policy-agent/opa 2>&1); then
    echo "conformance: skipped, the module of OPA's cases is not available: $module"
    exit 77
  fi
  cases=$(tail -n 1 <<<"$module")/v1/test/cases/testdata
fi
if [ ! -d "$cases/v1" ]; then
  echo "conformance: skipped, $cases/v1 does not exist"
  exit 77
fi
exec "$program" --cases "$cases" --known "$here/known_failures.txt" "$@"
