"""What a measured time depends on besides the code: processor, clock, temperature, load."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

_CPU_FEATURES = (
    "sse4_2", "avx", "avx2", "fma", "avx512f", "avx512_vnni", "avx_vnni", "amx_int8",
    "neon", "asimd", "asimddp", "i8mm", "sve",
)  # fmt: skip
"""Those that decide how fast 8-bit models run, as /proc/cpuinfo spells them."""

_THROTTLE_FLAGS = {
    0: "under-voltage now", 1: "frequency capped now", 2: "throttled now", 3: "hot now",
    16: "under-voltage has occurred", 17: "frequency was capped", 18: "was throttled", 19: "was hot",
}  # fmt: skip
"""Bits of the Raspberry Pi firmware's `get_throttled`."""


def machine() -> dict[str, Any]:
    """Facts that do not change while a program runs, all of them JSON; None where unknown.

    Keys: `processor`, `board` (a Raspberry Pi's model), `cpus` (usable by this process),
    `cpu_features`, `memory_mb` (10^6 bytes), `system`, `python`, `governor` (of the first core).
    """
    return {
        "processor": _cpuinfo("model name", "Hardware") or platform.processor() or None,
        "board": _read("/proc/device-tree/model"),
        "cpus": usable_cpus(),
        "cpu_features": cpu_features(),
        "memory_mb": _memory_mb(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "governor": _read("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"),
    }


def condition() -> dict[str, Any]:
    """The state that a measurement runs into; None where unknown.

    Keys: `load` (average of the last minute), `mhz` (of the first core), `celsius`,
    `throttled` (what a Raspberry Pi's firmware reports, an empty list when all is well).
    """
    mhz = _read("/sys/devices/system/cpu/cpu0/cpufreq/scaling_cur_freq")
    heat = _read("/sys/class/thermal/thermal_zone0/temp")
    return {
        "load": round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
        "mhz": int(mhz) / 1000 if mhz else None,
        "celsius": int(heat) / 1000 if heat else None,
        "throttled": _throttled(),
    }


def usable_cpus() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def cpu_features() -> list[str]:
    """Empty where the system has no /proc/cpuinfo."""
    if sys.platform != "linux":
        return []
    words = set(Path("/proc/cpuinfo").read_text(errors="replace").split())
    return [feature for feature in _CPU_FEATURES if feature in words]


def throttle_flags(word: int) -> list[str]:
    """The meaning of a Raspberry Pi's `get_throttled` word, 0x50005 for instance."""
    return [what for bit, what in _THROTTLE_FLAGS.items() if word >> bit & 1]


def _throttled() -> list[str] | None:
    if shutil.which("vcgencmd") is None:
        return None
    found = subprocess.run(["vcgencmd", "get_throttled"], capture_output=True, text=True, check=False)
    _, _, word = found.stdout.strip().partition("=")
    return throttle_flags(int(word, 16)) if word else None


def _cpuinfo(*names: str) -> str | None:
    for line in (_read("/proc/cpuinfo") or "").splitlines():
        name, _, value = line.partition(":")
        if name.strip() in names:
            return value.strip()
    return None


def _memory_mb() -> int | None:
    for line in (_read("/proc/meminfo") or "").splitlines():
        if line.startswith("MemTotal:"):
            return int(line.split()[1]) * 1024 // 10**6
    return None


def _read(path: str) -> str | None:
    """A small file of the kernel's, without the NUL that device-tree strings end with."""
    try:
        return Path(path).read_text(errors="replace").strip("\0\n ")
    except OSError:
        return None
