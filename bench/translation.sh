#!/usr/bin/env bash
# Training Transformer base against PyTorch DDP on this machine, alternated, and the memory of the loss:
# translation.sh BUILD_DIR [ROUNDS] [SECONDS]. Two ranks of THREADS threads each (one without), 40 sentences a rank of 25
# tokens on either side, vocabulary 32000, bf16. The peer first chooses its fastest setting. PYTHON names a python3 with torch.
set -euo pipefail
build=$1
rounds=${2:-3}
seconds=${3:-20}
here=$(cd "$(dirname "$0")" && pwd)
. "$here/peer.sh"

ours() { mpirun --oversubscribe --bind-to none -n 2 "$build/translation_bench" bf16 40 32000 "$seconds" "$threads"; }
peer() { "$python" "$here/peers/ddp_transformer.py" --ranks 2 --threads "$threads" --seconds "$seconds" "$@"; }

for sentences in 40 160; do
  own=$("$build/translation_bench" loss "$sentences") other=$("$python" "$here/peers/ddp_transformer.py" --loss --batch "$sentences")
  echo "loss: smoothlab $own; PyTorch $other; ratio $(awk '{printf "%.2f", $2 / $8}' <<<"$own $other")"
done
choice=$(peer --choose)
read -r -a flags <<<"${choice##*flags}"
echo "peer chose $(sed -E 's/.*setting ([^ ]*).*/\1/' <<<"$choice")"
own_rates='' peer_rates=''
for ((round = 0; round < rounds; ++round)); do
  own_rates+=" $(ours | awk '{print $2}')"
  peer_rates+=" $(peer "${flags[@]}" | awk '{print $2}')"
done
compare training 'target tokens/s' 'PyTorch DDP' "$own_rates" "$peer_rates"
