#!/usr/bin/env bash
# Runs a command in an aarch64 root file system as on a Raspberry Pi 3, 4 or 5:  enter.sh ROOTFS 3|4|5 COMMAND...
# What programs ask the kernel about the processor is answered as on that board: onnxruntime looks, and crashes at import
# where the answer is not an Arm's. Everything is mounted in a private namespace, so that nothing is left behind.
set -euo pipefail
root=$1 board=$2
shift 2
case $board in
  3) core=cortex-a53 part=0xd03 features="fp asimd evtstrm crc32 cpuid" ;;
  4) core=cortex-a72 part=0xd08 features="fp asimd evtstrm crc32 cpuid" ;;
  5) core=cortex-a76 part=0xd0b features="fp asimd evtstrm aes pmull sha1 sha2 crc32 atomics fphp asimdhp cpuid asimdrdm lrcpc dcpop asimddp" ;;
  *) echo "error: the board must be 3, 4 or 5" >&2 && exit 2 ;;
esac
facts=$(mktemp -d)
trap 'rm -rf "$facts"' EXIT
for n in 0 1 2 3; do
  printf 'processor\t: %d\nFeatures\t: %s\nCPU implementer\t: 0x41\nCPU architecture: 8\nCPU variant\t: 0x0\nCPU part\t: %s\nCPU revision\t: 3\n\n' \
    "$n" "$features" "$part"
done >"$facts/cpuinfo"
printf 'Model\t\t: Raspberry Pi %s (emulated)\n' "$board" >>"$facts/cpuinfo"
cores=$facts/sys/devices/system/cpu
for n in 0 1 2 3; do
  mkdir -p "$cores/cpu$n/topology" "$cores/cpu$n/cpufreq"
  echo "$n" | tee "$cores/cpu$n/topology/core_id" >"$cores/cpu$n/topology/thread_siblings_list"
  echo 0 | tee "$cores/cpu$n/topology/physical_package_id" >"$cores/cpu$n/topology/cluster_id"
  printf '%x\n' $((1 << n)) >"$cores/cpu$n/topology/thread_siblings"
  for group in core package cluster; do
    name=${group/core/core_siblings} && name=${name/package/package_cpus} && name=${name/cluster/cluster_cpus}
    echo f >"$cores/cpu$n/topology/$name" && echo 0-3 >"$cores/cpu$n/topology/${name}_list"
  done
  echo 1500000 >"$cores/cpu$n/cpufreq/cpuinfo_max_freq"
done
for name in possible present online; do echo 0-3 >"$cores/$name"; done
unshare --mount --propagation private sh -c '
  root=$1 facts=$2 core=$3
  shift 3
  mount -t proc proc "$root/proc" && mount --rbind /dev "$root/dev" && mount --bind "$facts/sys" "$root/sys"
  mount --bind "$facts/cpuinfo" "$root/proc/cpuinfo"
  exec env -i HOME=/root PATH=/usr/bin:/bin:/usr/sbin:/sbin LANG=C.UTF-8 PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=/usr/lib/python3/dist-packages QEMU_CPU="$core" \
    chroot "$root" sh -c "cd /checkout && exec \"\$@\"" sh "$@"' sh "$root" "$facts" "$core" "$@"
