#!/usr/bin/env bash
# Installs the Debian packages that are missing, and says what else the machine lacks. Safe to run any number of times.
# usage: tools/setup.sh [--check] [group...]    groups: build test lint bench (none given: these), node; --check installs nothing
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
. "$root/tools/lib.sh"

check_only=0
if [ "${1:-}" = --check ]; then check_only=1; shift; fi
groups=("$@"); [ ${#groups[@]} -gt 0 ] || groups=(build test lint bench)

wanted=()
for group in "${groups[@]}"; do
  mapfile -t found < <(awk -v g="$group" '$1 == g { print $2 }' "$root/tools/packages.txt")
  [ ${#found[@]} -gt 0 ] || fail "unknown group '$group' (known: $(awk '!/^#/ && NF { print $1 }' "$root/tools/packages.txt" | sort -u | tr '\n' ' '))"
  wanted+=("${found[@]}")
done

if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
  say "This is not a Debian system, so nothing was installed. Portcullis is built and tested on Debian 12 and needs the"
  say "equivalents of these packages:"
  printf '  %s\n' "${wanted[@]}"
  say "With a C++20 compiler (g++ 12 or later), CMake 3.25 and those libraries in place, 'cmake --preset release' builds it."
  exit 1
fi

missing=()
for package in "${wanted[@]}"; do
  case $(dpkg-query -W -f '${Status}' "$package" 2>/dev/null || true) in
    *"ok installed") ;;
    *) missing+=("$package") ;;
  esac
done

if [ ${#missing[@]} -eq 0 ]; then
  say "packages (${groups[*]}): all ${#wanted[@]} are installed"
elif [ "$check_only" = 1 ]; then
  fail "packages missing: ${missing[*]}"
else
  say "packages (${groups[*]}): installing ${#missing[@]} of ${#wanted[@]}: ${missing[*]}"
  elevate=()
  if [ "$(id -u)" != 0 ]; then
    command -v sudo >/dev/null || fail "run as root, or install sudo: apt-get needs it to install ${missing[*]}"
    elevate=(sudo)
  fi
  apt() { "${elevate[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -o Dpkg::Use-Pty=0 -o Acquire::Retries=3 "$@" </dev/null; }
  log=$(mktemp)
  trap 'rm -f "$log"' EXIT
  # The package lists of a fresh machine may be absent or too old; they are fetched only when the first try fails.
  if ! apt install -y --no-install-recommends "${missing[@]}" >"$log" 2>&1; then
    say "fetching the package lists"
    apt update >"$log" 2>&1 || say "apt-get update reported: $(tail -n 2 "$log" | tr '\n' ' ')"
    apt install -y --no-install-recommends "${missing[@]}" >"$log" 2>&1 || { tail -n 20 "$log" >&2; fail "apt-get could not install the packages"; }
  fi
  say "packages: done"
fi

if go_ready; then
  say "go: $(go version | awk '{ print $3 }')"
else
  say "go: $go_problem. Needed only for the real control plane (make e2e, make demo, make playground) and for the"
  say "    conformance cases that come as Go modules (make conformance); all else works without it."
fi
if command -v kubectl >/dev/null; then
  say "kubectl: $(command -v kubectl)"
else
  say "kubectl: not on PATH; make e2e, demo and playground build it with Go when they need it"
fi
