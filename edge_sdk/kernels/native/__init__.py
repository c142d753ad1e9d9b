"""The kernels in C (native/), behind Cython modules that only convert arguments."""
