#!/usr/bin/env bash
# Every change that a training run makes to files, failing in turn: a disk that is full, or broken,
# or takes half, and kills before each. A failed write is reported and loses nothing, and the run
# that goes on has the same bits as one that never stopped.
#   faults_test.sh LENET FAULTS [STRIDE]
# FAULTS is the library that is preloaded. Of the calls every STRIDE-th is tried, 1 for all.
set -euo pipefail

lenet=$1
faults=$2
stride=${3-11}
here=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
# shellcheck source=tests/shell_test.sh
source "$here/../shell_test.sh"
# shellcheck source=tests/made_up_set.sh
source "$here/../made_up_set.sh"

data=$work/set
make_set "$data" train 16
make_set "$data" t10k 8

run_with() {
  local log=$1 at=$2 kind=$3 out=$4
  FAULT_LOG=$log FAULT_AT=$at FAULT_KIND=$kind LD_PRELOAD=$faults train "$out" --epochs 2
}

# go_on RUN: what a user does next, resuming where there is a checkpoint and starting again elsewhere.
go_on() {
  if [[ -e $1/state.safetensors ]]; then
    "$lenet" --resume "$1" --quiet
  else
    rm -rf "$1"
    train "$1" --epochs 2
  fi
}

# Columns of metrics.csv that do not depend on the clock.
figures() { cut -d, -f1-6 "$1/metrics.csv"; }

check_run() {
  local out=$1 what=$2
  same_network whole "$out" "$what"
  cmp <(figures whole) <(figures "$out") || fail "metrics differ: $what"
  cmp whole/activations.csv "$out/activations.csv" || fail "coefficients differ: $what"
  cmp whole/inputs.csv "$out/inputs.csv" || fail "inputs differ: $what"
}

run_with "$work/calls" 0 none whole
calls=$(wc -l <calls)
((calls > 50)) || fail "only $calls calls were seen: is $faults preloaded?"

tried=0
try_fault() {
  local at=$1 kind=$2 status=0 what
  what="$kind at call $(sed -n "${at}p" calls)"
  rm -rf out
  run_with "" "$at" "$kind" out 2>stderr || status=$?
  case $kind:$status in
    kill:137) ;;
    *:1) (($(wc -l <stderr) == 1)) || fail "not one line about $what: $(cat stderr)" ;;
    *:0) check_run out "$what, which was passed over" ;;
    *) fail "exit code $status: $what ($(cat stderr))" ;;
  esac
  go_on out 2>stderr || fail "cannot go on after $what: $(cat stderr)"
  check_run out "after $what"
  no_leftovers out
  tried=$((tried + 1))
}

for ((at = 1; at <= calls; at += stride)); do
  for kind in kill ENOSPC EIO short; do try_fault "$at" "$kind"; done
done
echo "$tried faults in $calls calls: all passed"
