# shellcheck shell=bash
# A data set that the tests of programs make for themselves; they source this file.

# big_endian NUMBER: as the four bytes of an IDX header.
big_endian() {
  local hex
  hex=$(printf '%08x' "$1")
  printf '%b' "\\x${hex:0:2}\\x${hex:2:2}\\x${hex:4:2}\\x${hex:6:2}"
}

# noise BYTES: the digits of a long count.
noise() { head -c "$1" < <(seq 1 7 $(($1 * 7)) | tr -d '\n'); }

# make_set FOLDER NAME COUNT: images of noise, which the same bytes make every time, and labels
# 0 … 9.
make_set() {
  local folder=$1 name=$2 count=$3 i
  mkdir -p "$folder"
  {
    big_endian $((0x803)); big_endian "$count"; big_endian 28; big_endian 28
    noise $((count * 784))
  } >"$folder/$name-images-idx3-ubyte"
  {
    big_endian $((0x801)); big_endian "$count"
    for ((i = 0; i < count; ++i)); do printf '%b' "\\x0$((i % 10))"; done
  } >"$folder/$name-labels-idx1-ubyte"
}

# make_cifar FOLDER COUNT: CIFAR-10's six files with so many images of noise each.
make_cifar() {
  local folder=$1 count=$2 file i
  mkdir -p "$folder"
  noise $((count * 3072)) >pixels
  for file in data_batch_{1..5} test_batch; do
    for ((i = 0; i < count; ++i)); do
      printf '%b' "\\x0$(((i * 7 + ${#file}) % 10))"
      head -c $(((i + 1) * 3072)) pixels | tail -c 3072
    done >"$folder/$file.bin"
  done
  rm pixels
}

# train OUT ARGS…: a quiet run of the program $lenet on the set in $data.
train() {
  local out=$1
  shift
  "$lenet" --data "$data" --batch-size 8 --threads 1 --quiet --out "$out" "$@"
}
