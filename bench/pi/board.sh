#!/usr/bin/env bash
# Measures on a real board over ssh:  bench/pi/board.sh USER@HOST [BUNDLE...] > results.json
# Copies this checkout, installs it there into a virtual environment of its own, and runs `edge-sdk bench` on the bundles (all of
# the zoo without names). What it prints is what `edge-sdk bench compare A.json B.json` reads.
set -euo pipefail
[ $# -ge 1 ] || { sed -n '2,4p' "$0" >&2; exit 2; }
host=$1
shift
checkout=$(readlink -f "$(dirname "$(readlink -f "$0")")/../..")
folder=edge-sdk-bench
git -C "$checkout" ls-files -z | tar -C "$checkout" --null -T - -cz | ssh "$host" "mkdir -p $folder && tar -xz -C $folder"
ssh "$host" "cd $folder && { [ -d .venv ] || python3 -m venv .venv; } && .venv/bin/pip install --quiet . && .venv/bin/edge-sdk doctor" >&2
# shellcheck disable=SC2029  # the names are expanded here on purpose
ssh "$host" "cd / && run=~/$folder/.venv/bin/edge-sdk && names='$*' &&
  \$run bench \${names:-\$(cd ~/$folder/zoo && ls *.edge | sed s/.edge//)} --json"
