#!/usr/bin/env bash
# Training Inception-v4 against PyTorch DDP on this machine, alternated: inception.sh BUILD_DIR [ROUNDS] [SECONDS] [IMAGES].
# Two ranks of THREADS threads each (one without), bf16, so many images of 299×299 a rank (8), SGD with Nesterov momentum,
# weight decay of kernels, an average of the weights. Both sides begin with the same weights and images; the losses of their
# first three steps are printed. The peer first chooses its fastest setting. PYTHON names a python3 with torch.
set -euo pipefail
build=$1
rounds=${2:-5}
seconds=${3:-30}
images=${4:-8}
here=$(cd "$(dirname "$0")" && pwd)
. "$here/peer.sh"
folder=$(mktemp -d)
trap 'rm -r "$folder"' EXIT

ours() { mpirun --oversubscribe --bind-to none -n 2 "$build/inception_bench" "$images" "$1" "$threads" bf16 "${@:2}"; }
peer() {
  "$python" "$here/peers/ddp_inception_v4.py" --ranks 2 --threads "$threads" --batch "$images" --folder "$folder" "$@"
}
word() { grep -o "$1 [^ ]*" <<<"$2" | tail -n 1 | cut -d" " -f2; }

ours 1 "$folder" >/dev/null # leaves weights and images
choice=$(peer --choose --seconds 10)
grep tried <<<"$choice"
read -r -a flags <<<"${choice##*flags}"
echo "peer chose $(word setting "$choice")"
own_rates='' peer_rates=''
for ((round = 0; round < rounds; ++round)); do
  own=$(ours "$seconds")
  other=$(peer --seconds "$seconds" "${flags[@]}")
  own_rates+=" $(word images_per_second "$own")"
  peer_rates+=" $(word images_per_second "${other##*$'\n'}")"
done
echo "parameters: smoothlab $(word parameters "$own"), PyTorch DDP $(word parameters "$other")"
echo "losses of the first steps: smoothlab $(word losses "$own"), PyTorch DDP $(word losses "$other")"
echo "peak memory of a rank, MB: smoothlab $(word peak_megabytes "$own"), PyTorch DDP $(word peak_megabytes "$other")"
compare "$images images a rank" images/s 'PyTorch DDP' "$own_rates" "$peer_rates"
