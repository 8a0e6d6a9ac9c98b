#!/usr/bin/env bash
# Beam search with Transformer base against a plain PyTorch one with caches, float32, on the same random weights and
# sentences, alternated: decoding.sh BUILD_DIR [ROUNDS] [SENTENCES]. Beam 4, THREADS threads (2 without), vocabulary 32000. The
# peer first chooses its fastest batch. PYTHON names a python3 with torch.
set -euo pipefail
build=$1
rounds=${2:-3}
sentences=${3:-90}
here=$(cd "$(dirname "$0")" && pwd)
default_threads=2
. "$here/peer.sh"
folder=$(mktemp -d)
trap 'rm -r "$folder"' EXIT

ours() { "$build/decoding_bench" "$folder" "$sentences" 4 "$threads"; }
peer() { "$python" "$here/peers/torch_decoding.py" "$folder" --threads "$threads" "$@"; }

ours >/dev/null # leaves weights and sentences
choice=$(peer --choose)
batch=$(sed -E 's/.*batch ([0-9]+).*/\1/' <<<"$choice")
echo "peer chose batches of $batch sentences; the same translations: ${choice##*equal }"
own_rates='' peer_rates=''
for ((round = 0; round < rounds; ++round)); do
  own_rates+=" $(ours | awk '{print $2}')"
  peer_rates+=" $(peer --batch "$batch" | awk '{print $2}')"
done
compare decoding 'target tokens/s' 'PyTorch' "$own_rates" "$peer_rates"
