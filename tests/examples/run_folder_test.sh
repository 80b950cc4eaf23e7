#!/usr/bin/env bash
# Run folders and streams from outside: one program has a folder at a time, a stop at any moment
# leaves what a run without it has, a record that was edited is refused as a flag is, and nothing
# waits for ever or loses output silently. Takes the path of lenet, beside which the others lie.
set -euo pipefail

here=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
# shellcheck source=tests/made_up_set.sh
source "$here/../made_up_set.sh"
# shellcheck source=tests/shell_test.sh
source "$here/../shell_test.sh"

lenet=$1
programs=$(dirname "$lenet")
data="set"
make_set "$data" train 8
make_set "$data" t10k 8

# start OUT ARGS…: epochs of one step each. In the background it is the program itself that $!
# names.
start() {
  local out=$1
  shift
  exec "$lenet" --data "$data" --batch-size 8 --threads 1 --quiet --out "$out" "$@"
}

# stops_with STATUS PROCESS
stops_with() {
  local status=0
  wait "$2" || status=$?
  [[ $status == "$1" ]] || fail "exit code $status instead of $1"
}

# metrics RUN: without times.
metrics() { cut -d, -f1-6 "$1/metrics.csv"; }

test_one_process_has_a_folder() {
  start busy --epochs 1000000 2>busy.err &
  local running=$!
  wait_for busy/state.safetensors
  expect 1 "busy: in use by process $running on " timeout -s KILL 30 "$lenet" --resume busy --quiet
  expect 1 "busy: in use by process $running on " start busy
  kill -TERM "$running"
  stops_with 130 "$running"
  no_leftovers busy
  awk -F, 'NR > 1 && $1 != NR - 1 { exit 1 }' busy/metrics.csv || fail "epochs were written twice"
}

