#!/usr/bin/env bash
# What a network has learned is used again: a layer as a SPEC, plot and analyse of a run, and training
# that starts from a file. Takes the paths of lenet and of activation_lab.
set -euo pipefail

here=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
# shellcheck source=tests/made_up_set.sh
source "$here/../made_up_set.sh"

lenet=$1
lab=$2
# shellcheck source=tests/shell_test.sh
source "$here/../shell_test.sh"
needs python3
make_set data train 200
make_set data t10k 40

# train OUT ARGS…: an epoch on the made-up set.
train() { "$lenet" --data data --epochs 1 --batch-size 20 --out "$1" "${@:2}"; }

# coefficients RUN LAYER EPOCH: as activations.csv has them.
coefficients() { grep "^$3,[0-9]*,$2," "$1/activations.csv" | cut -d, -f4-; }

(train hp1 --activation hp1 --quiet)
(train relu --activation relu --quiet)

test_layer_is_a_spec() {
  local inspected
  inspected=$("$lab" inspect hp1 --json | python3 -c 'import json, sys
layer = json.load(sys.stdin)["layers"][1]["now"]
print(",".join(map(repr, layer["numerator"])) + "/" + ",".join(map(repr, layer["denominator"])))')
  "$lab" eval --activation hp1 --coefficients "$inspected" --x=-2,0,0.5,3 >expected
  "$lab" eval --activation 'hp1#act2' --x=-2,0,0.5,3 >of_run
  "$lab" eval --activation 'hp1/last.safetensors#act2' --x=-2,0,0.5,3 >of_file
  cmp expected of_run || fail "a layer of a run is not what inspect shows of it"
  cmp expected of_file || fail "a layer of a file is not what inspect shows of it"
  "$lab" fit --target 'hp1#act2' --activation hp1 --interval=-3:3 --json >fit.json
  python3 -c 'import json; assert json.load(open("fit.json"))["rms"] < 1e-6' || fail "fit --target"
  "$lab" analyse --activation 'hp1#act2' >/dev/null
  "$lab" bench --activation 'hp1#act2' --json >/dev/null
  printf '{"spec": "swish:beta=2"}' >swish.json
  cmp <("$lab" eval --activation swish.json --x 1,2) <("$lab" eval --activation swish:beta=2 --x 1,2) ||
    fail "a JSON file is not its SPEC"
}

test_training_with_a_layer() {
  (train frozen --activation 'hp1#act2:trainable=false' --quiet)
  [[ $(coefficients frozen act1 0) == "$(coefficients hp1 act2 1)" ]] || fail "another start"
  [[ $(coefficients frozen act1 1) == "$(coefficients hp1 act2 1)" ]] || fail "it is not frozen"
  (train again --activation 'hp1#act2' --quiet)
  [[ $(coefficients again act1 1) != "$(coefficients hp1 act2 1)" ]] || fail "it does not learn"
  rm -rf hp1.gone && mv hp1 hp1.gone  # the SPEC in run.json has all coefficients in it
  "$lenet" --resume again --epochs 2 --quiet || fail "it depends on the run that it comes from"
  mv hp1.gone hp1
}

test_wrong_layers() {
  expect 2 'unknown learned layer of hp1 "act9".*act1' "$lab" eval --activation 'hp1#act9' --x 1
  expect 2 'relu/last.safetensors: has no learned activations' "$lab" eval --activation 'relu#act1' --x 1
  expect 2 'nowhere: there is no such run' "$lab" eval --activation 'nowhere#act1' --x 1
  echo '{}' >empty.json
  expect 2 'empty.json: is not an exported activation' "$lab" eval --activation empty.json --x 1
  expect 2 'trainable expects true or false' "$lab" eval --activation 'hp1#act1:trainable=maybe' --x 1
}

test_whole_run() {
  "$lab" analyse hp1 --json >all.json
  python3 - <<'EOF'
import json
layers = json.load(open("all.json"))["layers"]
assert [layer["layer"] for layer in layers] == ["act1", "act2", "act3", "act4"]
for layer in layers:
    assert 0 <= layer["dead_share"] <= 1
    assert layer["curve"]["lipschitz"]["proven"] and layer["regions"][0]["poles"] is not None
    assert layer["numbers"]["fit"] is None
EOF
  (($("$lab" analyse hp1 | grep -c '^== act.*dead for') == 4)) || fail "no text for each layer"
  expect 2 'activation, or a run, is required' "$lab" analyse
  expect 2 'activation, or a run, is required' "$lab" plot
  command -v gnuplot >/dev/null || return 0
  "$lab" plot hp1 --out all.svg >/dev/null
  for layer in act1 act2 act3 act4; do grep -q "$layer" all.svg || fail "no picture of $layer"; done
}

test_start_from_a_file() {
  (train same --activation relu --weights relu/last.safetensors --lr 0 --quiet)
  python3 - <<'EOF' || fail "the weights are not those of the file"
a, b = (open(f"{run}/last.safetensors", "rb").read() for run in ("relu", "same"))
assert a == b
EOF
  (train rational --activation relu --weights relu/last.safetensors --rationalise hp1 \
    --train activations) >text
  (($(grep -c '^act.: relu -> Rational(hermite_he, termwise, 5/4) on ' text) == 4)) || fail "no report"
  grep -q '^test accuracy .* before, .* after, .* points$' text || fail "no accuracies"
  (($("$lab" inspect rational --json | grep -c '"name": "act') == 4)) || fail "they are not learned"
  python3 - <<'EOF' || fail "--train activations changed a weight, or no coefficient"
import json, struct
def tensors(run):
    data = open(f"{run}/last.safetensors", "rb").read()
    size, = struct.unpack("<Q", data[:8])
    header = json.loads(data[8:8 + size])
    return {name: data[8 + size + entry["data_offsets"][0]:8 + size + entry["data_offsets"][1]]
            for name, entry in header.items() if name != "__metadata__"}
before, after = tensors("relu"), tensors("rational")
assert all(after[name] == before[name] for name in before)
EOF
  "$lenet" --resume rational --epochs 2 --quiet
  (train straight --epochs 2 --activation relu --weights relu/last.safetensors --rationalise hp1 \
    --train activations --quiet)
  (train stopped --activation relu --weights relu/last.safetensors --rationalise hp1 \
    --train activations --schedule constant --quiet)
  "$lenet" --resume stopped --epochs 2 --quiet
  (train through --epochs 2 --activation relu --weights relu/last.safetensors --rationalise hp1 \
    --train activations --schedule constant --quiet)
  same_network stopped through "a run that was rationalised, stopped and resumed"
}

test_wrong_files_to_start_from() {
  expect 1 'hp1/last.safetensors: does not fit, so nothing was loaded' train no --activation relu \
    --weights hp1/last.safetensors
  head -c 1000 relu/last.safetensors >short.safetensors
  expect 1 'short.safetensors: truncated' train no --activation relu --weights short.safetensors
  expect 1 'No such file' train no --activation relu --weights nowhere.safetensors
  expect 1 'no activation of lenet has coefficients that learn' train no --activation relu \
    --train activations
  expect 1 'unknown rational activation "swish"' train no --activation relu --rationalise swish
  [[ ! -e no ]] || fail "a run folder was made"
}

test_distil() {
  "$lab" distil hp1 >text
  (($(grep -cE '^(none|act[1-4]|all) +[0-9.]+ +-?[0-9.]+  ' text) == 6)) || fail "distil: $(cat text)"
  "$lab" distil hp1 --json >distilled.json
  python3 - <<'EOF' || fail "distil counts otherwise than the run"
import json
final = json.load(open("hp1/run.json"))["final"]
found = json.load(open("distilled.json"))
assert abs(found["accuracy"] - final["test_accuracy"]) < 1e-12
assert [layer["layer"] for layer in found["layers"]] == ["act1", "act2", "act3", "act4"]
for row in [*found["layers"], found["all"]]:
    assert abs(100 * (found["accuracy"] - row["accuracy"]) - row["points_lost"]) < 1e-9
EOF
  expect 1 'relu/last.safetensors: has no learned activations' "$lab" distil relu
  expect 1 'nowhere: there is no such run' "$lab" distil nowhere
}

test_layer_is_a_spec
test_distil
test_training_with_a_layer
test_wrong_layers
test_whole_run
test_start_from_a_file
test_wrong_files_to_start_from
