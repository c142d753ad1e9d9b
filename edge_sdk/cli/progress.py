"""A progress bar on stderr."""

from __future__ import annotations

import sys
import time

WIDTH = 30
SECONDS = 0.1  # between two drawings


class Progress:
    """Call it with what is done and what there is in all; it draws where stderr is a terminal."""

    def __init__(self) -> None:
        self._terminal = sys.stderr.isatty()
        self._started = self._drawn = time.monotonic()

    def __call__(self, done: int, total: int) -> None:
        now = time.monotonic()
        if done == 0:
            self._started = now
        elif done < total and now - self._drawn < SECONDS:
            return
        if self._terminal:
            self._drawn = now
            print(f"\r\x1b[K{self.line(done, total, now - self._started)}", end="", file=sys.stderr, flush=True)

    def close(self) -> None:
        """Remove the bar, so that what is printed next begins a line."""
        if self._terminal:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)

    @staticmethod
    def line(done: int, total: int, seconds: float) -> str:
        """Bar, numbers, speed, and how long the rest takes at this speed."""
        if total == 0:
            return "looking for what is new"
        filled = WIDTH * done // total
        bar = f"[{'#' * filled}{'.' * (WIDTH - filled)}] {done}/{total}"
        if not done or not seconds:
            return bar
        left = round((total - done) * seconds / done)
        return f"{bar}  {done / seconds:.0f} a second, {left // 60}:{left % 60:02} left"
