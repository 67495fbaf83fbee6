#!/usr/bin/env python3
"""Real MCP clients against Portcullis: each lists tools, reads a conversation, is refused, is held and
receives the outcome, and the simulator says what reached Intercom.

    run.py --portcullis target/release/portcullis      sets everything up by itself
    run.py --url http://127.0.0.1:8787/mcp --key KEY [--control 'portcullis --config X'] [--simulator URL]

The road of one client: `install` brings it, a driver in `drivers/` plays the script and prints what it
saw, this file releases the held call meanwhile, `judge` says what was right. Several run side by side, each
as a principal of its own; against a Portcullis that runs already they share its one key and take turns.
Python's standard library only.
"""

import argparse
import json
import os
import pathlib
import secrets
import shlex
import shutil
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass, field

import judge
from children import Child
from install import HERE, install
from stand import Stand, start

# From the start of a client to its last step, besides the time a hold is left waiting.
CLIENT_SECONDS = 150


@dataclass(frozen=True)
class Client:
    """A client in one of its eras."""

    name: str
    driver: str
    era: str
    revision: str | None = None  # What it must agree on, where it can say.
    obeys_list: bool = False  # Calls no tool that the list does not show.
    declares: str | None = None  # What it declares beside its defaults, where the driver knows how.
    waits: float = 0.0  # How long its held call waits at least: longer than it is patient.


# Those that take long first: they run side by side.
CLIENTS = [
    Client("inspector-legacy", "inspector.py", "legacy", obeys_list=True),
    Client("inspector-modern", "inspector.py", "modern", obeys_list=True),
    Client("mcp-remote", "mcp_remote.mjs", "legacy"),
    Client("fastmcp-tasks", "fastmcp_client.py", "auto"),
    Client("openai-agents", "openai_agents.py", "auto", waits=7.0),
    Client("langchain", "langchain.py", "legacy"),
    Client("typescript-v1", "typescript_v1.mjs", "legacy", "2025-11-25"),
    Client("typescript-v2-legacy", "typescript_v2.mjs", "legacy", "2025-11-25"),
    Client("typescript-v2-modern", "typescript_v2.mjs", "modern", "2026-07-28"),
    Client("python", "python_sdk.py", "auto", "2026-07-28"),
    Client("python-tasks", "python_sdk.py", "auto", "2026-07-28", declares="tasks"),
    Client("python-link-modern", "python_sdk.py", "auto", "2026-07-28", declares="link"),
    Client("python-link-legacy", "python_sdk.py", "legacy", "2025-11-25", declares="link"),
    Client("rmcp-legacy", "rmcp", "legacy", "2025-11-25"),
    Client("rmcp-modern", "rmcp", "modern", "2026-07-28"),
    Client("rmcp-tasks", "rmcp", "modern", "2026-07-28", declares="tasks"),
]
# More of them would only wait for each other.
SIDE_BY_SIDE = max(2, min(6, 2 * (os.cpu_count() or 1)))


@dataclass
class Hold:
    """What happened to the held call on the approver's side."""

    problem: str | None = None
    id: str | None = None
    sent_before: int = 0


@dataclass
class Run:
    """All that is known of one client's run; `judge` reads it."""

    client: Client
    script: dict
    lines: dict = field(default_factory=dict)
    hold: Hold = field(default_factory=Hold)
    sent: int | None = None  # How often the held call reached Intercom; None if there is nobody to ask.
    leaked: int = 0
    page: str | None = None  # Where the approvers' page is for browsers.
    ended: str = ""  # How the driver ended, with its last words.
    seconds: float = 0.0

    def seen(self, step):
        """What the driver saw at a step; a step that it did not reach is an error."""
        return self.lines.get(step) or {"error": judge.NOT_REACHED}


