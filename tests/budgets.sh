#!/usr/bin/env bash
# How many lines each part may have, comments and blank ones counted: "minimal" is a promise to
# readers. Over its budget, something is merged or goes. The limits are those of today, and go down
# to the goals as the parts do.
set -euo pipefail

cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.."

status=0
# budget NAME LIMIT GOAL FILE…
budget() {
  local name=$1 limit=$2 goal=$3 lines
  shift 3
  lines=$(cat "$@" | wc -l)
  printf '%-14s %6d lines of %6d (goal %d)\n' "$name" "$lines" "$limit" "$goal"
  ((lines <= limit)) || status=1
}

sources() { find "$@" -type f \( -name '*.h' -o -name '*.cpp' -o -name '*.cu' -o -name '*.cuh' \); }

mapfile -t core < <(sources core | grep -vE '^core/(distributed|io|kernels/(math|cpu|cuda))/')
mapfile -t rooms < <(sources layers optim | grep -vE '^layers/(study/|data_parallel)')
mapfile -t study < <(sources layers/study)
mapfile -t kernels < <(sources core/kernels/math core/kernels/cpu core/kernels/cuda)
mapfile -t reference < <(sources core/kernels/reference)
mapfile -t files < <(sources data core/io)
mapfile -t distributed < <(sources core/distributed layers/data_parallel.*)
budget framework 9390 8000 "${core[@]}" "${rooms[@]}"
budget study 3000 3000 "${study[@]}"
budget reference 690 500 "${reference[@]}"
budget kernels 12000 12000 "${kernels[@]}"
budget distributed 1110 1110 "${distributed[@]}"
budget 'data and io' 4145 3000 "${files[@]}"
exit "$status"
