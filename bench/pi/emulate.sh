#!/usr/bin/env bash
# Builds the aarch64 wheel and runs the runtime's tests and the demo on an emulated Raspberry Pi.
#
#   bench/pi/emulate.sh [-s bookworm|trixie] [-p "3 4 5"] [-r FOLDER] [-- COMMAND...]
#
#   -s  release of Debian (Raspberry Pi OS 12 or 13), default bookworm
#   -p  models of the Pi, default all three
#   -r  where the root file systems are kept, half a gigabyte each, default ~/.cache/edge-sdk-pi
#   COMMAND runs in a copy of the checkout on each Pi; default: the tests of the runtime and of the kernels, then the demo
#
# Needs root, a host python3 of the release's minor version (bookworm 3.11, trixie 3.13; or HOSTPY=...) with pip, setuptools,
# wheel and cython, and these packages of Debian, with the emulator registered for aarch64 programs:
#   apt-get install -y --no-install-recommends qemu-user-static binfmt-support debootstrap gcc-aarch64-linux-gnu libc6-dev-arm64-cross
#   mountpoint -q /proc/sys/fs/binfmt_misc || mount -t binfmt_misc binfmt_misc /proc/sys/fs/binfmt_misc
#   update-binfmts --enable qemu-aarch64
#
# The core that is emulated decides which instructions exist, so a Pi 3 shows that nothing newer is used. Time under emulation
# means nothing: bench/pi/board.sh measures on a real board.
set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
checkout=$(readlink -f "$here/../..")
suite=bookworm boards="3 4 5" roots=$HOME/.cache/edge-sdk-pi
while getopts s:p:r: option; do
  case $option in
    s) suite=$OPTARG ;;
    p) boards=$OPTARG ;;
    r) roots=$OPTARG ;;
    *) sed -n '2,9p' "$0" >&2 && exit 2 ;;
  esac
done
shift $((OPTIND - 1))
case $suite in
  bookworm) version=3.11 ;;
  trixie) version=3.13 ;;
  *) echo "error: -s must be bookworm or trixie" >&2 && exit 2 ;;
esac
for tool in debootstrap qemu-aarch64-static aarch64-linux-gnu-gcc unshare; do
  command -v "$tool" >/dev/null || { echo "error: $tool is not installed; the head of $0 says what to install" >&2; exit 2; }
done
python=${HOSTPY:-python$version}
root=$roots/$suite
site=$root/usr/lib/python3/dist-packages
step() { printf '[%(%T)T] %s\n' -1 "$*" >&2; }

# Debian's packages are unpacked by the host; nothing of theirs is configured, which no test needs.
if [ ! -e "$root/.complete" ]; then
  step "root file system of $suite"
  rm -rf "$root" && mkdir -p "$root"
  debootstrap --foreign --arch=arm64 --variant=minbase \
    --include=python3,python3-dev,libc6-dev,libgomp1,libstdc++6 "$suite" "$root" >"$root.log" 2>&1 ||
    { tail -n 5 "$root.log" >&2; exit 1; }
  for package in "$root"/var/cache/apt/archives/*.deb; do
    dpkg-deb --fsys-tarfile "$package" | tar -x -C "$root" --keep-directory-symlink --no-overwrite-dir
  done
  rm -rf "$root"/var/cache/apt/archives/*.deb
  for folder in proc sys dev; do [ ! -L "$root/$folder" ] || rm "$root/$folder"; done
  mkdir -p "$root"/{proc,sys,dev,tmp,root,checkout} "$site"
  touch "$root/.complete"
fi

# The host's pip chooses wheels for the Pi: those of manylinux releases up to the Debian's own glibc.
platforms=(--platform manylinux2014_aarch64 --platform linux_aarch64)
for glibc in 17 24 26 27 28 31 34 35 36; do platforms+=(--platform "manylinux_2_${glibc}_aarch64"); done
install() {
  "$python" -m pip install --quiet --upgrade --only-binary=:all: --target "$site" "${platforms[@]}" \
    --implementation cp --python-version "$version" --abi "cp${version/./}" --abi abi3 --abi none "$@"
}
needs="numpy onnxruntime tokenizers pillow pytest hypothesis xxhash onnx"
if [ "$(cat "$root/.needs" 2>/dev/null)" != "$needs" ]; then
  step "packages for aarch64: $needs"
  # shellcheck disable=SC2086  # words are packages
  install $needs && echo "$needs" >"$root/.needs"
fi

step "wheel, compiled across"
wheels=$(mktemp -d) && trap 'rm -rf "$wheels"' EXIT
"$here/cross_wheel.sh" "$root" "$version" "$wheels"
install --no-deps "$wheels"/*.whl

# Tests run on a copy without the package beside them, so that what they import is the installed wheel.
rm -rf "$root/checkout" && mkdir -p "$root/checkout"
git -C "$checkout" ls-files -z -- tests zoo docs README.md pyproject.toml bench |
  tar -C "$checkout" --null --ignore-failed-read -T - -c 2>/dev/null | tar -x -C "$root/checkout"
[ $# -gt 0 ] || set -- sh -c 'python3 -m pytest -q -p no:cacheprovider --ignore=tests/models --ignore=tests/export --ignore=tests/native tests &&
  python3 -m edge_sdk demo && python3 -m edge_sdk doctor'
for board in $boards; do
  step "Raspberry Pi $board"
  "$here/enter.sh" "$root" "$board" "$@"
done
step "done"