def main():
    options = arguments()
    clients = [client for client in CLIENTS if options.only in client.name]
    if not clients:
        sys.exit(f"no client is named like `{options.only}`; known: {', '.join(c.name for c in CLIENTS)}")
    try:
        installed = install(options.rmcp, say)
        if options.install_only:
            return 0
        if not installed.rmcp:
            left_out = [client.name for client in clients if client.driver == "rmcp"]
            clients = [client for client in clients if client.driver != "rmcp"]
            if left_out:
                say(f"left out, for --rmcp names no binary: {', '.join(left_out)}")
        with tempfile.TemporaryDirectory(prefix="portcullis-clients-") as folder:
            with stand_of(options, folder, clients) as stand:
                drivers(folder, installed)
                began = time.monotonic()
                with ThreadPoolExecutor(SIDE_BY_SIDE if options.portcullis else 1) as pool:
                    one = lambda client: play(client, stand, installed, options, folder)
                    runs = list(pool.map(one, clients))
                say(f"{len(runs)} clients in {time.monotonic() - began:.0f} s")
    except RuntimeError as error:
        sys.exit(f"clients: {error}")
    return table([(run, judge.judge(run)) for run in runs])


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    under_test = parser.add_mutually_exclusive_group(required=True)
    under_test.add_argument("--portcullis", metavar="PATH", help="a binary to start, with its simulator")
    under_test.add_argument("--url", help="the MCP endpoint of a Portcullis that runs already")
    under_test.add_argument("--install-only", action="store_true", help="fill the cache and stop")
    key = os.environ.get("PORTCULLIS_KEY")
    parser.add_argument("--key", default=key, help="the principal's key (or PORTCULLIS_KEY)")
    parser.add_argument("--principal", help="whose holds to release; by default any principal's")
    parser.add_argument("--control", type=shlex.split, help="command prefix for `holds list` and `holds approve`")
    parser.add_argument("--simulator", metavar="URL", help="base address of the simulator, to ask what it received")
    parser.add_argument("--rmcp", metavar="PATH", help="the client of `tests/fixture`, built")
    parser.add_argument("--only", default="", metavar="NAME", help="only clients whose name has this part")
    parser.add_argument("--hidden", default="create_article", metavar="TOOL", help="a tool this principal may not see")
    parser.add_argument("--conversation", default="215470000000101", metavar="ID")
    parser.add_argument("--article", default="9100001", metavar="ID", help="the first of one for each client")
    waits = "how long a held call waits for its release; over 50 makes legacy clients ask again"
    parser.add_argument("--hold-for", type=float, default=1.0, metavar="SECONDS", help=waits)
    options = parser.parse_args()
    if options.url and not options.key:
        parser.error("--url needs --key or PORTCULLIS_KEY")
    return options


def stand_of(options, folder, clients):
    if options.portcullis:
        return start(options.portcullis, folder, [client.name for client in clients])
    keys = {None: options.key}
    return nullcontext(
        Stand(options.url, keys, options.principal, control=options.control, simulator=options.simulator)
    )


def drivers(folder, installed):
    """JavaScript resolves packages beside the file, so the drivers move next to them."""
    copied = pathlib.Path(folder) / "drivers"
    shutil.copytree(HERE / "drivers", copied)
    (copied / "node_modules").symlink_to(installed.node_modules)


def play(client, stand, installed, options, folder):
    """Runs one client's driver, releasing its held call, and collects what is known."""
    say(f"{client.name} ...")
    run = Run(client, script(client, stand, installed, options), page=stand.page)
    began = time.monotonic()
    hold_for = max(options.hold_for, client.waits)
    deadline = began + CLIENT_SECONDS + hold_for
    known = stand.pending_holds(run.script["held"]["tool"], client.name) if stand.control else set()
    refused_before = sent(stand, run.script["refused"]) + sent(stand, run.script["invalid"])
    child = Child(command(client, installed, run.script, folder), environment(stand, client, folder), folder)
    try:
        while (line := child.next_line(deadline)) is not None:
            seen = json.loads(line)
            run.lines[seen["step"]] = seen
            if seen["step"] == "holding":
                run.hold = release(stand, run, known, child, deadline, hold_for)
        run.ended = f"the driver ended:\n{child.tail()}"
    except TimeoutError:
        run.ended = f"the driver did not end within {deadline - began:.0f} s:\n{child.tail()}"
    except ValueError:
        run.ended = f"the driver printed something else than JSON:\n{child.tail()}"
    finally:
        child.stop()
    if stand.simulator and run.script["held"]:
        run.sent = sent(stand, run.script["held"])
        run.leaked = sent(stand, run.script["refused"]) + sent(stand, run.script["invalid"]) - refused_before
    run.seconds = time.monotonic() - began
    return run


