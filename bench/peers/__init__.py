"""The libraries that people use today, beside ours: in the same run, on the same inputs, accuracy beside cost."""
