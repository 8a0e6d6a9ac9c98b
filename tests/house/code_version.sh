#!/usr/bin/env bash
# The version that a build records follows the repository, and its header is only written when it changes.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
export HOME=$folder GIT_CONFIG_NOSYSTEM=1
mkdir "$folder/source"
record() {
  cmake -DSOURCE="$folder/source" -DVERSION=1.2.3 -DHEADER="$folder/code_version.h" -P "$1/cmake/CodeVersion.cmake"
}
expect() { # pattern
  grep -qE "^#define SMOOTHLAB_VERSION \"$1\"$" "$folder/code_version.h" ||
    { echo "not $1: $(cat "$folder/code_version.h")"; exit 1; }
}

record "$1"
expect '1\.2\.3'
command -v git >/dev/null || { echo 'the rest needs git, which is not installed'; exit 77; }
cd "$folder/source"
git init -q .
echo one >file
git add file
git -c user.name=t -c user.email=t@localhost commit -q -m first
record "$1"
expect '1\.2\.3\+[0-9a-f]{7}'
touch -d '2001-01-01' "$folder/code_version.h"
record "$1"
[ "$folder/code_version.h" -ot file ] || { echo "written again without a change"; exit 1; }
echo two >file
record "$1"
expect '1\.2\.3\+[0-9a-f]{7}-dirty'
