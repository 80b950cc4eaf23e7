#!/usr/bin/env bash
# activation_lab as people use it: what each command prints, files it writes, and its exit codes.
# Takes the program's path.
set -euo pipefail

lab=$1
# shellcheck source=tests/shell_test.sh
source "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/../shell_test.sh"
needs python3

# figure FILE PATH: a value in a JSON file, as python writes it.
figure() { python3 -c "import json; d = json.load(open('$1')); print(d$2)"; }

# near A B: within a millionth.
near() { python3 -c "exit(not abs($1 - ($2)) <= 1e-6 * max(1, abs($2)))" || fail "$1 is not $2"; }

test_list() {
  "$lab" list >names
  for name in relu prelu swish gelu mish tanhsoft3 eis1 smu era hp1 opau laguerre legendre; do
    grep -q "^  $name " names || fail "list has no $name"
  done
}

test_eval() {
  "$lab" eval --activation swish:beta=2 --from -1 --to 1 --points 3 >table
  [[ $(head -1 table) == x,f,df_dx,d2f_dx2 ]] || fail "header: $(head -1 table)"
  near "$(sed -n 4p table | cut -d, -f2)" "1 / (1 + 2.718281828459045 ** -2)"
  [[ $("$lab" eval --activation prelu --x -2 --gradients | tail -1) == -2,-0.5,0.25,0,-2 ]] ||
    fail "prelu at -2"
  [[ $("$lab" eval --activation relu --x=1,-1,0 | wc -l) == 4 ]] || fail "--x"
  expect 2 'did you mean "relu"' "$lab" eval --activation rleu
  expect 1 'is not rational' "$lab" eval --activation relu --coefficients 1/1
  expect 1 'expected numbers' "$lab" eval --activation hp1 --coefficients 1,x/1
  expect 2 'did you mean "--gradients"' "$lab" eval --activation relu --gradient
  expect 2 'did you mean "eval"' "$lab" evl
  expect 2 'a command is required' "$lab"
}

test_fit() {
  "$lab" fit --target leaky_relu --activation pau --interval -3:3 --json >fit.json
  near "$(figure fit.json '["c"][0]')" 0.0297659244
  "$lab" fit --target leaky_relu --activation pau --interval -3:3 --norm max --json >max.json
  python3 -c "exit(not $(figure max.json '["max_error"]') < 0.9 * $(figure fit.json '["max_error"]'))" ||
    fail "the largest error was not made small"
  printf 'x,y\n' >samples.csv
  for x in -3 -2 -1 0 1 2 3; do echo "$x,$((2 * x + 1))" >>samples.csv; done
  "$lab" fit --target samples.csv --activation opau:basis=legendre,degrees=1/0 --json >line.json
  near "$(figure line.json '["c"][0]')" 1
  near "$(figure line.json '["c"][1]')" 2
  expect 1 'there is no file' "$lab" fit --target none.csv --activation pau
  expect 1 'not rational' "$lab" fit --target relu --activation swish
  expect 2 'A below B' "$lab" fit --target relu --activation pau --interval 3:-3
}

test_analyse() {
  "$lab" analyse --activation tanh --json --edge-of-chaos edge.csv >tanh.json
  near "$(figure tanh.json '["curve"]["lipschitz"]["constant"]')" 1
  near "$(figure tanh.json '["right"]["limit"]')" 1
  near "$(figure tanh.json '["gaussian"]["mean"]')" 0
  [[ $(head -1 edge.csv) == q,sigma_w,sigma_b ]] || fail "edge.csv"
  # x / (1 - x^2) has its poles at -1 and 1.
  "$lab" analyse --activation opau:basis=monomial,form=unsafe --coefficients 0,1/0,-1 --json >poles.json
  near "$(figure poles.json '["regions"][0]["poles"][1]["re"]')" 1
  [[ $(figure poles.json '["curve"]["lipschitz"]["constant"]') == inf ]] || fail "slope at a pole"
  "$lab" analyse --activation hp1 | grep -q 'proven by the roots' || fail "hp1's Lipschitz constant"
}

test_bench() {
  "$lab" bench --activation 'relu;hp1' --n 1000 --rounds 3 --json >bench.json
  [[ $(figure bench.json '["results"][1]["activation"]') == hp1 ]] || fail "bench"
}

test_plot() {
  command -v gnuplot >/dev/null || { echo "gnuplot is missing: plots are left out"; return; }
  [[ $("$lab" plot --activation 'relu;swish;hp1' --out curves.svg) == "wrote curves.svg" ]] ||
    fail "plot does not say what it wrote"
  grep -q '<svg' curves.svg || fail "curves.svg"
  "$lab" plot --activation hp1 --poles --out poles.svg >stdout
  grep -q '<svg' poles.svg || fail "poles.svg"
  "$lab" plot --activation hp2 | grep -q 'f(x)' || fail "plot in the terminal"
  expect 1 'ends in .svg or .png' "$lab" plot --activation relu --out curves.pdf
  expect 1 'is not below' "$lab" plot --activation relu --from 1 --to 1
}

test_list
test_eval
test_fit
test_analyse
test_bench
test_plot
echo "all passed"
