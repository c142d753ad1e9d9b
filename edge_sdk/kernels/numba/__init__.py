"""The kernels compiled at run time by Numba (extra `[numba]`, EDGE_SDK_KERNELS=numba)."""
