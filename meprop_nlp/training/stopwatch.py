"""`Stopwatch`: the seconds that each part of a training step takes."""

import time

import torch


class Stopwatch:
    """Adds the time between two laps to one of several parts.

    Args:
        seconds: seconds by part so far; changed in place.
        device: where the work is done; on a GPU, where work is asynchronous, each lap waits for it.
            None never waits.
    """

    def __init__(self, seconds: dict[str, float], device: torch.device | None = None) -> None:
        self.seconds = seconds
        self._device = device if device is not None and device.type == "cuda" else None
        self._last = 0.0

    def start(self) -> None:
        """Begin a lap."""
        self._last = self._now()

    def lap(self, part: str) -> None:
        """Add the time since the last lap to a part, and begin the next lap."""
        now = self._now()
        self.seconds[part] += now - self._last
        self._last = now

    def _now(self) -> float:
        if self._device is not None:
            torch.cuda.synchronize(self._device)
        return time.perf_counter()
