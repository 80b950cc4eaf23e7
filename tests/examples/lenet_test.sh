#!/usr/bin/env bash
# The lenet program from outside: same bits for any number of threads and across stops, and clear
# refusals that lose nothing. Takes the program's path and a folder with Fashion-MNIST.
set -euo pipefail

lenet=$1
data=$2
if [[ ! -e $data/train-images-idx3-ubyte.gz ]]; then
  echo "skipped: there is no Fashion-MNIST in $data (apt-get install dataset-fashion-mnist)"
  exit 77
fi
# shellcheck source=tests/shell_test.sh
source "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/../shell_test.sh"

# train OUT ARGS…: two short epochs. In the background it is the program itself that $! names.
train() {
  local out=$1
  shift
  exec "$lenet" --data "$data" --limit 1500 --epochs 2 --seed 3 --quiet --out "$out" "$@"
}

# What the page of a run knows of its activations.
layers_of() { grep -o '"layers":.*' "$1/report.html"; }

test_same_bits_for_any_threads() {
  (train one --threads 1)
  (train two --threads 2)
  same_network one two "1 and 2 threads"
  cmp <(cut -d, -f1-6 one/metrics.csv) <(cut -d, -f1-6 two/metrics.csv) || fail "metrics differ"
  cmp one/activations.csv two/activations.csv || fail "coefficients differ"
  cmp one/inputs.csv two/inputs.csv || fail "inputs differ"
  (train other --seed 4)
  ! cmp -s one/last.safetensors other/last.safetensors || fail "two seeds gave the same network"
}

# The loss on the training images after the last epoch.
last_loss() { tail -n 1 "$1/metrics.csv" | cut -d, -f3; }

test_plain_loops_train_to_the_same_losses() {
  local kernels
  for kernels in fast reference; do
    (train "$kernels" --kernels "$kernels" --limit 96 --test-limit 32 --batch-size 32 --epochs 1)
  done
  (PADE_KERNELS=reference train by_environment --limit 96 --test-limit 32 --batch-size 32 --epochs 1)
  awk -v a="$(last_loss fast)" -v b="$(last_loss reference)" \
    'BEGIN { d = a - b; exit !(d < 1e-4 && d > -1e-4) }' ||
    fail "loss $(last_loss fast) with fast kernels, $(last_loss reference) with plain loops"
  ! cmp -s fast/last.safetensors reference/last.safetensors || fail "were those the plain loops?"
  same_network reference by_environment "--kernels reference and PADE_KERNELS"
  expect 2 'kernels.*slow.*fast.*reference' "$lenet" --kernels slow
  PADE_KERNELS=slow expect 1 'no kernels "slow"; there are: fast, reference' train other
}

# Resumes until the run completes.
finish() {
  "$lenet" --resume "$1" --quiet || fail "could not resume $1"
}

test_interrupt_and_resume() {
  local stopped=0 status
  for delay in 0 0.1 0.2 0.3 0.4 0.6; do
    rm -rf stopped
    train stopped --threads 1 2>stderr &
    wait_for stopped/activations.csv
    sleep "$delay"
    kill -INT $! 2>/dev/null || true
    status=0
    wait $! || status=$?
    [[ $status == 0 || $status == 130 ]] || fail "exit code $status after an interrupt"
    [[ $status == 130 && -e stopped/state.safetensors ]] || continue
    stopped=1
    grep -q -- "--resume stopped" stderr || fail "no word of how to resume: $(cat stderr)"
    finish stopped
    same_network one stopped "stopped after $delay s"
    cmp one/activations.csv stopped/activations.csv || fail "coefficients differ after resuming"
    cmp one/inputs.csv stopped/inputs.csv || fail "inputs differ after resuming"
    cmp -s <(layers_of one) <(layers_of stopped) || fail "reports differ after resuming"
  done
  ((stopped)) || echo "note: no interrupt fell into the run"
}

# A gnuplot that interrupts the program that calls it.
test_interrupt_while_the_last_files_are_written() {
  local status=0
  mkdir -p interrupting
  # shellcheck disable=SC2016
  printf '%s\n' '#!/bin/sh' 'kill -INT $PPID' >interrupting/gnuplot
  chmod +x interrupting/gnuplot
  (PATH=$PWD/interrupting:$PATH train late 2>stderr) || status=$?
  [[ $status == 130 ]] || fail "exit code $status"
  grep -q '^interrupted before .*--resume late$' stderr || fail "no word of how to resume: $(cat stderr)"
  finish late
  same_network one late "stopped at its end"
  [[ -e late/report.html ]] || fail "the resumed run has no report"
}

test_kill_and_resume() {
  for delay in 0.3 0.5 0.6 0.7 0.9 1.1; do
    rm -rf killed
    train killed --threads 1 --epochs 8 &
    sleep "$delay"
    kill -KILL $! 2>/dev/null || true
    wait $! 2>/dev/null || true
    [[ -e killed/state.safetensors ]] || continue
    finish killed
    [[ -e eight ]] || (train eight --threads 1 --epochs 8)
    same_network eight killed "killed after $delay s"
    cmp <(cut -d, -f1-6 eight/metrics.csv) <(cut -d, -f1-6 killed/metrics.csv) || fail "metrics differ"
    cmp eight/inputs.csv killed/inputs.csv || fail "inputs differ after a kill"
  done
}

peak_memory() { sed -n 's/.*"peak_rss_mib": \([0-9]*\).*/\1/p' "$1/run.json"; }