def script(client, stand, installed, options):
    """What the driver is to do. The title is unique, so each client has a hold and an outcome of its own."""
    title = f"Returns and refunds, {client.name} {secrets.token_hex(4)}"
    # Releasing a call makes others on the same article stale, so each client has an article of its own.
    article = str(int(options.article) + CLIENTS.index(client))
    held = {"tool": "update_article", "arguments": {"id": article, "title": title}}
    conversation = {"id": options.conversation}
    return {
        "url": stand.url,
        "era": client.era,
        "declares": client.declares,
        "read": {"tool": "get_conversation", "arguments": conversation},
        "refused": {"tool": options.hidden, "arguments": {"title": title, "author_id": 1}},
        "invalid": {"tool": "get_conversation", "arguments": {**conversation, "unlisted": title}},
        "held": held if stand.control else None,
        "pending": judge.PENDING,
        "patience": 90 + max(options.hold_for, client.waits),
        "command": installed.inspector(),
    }


def command(client, installed, script, folder):
    """The driver's command."""
    if client.driver == "rmcp":
        return [installed.rmcp, json.dumps(script)]
    runtimes = {".mjs": installed.node, "langchain.py": installed.python_mcp1}
    runtime = runtimes.get(client.driver) or runtimes.get(client.driver[-4:]) or installed.python
    return [runtime, str(pathlib.Path(folder) / "drivers" / client.driver), json.dumps(script)]


def environment(stand, client, folder):
    """Nothing of this machine's: no proxy for loopback, no stored sign-ins, no approver's key."""
    return {
        "PATH": os.environ.get("PATH", ""),
        "LANG": "C.UTF-8",
        "HOME": folder,
        "MCP_REMOTE_CONFIG_DIR": os.path.join(folder, client.name),
        "PORTCULLIS_KEY": stand.key(client.name),
    }


def release(stand, run, known, child, deadline, hold_for):
    """Waits until the held call is shown to approvers, leaves it waiting a while, and releases it."""
    hold, held = Hold(), run.script["held"]
    while not (waiting := stand.pending_holds(held["tool"], run.client.name) - known):
        if not child.lines.empty():
            hold.problem = f"answered without a hold: {child.lines.queue[0]}"
            return hold
        if time.monotonic() > deadline:
            hold.problem = "no hold was shown to approvers"
            return hold
        time.sleep(0.1)
    if len(waiting) > 1:
        hold.problem = f"one call made {len(waiting)} holds"
        return hold
    (hold.id,) = waiting
    time.sleep(hold_for)
    hold.sent_before = sent(stand, held)
    if not child.lines.empty():
        hold.problem = f"answered before it was released: {child.lines.queue[0]}"
        return hold
    try:
        stand.approve(hold.id)
    except RuntimeError as error:
        hold.problem = str(error)
    return hold


def sent(stand, call):
    return stand.received(call) if stand.simulator else 0


def table(judged):
    """Prints client by step, then the reasons, then the count. The exit status."""
    width = max(len(run.client.name) for run, _ in judged)
    heads = "  ".join(f"{step:7}" for step in judge.STEPS)
    print(f"\n{'client':{width}}  {heads}  seconds  calls to settle")
    for run, verdicts in judged:
        words = ["-" if step not in verdicts else "FAILED" if verdicts[step] else "ok" for step in judge.STEPS]
        cells = "  ".join(f"{word:7}" for word in words)
        print(f"{run.client.name:{width}}  {cells}  {run.seconds:7.1f}  {run.seen('held').get('calls', '-')}")
    reasons = [
        (run.client.name, step, wrong) for run, verdicts in judged for step, wrong in verdicts.items() if wrong
    ]
    for name, step, wrong in reasons:
        if wrong != judge.NOT_REACHED:
            print(f"\n{name}, {step}: {wrong}")
    for run, verdicts in judged:
        if judge.NOT_REACHED in verdicts.values():
            print(f"\n{run.client.name}: {run.ended}")
    total = sum(len(verdicts) for _, verdicts in judged)
    print(f"\nclients: {total - len(reasons)} passed, {len(reasons)} failed")
    return 1 if reasons else 0


def say(text):
    sys.stderr.write(f"{text}\n")  # At once, for several say something.
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main())
