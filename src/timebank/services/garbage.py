"""When Python looks for garbage that lies in cycles: rarely, while millions of values are made."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def rare_collection() -> Iterator[None]:
    """Let the cycle collector run rarely: what is made meanwhile is in no cycle."""
    before = gc.get_threshold()
    gc.set_threshold(500_000, 20, 100)
    try:
        yield
    finally:
        gc.set_threshold(*before)
