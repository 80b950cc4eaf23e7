#!/usr/bin/env bash
# The cifar program from outside, on made-up images: the same bits for any number of threads and
# across stops with everything switched on that draws or remembers, and what it says of folders of
# images. Takes the program's path.
set -euo pipefail

here=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
# shellcheck source=tests/made_up_set.sh
source "$here/../made_up_set.sh"
# shellcheck source=tests/shell_test.sh
source "$here/../shell_test.sh"

cifar=$1
make_cifar data 16

# run OUT ARGS…: two epochs of five steps.
run() {
  local out=$1
  shift
  exec "$cifar" --data data --batch-size 16 --epochs 2 --quiet --out "$out" "$@"
}

everything=(--augment crop+flip+cutout:size=8+erase --label-smoothing 0.1 --average 0.99
  --freeze-activations-until 0.5 --model efficientnet-b0 --activation hp1)

# The rows of activations.csv of one epoch, without its number.
coefficients() { sed -n "s/^$2,//p" "$1/activations.csv"; }

test_same_bits_for_any_threads() {
  (run one --threads 1 "${everything[@]}")
  (run two --threads 2 "${everything[@]}")
  same_network one two "1 and 2 threads"
  cmp one/activations.csv two/activations.csv || fail "coefficients differ"
}

test_resume() {
  local delay status stopped=0
  for delay in 0.5 1 1.5 2; do
    rm -rf stopped
    (run stopped --threads 2 "${everything[@]}") 2>stderr &
    sleep "$delay"
    pkill -INT -P $! 2>/dev/null || kill -INT $! 2>/dev/null || true
    status=0
    wait $! || status=$?
    [[ $status == 0 || $status == 130 ]] || fail "exit code $status after an interrupt: $(cat stderr)"
    [[ $status == 130 && -e stopped/state.safetensors ]] || continue
    stopped=1
    "$cifar" --resume stopped --quiet
    same_network one stopped "stopped after $delay s"
    cmp one/activations.csv stopped/activations.csv || fail "coefficients differ after resuming"
  done
  ((stopped)) || echo "note: no interrupt fell into the run"
}

# The recipe has everything that the flags above have not: here with smaller steps.
test_recipe() {
  local recipe=(--recipe airbench --epochs 4 --batch-size 30 --lookahead 2 --learn-until whiten=2)
  "$cifar" --data data --recipe airbench --lr 0.3 --batch-size 30 --dry-run >stdout
  grep -q '"lr": 0.3,' stdout || fail "a recipe changes what is typed"
  grep -q '"nesterov": true' stdout || fail "a recipe's flags are not taken"
  (run recipe_one --threads 1 "${recipe[@]}" --activation hp1)
  (run recipe_two --threads 2 "${recipe[@]}" --activation hp1)
  same_network recipe_one recipe_two "the recipe with 1 and 2 threads"
  (run recipe_stopped --threads 2 "${recipe[@]}" --activation hp1) 2>stderr &
  sleep 1
  pkill -INT -P $! 2>/dev/null || kill -INT $! 2>/dev/null || true
  wait $! || true
  if [[ -e recipe_stopped/state.safetensors ]]; then
    "$cifar" --resume recipe_stopped --quiet
    same_network recipe_one recipe_stopped "the recipe, stopped"
  fi
}

test_choices_matter() {
  (run plain --augment none)
  (run other --augment flip)
  ! cmp -s plain/last.safetensors other/last.safetensors || fail "--augment changes nothing"
  (run averaged --augment none --average 0.9)
  ! cmp -s plain/last.safetensors averaged/last.safetensors || fail "--average changes nothing"
  (run frozen --augment none --freeze-activations-until 1)
  cmp <(coefficients frozen 0) <(coefficients frozen 1) || fail "frozen coefficients moved"
  ! cmp -s <(coefficients frozen 1) <(coefficients frozen 2) || fail "they stayed frozen"
}

test_wrong_command_lines() {
  expect 2 'did you mean "preactresnet18"' "$cifar" --model preactresnet8
  expect 2 'did you mean "flip"' "$cifar" --augment crop+flp
  expect 2 'crop.*padding' "$cifar" --augment crop:pad=2
  expect 2 'cutout.*whole number' "$cifar" --augment cutout:size=2.5
  expect 2 'did you mean "mirror"' "$cifar" --test-views miror
  expect 2 'did you mean "triangle"' "$cifar" --schedule triangel
  expect 2 'triangle.*peak' "$cifar" --schedule triangle:top=1
  expect 2 'norm=64' "$cifar" --lr-factors norm
  expect 1 'lr-factors.*"nrm"' "$cifar" --data data --lr-factors nrm=2 --out x
  expect 1 'average.*lookahead' "$cifar" --data data --average 0.9 --lookahead 5 --out x
  expect 1 'nesterov' "$cifar" --data data --optimizer adam --nesterov --out x
  expect 1 'drop-last: .*one batch of 100000' "$cifar" --data data --batch-size 100000 --drop-last --out x
  expect 2 'did you mean "airbench"' "$cifar" --recipe airbnch
  [[ ! -e x ]] || fail "a run that was refused has left a folder"
  expect 2 'did you mean "cifar10"' "$cifar" --dataset cifar11
  expect 2 'unknown dataset "mnist".* cifar10, cifar100' "$cifar" --dataset mnist --out x
}

test_folder_of_images() {
  local class
  for class in ant bee; do
    mkdir -p "photos/Train/$class" "photos/Test/$class"
    { echo 'P6 32 32 255'; noise 3072; } | tee photos/{Train,Test}/$class/{1,2}.ppm >/dev/null
    cp photos/Train/ant/1.ppm "photos/Train/$class/no_ending"
    echo "taken in May" >"photos/Train/$class/notes.txt"
  done
  head -c 100 photos/Train/ant/1.ppm >photos/Test/bee/2.ppm
  "$cifar" --dataset photos --dry-run >stdout 2>stderr || fail "a folder of images: $(cat stderr)"
  diff - stderr <<'END' || fail "what is said of a folder of images"
2 classes: ant, bee; 6 images to train with in photos/Train, 3 to test with in photos/Test
3 files are not used:
  photos/Train/ant/notes.txt: it is not a PNG, JPEG, BMP, PPM or PGM image (the first of 2)
  photos/Test/bee/2.ppm: it is truncated
END
  "$cifar" --dataset photos --dry-run --quiet >stdout 2>stderr
  ! grep -q classes stderr || fail "--quiet says what the classes are"
  expect 1 'known set; give its name, as in --dataset cifar10' "$cifar" --dataset data --dry-run
}

test_python_version() {
  local batch
  mkdir -p python/cifar-10-batches-py
  for batch in data_batch_{1..5} test_batch; do
    cp "$here/../fixtures/pickles/cifar10_python2" "python/cifar-10-batches-py/$batch"
  done
  "$cifar" --data python --dry-run >stdout 2>stderr || fail "the Python version: $(cat stderr)"
  grep -qx 'cifar10: read from the files of its Python version' stderr ||
    fail "the Python version is not named: $(cat stderr)"
}

test_same_bits_for_any_threads
test_resume
test_recipe
test_choices_matter
test_wrong_command_lines
test_folder_of_images
test_python_version
echo "all passed"
