#!/usr/bin/env bash
# predict on small runs: its classes and probabilities are those of the run's own test, and what
# cannot be read is refused in a line each, while the rest is classified. Takes the folder of the
# programs.
set -euo pipefail

here=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
programs=$(readlink -f "$1")
# shellcheck source=tests/made_up_set.sh
source "$here/../made_up_set.sh"
# shellcheck source=tests/shell_test.sh
source "$here/../shell_test.sh"
needs python3

lenet=$programs/lenet
predict=$programs/predict
data="set"
python3 "$here/predict_check.py" bars "$data" images

train run --epochs 3 --lr 0.01
train reference --epochs 1 --activation relu

# edited SED-SCRIPT: a copy of the run whose record is changed.
edited() {
  rm -rf edited
  cp -r run edited
  sed -i -E "$1" edited/run.json
  ! cmp -s run/run.json edited/run.json || fail "nothing was edited: $1"
}

test_figures() {
  "$predict" run images --top 10 --json >answers
  seq 0 59 | sed 's/.*\(.\)$/\1/' >labels
  python3 "$here/predict_check.py" figures run answers labels || fail "other figures than the run's"
  cmp answers <("$predict" run images --top 10 --json --threads 1) || fail "threads change answers"
  cmp answers <("$predict" run images/* --top 10 --json) || fail "a folder is not its files"
}

# Photographs of other sizes, in classes that are folders.
test_folders() {
  python3 "$here/predict_check.py" photos photos
  mv photos/train/ant $'photos/train/caf\xe9'
  mv photos/test/ant $'photos/test/caf\xe9'
  "$lenet" --dataset photos --epochs 4 --batch-size 8 --quiet --out colours 2>stderr || fail "$(cat stderr)"
  "$predict" colours photos/test/* --json >answers
  printf '%s\n' {0..2}{0..9} | sed 's/^0./b e e/; s/^1./caf�/; s/^2./cat/' >labels
  python3 "$here/predict_check.py" figures colours answers labels || fail "other figures than the run's"
}

test_table() {
  "$predict" run images/00.pgm images/07.pgm >stdout
  (($(wc -l <stdout) == 12)) || fail "not two tables of five: $(cat stdout)"
  grep -qx 'images/00.pgm' <<<"$(sed -n 1p stdout)" || fail "which image is it? $(cat stdout)"
  grep -qE '^  [A-Z].* +[0-9]+\.[0-9]{2} %$' <<<"$(sed -n 2p stdout)" || fail "no class: $(cat stdout)"
  "$predict" run images/00.pgm --top 1 >stdout
  (($(wc -l <stdout) == 2)) || fail "--top 1: $(cat stdout)"
  "$predict" run images/00.pgm --top 1000 >stdout
  (($(wc -l <stdout) == 11)) || fail "more classes than there are: $(cat stdout)"
  grep -q '^  T-shirt/top  *[0-9.]* %$' stdout || fail "Fashion-MNIST's names: $(cat stdout)"
}

test_weights() {
  "$predict" run images --json --weights best >answers
  grep -q '"weights": "run/best.safetensors"' answers || fail "were those the best?"
  cp -r run swapped
  cp run/state.safetensors swapped/best.safetensors
  expect 1 'names of 10 classes, and swapped/best.safetensors has' "$predict" swapped images --weights best
  "$predict" swapped images --json >last
  grep -q '"weights": "swapped/last.safetensors"' last || fail "were those the last?"
}

# The others are classified all the same.
test_images_that_cannot_be_read() {
  mkdir some
  cp images/0[0-4].pgm some
  head -c 500 images/05.pgm >some/cut.pgm
  echo "no image" >some/text.png
  echo "nor this" >some/README
  mkdir some/more.png
  ! "$predict" run some none.pgm some/README --json >stdout 2>stderr || fail "all is well?"
  [[ $(wc -l <stderr) == 4 ]] || fail "not a line each: $(cat stderr)"
  grep -qx 'predict: some/cut.pgm: it is truncated' stderr || fail "$(cat stderr)"
  grep -q '^predict: some/text.png: it is not a PNG, ' stderr || fail "$(cat stderr)"
  grep -qx 'predict: none.pgm: it cannot be read: No such file or directory' stderr || fail "$(cat stderr)"
  python3 -c 'import json, sys
images = json.load(open("stdout"))["images"]
errors = [i["image"] for i in images if "error" in i]
assert errors == ["some/cut.pgm", "some/text.png", "none.pgm", "some/README"], errors
assert sum(len(i.get("predictions", [])) for i in images) == 25, images' || fail "$(cat stdout)"
  mkdir empty
  expect 1 '^predict: empty: there are no images in it' "$predict" run empty
  expect 1 '^predict: some/cut.pgm: ' "$predict" run some/cut.pgm images/03.pgm
  grep -qx images/03.pgm stdout || fail "the others are not classified"
}

test_runs_that_cannot_be_read() {
  expect 1 'run folder nowhere: there is no such folder' "$predict" nowhere images
  mkdir young
  expect 1 'young: has no last.safetensors' "$predict" young images
  cp run/last.safetensors young
  expect 1 'cannot read young/run.json' "$predict" young images
  cp -r run torn
  truncate -s 1000 torn/last.safetensors
  expect 1 'torn/last.safetensors: .*truncated' "$predict" torn images
  [[ ! -s stdout ]] || fail "something of a torn run: $(cat stdout)"
  edited 's/"T-shirt.*/"T-shirt", "top",/'
  expect 1 'edited/run.json: there are names of 11 classes, and .* has 10' "$predict" edited images
  edited 's/"model": .*/"model": "lenet5",/'
  expect 1 'unknown model "lenet5"; did you mean "lenet"' "$predict" edited images
  edited 's/"activation": .*/"activation": "relu",/'
  cmp <("$predict" run images) <("$predict" edited images) ||
    fail "the activations are not those that the file names"
  edited 's/"width": null/"width": 4096/'
  expect 1 'edited/run.json: the width is 4096, which .* has not' "$predict" edited images
  edited 's/"width": null/"width": 1e300/'
  expect 1 'the width is 1e\+300, expected a whole number' "$predict" edited images
  edited 's/0\.353/0.0/'
  expect 1 'standard deviation of channel 0 is 0' "$predict" edited images
  edited 's/0\.353/"0.353"/'
  expect 1 'edited/run.json: is not a run record' "$predict" edited images
  edited 's/^ *28,?$/29/; s/^( *)29$/\129,/'
  expect 1 'edited/run.json: is not a run record|expected images' "$predict" edited images
  echo '[' >edited/run.json
  expect 1 'edited/run.json: is not a run record' "$predict" edited images
}

# Records of earlier versions.
test_runs_without_names() {
  python3 -c 'import json
record = json.load(open("run/run.json"))
del record["classes"], record["input"]["shape"]
json.dump(record, open("older.json", "w"))'
  cp -r run older
  cp older.json older/run.json
  diff <("$predict" run images --json --top 1 | grep '"label"') \
    <("$predict" older images --json --top 1 | grep '"label"') || fail "other classes"
  grep -qE '^  0 +[0-9.]+ %$' <<<"$("$predict" older images/00.pgm --top 10)" || fail "no numbers"
}

test_command_lines() {
  expect 2 'image is required' "$predict" run
  expect 2 'run is required' "$predict"
  expect 2 '--top: expected a whole number from 1 to 1000000, got "0"' "$predict" run images --top 0
  expect 2 '--weights.*unknown weights "worst"' "$predict" run images --weights worst
  expect 2 'unknown flag "--jsn"; did you mean "--json"' "$predict" run images --jsn
  grep -q 'white on black' <<<"$("$predict" --help)" || fail "--help does not say how digits look"
}

test_figures
test_folders
test_table
test_weights
test_images_that_cannot_be_read
test_runs_that_cannot_be_read
test_runs_without_names
test_command_lines
echo "all passed"
