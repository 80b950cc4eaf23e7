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
  grep -q '^ *c = 1.13087026,1.78755706,' names || fail "list does not say what HP-1 is"
  grep -qF 'least-squares fit of leaky_relu:slope=0.01 on [-10, 10], 401 points' names || fail "how HP-1 was fitted"
  "$lab" list --json >list.json
  python3 - list.json <<'END' || fail "list --json"
import json, sys
known = {each['name']: each['numbers'] for each in json.load(open(sys.argv[1]))['activations']}
hp1 = known['hp1']
assert (hp1['basis'], hp1['form'], hp1['degrees']) == ('hermite_he', 'termwise', [5, 4])
assert len(hp1['c']) == 6 and len(hp1['d']) == 4
assert hp1['fit'] == {'target': 'leaky_relu:slope=0.01', 'interval': [-10, 10], 'norm': 'l2', 'points': 401}
assert known['hp2']['fit']['interval'] == [-5, 5] and known['pau']['fit']['interval'] == [-3, 3]
assert known['smu'] == {'constants': {'alpha': 0.25, 'mu': 1}, 'learned': True}
END
}

# What the numbers of hp1 are said to be gives hp1 again.
test_numbers() {
  "$lab" eval --activation hp1 --from -4 --to 4 --points 9 --gradients --json >hp1.json
  "$lab" eval --activation hp1 --interval -4:4 --points 9 --gradients >hp1.csv
  python3 - hp1.json hp1.csv <<'END' || fail "eval --json is not its table"
import csv, json, sys
data, table = json.load(open(sys.argv[1])), list(csv.reader(open(sys.argv[2])))
assert data['columns'] == table[0] and data['columns'][-1] == 'df_dd4'
assert [[float(text) for text in row] for row in table[1:]] == data['rows']
END
  "$lab" analyse --activation hp1 --json >analysis.json
  [[ $(figure hp1.json '["numbers"]') == "$(figure analysis.json '["numbers"]')" ]] || fail "two numbers of hp1"
  coefficients=$(python3 -c "
import json
n = json.load(open('hp1.json'))['numbers']
print('/'.join(','.join(map(repr, n[part])) for part in 'cd'))")
  "$lab" eval --activation hp1 --coefficients "$coefficients" --from -4 --to 4 --points 9 --gradients |
    cmp - hp1.csv || fail "hp1 by its coefficients"
  "$lab" eval --activation hp1 --coefficients 1/1,0,0,0 --json >given.json
  [[ $(figure given.json '["numbers"]["fit"]') == None ]] || fail "coefficients by hand are no fit"
  # They are every group's, and the SPEC's other keys hold.
  "$lab" export hp1:groups=3 --coefficients 1,2/0.5 --format json >groups.json
  [[ $(figure groups.json '["groups"], d["numerator"], d["denominator"]') == \
    '3 [[1.0, 2.0], [1.0, 2.0], [1.0, 2.0]] [[0.5], [0.5], [0.5]]' ]] || fail "coefficients of three groups"
  [[ $("$lab" eval --activation pau:zero_centred=true --coefficients 1,2/0.5 --x 0 | tail -1) == 0,0,* ]] ||
    fail "G(0) of coefficients with zero_centred"
  "$lab" eval --activation opau:basis=legendre,init=gelu,interval=-2:3,zero_mean=true --json >opau.json
  [[ $(figure opau.json '["numbers"]["fit"]') == *"'gelu', 'interval': [-2.0, 3.0]"*"'zero_mean': 'true'"* ]] ||
    fail "how opau was fitted"
  grep -q '^  beta = 2$' <<<"$("$lab" analyse --activation swish:beta=2)" || fail "constants"
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
  [[ $(figure line.json '["interval"]') == '[-3.0, 3.0]' ]] || fail "the samples' interval"
  # A corner at 1: left of it, the line alone.
  { tr ',' '\t' <samples.csv; printf '5\t100\n6\t-100\n'; } >corner.tsv
  "$lab" fit --target corner.tsv --activation opau:basis=legendre,degrees=1/0 --interval -3:4 --json >line.json
  near "$(figure line.json '["c"][1]')" 2
  near "$(figure line.json '["max_error"]')" 0
  "$lab" fit --target corner.tsv --activation opau:basis=legendre,degrees=1/0 --to 4 --json | cmp - line.json ||
    fail "--to with samples"
  expect 1 'none of the 9 samples of corner.tsv are from 7 to 8' \
    "$lab" fit --target corner.tsv --activation pau --interval 7:8
  printf 'x;y\n0,5;1,5\n' >comma.csv
  expect 1 'comma.csv, line 2: expected two finite numbers with decimal points' "$lab" fit --target comma.csv
  # Without --interval, the preset's.
  for name in hp1 hp2 pau; do
    "$lab" fit --target leaky_relu --activation "$name" --json >preset.json
    python3 - preset.json list.json "$name" <<'END' || fail "$name is not the fit that list says"
import json, sys
fit, known = json.load(open(sys.argv[1])), json.load(open(sys.argv[2]))['activations']
numbers = next(each['numbers'] for each in known if each['name'] == sys.argv[3])
assert fit['interval'] == numbers['fit']['interval']
assert all(abs(a - b) <= 1e-4 * abs(b) for part in 'cd' for a, b in zip(fit[part], numbers[part]))
END
  done
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
  grep -q 'proven by the roots' <<<"$("$lab" analyse --activation hp1)" || fail "hp1's Lipschitz constant"
  grep -q '^  c5  7.66[0-9]*, 0.125$' <<<"$("$lab" analyse --activation hp2)" || fail "how hp2 learns"
  ! grep -q 'coefficient' <<<"$("$lab" analyse --activation tanh)" || fail "tanh learns nothing"
}

test_bench() {
  "$lab" bench --activation 'relu;opau:basis=chebyshev_t,form=termwise,degrees=5/4' --n 1 --rounds 1 >bench.text
  # Of one element, so that the times are long: seven fields in each row all the same.
  awk 'NR <= 3 && NF != 7 { exit 1 }' bench.text || fail "columns run together: $(cat bench.text)"
  "$lab" bench --activation 'relu;hp1' --n 1000 --rounds 3 --json >bench.json
  [[ $(figure bench.json '["results"][1]["activation"]') == hp1 ]] || fail "bench"
}

# picture FILE WIDTH HEIGHT ARGS…: what the lab draws, of that size, and without a word on stderr.
picture() {
  local file=$1 size="$2 $3"
  "$lab" "${@:4}" --out "$file" >said 2>complaint || fail "${*:4}: $(cat complaint)"
  [[ ! -s complaint ]] || fail "${*:4}: $(cat complaint)"
  grep -qx "wrote $file" said || fail "${*:4} does not say what it wrote"
  [[ $(sed -nE 's/^ *width="([0-9]+)" height="([0-9]+)".*/\1 \2/p' "$file") == "$size" ]] ||
    fail "${*:4}: not $size: $(head -5 "$file")"
}

# within FILE WIDTH HEIGHT: every text begins in the picture, and no two at one place.
within() {
  python3 - "$@" <<'END' || fail "$1: texts are cut off, or lie on one another"
import re, sys
text, width, height = open(sys.argv[1]).read(), *map(float, sys.argv[2:])
places = [tuple(map(float, place)) for place in re.findall(r'<g transform="translate\(([-0-9.]+),([-0-9.]+)\)', text)]
assert places and all(0 <= x <= width and 0 <= y <= height for x, y in places), places
assert len(set(places)) == len(places)
END
}

test_plot() {
  command -v gnuplot >/dev/null || { echo "gnuplot is missing: plots are left out"; return; }
  local long=opau:basis=chebyshev_t,form=whole_sum,degrees=5/4,init=gelu,interval=-6:6,zero_centred=true,noise=0.1
  picture curves.svg 800 890 plot --activation 'relu;swish;hp1'
  within curves.svg 800 890
  picture one.svg 800 890 plot --activation identity --interval -2:3
  picture long.svg 800 930 plot --activation "relu;$long;swish"
  within long.svg 800 930
  grep -q 'opau:basis=chebyshev_t.*\.\.\..*noise=0.1' long.svg || fail "a long name is not shortened"
  picture fitted.svg 800 760 fit --target gelu --activation pau
  grep -q 'fit - target' fitted.svg || fail "no error below the fit"
  printf '0 0\n1 2\n2 4\n3 6.5\n' >few
  picture samples.svg 800 760 fit --target few --activation opau:basis=monomial,degrees=1/0
  for spec in hp1 pau:form=unsafe,degrees=2/3,init=relu opau:basis=monomial,form=unsafe,degrees=3/0,init=tanh; do
    picture poles.svg 900 760 plot --activation "$spec" --poles
  done
  picture pole.svg 800 890 plot --activation pau:form=unsafe,degrees=2/3,init=relu --interval -20:20
  grep -q 'f(x)' <<<"$("$lab" plot --activation hp2)" || fail "plot in the terminal"
  (($("$lab" plot --activation "hp2;$long" | wc -L) <= 79)) || fail "the plot in the terminal is too wide"
  expect 1 'ends in .svg or .png' "$lab" plot --activation relu --out curves.pdf
  expect 1 'ends in .svg or .png' "$lab" fit --target relu --out fit.pdf
  expect 1 'neither poles nor zeros' "$lab" plot --activation opau:basis=monomial,degrees=0/0 --poles --out none.svg
}

# --interval, and --from with --to, say the same everywhere.
test_intervals() {
  expect 2 'is not below' "$lab" plot --activation relu --from 1 --to 1
  expect 2 'left end, 6, is not below the right end, 5' "$lab" analyse --activation relu --from 6
  expect 2 'expected a number, got "0,5"' "$lab" eval --activation relu --from 0,5
  expect 2 'A below B, got "3:x"' "$lab" analyse --activation relu --interval 3:x
  expect 2 'excludes' "$lab" eval --activation relu --from 1 --interval 0:2
  for command in 'analyse --activation hp1' 'eval --activation hp1' 'fit --target tanh --activation pau'; do
    # shellcheck disable=SC2086
    cmp <("$lab" $command --json --interval -1:2) <("$lab" $command --json --from -1 --to 2) || fail "$command"
  done
}

test_list
test_numbers
test_eval
test_fit
test_intervals
test_analyse
test_bench
test_plot
echo "all passed"
