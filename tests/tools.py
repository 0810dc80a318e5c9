"""Programs that some tests need and that not every machine has.

A test names its need with a marker, `@pytest.mark.needs_browser`. Where the program is missing, the
test is left out and the summary says so loudly; with CI=true it fails instead.
"""

import os
import shutil
from collections import Counter
from pathlib import Path

import pytest

BROWSERS = ("chromium", "chromium-browser", "google-chrome")

_left_out: Counter[str] = Counter()


def find_browser() -> Path | None:
    return next((Path(path) for name in BROWSERS if (path := shutil.which(name))), None)


def missing(marker: str) -> str | None:
    """What is missing for the tests with this marker, in the words of a package manager."""
    match marker:
        case "needs_browser":
            return None if find_browser() else "chromium"
        case "needs_hledger":
            return None if shutil.which("hledger") else "hledger"
        case "needs_poppler":
            return None if shutil.which("pdftotext") else "poppler-utils"
        case "needs_root":
            return None if os.geteuid() == 0 else "root"
        case _:
            return None


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    for mark in item.iter_markers():
        if (what := missing(mark.name)) is None:
            continue
        # A CI that is nobody's root is still a CI.
        if os.environ.get("CI") == "true" and mark.name != "needs_root":
            pytest.fail(f"needs {what}, and CI must have it", pytrace=False)
        _left_out[what] += 1
        pytest.skip(f"needs {what}")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for what, count in _left_out.items():
        terminalreporter.section(f"MISSING: {what}; tests left out: {count}", sep="!", bold=True)
