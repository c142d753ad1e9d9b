"""Build of the native kernels; everything declarative is in pyproject.toml.

Every edge_sdk/kernels/native/*.pyx becomes one extension module. The C core in native/src is compiled
once and linked into each of them; the linker drops what a module does not call.

EDGE_SDK_REQUIRE_EXT=1 (or CI=true)  a failed build is an error, otherwise the slower faces are installed
EDGE_SDK_DEBUG=1                     Cython bounds checks, assertions and debug symbols
"""

import os
import sys
from pathlib import Path

from setuptools import Extension, find_packages, setup
from setuptools.command.build_ext import build_ext

DEBUG = os.environ.get("EDGE_SDK_DEBUG") == "1"
REQUIRED = os.environ.get("EDGE_SDK_REQUIRE_EXT") == "1" or os.environ.get("CI") == "true"
ROOT = Path(__file__).parent
C_SOURCES = sorted(path.relative_to(ROOT).as_posix() for path in ROOT.glob("native/src/*.c"))
C_HEADERS = sorted(path.relative_to(ROOT).as_posix() for path in ROOT.glob("native/**/*.h"))
INCLUDE = ["native/include", "native/src"]

# -ffp-contract=off: a fused multiply-add rounds once where the reference rounds twice.
# Hidden symbols: each module keeps its own copy of the core, without what it does not call.
UNIX_FLAGS = ["-std=c99", "-ffp-contract=off", "-fvisibility=hidden", "-ffunction-sections", "-fdata-sections"]
UNIX_FLAGS += ["-O1", "-g", "-UNDEBUG"] if DEBUG else ["-O3", "-g0"]
DIRECTIVES = {
    "language_level": 3,
    "boundscheck": DEBUG,
    "wraparound": False,
    "initializedcheck": DEBUG,
    "cdivision": True,
    "embedsignature": True,
    "freethreading_compatible": False,
}


class BuildKernels(build_ext):
    """Compile the C core once, link it into every extension, and fall back loudly where that is allowed."""

    def run(self):
        try:
            super().run()
        except Exception as error:  # distutils raises many unrelated types for "no working compiler"
            if REQUIRED:
                raise
            self.extensions = []  # nothing to install or copy
            self._warn(error)

    def build_extensions(self):
        unix = self.compiler.compiler_type != "msvc"
        flags = UNIX_FLAGS if unix else ["/O2", "/std:c11"]
        objects = self.compiler.compile(
            C_SOURCES,
            output_dir=self.build_temp,
            include_dirs=INCLUDE,
            macros=[("EK_STATIC", None)],
            extra_postargs=flags,
            depends=C_HEADERS,
        )
        for extension in self.extensions:
            extension.extra_compile_args = [flag for flag in flags if flag != "-std=c99"]
            extension.extra_objects = objects
            extension.depends = [*extension.depends, *C_SOURCES, *C_HEADERS]
            if unix and sys.platform != "darwin":
                extension.extra_link_args = ["-Wl,--gc-sections"] + ([] if DEBUG else ["-Wl,-s"])
        super().build_extensions()

    @staticmethod
    def _warn(error):
        bar = "*" * 78
        print(
            f"{bar}\nWARNING: the native kernels of edge-sdk could not be built:\n  {error}\n"
            "edge-sdk will run on its NumPy reference, which is some hundred times slower.\n"
            "Install a C compiler and the Python headers (Debian: apt install gcc python3-dev)\n"
            f"and install edge-sdk again; EDGE_SDK_REQUIRE_EXT=1 makes this an error.\n{bar}",
            file=sys.stderr,
        )


def extensions():
    """One Extension for each .pyx; an install without Cython has none and says so."""
    try:
        from Cython.Build import cythonize
    except ImportError as error:
        if REQUIRED:
            raise
        BuildKernels._warn(error)
        return []
    modules = [
        Extension(f"edge_sdk.kernels.native.{path.stem}", [path.relative_to(ROOT).as_posix()], include_dirs=INCLUDE)
        for path in sorted(ROOT.glob("edge_sdk/kernels/native/*.pyx"))
    ]
    return cythonize(modules, build_dir="build/cython", compiler_directives=DIRECTIVES, quiet=True)


setup(
    packages=[*find_packages(include=["edge_sdk", "edge_sdk.*"]), "edge_sdk.zoo"],
    package_dir={"edge_sdk.zoo": "zoo"},
    package_data={"edge_sdk": ["py.typed"], "edge_sdk.kernels.native": ["*.pyi"], "edge_sdk.zoo": ["*.edge"]},
    exclude_package_data={"": ["*.pyx", "*.pxi", "*.c"]},
    ext_modules=extensions(),
    cmdclass={"build_ext": BuildKernels},
)
