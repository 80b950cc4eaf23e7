#!/usr/bin/env bash
# activation_lab inspect on small runs and on files: text and JSON, with and without metadata, and
# clear refusals. Takes the paths of lenet and of activation_lab.
set -euo pipefail

here=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
# shellcheck source=tests/made_up_set.sh
source "$here/../made_up_set.sh"

lenet=$1
lab=$2
# shellcheck source=tests/shell_test.sh
source "$here/../shell_test.sh"
needs python3

# refused STATUS PATTERN ARGS…: how inspect refuses these; nothing is printed.
refused() {
  expect "$1" "$2" "$lab" inspect "${@:3}"
  [[ ! -s stdout ]] || fail "something on stdout: $*"
}

# check_json FILE EXPRESSIONS: each of them holds of the object in the file: see inspect_check.py.
check_json() {
  python3 "$here/inspect_check.py" "$@" || fail "$1 is not as expected"
}

# text ARGS…: what inspect prints, in lines of at most 100 characters.
text() {
  "$lab" inspect "$@" >text || fail "inspect $* ended with $?"
  python3 -c 'import sys
sys.exit(any(len(line.rstrip("\n")) > 100 for line in open("text", encoding="utf-8")))' ||
    fail "a line is too long: $*"
  cat text
}

# without_metadata FROM TO: the same tensors, and nothing else.
without_metadata() { python3 "$here/inspect_files.py" strip "$1" "$2"; }

test_run() {
  "$lab" inspect run --json >run.json.out
  check_json run.json.out \
    'everything["run"] == "run" and everything["file"] == "run/last.safetensors"' \
    'everything["activation"] == "hp1"' \
    '[layer["name"] for layer in layers] == ["act1", "act2", "act3", "act4"]' \
    'all(layer["basis"] == "hermite_he" and layer["form"] == "termwise" for layer in layers)' \
    'all(layer["degrees"] == [5, 4] and layer["groups"] == 1 for layer in layers)' \
    'all(layer["inputs"]["epoch"] == 2 for layer in layers)' \
    'all(abs(layer["start"]["numerator"][0] - 1.13087) < 1e-4 for layer in layers)' \
    'all(layer["start"]["numerator"] != layer["now"]["numerator"] for layer in layers)'
  text run >run.text
  grep -q '^act1: degrees 5/4, hermite_he, termwise$' run.text || fail "no title of a layer"
  (($(grep -c '█' run.text) == 4)) || fail "not a histogram per layer"
  grep -q '^  start  P = 1.131 + 1.788 He1 + 1.095 He2 + 0.3269 He3' run.text || fail "no start"
  grep -q '^         Q = 1 + 1.075 |He1| + 0.3066 |He2|' run.text || fail "no denominator"
  (($(grep -c 'RMS distance' run.text) == 8)) || fail "not two nearest formulas per layer"
  cmp <("$lab" inspect run --json) run.json.out || fail "two calls differ"
}

test_files() {
  local name
  for name in last best state; do
    text "run/$name.safetensors" >/dev/null
    "$lab" inspect "run/$name.safetensors" --json >file.json
    check_json file.json 'everything["run"] is None and len(layers) == 4' \
      'all(layer["inputs"] is None and layer["start"] is None for layer in layers)' \
      'all(layer["basis"] == "hermite_he" for layer in layers)' \
      'all((layer["low"], layer["high"]) == (-5, 5) for layer in layers)'
  done
  without_metadata run/last.safetensors bare.safetensors
  refused 1 'bare.safetensors: does not say .*act1.*--activation' bare.safetensors
  refused 1 'has no learned activations.*is relu.*act1.denominator' bare.safetensors --activation relu
  "$lab" inspect bare.safetensors --activation pau --json >bare.json
  check_json bare.json 'all(layer["basis"] == "monomial" for layer in layers)'
  cp -r run old
  cp bare.safetensors old/last.safetensors
  cmp <("$lab" inspect old | tail -n +2) <("$lab" inspect run | tail -n +2) ||
    fail "run.json is no help where the file says nothing"
}

test_groups() {
  train groups --epochs 1 --activation opau:basis=laguerre,form=whole_sum,degrees=3/2,groups=2
  text groups >groups.text
  grep -q '^act1: degrees 3/2, laguerre, whole_sum, the first of 2 groups$' groups.text ||
    fail "nothing of groups: $(cat groups.text)"
  grep -qE '^         Q = 1 \+ \|-?[0-9.e-]+ L1 [+-] [0-9.e-]+ L2\|$' groups.text || fail "no Q"
  grep -q '^  start' groups.text || fail "no start of groups"
}

# Formulas whose constants learn are recorded, drawn and inspected as rational layers are.
test_formulas() {
  local name columns
  while read -r name columns; do
    train "$name" --epochs 2 --activation-lr 0.5 --activation "$name:trainable=true"
    [[ $(head -1 "$name/activations.csv") == "epoch,layer,name,$columns" ]] ||
      fail "$name: $(head -1 "$name/activations.csv")"
    (($(wc -l <"$name/activations.csv") == 13)) || fail "$name: not a row per layer and epoch"
    [[ -s $name/activations.gp ]] || fail "$name: nothing to draw"
    ! grep -q '"learned":false' "$name/report.html" || fail "$name: the report says it is fixed"
    "$lab" inspect "$name" --json >formula.json
    check_json formula.json 'len(layers) == 4' \
      "all(','.join(layer['now']['coefficients']) == '$columns' for layer in layers)" \
      "all(layer['formula'] == '$name' for layer in layers)" \
      'all(layer["inputs"]["epoch"] == 2 for layer in layers)' \
      'any(layer["start"]["coefficients"] != layer["now"]["coefficients"] for layer in layers)'
  done <<'END'
swish beta
prelu slope
smu alpha,mu
erfact alpha,beta
pserf gamma,delta
era a,b,c1,d1,e1,f1,c2,d2,e2,f2
END
  text era >/dev/null  # has the longest lines
  text swish >swish.text
  (($(grep -c '^act[1-4]: swish, x sigmoid(beta x)$' swish.text) == 4)) || fail "titles: $(cat swish.text)"
  (($(grep -cE '^  (start|now )   *beta = [0-9.e-]+$' swish.text) == 8)) || fail "constants: $(cat swish.text)"
  for file in last best state; do
    "$lab" inspect "swish/$file.safetensors" --json >file.json
    check_json file.json 'len(layers) == 4 and all(layer["formula"] == "swish" for layer in layers)'
  done
  without_metadata swish/last.safetensors bare-swish.safetensors
  refused 1 'does not say what act1 is' bare-swish.safetensors
  refused 1 'expected act1.constants \[2\], as smu' bare-swish.safetensors --activation smu
  "$lab" inspect bare-swish.safetensors --activation swish --json >bare.json
  check_json bare.json 'all(layer["formula"] == "swish" for layer in layers)'
}

