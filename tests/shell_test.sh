# shellcheck shell=bash
# What tests that are shell scripts have in common; they source this file, and are then in an empty
# folder that goes away with them.

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit

fail() { echo "FAILED: $*" >&2; exit 1; }

# needs TOOL: without it, the test is skipped and says so.
needs() {
  command -v "$1" >/dev/null && return
  echo "skipped: there is no $1 (apt-get install $1)"
  exit 77
}

# expect STATUS PATTERN COMMAND…: the exit code, and one line on stderr that matches. What the
# command printed is in the file stdout.
expect() {
  local status=$1 pattern=$2 got=0
  shift 2
  ("$@") >stdout 2>stderr || got=$?
  [[ $got == "$status" ]] || fail "exit code $got instead of $status: $* ($(cat stderr))"
  grep -qE -- "$pattern" stderr || fail "no message like '$pattern': $* ($(cat stderr))"
  (($(grep -vc '^Try ' stderr) == 1)) || fail "more than one line: $* ($(cat stderr))"
}

# wait_for FILE: until it is there, for a minute at most.
wait_for() {
  local tries
  for ((tries = 0; tries < 6000; ++tries)); do
    [[ ! -e $1 ]] || return 0
    sleep 0.01
  done
  fail "$1 did not appear"
}

# same_network RUN RUN WHY
same_network() {
  cmp "$1/last.safetensors" "$2/last.safetensors" || fail "$1 and $2 differ: $3"
}

no_leftovers() {
  local leftovers
  leftovers=$(find "$1" -name '*tmp*' -o -name '.*' -type f)
  [[ -z $leftovers ]] || fail "left behind: $leftovers"
}
