#!/usr/bin/env bash
# Cross-compiles a wheel of this checkout for aarch64:  cross_wheel.sh ROOTFS PYTHON_VERSION OUT_FOLDER
# The host's Python runs the build with the build settings (sysconfig) and the headers of the target's Python.
set -euo pipefail
root=$1 version=$2 out=$(readlink -f "$3")
checkout=$(readlink -f "$(dirname "$(readlink -f "$0")")/../..")
triple=aarch64-linux-gnu
work=$(mktemp -d) && trap 'rm -rf "$work"' EXIT
mkdir -p "$work/source" "$work/settings" "$work/include/$triple"
cp "$root/usr/lib/python$version/_sysconfigdata__$triple.py" "$work/settings/"
ln -s "$root/usr/include/python$version" "$work/include/target"
ln -s "$root/usr/include/$triple/python$version" "$work/include/$triple/python$version"
git -C "$checkout" ls-files -z | tar -C "$checkout" --null --ignore-failed-read -T - -c 2>/dev/null | tar -x -C "$work/source"
cd "$work/source"
env PYTHONPATH="$work/settings" _PYTHON_SYSCONFIGDATA_NAME="_sysconfigdata__$triple" _PYTHON_HOST_PLATFORM=linux-aarch64 \
  CC=$triple-gcc LDSHARED="$triple-gcc -shared" CFLAGS="-I$work/include/target -I$work/include" EDGE_SDK_REQUIRE_EXT=1 \
  "${HOSTPY:-python$version}" -m pip wheel --quiet --no-build-isolation --no-deps --wheel-dir "$out" .
ls "$out" >&2
