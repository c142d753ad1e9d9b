"""The kernels in readable NumPy and plain Python: what the other faces must equal, and what runs without them."""
