#!/usr/bin/env bash
# On a system without apt-get, `./run setup` names what is missing and nothing else. The system is this one, seen
# through a PATH without dpkg, apt-get and, at first, gnuplot.
set -u
cd "$1" || exit 2
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
for name in bash env sed tr grep dirname id python3 c++ cmake ninja mpicxx mpirun; do
  path=$(command -v "$name") && ln -s "$path" "$folder/$name"
done
status=0
expect() { # what, condition...
  local what=$1
  shift
  "$@" || { echo "not so: $what"; echo "$said"; status=1; }
}

printf '#!/bin/sh\n' >"$folder/gnuplot"
chmod +x "$folder/gnuplot"
said=$(PATH=$folder ./run setup 2>&1)
expect "gnuplot is seen" test "${said/gnuplot/}" = "$said"

rm "$folder/gnuplot"
said=$(PATH=$folder ./run setup 2>&1)
code=$?
expect "exit code 4" test "$code" -eq 4
expect "gnuplot is missed" test "${said/gnuplot-nox/}" != "$said"
for there in g++ cmake libyaml-cpp-dev zlib1g-dev; do
  expect "$there is seen" test "${said/ $there /}" = "$said"
done
exit $status
