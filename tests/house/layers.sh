#!/usr/bin/env bash
# Fails when an include climbs the layers: launcher > trainer > eval > models, data > cluster.
set -u
cd "$1" || exit 2
status=0
forbid() { # layer, layers above or beside it
  if grep -nE "#include [\"<](\.\./)*($2)/" "$1"/*.h "$1"/*.cpp "$1"/*.cu 2>/dev/null; then
    echo "$1/ must not include from: $2"
    status=1
  fi
}
forbid cluster 'data|models|eval|trainer|launcher'
forbid data 'models|eval|trainer|launcher'
forbid models 'data|eval|trainer|launcher'
forbid eval 'trainer|launcher'
forbid trainer 'launcher'
# The launcher knows verbs and processes; tensors and file formats are for the layers below.
if grep -nE '#include <(ATen|c10|torch|hdf5)' launcher/*.h launcher/*.cpp; then
  echo "launcher/ must not include LibTorch or HDF5"
  status=1
fi
exit $status