# A file with layers of several kinds, and one that learns nothing; what is looked at where people
# say.
test_kinds() {
  python3 "$here/inspect_files.py" kinds kinds.safetensors
  "$lab" inspect kinds.safetensors --json >kinds.json
  check_json kinds.json '[layer["name"] for layer in layers] == ["line", "swish"]' \
    'layers[0]["degrees"] == [1, 1] and layers[1]["formula"] == "swish"' \
    'layers[1]["now"]["coefficients"] == {"beta": 2}' \
    'by["swish"]["nearest"]["text"] == "0.5 swish(2 x)"'
  "$lab" inspect kinds.safetensors --interval 1:2 --json >interval.json
  "$lab" inspect kinds.safetensors --from 1 --to 2 --json | cmp - interval.json || fail "--from, --to"
  check_json interval.json 'all((layer["low"], layer["high"]) == (1, 2) for layer in layers)'
}

# Layers of which everything is known.
test_made_up_layers() {
  python3 "$here/inspect_files.py" make made.safetensors
  text made.safetensors >made.text
  "$lab" inspect made.safetensors --json >made.json
  check_json made.json 'len(layers) == 6' \
    'by["line"]["nearest"]["text"] == "3 identity(x) - 2"' \
    'by["line"]["max_slope"]["value"] == 3 and by["line"]["dead_share"] == 0' \
    'by["flat"]["nearest"]["text"] == "0.5"' \
    'by["flat"]["dead_share"] == 1 and by["flat"]["max_slope"]["value"] == 0' \
    'abs(by["pole"]["poles"][0] - 1) < 1e-9 and by["pole"]["max_slope"]["value"] is None' \
    'by["pole"]["min_denominator"] == {"value": -4, "x": 5}' \
    '"nearest" not in by["broken"]' \
    'by["valley"]["min_denominator"] == {"value": 0.5, "x": 2}' \
    'by["full"]["denominator_text"] == "0.1 + |-0.2 + 0.1 x|"' \
    'by["full"]["min_denominator"] == {"value": 0.1, "x": 2} and by["full"]["poles"] == []'
  grep -q '^full: degrees 1/1, monomial, full_sum$' made.text || fail "no title of full_sum"
  grep -q 'coefficients are not finite' made.text || fail "no word of NaN"
  grep -q '^         poles at 1$' made.text || fail "no word of the pole"
}

test_refusals() {
  refused 1 'nowhere: there is no such' nowhere
  mkdir -p empty
  refused 1 'run folder empty: has no last.safetensors' empty
  head -c 500 run/last.safetensors >cut.safetensors
  refused 1 'cut.safetensors.*truncated' cut.safetensors
  refused 1 'run/metrics.csv' run/metrics.csv
  train fixed --epochs 1 --activation relu
  refused 1 'has no learned activations.*is relu.*there are: .*conv1.weight' fixed
  refused 1 'has no learned activations.*conv1.weight' fixed/last.safetensors --activation hp1
  train constant --epochs 1 --activation leaky_relu:slope=0.2
  refused 1 'has no learned activations.*leaky_relu:slope=0.2' constant
  refused 1 'has no learned activations' constant/last.safetensors
  python3 "$here/inspect_files.py" wrong wrong.safetensors
  refused 1 'wrong.safetensors: expected act.numerator .*\[groups, m\+1\]' wrong.safetensors --activation pau
  python3 "$here/inspect_files.py" empty empty.safetensors
  refused 1 'empty.safetensors: act: degrees 0/-1 are outside 0/0 to 8/8' empty.safetensors
  python3 "$here/inspect_files.py" misnamed misnamed.safetensors
  refused 1 'misnamed.safetensors: .*did you mean "hermite_he"' misnamed.safetensors
  cp -r run odd && sed -i '2s/,[^,]*$//' odd/activations.csv
  refused 1 'odd/activations.csv: expected 10 coefficients' odd
  cp -r run blank && sed -i '2s/,[^,]*$/,-1/' blank/inputs.csv && sed -i '3,$d' blank/inputs.csv
  refused 1 'blank/inputs.csv: expected a count' blank
  cp -r run torn && echo '{' >torn/run.json
  refused 1 'torn/run.json' torn
  refused 2 'path' --json
  refused 2 'did you mean "hp1"' run --activation hp3
  refused 2 'unknown' run another
  refused 2 'did you mean "--json"' run --jsn
}

data=made
make_set "$data" train 48
make_set "$data" t10k 24
train run --epochs 2 --activation-lr 0.05
test_run
test_files
test_groups
test_formulas
test_kinds
test_made_up_layers
test_refusals
echo "all passed"
