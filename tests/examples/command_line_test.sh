#!/usr/bin/env bash
# The command lines of all programs: numbers are decimal, in range and finite or refused in one line;
# what fits no network is refused before anything is made; messages name the command as it was
# typed; --help and --version do nothing else. Takes the folder of the programs.
set -euo pipefail

here=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
programs=$(readlink -f "$1")
# shellcheck source=tests/made_up_set.sh
source "$here/../made_up_set.sh"
# shellcheck source=tests/shell_test.sh
source "$here/../shell_test.sh"

lenet=$programs/lenet
lab=$programs/activation_lab
data="set"
make_set "$data" train 32
make_set "$data" t10k 16

# flags_of COMMAND…: those that take numbers, with what --help calls them: "--lr X >= 0".
flags_of() { "$@" --help | grep -oE '^ +--[a-z0-9-]+ [NX]([ =].*|$)' || true; }

# Every flag that takes a number, of every program and command. All are read by one function, so that
# each flag is given three wrong numbers only, in turn.
test_numbers() {
  local words command flag name number wrong i count=0
  for words in lenet cifar compare predict 'activation_lab eval' 'activation_lab fit' \
    'activation_lab analyse' 'activation_lab plot' 'activation_lab bench'; do
    read -ra command <<<"$words"
    command[0]=$programs/${command[0]}
    ! "${command[@]}" --help | grep -E '^ +--.* (U?INT|FLOAT)' ||
      fail "$words has numbers that add_number() does not read"
    while read -r flag name _; do
      wrong=(nan inf 1e999 0x10 '1 ' 1x --1)
      [[ $flag == --x ]] || wrong+=('0,01')  # which are two points
      [[ ${name%=*} != N ]] || wrong+=(-1 1.5 18446744073709551616)
      for i in 0 1 2; do
        number=${wrong[(3 * count + i) % ${#wrong[@]}]}
        expect 2 "^[a-z_]+: $flag: expected a (whole )?number( .*)?, got \"$number\"\$" \
          "${command[@]}" "$flag=$number"
        (($(wc -c <stderr) < 250)) || fail "a message of many digits: $(cat stderr)"
      done
      count=$((count + 1))
    done < <(flags_of "${command[@]}")
  done
  ((count >= 40)) || fail "only $count flags take numbers"
}

# recorded NAME FLAG…: what run.json would say.
recorded() {
  local name=$1
  shift
  "$lenet" --data "$data" --dry-run "$@" | sed -n "s/^ *\"$name\": \([^,]*\),*\$/\1/p"
}

test_values() {
  [[ $(recorded seed --seed 010) == 10 ]] || fail "--seed 010 is $(recorded seed --seed 010)"
  [[ $(recorded seed --seed 18446744073709551615) == 18446744073709551615 ]] || fail "2^64 - 1"
  [[ $(recorded epochs --epochs +7) == 7 ]] || fail "--epochs +7"
  [[ $(recorded lr --lr 2.5e-2) == 0.025 ]] || fail "--lr 2.5e-2"
  expect 2 'from 0 to 18446744073709551615, got "-1"' "$lenet" --seed -1
  expect 2 '^lenet: --lr: expected a number of at least 0, got "0,01"$' "$lenet" --lr 0,01
  expect 2 '^lenet: --momentum: expected a number from 0 to 1, got "2"$' "$lenet" --momentum 2
  expect 2 '^activation_lab: --normal: expected a number above 0, got "0"$' "$lab" fit --normal 0
  [[ $("$lab" eval --activation relu --x=1,+2,-3e0 | tail -n 3 | cut -d, -f2 | paste -sd,) == 1,2,0 ]] ||
    fail "--x"
  expect 2 '^activation_lab: --x: expected a number, got "nan"$' "$lab" eval --x=1,nan
  expect 2 'A below B, got "-5,5:5"' "$lab" fit --target relu --interval=-5,5:5
  expect 2 'expected seeds' "$programs/compare" --activations relu --out x --seeds 0x1
}

# With the network that the flags ask for, and in no time.
test_networks() {
  expect 1 'groups.* in act1' "$lenet" --data "$data" --dry-run --activation hp1:groups=7
  expect 1 'groups.* in act1' "$lenet" --data "$data" --out x --quiet --activation hp1:groups=7
  expect 1 'lenet with hp1:groups=7: .*groups.* in act1' "$programs/compare" --out x \
    --data "$data" --activations 'relu;hp1:groups=7'
  expect 2 'groups expects a whole number from 1 to 65536.*got 100000000' \
    "$lenet" --activation hp1:groups=100000000
  expect 2 'groups expects a whole number from 1 to 65536' "$lenet" --activation hermite:groups=1e8
  [[ ! -e x ]] || fail "a run folder was made for what does not fit"
}

test_typed_command() {
  "$lenet" --lr x 2>stderr || true
  grep -qxF "Try $lenet --help" stderr || fail "argv[0]: $(cat stderr)"
  PADE_COMMAND='examples/run.sh lenet' "$lenet" --lr x 2>stderr || true
  grep -qxF 'Try examples/run.sh lenet --help' stderr || fail "\$PADE_COMMAND: $(cat stderr)"
  PADE_COMMAND='examples/run.sh compare' "$lenet" --lr x 2>stderr || true
  grep -qxF "Try $lenet --help" stderr || fail "that of another program: $(cat stderr)"
  (cd "$programs" && ./lenet --help) >stdout
  grep -q '^Usage: ./lenet ' stdout || fail "usage: $(grep Usage stdout)"
  grep -q '^  ./lenet --resume runs/' stdout || fail "the examples do not name the command"
  PADE_COMMAND='examples/run.sh compare' "$programs/compare" --data "$data" --activations relu \
    --seeds 1 --out x --lr x 2>stderr || true
  grep -qxF 'Try examples/run.sh compare --help, and examples/run.sh lenet --help' stderr ||
    fail "compare: $(cat stderr)"
}

test_resume_as_typed() {
  PADE_COMMAND='examples/run.sh lenet' "$lenet" --data "$data" --batch-size 8 --threads 1 \
    --epochs 100000 --quiet --out 'my run' 2>stderr &
  wait_for 'my run/state.safetensors'
  kill -INT $!
  wait $! || true
  grep -qE "after (1 epoch|[0-9]+ epochs) and (1 step|[0-9]+ steps); go on with: examples/run.sh lenet --resume 'my run'\$" stderr ||
    fail "no command to paste: $(cat stderr)"
  ! grep -qE '\b1 (epochs|steps)\b' stderr || fail "one, and many: $(cat stderr)"
}

# Names that are no UTF-8, as old disks have them.
test_paths_of_any_bytes() {
  local odd=$'caf\xe9'
  cp -r "$data" "$odd"
  expect 2 'lenet: --data: expected a name in UTF-8.*symbolic link' "$lenet" --data "$odd" --out x
  expect 2 'compare: --out: expected a name in UTF-8' "$programs/compare" --activations relu --out "$odd"
  expect 2 '--dataset: expected a name in UTF-8' "$programs/cifar" --dataset "$odd" --out x
  [[ ! -e x ]] || fail "a folder was made for a command line that is wrong"
  train "$odd.run" --epochs 1
  "$lenet" --resume "$odd.run" --epochs 2 --quiet
  [[ $(wc -l <"$odd.run/metrics.csv") == 3 ]] || fail "a run in a folder of any name does not resume"
  printf '0,0\n1,1\n2,2\n3,3\n' >"$odd.csv"
  grep -q '"c"' <<<"$("$lab" fit --target "$odd.csv" --activation opau:basis=monomial,degrees=1/0 --json)" ||
    fail "fit --json of a file of any name"
}

test_help() {
  local command
  for command in list eval fit analyse plot bench inspect export distil; do
    "$lab" "$command" --help >stdout
    [[ $(grep -E "^  $lab " stdout) == "  $lab $command"* ]] ||
      fail "$command --help has other examples than its own: $(cat stdout)"
    (($(grep -cE "^  $lab " stdout) >= 1)) || fail "$command --help: $(cat stdout)"
  done
  ! grep -q mnist <<<"$("$programs/cifar" --help)" || fail "cifar offers mnist"
  for command in fit_table autograd_tour; do
    "$programs/$command" --help >stdout
    grep -q '^Usage: ' stdout || fail "$command --help has no usage"
    (($(wc -l <stdout) < 15)) || fail "$command --help runs it"
    expect 2 'unknown argument "now"' "$programs/$command" now
    expect 2 'unknown flag "--out"' "$programs/$command" --out x
  done
}

# alone FILE COMMAND…: prints what is in the file, and does nothing else.
alone() {
  local wanted=$1
  shift
  "$@" >stdout 2>stderr || fail "exit code $?: $*"
  diff "$wanted" stdout >differences || fail "other text than alone: $* ($(cat differences))"
  [[ ! -s stderr ]] || fail "on stderr: $* ($(cat stderr))"
  [[ ! -e x ]] || fail "it does something: $*"
}

test_help_beside_other_flags() {
  local flags
  "$lenet" --help >help
  for flags in -h '--help --version' '--help --data set --out x' '--out x --epochs 0 -h' \
    '--epcohs 3 --help' 'now --help' '--epochs --help' '--help --info' '--dry-run --data set --help'; do
    # shellcheck disable=SC2086
    alone help "$lenet" $flags
  done
  "$lab" eval --help >help
  alone help "$lab" --help eval
  alone help "$lab" eval --x 1x --activation rleu --help
  "$lab" --help >help
  alone help "$lab" evla --help
  "$programs/compare" --help >help
  alone help "$programs/compare" --activations relu --lr x --out x --help
  expect 2 'unknown flag "--"' "$lenet" -- --help
}

test_version() {
  local program
  "$lenet" --version >version
  grep -qxE 'Padé [0-9]+\.[0-9]+\.[0-9]+ \([0-9a-z-]+\), (GNU|Clang) [0-9]+\..*' version ||
    fail "--version says: $(cat version)"
  (($(wc -l <version) == 1)) || fail "--version says more than a line"
  [[ $("$lenet" --info | head -n 1) == "$(cut -d, -f1 version)" ]] || fail "--info has another"
  for program in lenet cifar compare predict activation_lab fit_table autograd_tour; do
    alone version "$programs/$program" --version
    alone version "$programs/$program" --out x --lr x --version now
    "$programs/$program" --help | grep -E '^ +--version ' >stdout || fail "$program --help hides it"
  done
  alone version "$lab" eval --version
}

test_numbers
test_values
test_networks
test_typed_command
test_resume_as_typed
test_paths_of_any_bytes
test_help
test_help_beside_other_flags
test_version
echo "all passed"
