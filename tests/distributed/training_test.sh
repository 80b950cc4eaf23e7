#!/usr/bin/env bash
# training_test.sh PROGRAMS MPIEXEC: the training programs on several ranks: the same bits every time,
# stopping and going on, killed ranks, refusals, a grid that ranks and shards fill together.
# PADE_KILLS says how many runs are killed.
set -euo pipefail
here=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
# shellcheck source=tests/distributed/mpi.sh
source "$here/mpi.sh"
# shellcheck source=tests/made_up_set.sh
source "$here/../made_up_set.sh"
lenet=$1/lenet cifar=$1/cifar compare=$1/compare
require_mpi "$2"
data=/usr/share/datasets/fashion-mnist
[[ -d $data ]] || { echo "skipped: no $data (dataset-fashion-mnist)"; exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
small=(--limit 1200 --test-limit 500 --batch-size 60 --epochs 3 --activation hp1)

run_ranks 2 "$lenet" "${small[@]}" --out two >two.log
run_ranks 2 "$lenet" "${small[@]}" --out again --quiet
cmp two/last.safetensors again/last.safetensors || fail 'two ranks: other bits in another run'
[[ $(grep -c '^epoch ' two.log) == 3 ]] || fail "two ranks: not one line per epoch: $(cat two.log)"
grep -q 'on each of 2 ranks' two.log || fail 'the ranks are not named'
"$lenet" "${small[@]}" --out one --quiet
"$lenet" "${small[@]}" --out parts --accumulate 3 --quiet
run_ranks 3 "$lenet" "${small[@]}" --out three --quiet
# Each epoch's training loss, by another order of summation.
for run in two three parts; do
  paste -d, <(cut -d, -f3 one/metrics.csv) <(cut -d, -f3 $run/metrics.csv) |
    awk -F, 'NR > 1 && ($1 - $2) ^ 2 > 1e-4 ^ 2 { exit 1 } END { exit NR != 4 }' ||
    fail "$run: other losses: $(cat one/metrics.csv $run/metrics.csv)"
done

# All stop after the same step, with a checkpoint from which any number of ranks goes on.
run_ranks 2 "$lenet" "${small[@]}" --epochs 12 --out stopped --quiet 2>stopped.log &
mpirun=$!
for _ in {1..200}; do [[ -e stopped/state.safetensors ]] && break; sleep .1; done
# mpiexec itself, which since Open MPI 5 goes on as prterun.
pkill -USR1 -f -- "^[^ ]*(mpiexec|mpirun|prterun)[^ ]* -n 2 $lenet .*--out stopped"
status=0
wait $mpirun || status=$?
grep -q 'interrupted after' stopped.log || fail "SIGUSR1: $(cat stopped.log)"
[[ $status == 130 ]] || fail "SIGUSR1: exit code $status"
done_epochs=$(($(wc -l <stopped/metrics.csv) - 1))
for n in 1 2 3; do
  cp -r stopped resumed$n
  run_ranks "$n" "$lenet" --resume resumed$n --epochs 12 --quiet || fail "resuming with $n ranks"
  (($(wc -l <resumed$n/metrics.csv) == 13)) || fail "$n ranks: $done_epochs epochs, then not all"
done

# A rank that dies ends the others within ten seconds; the last checkpoint is good, and as many ranks
# that go on from it make the same bits as if nothing had been.
run_ranks 2 "$lenet" "${small[@]}" --epochs 6 --out whole --quiet
for ((kill = 0; kill < ${PADE_KILLS:-3}; ++kill)); do
  rm -rf killed
  run_ranks 2 "$lenet" "${small[@]}" --epochs 6 --out killed --quiet 2>killed.log &
  mpirun=$!
  for _ in {1..200}; do [[ -e killed/state.safetensors ]] && break; sleep .05; done
  sleep ".$((RANDOM % 10))"
  mapfile -t pids < <(pgrep -f -- "^$lenet.* --out killed")
  ((${#pids[@]} == 2)) || { wait $mpirun || true; continue; }  # it was done before
  kill -KILL "${pids[RANDOM % 2]}"
  start=$SECONDS
  wait $mpirun && fail 'mpirun did not notice that a rank was killed'
  ((SECONDS - start <= 10)) || fail "the other rank went on for $((SECONDS - start)) s"
  pgrep -f -- "^$lenet.* --out killed" && fail 'a rank is left'
  grep -q 'signal 9' killed.log || fail "no word of the killed rank: $(cat killed.log)"
  run_ranks 2 "$lenet" --resume killed --quiet
  cmp whole/last.safetensors killed/last.safetensors || fail 'other bits after a rank was killed'
done

# refused WHAT COMMAND…: the command fails, and says WHAT.
refused() {
  local what=$1 status=0
  shift
  timeout 60 "$mpiexec" "$@" >/dev/null 2>refused.log || status=$?
  ((status != 0 && status != 124)) || fail "not refused: $*"
  grep -qE -- "$what" refused.log || fail "not said: $what; but $(cat refused.log)"
}
# Not by mpiexec's own `command : command`, which in Open MPI 5.0.7 ends by a segmentation fault.
cat >rank_1_with <<'END'
with=$1
shift
[[ ${OMPI_COMM_WORLD_RANK:-${PMI_RANK-}} == 1 ]] || exec "$@"
[[ $with == --* ]] || exec env "$with" "$@"
exec "$@" $with
END
# rank_1_differs WHAT WITH: with this flag and value, or this variable, it is refused.
rank_1_differs() {
  refused "$1" -n 2 bash rank_1_with "$2" "$lenet" "${small[@]}" --lr 0.02 --out refused
}
rank_1_differs 'rank 1 on [^ ]*: --lr is 0.03, and on rank 0 0.02' '--lr 0.03'
rank_1_differs 'rank 1 on [^ ]*: --limit is 1300, and on rank 0 1200' '--limit 1300'
refused 'batches of 1 are too few samples for 2 ranks' -n 2 "$lenet" --batch-size 1 --out refused
refused 'unknown flag "--lrr"' -n 2 "$lenet" --lrr 1 --out refused
# Other matrix products are to a rank what another build is.
rank_1_differs 'rank 1 on [^ ]*: the BLAS is OpenBLAS .*, and on rank 0 OpenBLAS' \
  OPENBLAS_CORETYPE=Nehalem
mkdir other
for file in "$data"/*; do ln -s "$file" other/; done
rm -f other/t10k-*
for kind in images-idx3 labels-idx1; do
  for file in "$data/train-$kind-ubyte"*; do
    name=${file##*/}
    ln -s "$file" "other/t10k${name#train}"
  done
done
rank_1_differs 'rank 1 on [^ ]*: the test set is 60000 images' '--data other'
[[ ! -e refused ]] || fail 'a refused run has left a folder'

# Batch norm by the statistics of all ranks is that of one rank; by each rank's own it is not. The
# loss on the test images tells, with a smooth activation: where ReLU's inputs round to either side of
# 0, steps this large make much of it.
make_cifar images 12
network=(--data images --model preactresnet18 --width 4 --epochs 1 --batch-size 12 --activation gelu
  --quiet)
"$cifar" "${network[@]}" --out norm-one
run_ranks 2 "$cifar" "${network[@]}" --out norm-each
run_ranks 2 "$cifar" "${network[@]}" --sync-batch-norm --out norm-all
for run in each all; do
  paste -d, <(cut -d, -f5 norm-one/metrics.csv) <(cut -d, -f5 norm-$run/metrics.csv) |
    awk -F, 'NR == 2 { print ($1 - $2) ^ 2 < 1e-5 ^ 2 ? "same" : "other" }' >norm-$run/loss
done
[[ $(cat norm-each/loss norm-all/loss) == $'other\nsame' ]] ||
  fail "batch norm: $(cat norm-*/metrics.csv)"

# A grid that ranks fill, and one that shards fill, are what one process makes.
grid=(--activations 'relu;hp1' --seeds 1-2 --limit 300 --test-limit 200 --epochs 1)
"$compare" "${grid[@]}" --out grid --quiet
run_ranks 2 "$compare" "${grid[@]}" --out of-ranks --quiet
for shard in 1 2 3; do "$compare" "${grid[@]}" --shard $shard/3 --out of-shards --quiet & done
wait
for other in of-ranks of-shards; do
  for cell in grid/cells/*-seed?; do
    cmp "$cell/last.safetensors" "$other/cells/${cell##*/}/last.safetensors" ||
      fail "$other: another ${cell##*/}"
  done
  [[ ! -e $other/shards ]] || fail "$other: locks are left"
  cut -d, -f1-9 grid/cells.csv >figures
  cut -d, -f1-9 $other/cells.csv | cmp - figures || fail "$other: other figures"
done
refused_shard=0
"$compare" "${grid[@]}" --shard 4/3 --out grid 2>shard.log || refused_shard=$?
[[ $refused_shard == 2 ]] || fail "--shard 4/3: exit code $refused_shard"
grep -q 'from 1 to N' shard.log || fail "--shard 4/3: $(cat shard.log)"
