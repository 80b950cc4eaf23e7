#!/usr/bin/env bash
# The compare program from outside: a grid gives the same bits side by side, one after another, and
# after stops and kills; its tables say what its runs say; and refusals come before anything is run.
# Takes the path of compare, beside which lenet lies.
set -euo pipefail

here=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
# shellcheck source=tests/made_up_set.sh
source "$here/../made_up_set.sh"
# shellcheck source=tests/shell_test.sh
source "$here/../shell_test.sh"

compare=$1
lenet=$(dirname "$compare")/lenet
data="set"
make_set "$data" train 96
make_set "$data" t10k 48

# grid OUT ARGS…: three activations by three seeds. In the background it is the program itself that
# $! names.
grid() {
  local out=$1
  shift
  exec "$compare" --activations 'relu;leaky_relu:slope=0.1;hp1' --seeds 1-3 --data "$data" \
    --epochs 2 --batch-size 8 --lr 0.05 --threads 1 --out "$out" "$@"
}

# same_grids GRID GRID WHY: every cell of the first is in the second, bit for bit.
same_grids() {
  local cell
  for cell in "$1"/cells/*-seed?; do same_network "$cell" "$2/cells/${cell##*/}" "$3"; done
  cmp <(cut -d, -f1-9 "$1/cells.csv") <(cut -d, -f1-9 "$2/cells.csv") || fail "figures differ: $3"
}

count_cells() { find "$1/cells" -name last.safetensors | wc -l; }

test_jobs_give_the_same_bits() {
  (grid one >stdout)
  grep -q '^\[9/9\] hp1, seed 3: test accuracy 0\.[0-9]*, train loss' stdout ||
    fail "no line for the last cell: $(cat stdout)"
  (($(count_cells one) == 9)) || fail "there are not nine cells"
  (grid two --jobs 2 --quiet >stdout)
  [[ ! -s stdout ]] || fail "--quiet printed something"
  same_grids one two "1 and 2 jobs"
  train alone --activation leaky_relu:slope=0.1 --seed 2 --epochs 2 --lr 0.05
  same_network alone one/cells/leaky_relu-slope-0.1-seed2 "lenet alone and in a grid"
  no_leftovers one
}

# of ACTIVATION COLUMN: a figure in table.csv.
of() {
  awk -F, -v name="$1" -v column="$2" '
    NR == 1 { for (i = 1; i <= NF; ++i) if ($i == column) wanted = i }
    $1 == name { print $wanted }' one/table.csv
}

# final FIGURE ACTIVATION: that of run.json, a line for each seed.
final() { sed -n "s/.*\"$1\": \([0-9.e-]*\).*/\1/p" one/cells/"$2"-seed?/run.json; }

near() { awk -v a="$1" -v b="$2" 'BEGIN { d = a - b; exit !(a != "" && b != "" && d * d <= 1e-20) }'; }

test_tables() {
  local activation figure mean difference
  for activation in relu hp1; do
    for figure in test_accuracy train_loss; do
      mean=$(final "$figure" "$activation" | awk '{ s += $1; ++n } END { printf "%.15g", s / n }')
      near "$mean" "$(of "$activation" "${figure}_mean")" ||
        fail "$figure of $activation is $mean on average, not $(of "$activation" "${figure}_mean")"
    done
    [[ $(of "$activation" test_accuracy_n) == 3 ]] || fail "n is not 3"
  done
  difference=$(paste <(final test_accuracy hp1) <(final test_accuracy relu) |
    awk '{ s += $1 - $2; ++n } END { printf "%.15g", s / n }')
  near "$difference" "$(of hp1 difference_mean)" || fail "the difference is not $difference"
  [[ -z $(of relu difference_mean) ]] || fail "the first activation differs from itself"
  (($(of hp1 parameters) > $(of relu parameters))) || fail "hp1 has no parameters of its own"

  grep -q '^| leaky_relu:slope=0.1 |' one/table.md || fail "table.md has no row for leaky_relu"
  grep -q "compare --activations 'relu;leaky_relu:slope=0.1;hp1' --seeds 1-3" one/table.md ||
    fail "table.md does not say the command"
  ! grep -qiE '\bnan\b|inf' one/table.md one/table.csv || fail "a table has a NaN"
  cp -r one again && rm again/*.md again/*.csv
  grep -q '^| hp1' <<<"$("$compare" --table again)" || fail "--table prints no table"
  cmp one/table.csv again/table.csv || fail "--table makes another table"
  cmp one/table.md again/table.md || fail "--table makes another page"
  grep -q 'gnuplot is missing' <<<"$(PATH=/nowhere "$compare" --table again)" ||
    fail "no word of missing pictures"
}

test_pictures() {
  command -v gnuplot >/dev/null || { echo "gnuplot is missing: pictures are left out"; return; }
  local picture
  for picture in accuracy final; do
    grep -q '</svg>' "one/$picture.svg" || fail "$picture.svg is not a whole picture"
    grep -q '>leaky_relu:slope=0.1<' "one/$picture.svg" || fail "$picture.svg has no names"
    cp "one/$picture.gp" .
    gnuplot "$picture.gp" || fail "$picture.gp does not draw"
    cmp "one/$picture.svg" "$picture.svg" || fail "$picture.gp draws something else"
  done
}

test_nothing_is_run_twice() {
  local cell
  cp -r one larger
  (grid larger --quiet)
  for cell in larger/cells/*-seed?; do
    cmp "one/cells/${cell##*/}/run.json" "$cell/run.json" || fail "$cell was run again"
  done
  # Another activation and another seed enlarge the grid.
  "$compare" --activations 'relu;elu' --seeds 2,4 --data "$data" --epochs 2 --batch-size 8 \
    --lr 0.05 --out larger --quiet
  cmp one/cells/relu-seed2/run.json larger/cells/relu-seed2/run.json || fail "relu was run again"
  [[ -e larger/cells/elu-seed4/last.safetensors ]] || fail "elu was not run"
}

