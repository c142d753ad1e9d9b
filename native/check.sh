#!/bin/sh
# Runs the C code under the sanitizers, then each fuzz target for some seconds where clang is installed.
#   native/check.sh [seconds a target, default 10; 0: none]     BUILD=folder to build in
# Debian: apt install cmake gcc clang-14 libclang-rt-14-dev
set -eu
cd "$(dirname "$0")"
seconds=${1:-10}
build=${BUILD:-../build/native}
mkdir -p "$build"
build=$(cd "$build" && pwd)

run_tests() { # name, sanitizers
    cmake -S . -B "$build/$1" -DEK_SANITIZE="$2" -DEK_WERROR=ON -DCMAKE_BUILD_TYPE=RelWithDebInfo >"$build/$1.log"
    cmake --build "$build/$1" --parallel 2 >>"$build/$1.log" 2>&1 || { cat "$build/$1.log"; exit 1; }
    echo "tests under the sanitizers: $2"
    ctest --test-dir "$build/$1" --output-on-failure --timeout 300 >"$build/$1.log" 2>&1 || { cat "$build/$1.log"; exit 1; }
}
run_tests memory address,undefined
run_tests threads thread

[ "$seconds" -gt 0 ] || exit 0
clang=$(command -v clang || command -v clang-14 || true)
if [ -z "$clang" ]; then
    echo "no clang: the fuzz targets are skipped"
    exit 0
fi
cmake -S . -B "$build/fuzz" -DCMAKE_C_COMPILER="$clang" -DEK_FUZZ=ON -DEK_TESTS=OFF \
    -DCMAKE_BUILD_TYPE=None >"$build/fuzz.log"
cmake --build "$build/fuzz" --parallel 2 >>"$build/fuzz.log" 2>&1 || { cat "$build/fuzz.log"; exit 1; }
# All at once: a fuzzer is one thread.
running=""
for target in fuzz/fuzz_*.c; do
    name=$(basename "$target" .c)
    found=$build/corpus/$name # new inputs go here, the committed ones stay as they are
    seeds=fuzz/corpus/$name
    mkdir -p "$found"
    [ -d "$seeds" ] || seeds=
    "$build/fuzz/$name" -max_total_time="$seconds" -timeout=60 -rss_limit_mb=2048 -artifact_prefix="$build/" \
        "$found" $seeds >"$build/$name.log" 2>&1 &
    running="$running $name:$!"
done
failed=0
for one in $running; do
    name=${one%%:*}
    if wait "${one##*:}"; then
        echo "$name, $seconds s: $(tail -1 "$build/$name.log")"
    else
        echo "$name failed"
        tail -40 "$build/$name.log"
        failed=1
    fi
done
exit $failed
