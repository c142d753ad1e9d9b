"""The C library by itself: built by CMake, its C tests under sanitizers, its examples, its size and its symbols."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NATIVE = ROOT / "native"
SEGMENTS = """\
normal: 中国 科学技术 大学 在 合 肥
fine: 中国 科学 技术 大学 在 合 肥
coarse: 中国科学技术大学 在 合肥
index: 中国 中国科学技术大学 科学 科学技术 技术 大学 在 合 合肥 肥
"""
MATCHES = "中国 0 0\n中国人 0 1\n国人 1 2\n😀! 4 3\nthe stored data is damaged\n"


def needs(*tools: str) -> pytest.MarkDecorator:
    missing = [tool for tool in tools if shutil.which(tool) is None]
    return pytest.mark.skipif(bool(missing), reason=f"not installed: {', '.join(missing)}")


def run(*command: object, **options: object) -> str:
    result = subprocess.run(list(map(str, command)), capture_output=True, text=True, encoding="utf-8", **options)
    assert result.returncode == 0, f"{command}\n{result.stdout}\n{result.stderr}"
    return result.stdout


def cmake(folder: Path, *options: str) -> Path:
    run("cmake", "-S", NATIVE, "-B", folder, "-DEK_WERROR=ON", *options)
    run("cmake", "--build", folder, "--parallel", os.cpu_count() or 1)
    return folder


@pytest.fixture(scope="module")
def build(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return cmake(tmp_path_factory.mktemp("native"), f"-DEK_JNI={'ON' if shutil.which('javac') else 'OFF'}")


@needs("cmake")
def test_c_tests(build):
    run("ctest", "--test-dir", build, "--output-on-failure", "--timeout", 300)


@needs("cmake")
def test_example(build):
    assert run(build / "segment").split("\n", 1)[1] == SEGMENTS


@needs("cmake", "javac", "java")
def test_jni_example(build):
    folder = build / "examples" / "jni"
    assert run("java", "-cp", folder, f"-Djava.library.path={folder}", "EdgeKernels") == MATCHES


@needs("cmake", "strip", "nm")
def test_shared_library(build, tmp_path):
    """At most 150 kB stripped; exports nothing but ek_ symbols and all that the headers declare; needs only libc."""
    stripped = tmp_path / "stripped.so"
    run("strip", "-o", stripped, build / "libedge_kernels.so")
    assert stripped.stat().st_size <= 150_000
    exported = {line.split()[-1] for line in run("nm", "-D", "--defined-only", stripped).splitlines()}
    declared = set()
    for header in NATIVE.glob("include/**/*.h"):
        declared |= set(re.findall(r"^EK_API [^;]*?\b(ek_\w+)\(", header.read_text(encoding="utf-8"), re.MULTILINE))
    assert exported == declared and len(declared) > 20
    writable = [line for line in run("nm", build / "libedge_kernels.a").splitlines() if re.search(r" [BCDbd] \w", line)]
    assert not writable, "global state"
    libraries = re.findall(r"NEEDED\s+(\S+)", run("objdump", "-p", stripped))
    assert all(re.match(r"lib[cm]\.so", library) for library in libraries)


@needs("cmake")
def test_installed_headers_compile_alone(build, tmp_path):
    """Every installed header includes what it needs, also for C++ where there is a compiler."""
    run("cmake", "--install", build, "--prefix", tmp_path)
    compilers = [["cc", "-std=c99", "-x", "c"], ["c++", "-std=c++11", "-x", "c++"]]
    for header in sorted((tmp_path / "include").rglob("*.h")):
        for compiler in compilers:
            if shutil.which(compiler[0]):
                flags = ["-pedantic", "-Wall", "-Werror", "-fsyntax-only", "-I", str(tmp_path / "include")]
                source = f"#include <{header.relative_to(tmp_path / 'include').as_posix()}>\n"
                run(*compiler, *flags, "-", input=source)


@needs("cmake", "cc")
def test_sanitizers_and_fuzzers(tmp_path):
    """EDGE_SDK_FUZZ_SECONDS for each fuzz target, where clang is installed."""
    seconds = os.environ.get("EDGE_SDK_FUZZ_SECONDS", "2")
    output = run("sh", NATIVE / "check.sh", seconds, env={**os.environ, "BUILD": str(tmp_path)})
    assert "address,undefined" in output and "thread" in output


@needs("cmake", "aarch64-linux-gnu-gcc")
def test_cross_build(tmp_path):
    """Builds for 64-bit ARM; the C tests run where qemu-user is installed."""
    cmake(tmp_path, f"-DCMAKE_TOOLCHAIN_FILE={NATIVE / 'aarch64.cmake'}")
    assert "aarch64" in run("aarch64-linux-gnu-objdump", "-f", tmp_path / "libedge_kernels.so")
    if shutil.which("qemu-aarch64-static") or shutil.which("qemu-aarch64"):
        run("ctest", "--test-dir", tmp_path, "--output-on-failure", "--timeout", 300)
