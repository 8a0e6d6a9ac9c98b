# What benchmarks against a Python peer share; sourced. PYTHON names a python3 with torch; THREADS are those of a rank, or
# default_threads.
threads=${THREADS:-${default_threads:-1}}
export OMP_NUM_THREADS=$threads OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
python=${PYTHON:-/usr/bin/python3}
"$python" -c 'import torch' 2>/dev/null || { echo "error: no torch in $python; set PYTHON" >&2; exit 4; }

median() { tr ' ' '\n' | sed '/^$/d' | sort -g | awk '{v[NR] = $1} END {print v[int((NR + 1) / 2)]}'; }

# compare WHAT UNIT PEER OUR_RATES PEER_RATES: medians, and the ratio with the least and the most of the rounds.
compare() {
  local own other
  own=$(median <<<"$4") other=$(median <<<"$5")
  echo "$1: smoothlab $own $2, $3 $other, ratio $(awk "BEGIN {printf \"%.2f\", $own / $other}")" \
    "($(paste <(tr ' ' '\n' <<<"$4" | sed '/^$/d') <(tr ' ' '\n' <<<"$5" | sed '/^$/d') |
      awk '{r = $1 / $2; if (NR == 1 || r < low) low = r; if (r > high) high = r} END {printf "%.2f - %.2f", low, high}'))"
}
