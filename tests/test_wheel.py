"""A wheel carries everything that a user needs, who has neither Node nor npm."""

import subprocess
import sys
import zipfile
from pathlib import Path

from tests.house.source import ROOT

from timebank.web.assets import load_assets


def test_the_wheel_carries_the_bundled_modules_and_no_sources_of_theirs(tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", tmp_path],
        cwd=ROOT,
        check=True,
        capture_output=True,
        timeout=60,
    )
    (wheel,) = tmp_path.glob("*.whl")
    held = set(zipfile.ZipFile(wheel).namelist())
    built = "timebank/web/static/built"
    addresses = {each.rpartition("/")[2] for each in load_assets().addresses.values()}
    modules = {each for each in load_assets().by_name if f"{built}/{each}" in held}
    assert {each for each in addresses if each.startswith(("scanner", "charts"))} <= modules
    assert any(each.endswith(".wasm") for each in modules)
    assert f"{built}/LICENSES.txt" in held
    assert not [each for each in held if "node_modules" in each or each.startswith("browser/")]