# long OUT ARGS…: cells that last long enough to be caught in the middle.
long() {
  local out=$1
  shift
  grid "$out" --epochs 24 --seeds 2 --jobs 2 "$@"
}

# wait_for_checkpoints GRID COUNT: until so many cells have one.
wait_for_checkpoints() {
  local tries
  for ((tries = 0; tries < 3000; ++tries)); do
    (($(find "$1" -name state.safetensors 2>/dev/null | wc -l) >= $2)) && return
    sleep 0.01
  done
  fail "$1 has no $2 checkpoints after half a minute"
}

# goes_on GRID WHY: the same command makes it what a grid is that nobody stopped.
goes_on() {
  (long "$1") >stdout
  grep -qE '^3 runs: .* [12] to go on with' stdout ||
    fail "no run was taken up where it was, $2: $(head -n 1 stdout)"
  same_grids whole "$1" "$2"
}

test_interrupt_and_resume() {
  local checkpoints status
  for checkpoints in 1 3; do
    rm -rf stopped
    long stopped >/dev/null 2>stderr &
    wait_for_checkpoints stopped "$checkpoints"
    kill -INT $!
    status=0
    wait $! || status=$?
    [[ $status == 130 ]] || fail "exit code $status after an interrupt"
    grep -q 'interrupted; go on with: .*/compare --activations .* --out stopped' stderr ||
      fail "no word of how to go on: $(cat stderr)"
    goes_on stopped "interrupted with $checkpoints checkpoints"
  done
}

# Its runs stop at a checkpoint by themselves, for which the next one waits.
test_kill_and_resume() {
  local checkpoints
  for checkpoints in 1 3; do
    rm -rf killed
    long killed >/dev/null &
    wait_for_checkpoints killed "$checkpoints"
    kill -KILL $!
    wait $! 2>/dev/null || true
    goes_on killed "killed with $checkpoints checkpoints"
  done
}

test_wrong_command_lines() {
  expect 2 'did you mean "relu"' grid x --activations 'relu;rleu'
  expect 2 'lenet with relu: unknown flag "--epcohs"; did you mean "--epochs"' grid x --epcohs 3
  expect 2 'lenet with relu: --lr' grid x --lr steep
  expect 2 'lenet with relu: --lr' grid x -- --lr steep
  expect 2 'did you mean "cifar"' grid x --program cifra
  expect 2 'relu is there twice' "$compare" --out x --activations 'relu;hp1;relu'
  expect 2 'expected seeds' grid x --seeds 1-x
  expect 2 'run backwards' grid x --seeds 3-1
  expect 2 'seed 2 is there twice' grid x --seeds 1-3,2
  expect 2 'use --seeds' grid x --seed 4
  expect 2 'use --seeds' grid x -- --seed=4
  expect 2 'use --activations' grid x --activation hp2
  expect 2 'call the program itself' grid x --dry-run
  expect 2 '--out' "$compare" --activations relu
  expect 2 '--activations' "$compare" --out x
  expect 2 'cannot be given with --table' "$compare" --table one --seeds 1-2
  expect 1 'nowhere' grid x --data nowhere
  expect 1 'x/grid.json.*no grid' "$compare" --table x
  [[ ! -e x ]] || fail "a folder was made for a command line that is wrong"
  grep -q -- --jobs <<<"$("$compare" --help)" || fail "--help does not explain the flags"
}

test_changed_options() {
  expect 1 'one/cells/relu-seed1: was run with epochs 2 instead of 3; give' grid one --epochs 3
  expect 1 'was run with lr 0.05 instead of 0.1, limit null instead of 40; ' \
    grid one --lr 0.1 --limit 40
  (grid one --quiet --threads 2) || fail "another number of threads is another run"
}

