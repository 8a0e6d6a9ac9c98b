#!/usr/bin/env bash
# Training against PyTorch DDP on this machine, alternated: training.sh BUILD_DIR [ROUNDS] [SECONDS].
# Two ranks of THREADS threads each (one without), classic ResNet-56, 64 images a rank; each side's rate is that of
# its slowest rank. The peer first chooses its fastest setting, the allocator's among them. PYTHON names a python3
# that has torch.
set -euo pipefail
build=$1
rounds=${2:-5}
seconds=${3:-10}
here=$(cd "$(dirname "$0")" && pwd)
. "$here/peer.sh"

ours() { mpirun --oversubscribe --bind-to none -n 2 "$build/training_bench" resnet56 "$1" 64 "$seconds" "$2" "$threads"; }
peer() {
  "$python" "$here/peers/ddp_resnet56.py" --ranks 2 --threads "$threads" --precision "$1" --batch 64 \
    --seconds "$seconds" "${@:2}"
}

for precision in bf16 fp32; do
  choice=$(peer "$precision" --choose)
  read -r -a flags <<<"${choice##*flags}"
  echo "$precision: peer chose $(sed -E 's/.*setting ([^ ]*).*/\1/' <<<"$choice")"
  own_rates='' peer_rates='' memory=''
  for ((round = 0; round < rounds; ++round)); do
    line=$(ours "$precision" fixed)
    own_rates+=" $(awk '{print $2}' <<<"$line")"
    memory=$(sed 's/.*bytes_per_parameter //' <<<"$line")
    peer_rates+=" $(peer "$precision" "${flags[@]}" | awk '{print $2}')"
  done
  compare "$precision" images/s 'PyTorch DDP' "$own_rates" "$peer_rates"
  echo "$precision: $(ours "$precision" stream | awk '{print $2}') images/s with its data stream, $memory bytes a parameter"
done