test_memory_does_not_grow() {
  (train ten --epochs 10)
  local two=$(($(peak_memory one))) ten=$(($(peak_memory ten)))
  ((ten * 100 <= two * 102)) || fail "peak memory grew from $two to $ten MiB"
}

test_wrong_command_lines() {
  expect 2 'did you mean "--epochs"' "$lenet" --epcohs 3
  expect 2 '--epochs' "$lenet" --epochs 0
  expect 2 '--lr' "$lenet" --lr steep
  expect 2 'did you mean "relu"' "$lenet" --activation rleu
  expect 2 'did you mean "adam"' "$lenet" --optimizer adm
  expect 2 'fashion-mnist' "$lenet" --dataset fashion
  grep -q -- --activation-lr <<<"$("$lenet" --help)" || fail "--help does not explain the flags"
  grep -q compiler <<<"$("$lenet" --info)" || fail "--info says nothing"
}

# Copies the data set, changed by the commands that follow.
damaged() {
  local copy=$1
  rm -rf "$copy"
  mkdir "$copy"
  cp "$data"/*.gz "$copy"
}

test_bad_data() {
  if grep -q '^gpu  *none' <<<"$("$lenet" --info)"; then
    expect 1 'device cuda: (no GPU|.*built without CUDA)' "$lenet" --device cuda --out x
  fi
  expect 1 'nowhere' "$lenet" --data nowhere --out x
  mkdir -p empty
  expect 1 'empty' "$lenet" --data empty --out x
  damaged cut && truncate -s 100000 cut/train-images-idx3-ubyte.gz
  expect 1 'train-images-idx3-ubyte.gz.*(truncated|damaged|incomplete|ends)' "$lenet" --data cut --out x
  damaged swapped && mv swapped/train-labels-idx1-ubyte.gz swapped/t &&
    mv swapped/train-images-idx3-ubyte.gz swapped/train-labels-idx1-ubyte.gz &&
    mv swapped/t swapped/train-images-idx3-ubyte.gz
  expect 1 'train-(images|labels)' "$lenet" --data swapped --out x
  damaged hollow && : >hollow/t10k-labels-idx1-ubyte.gz
  expect 1 't10k-labels-idx1-ubyte.gz' "$lenet" --data hollow --out x
  [[ ! -e x ]] || fail "a run folder was made for data that cannot be read"
}

test_run_folders() {
  expect 1 'not empty.*--resume one' train one
  expect 1 'no such folder|cannot be read' "$lenet" --resume nowhere
  expect 1 '--lr cannot be given' "$lenet" --resume one --lr 1
  mkdir -p young && cp one/run.json young
  expect 1 'state.safetensors' "$lenet" --resume young
  cp -r one torn && truncate -s 1000 torn/state.safetensors
  expect 1 'torn/state.safetensors.*truncated' "$lenet" --resume torn
  cp -r one foreign && sed -i 's/"activation": "hp1"/"activation": "relu"/' foreign/run.json
  expect 1 'foreign/state.safetensors.*act1.numerator' "$lenet" --resume foreign
  cmp one/state.safetensors foreign/state.safetensors || fail "a failed resume changed the state"
  cp -r one early && sed -i '/"activation-optimizer"/d' early/run.json
  expect 1 'early/run.json: option activation-optimizer is not recorded: .* an earlier' \
    "$lenet" --resume early
  : >file
  expect 1 'file/run' "$lenet" --data "$data" --out file/run
}

# A full disk, played by a limit on the size of files, with the signal that comes with it ignored.
test_full_disk() {
  (train full --epochs 1)
  cp full/state.safetensors before
  expect 1 'full/.*(File too large|No space)' \
    bash -c 'trap "" XFSZ; ulimit -f 32; exec "$@"' limited "$lenet" --resume full --epochs 3 --quiet
  cmp before full/state.safetensors || fail "the last checkpoint was lost"
  no_leftovers full
  finish full
}

# Coefficients have Adam's memories, unless they are to be treated as the weights are.
test_activation_optimizer() {
  grep -aq '"optimizer.second_moment.act1.numerator"' one/state.safetensors || fail "one: no Adam"
  grep -aq '"optimizer.momentum.conv1.weight"' one/state.safetensors || fail "one: weights"
  (train same --activation-optimizer same)
  grep -aq '"optimizer.momentum.act1.numerator"' same/state.safetensors || fail "same: no momentum"
  ! cmp -s one/last.safetensors same/last.safetensors || fail "both rules gave the same network"
  (train given --activation-optimizer same --activation-lr 0.02)  # what --lr is
  same_network same given "the rate that is the weights'"
  expect 2 'optimizer of coefficients.*sdg' "$lenet" --activation-optimizer sdg
}

# Steps far too large for a rational with poles.
test_divergence() {
  expect 1 'training diverged: .* in epoch 1, step .*; anomaly: the (result|gradient) of [a-z_0-9]+ .* in (conv|act|fc)[0-9](; act[1-4] has poles at [-0-9.e, ]+)*; away keeps' \
    train away --activation hp1:form=unsafe --activation-lr 5 --lr 50 --clip 0
  [[ ! -e away/last.safetensors ]] || fail "a network of NaNs was written"
}

test_same_bits_for_any_threads
test_plain_loops_train_to_the_same_losses
test_interrupt_and_resume
test_interrupt_while_the_last_files_are_written
test_kill_and_resume
test_memory_does_not_grow
test_wrong_command_lines
test_bad_data
test_run_folders
test_full_disk
test_activation_optimizer
test_divergence
echo "all passed"