# A program that starts in any of the next seconds finds the name it would choose taken.
test_names_do_not_collide() {
  local second now
  now=$(date +%s)
  for ((second = now; second < now + 100; ++second)); do
    mkdir -p "runs/$(date -d "@$second" +%Y-%m-%dT%H-%M-%S)-lenet-hp1-seed1"
  done
  "$lenet" --data "$data" --epochs 1 --threads 1 --quiet
  [[ -e $(echo runs/*-seed1-2/last.safetensors) ]] || fail "there is no run with a name of its own"
  [[ -z $(find runs/*-seed1 -mindepth 1) ]] || fail "a folder of somebody else was written to"
}

# Every step is the last one of its epoch here.
test_interrupt_and_resume() {
  local running status tries
  (start whole --epochs 40)
  for ((tries = 0; tries < 20; ++tries)); do
    rm -rf stopped
    start stopped --epochs 40 2>stderr &
    running=$!
    wait_for stopped/metrics.csv
    kill -INT "$running" 2>/dev/null || true
    status=0
    wait "$running" || status=$?
    ((status == 0)) || break
  done
  [[ $status == 130 ]] || fail "exit code $status after an interrupt"
  grep -q 'interrupted after .*--resume stopped' stderr || fail "$(cat stderr)"
  cp -r stopped paused
  "$lenet" --resume stopped --quiet
  same_network whole stopped "stopped after an epoch's last step"
  cmp <(metrics whole) <(metrics stopped) || fail "metrics differ after resuming"
}

# While nothing is lost by it, the first signal counts. A download that takes long is played by a
# curl of our own.
test_signal_before_training() {
  mkdir bin
  printf '#!/bin/sh\necho $$ >downloading\nexec sleep 20\n' >bin/curl
  chmod +x bin/curl
  HOME=$PWD XDG_CACHE_HOME='' PADE_DATA='' PATH=$PWD/bin:$PATH \
    bash -c 'exec "$@" 2>stderr' fetching "$lenet" --dataset mnist --out x &
  local running=$!
  wait_for downloading
  kill -TERM "$running"
  stops_with $((128 + 15)) "$running"
  kill "$(cat downloading)"
}

test_abandoned_files() {
  local dead
  true &
  dead=$!
  wait "$dead"
  cp -r paused crashed
  touch "crashed/last.safetensors.$dead-0.tmp" "crashed/run.json.$dead-12.tmp"
  local kept=("crashed/run.json.$$-0.tmp" crashed/thesis.tmp "crashed/thesis-$dead.tmp")
  touch "${kept[@]}"
  "$lenet" --resume crashed --quiet
  ls "${kept[@]}" >/dev/null || fail "a file was removed that a killed run did not leave"
  rm "${kept[@]}"
  no_leftovers crashed
}

# refuses OPTION VALUE: in run.json.
refuses() {
  rm -rf edited
  cp -r paused edited
  sed -i "s|^\( *\"$1\": \).*[^,]\(,\{0,1\}\)$|\1$2\2|" edited/run.json
  ! cmp -s paused/run.json edited/run.json || fail "$1 was not edited"
  expect 1 "edited/run.json: option $1: " "$lenet" --resume edited --quiet
  cmp paused/state.safetensors edited/state.safetensors || fail "a refusal changed the state"
}

test_edited_records() {
  refuses schedule '"foo"'
  refuses clip -5
  refuses threads -5
  refuses batch-size 1.5
  refuses batch-size '"8"'
  refuses epochs 0
  refuses lr null
  refuses lr '"steep"'
  refuses limit 0
  refuses optimizer '["sgd"]'
  refuses activation '"rleu"'
  refuses no-winograd '"maybe"'
  refuses seed -1
  refuses model '"vgg16"'
  cp -r paused foreign
  sed -i 's/"program": "lenet"/"program": "cifar"/' foreign/run.json
  expect 1 'foreign/run.json: the run was made by "cifar"' "$lenet" --resume foreign
  echo '{"program": "lenet"}' >foreign/run.json
  expect 1 'foreign/run.json: there are no options' "$lenet" --resume foreign
  echo '{' >foreign/run.json
  expect 1 'foreign/run.json: is not a run record' "$lenet" --resume foreign
}

test_complete_runs() {
  local before
  before=$(cd whole && cksum -- *)
  "$lenet" --resume whole >stdout
  grep -q 'whole: complete after 40 epochs, so there is nothing to do' stdout || fail "$(cat stdout)"
  [[ $before == "$(cd whole && cksum -- *)" ]] || fail "a complete run was changed"
  expect 1 'has begun epoch 40 already; --epochs 39' "$lenet" --resume whole --epochs 39
  "$lenet" --resume whole --epochs 41 --quiet
  [[ $(tail -n 1 whole/metrics.csv) == 41,* ]] || fail "it did not go on"
  grep -q '"final"' whole/run.json || fail "it has no final figures"
}

# The products of OpenBLAS round as the kernels that it chooses do.
test_another_blas() {
  local core blas
  blas=$("$lenet" --info | grep '^blas')
  cp -r paused moved
  for core in Nehalem Haswell ARMV8 NEOVERSEN1; do
    [[ $(OPENBLAS_CORETYPE=$core "$lenet" --info | grep '^blas') != "$blas" ]] || continue
    OPENBLAS_CORETYPE=$core "$lenet" --resume moved --quiet 2>stderr
    grep -q 'moved: warning: begun with blas .*, goes on with ' stderr || fail "$(cat stderr)"
    [[ $(wc -l <stderr) == 1 ]] || fail "more than one warning: $(cat stderr)"
    return
  done
  echo "note: this OpenBLAS has one set of kernels only"
}

# Where OpenBLAS does not know the processor, it takes Prescott's.
test_advice_on_blas() {
  local advice='with OPENBLAS_CORETYPE=[a-zA-Z]* in the environment' core expected info
  grep -q avx2 /proc/cpuinfo || return 0
  for core in Prescott Haswell; do
    info=$(OPENBLAS_CORETYPE=$core "$lenet" --info)
    [[ $info == *"on $core"* ]] || continue
    [[ $core == Prescott ]] && expected=1 || expected=0
    (($(grep -c "$advice" <<<"$info") == expected)) || fail "what is said of $core: $info"
  done
}

# pipe_refused COMMAND…: it does not wait for what is not going to come.
pipe_refused() { expect 1 'it is not a regular file' timeout -s KILL 30 "$@"; }

test_named_pipes() {
  local file
  for file in run.json state.safetensors metrics.csv activations.csv inputs.csv; do
    rm -rf piped
    cp -r paused piped
    rm "piped/$file"
    mkfifo "piped/$file"
    pipe_refused "$lenet" --resume piped --quiet
  done
  mkfifo points.csv
  pipe_refused "$programs/activation_lab" fit --target points.csv --activation hp1 --interval -1:1
  rm piped/run.json
  mkfifo piped/run.json
  pipe_refused "$programs/activation_lab" inspect piped
  mkdir grid
  mkfifo grid/grid.json
  pipe_refused "$programs/compare" --table grid
}

test_empty_sets() {
  make_set no-train train 0
  make_set no-train t10k 8
  make_set no-test train 8
  make_set no-test t10k 0
  expect 1 'no-train/train-images-idx3-ubyte: there are no images in it' \
    "$lenet" --data no-train --out x
  expect 1 'no-test/t10k-images-idx3-ubyte: there are no images in it' \
    "$lenet" --dataset mnist --data no-test --out x
  mkdir -p photos/ant photos/bee
  expect 1 'photos/ant: there are no files of this class' "$lenet" --dataset photos --out x
  expect 2 '--limit' "$lenet" --data "$data" --limit 0 --out x
  [[ ! -e x ]] || fail "a run folder was made for a set without images"
}

# full COMMAND…: with a full disk where its output goes.
full() { "$@" >/dev/full; }

lost() { expect 1 'cannot write all output to stdout: |could not be written' full "$@"; }

test_lost_output() {
  local lab=$programs/activation_lab
  lost "$lenet" --help
  lost "$lenet" --info
  lost "$lenet" --data "$data" --dry-run
  lost "$lenet" --data "$data" --epochs 1 --threads 1 --out unseen
  [[ -e unseen/report.html ]] || fail "the run was lost too"
  lost "$programs/cifar" --help
  lost "$programs/compare" --help
  lost "$programs/autograd_tour"
  lost "$programs/fit_table" --help
  lost "$lab" --help
  lost "$lab" list
  lost "$lab" eval --activation hp1 --x 1
  lost "$lab" fit --target relu --activation hp1 --interval -1:1 --json
  lost "$lab" analyse --activation hp1 --json
  lost "$lab" plot --activation relu
  lost "$lab" inspect unseen
  lost "$lab" bench --activation relu --n 100
}

# A file of ours must not get the number of a stream that the shell has closed.
test_closed_streams() {
  local compare=("$programs/compare" --data "$data" --epochs 1 --activations relu --seeds 1 --threads 1)
  "${compare[@]}" --out one <&- >stdout 2>stderr || fail "without stdin: $(cat stderr)"
  [[ -e one/cells/relu-seed1/last.safetensors ]] || fail "nothing was run without stdin"
  "${compare[@]}" --out two <&- >&- 2>&- || fail "without any stream"
  same_network one/cells/relu-seed1 two/cells/relu-seed1 "with closed streams"
}

test_one_process_has_a_folder
test_names_do_not_collide
test_interrupt_and_resume
test_signal_before_training
test_abandoned_files
test_edited_records
test_complete_runs
test_another_blas
test_advice_on_blas
test_named_pipes
test_empty_sets
test_lost_output
test_closed_streams
echo "all passed"
