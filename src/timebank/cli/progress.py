"""How far a long command is."""

import sys
import time


class Progress:
    """Draws one line that grows; on a terminal in place, elsewhere a line for each tenth."""

    def __init__(self, label: str) -> None:
        self._label = label
        self._tenth = -1
        self._started = time.monotonic()

    def __call__(self, done: int, whole: int) -> None:
        """Show that `done` of `whole` is done."""
        percent = 100 * done // whole if whole else 100
        line = (
            f"{self._label} {'█' * (percent // 5):<20} {percent:3} %  "
            f"{done:,} / {whole:,}  {time.monotonic() - self._started:.0f} s"
        )
        if sys.stderr.isatty():
            end = "\n" if done >= whole else ""
            print(f"\r{line}", end=end, file=sys.stderr, flush=True)
        elif percent // 10 > self._tenth:
            self._tenth = percent // 10
            print(line, file=sys.stderr, flush=True)
