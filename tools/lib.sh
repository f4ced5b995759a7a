# Shared by the project's shell scripts: messages, a check for Go, the number of jobs. Sourced, not run.
say() { printf '%s\n' "$*"; }
fail() { printf 'error: %s\n' "$*" >&2; exit 1; }

# go_ready: true when a Go new enough for the control plane is there; otherwise go_problem says what is wrong.
go_problem=
go_ready() {
  local version major minor
  if ! command -v go >/dev/null; then go_problem="not found (1.26 or later is needed)"; return 1; fi
  version=$(go env GOVERSION 2>/dev/null); version=${version#go}
  major=${version%%.*}; minor=${version#*.}; minor=${minor%%.*}; minor=${minor%%[!0-9]*}
  if [ "${major:-0}" -gt 1 ] || { [ "${major:-0}" -eq 1 ] && [ "${minor:-0}" -ge 26 ]; }; then return 0; fi
  # An older command fetches the toolchain that a module asks for, unless it is told not to.
  if [ "${major:-0}" -eq 1 ] && [ "${minor:-0}" -ge 21 ] && [ "$(go env GOTOOLCHAIN)" != local ]; then return 0; fi
  go_problem="version $version is too old (1.26 or later is needed)"; return 1
}

job_count() { echo "${JOBS:-$(nproc)}"; }