test_failed_cells() {
  # A folder that holds something else, and a checkpoint that is cut, of a run without its figures.
  local cut=failing/cells/hp1-seed1 foreign=failing/cells/leaky_relu-slope-0.1-seed2
  cp -r one failing
  rm -r "$foreign" && mkdir "$foreign" && : >"$foreign/thesis.tex"
  sed -i '/"final": {/,/}/d; s/^\(  "input": .*\),$/\1/' "$cut/run.json"
  awk '{ if (NR > 1) print line; line = $0 } END { print line }' "$cut/run.json" |
    sed -z 's/,\n}/\n}/' >edited && mv edited "$cut/run.json"
  truncate -s 1000 "$cut/state.safetensors"
  local status=0
  (grid failing --quiet) >stdout 2>stderr || status=$?
  [[ $status == 1 ]] || fail "exit code $status instead of 1 with failed cells"
  grep -q '^compare: hp1, seed 1: .*state.safetensors.*truncated' stderr || fail "$(cat stderr)"
  grep -q '^compare: leaky_relu:slope=0.1, seed 2: .*thesis.tex.*move it away' stderr ||
    fail "$(cat stderr)"
  grep -q '2 of 9 runs failed' stderr || fail "$(cat stderr)"
  [[ -e $foreign/thesis.tex ]] || fail "a file that is not ours was removed"
  grep -qE '^\| hp1 .*\| 2, 1 failed' failing/table.md || fail "the table does not say who failed"
  grep -q '^\* hp1, seed 1: .*truncated' failing/table.md || fail "the table does not say why"
  grep -q '^hp1,1,failed,' failing/cells.csv || fail "cells.csv does not say who failed"
  rm -r "$foreign" "$cut"
  (grid failing --quiet)
  same_grids one failing "failed and run again"
  no_leftovers failing
  [[ -z $(find failing -name '*.failed.txt') ]] || fail "a failure is still on record"
}

# While this goes on, nobody else may work in the folder.
test_one_at_a_time() {
  local status=0
  mkdir claimed
  flock --no-fork claimed/.lock sleep 600 &
  while flock --nonblock claimed/.lock true; do sleep 0.01; done
  (grid claimed --quiet) 2>claimed.err || status=$?
  [[ $status == 1 ]] || fail "exit code $status for a folder that is in use"
  grep -q 'claimed: in use by another process' claimed.err || fail "$(cat claimed.err)"
  kill $!
}

# The table of a file is that of the grid that it comes from.
test_verdict() {
  ("$compare" --verdict one/cells.csv) >verdict.md || fail "--verdict fails"
  cut -d'|' -f1-9 one/table.md | grep '^|' >columns
  cut -d'|' -f1-9 verdict.md | cmp - columns || fail "another verdict: $(cat verdict.md)"
  printf 'seed,who,accuracy,activation\n1,a,90.5,relu\n1,b,91.5,hp1\n2,a,90.1,relu\n2,b,91.3,hp1\n' >percent.csv
  ("$compare" --verdict percent.csv) >verdict.md
  grep -qE '^\| hp1 +\| 91.40 ± 0.14 +\| 2 +\| \+1.10 \[\-0.17, \+2.37\] ' verdict.md ||
    fail "percents: $(cat verdict.md)"
  local message line
  while IFS='|' read -r line message; do
    printf '%b' "$line" >bad.csv
    ("$compare" --verdict bad.csv) >bad.out 2>bad.err && fail "taken: $line"
    grep -q -- "$message" bad.err || fail "not said: $message; but $(cat bad.err)"
    [[ ! -s bad.out ]] || fail "half a table of a bad file"
  done <<'END'
|has no column "activation", but none
activation,seed\nrelu,1\n|has no column "accuracy", but activation, seed
activation,seed,accuracy\n|has no accuracies
activation,seed,accuracy\nrelu,one,0.9\n|expected a whole number as the seed, got "one"
activation,seed,accuracy\nrelu,1,high\n|expected a number instead of "high"
activation,seed,accuracy\nrelu,1,0.9\nrelu,1,0.8\n|relu, seed 1 is there twice
activation,seed,accuracy\nrelu,1,nan\n|is no share and no percent
activation,seed,accuracy\nrelu,1\n|expected at least 3 fields
END
  ("$compare" --verdict absent.csv) 2>bad.err && fail "a file that is not there"
  grep -q 'absent.csv: there is no such file' bad.err || fail "$(cat bad.err)"
}

test_one_at_a_time &
in_use=$!
test_jobs_give_the_same_bits
test_tables
test_verdict
test_pictures
test_nothing_is_run_twice
(long whole --quiet)
test_interrupt_and_resume
test_kill_and_resume
test_wrong_command_lines
test_changed_options
test_failed_cells
wait "$in_use"
echo "all passed"
