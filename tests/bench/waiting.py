#!/usr/bin/env python3
"""What a waiting agent costs, and how fast a released call is on its way: Portcullis and the simulator as
processes of their own, everything on loopback.

    tests/bench/waiting.py --portcullis target/release/portcullis [--waiting 10000] [--releases 200] [--restart 100000]

Memory is what the resident size grows by while calls wait, by client: none at all, a legacy client with its session and
an open stream, a modern one without tasks in a long poll, and a modern one with a task that follows it by a
subscription. It includes the held call itself, which is what the line without a client shows. A
release is timed by the approvers' interface for programs, from the click to the call's arrival at Intercom's
side, beside what the same way through the upstream takes by itself. A restart is timed until the process listens
again, beside one without a hold. Python's standard library only."""

import argparse
import asyncio
import json
import os
import pathlib
import re
import resource
import secrets
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

EACH = 50  # Calls of one principal that wait; it may have 64.
STEADY_SECONDS = 12
UNFOLLOWED_EACH = 2_000  # Calls of one principal that nobody follows.
HELD_SECONDS = 300  # Until all of them are.
AT_ONCE = 64  # Calls on their way to being held.
MODERN = "2026-07-28"
TASKS = {"extensions": {"io.modelcontextprotocol/tasks": {}}}
CONFIGURATION = """\
listen: 127.0.0.1:0
data: {folder}/data
upstream: {{ url: "{simulator}", token: "${{SIM_TOKEN}}" }}
console: {{ listen: 127.0.0.1:0 }}
holds: {{ wait: 50s, poll: 10m, pending_per_principal: 10000, clients: [{{ name: bench, wait: 10m }}] }}
limits: {{ connections: 100000, calls_in_flight: 100000, sessions_per_principal: 10000, idle_timeout: 10m }}
plugins: {{ shipped: false, without: ["*"] }}
principals: [ {principals} ]
approvers: [ {{ id: bench-approver, groups: [support-leads] }} ]
"""


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--portcullis", required=True, metavar="PATH")
    parser.add_argument("--waiting", type=int, default=10_000, help="clients of each form; 0 leaves them out")
    parser.add_argument("--releases", type=int, default=200, help="timed releases; 0 leaves them out")
    parser.add_argument("--restart", type=int, default=0, help="open holds that are found again by a restart")
    parser.add_argument("--form", choices=FORMS, action="append", help="only this form of waiting")
    options = parser.parse_args()
    wanted = options.waiting + 1_000
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(wanted, hard), hard))
        if hard < wanted:
            sys.exit(f"{wanted} open files are needed and {hard} allowed: ulimit -n")
    for form in (options.form or FORMS) if options.waiting else []:
        with Stand(options.portcullis, -(-options.waiting // EACH)) as stand:
            asyncio.run(waiting(stand, form, options.waiting))
    if options.releases:
        with Stand(options.portcullis, 1) as stand:
            asyncio.run(releases(stand, options.releases))
    if options.restart:
        with Stand(options.portcullis, -(-options.restart // UNFOLLOWED_EACH)) as stand:
            asyncio.run(restart(stand, options.restart))


async def waiting(stand, form, count):
    """Lets calls wait and tells what each costs."""
    client = FORMS[form]
    # What is built once is built before it is measured.
    warm = [await client(stand.url, stand.keys[0], f"warm {number}") for number in range(3)]
    before = stand.resident()
    began = time.monotonic()
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(number):
        async with gate:
            return await client(stand.url, stand.keys[number // EACH], f"waits {number}")

    open_ones = await asyncio.gather(*(one(number) for number in range(count)))
    took = time.monotonic() - began
    while (held := stand.waiting()) < count:
        if time.monotonic() - began > HELD_SECONDS:
            sys.exit(f"{form}: only {held} of {count} calls wait")
        await asyncio.sleep(1)
    # The head of a long poll is flushed after ten seconds; from then on it only waits.
    await asyncio.sleep(STEADY_SECONDS)
    after = stand.resident()
    print(f"{form}: {count} waiting, {(after - before) / count:.1f} KiB each ({before} -> {after} KiB resident, held in {took:.0f} s)", flush=True)
    for wires in [*open_ones, *warm]:
        for wire in wires:
            wire.close()


async def restart(stand, count):
    """Opens holds, and tells how long a start takes with and without them, and what they take of memory."""
    empty, rests = stand.restart(), stand.resident()
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(number):
        async with gate:
            await nobody(stand.url, stand.keys[number // UNFOLLOWED_EACH], f"waits {number}")

    began = time.monotonic()
    await asyncio.gather(*(one(number) for number in range(count)))
    rate = count / (time.monotonic() - began)
    took = [stand.restart() for _ in range(3)]
    if (held := stand.waiting()) != count:
        sys.exit(f"only {held} of {count} calls wait")
    each = (stand.resident() - rests) / count
    times = ", ".join(f"{seconds:.2f}" for seconds in took)
    print(f"restart: {count} open holds, opened at {rate:.0f}/s; listens after {times} s; {empty:.2f} s without a hold; {each:.1f} KiB each", flush=True)


async def legacy(url, key, body):
    """Its session, and the open stream of its call."""
    wire = await Wire.to(url, key)
    hello = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "bench", "version": "1"}}
    head, _ = await wire.ask(request(1, "initialize", hello))
    wire.headers["Mcp-Session-Id"] = re.search(r"(?im)^mcp-session-id: *(\S+)", head).group(1)
    await wire.send(request(2, "tools/call", note(body)))
    await wire.head()
    return [wire]


async def poll(url, key, body):
    """One connection, whose call is a long poll: nothing comes until it ends."""
    wire = await Wire.to(url, key)
    await wire.send_modern(request(1, "tools/call", note(body)), {})
    return [wire]


async def task(url, key, body):
    """A task, and the stream of its subscription."""
    wire, created = await created_task(url, key, body)
    listen = {"notifications": {"taskIds": [created["taskId"]]}}
    await wire.send_modern(request(2, "subscriptions/listen", listen), TASKS)
    await wire.head()
    return [wire]


async def nobody(url, key, body):
    """A task that nobody follows: what a held call itself costs."""
    wire, _ = await created_task(url, key, body)
    wire.close()
    return []


async def created_task(url, key, body):
    wire = await Wire.to(url, key)
    _, answer = await wire.ask_modern(request(1, "tools/call", note(body)), TASKS)
    return wire, answer["result"]


FORMS = {"no client": nobody, "legacy stream": legacy, "modern long poll": poll, "modern task": task}


async def releases(stand, count):
    """Releases calls one after another and tells how long each was on its way."""
    click_to_receipt, upstream_alone = [], []
    for number in range(count):
        body = f"released {number}"
        await nobody(stand.url, stand.keys[0], body)
        hold = stand.api("GET", "/api/v1/holds?take=1&state=pending")[1]["holds"][0]
        headers, shown = stand.api("GET", f"/api/v1/holds/{hold['id']}")
        decision = {"decision": "approve", "binding": shown["binding"]}
        clicked = time.time()
        stand.api("POST", f"/api/v1/holds/{hold['id']}/decision", decision, {"If-Match": headers["etag"]})
        click_to_receipt.append(stand.receipt(body) - clicked * 1000)
        asked = time.time()
        stand.simulator_tool(f"direct {number}")
        upstream_alone.append(stand.receipt(f"direct {number}") - asked * 1000)
    p50, alone = statistics.median(click_to_receipt), statistics.median(upstream_alone)
    p99 = sorted(click_to_receipt)[int(len(click_to_receipt) * 0.99)]
    print(f"release: click to Intercom's receipt p50 {p50:.1f} ms, p99 {p99:.1f} ms; the upstream by itself p50 {alone:.1f} ms ({count} releases)")


def request(number, method, params):
    return {"jsonrpc": "2.0", "id": number, "method": method, "params": params}


def note(body):
    return {"name": "add_internal_note", "arguments": {"conversation_id": "215470000000101", "body": body}}


class Wire:
    """One connection that speaks as little HTTP as it must."""

    def __init__(self, reader, writer, host, key):
        self.reader, self.writer = reader, writer
        self.headers = {
            "Host": host,
            "Authorization": f"Bearer {key}",
            "Content-Type": "application/json",
            "Accept": "application/json, text/event-stream",
        }

    @classmethod
    async def to(cls, url, key):
        host = re.match(r"http://([^/]+)/", url).group(1)
        address, port = host.rsplit(":", 1)
        return cls(*await asyncio.open_connection(address, int(port), limit=2**14), host, key)

    async def send(self, message, more=None):
        body = json.dumps(message).encode()
        headers = {**self.headers, **(more or {}), "Content-Length": str(len(body))}
        head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        self.writer.write(f"POST /mcp HTTP/1.1\r\n{head}\r\n".encode() + body)
        await self.writer.drain()

    async def send_modern(self, message, capabilities):
        meta = "io.modelcontextprotocol"
        message["params"]["_meta"] = {
            f"{meta}/protocolVersion": MODERN,
            f"{meta}/clientCapabilities": capabilities,
            f"{meta}/clientInfo": {"name": "bench", "version": "1"},
        }
        more = {"MCP-Protocol-Version": MODERN, "Mcp-Method": message["method"]}
        if name := message["params"].get("name"):
            more["Mcp-Name"] = name
        await self.send(message, more)

    async def head(self):
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode()
        if " 200 " not in head.splitlines()[0]:
            raise RuntimeError(head)
        return head

    async def ask(self, message):
        await self.send(message)
        return await self.answer()

    async def ask_modern(self, message, capabilities):
        await self.send_modern(message, capabilities)
        return await self.answer()

    async def answer(self):
        head = await self.head()
        if length := re.search(r"(?im)^content-length: *(\d+)", head):
            return head, json.loads(await self.reader.readexactly(int(length.group(1))))
        # A stream of events, of which the last is the answer.
        stream = b""
        while size := int(await self.reader.readline(), 16):
            stream += (await self.reader.readexactly(size + 2))[:-2]
        await self.reader.readline()
        events = [line[5:] for line in stream.splitlines() if line.startswith(b"data:")]
        return head, json.loads(events[-1])

    def close(self):
        self.writer.close()


class Stand:
    """The simulator, and Portcullis in front of it with enough principals."""

    def __init__(self, binary, principals, configuration=CONFIGURATION, policies=None):
        self.binary, self.count = os.path.abspath(binary), principals
        self.configuration, self.policies = configuration, policies or {}

    def __enter__(self):
        self._folder = tempfile.TemporaryDirectory(prefix="portcullis-bench-")
        folder = self._folder.name
        self.token = secrets.token_hex(16)
        self.environment = {**os.environ, "SIM_TOKEN": self.token, "HOME": folder}
        self._children = []
        simulate = ["simulate", "--listen", "127.0.0.1:0", "--token", self.token]
        self.simulator = self._start(simulate, "listening on")["listening on"]
        names = [f"bench-{number}" for number in range(self.count)]
        principals = ", ".join(f"{{ id: {name}, roles: [note-writer] }}" for name in names)
        rules = pathlib.Path(folder) / "policies"
        rules.mkdir()
        for name, text in self.policies.items():
            (rules / name).write_text(text)
        config = pathlib.Path(folder) / "portcullis.yaml"
        config.write_text(self.configuration.format(folder=folder, simulator=self.simulator, principals=principals))
        config.chmod(0o600)
        self.config = ["--config", str(config)]
        self.keys = [self.run("principals", "add", name) for name in names]
        # A person with an account, for only those have tokens.
        self.run("people", "add", "bench-person", "--group", "support-leads")
        scopes = ["--scope", "holds:read", "--scope", "holds:decide"]
        self.api_token = self.run("people", "token", "add", "bench-person", *scopes)
        self._serve()
        return self

    def _serve(self):
        where = self._start([*self.config, "serve"], "listening on", "approvers' page on")
        self.url, self.page = where["listening on"], where["approvers' page on"]

    def restart(self):
        """Ends Portcullis, starts it again, and tells how many seconds it takes until it listens."""
        child = self._children.pop()
        child.terminate()
        child.wait(timeout=60)
        began = time.monotonic()
        self._serve()
        return time.monotonic() - began

    def __exit__(self, *_):
        for child in reversed(self._children):
            child.terminate()
            try:
                child.wait(timeout=30)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
        self._folder.cleanup()

    def run(self, *arguments):
        """The last word that a command prints."""
        ended = subprocess.run(
            [self.binary, *self.config, *arguments], env=self.environment, capture_output=True, text=True, timeout=60
        )
        if ended.returncode:
            sys.exit(f"{' '.join(arguments)}: {ended.stderr}")
        return ended.stdout.split()[-1]

    def _start(self, arguments, *wanted):
        log = open(os.path.join(self._folder.name, f"log-{len(self._children)}"), "w")
        child = subprocess.Popen(
            [self.binary, *arguments], env=self.environment, stdout=subprocess.PIPE, stderr=log, text=True
        )
        self._children.append(child)
        found = {}
        for line in child.stdout:
            for words in wanted:
                if address := re.search(rf"{words} (http://\S+)", line):
                    found[words] = address.group(1)
            if len(found) == len(wanted):
                return found
        sys.exit(f"{arguments} ended before it listened: {pathlib.Path(log.name).read_text()}")

    def resident(self):
        """KiB of Portcullis in memory."""
        status = pathlib.Path(f"/proc/{self._children[-1].pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+)", status).group(1))

    def waiting(self):
        """How many calls wait for a person."""
        return self.api("GET", "/api/v1/holds?take=1&state=pending")[1]["total"]

    def api(self, method, path, body=None, headers=None):
        """The approvers' interface for programs."""
        headers = {"Authorization": f"Bearer {self.api_token}", "Content-Type": "application/json", **(headers or {})}
        data = json.dumps(body).encode() if body else None
        asked = urllib.request.Request(self.page + path, data=data, headers=headers, method=method)
        with urllib.request.urlopen(asked, timeout=60) as answer:
            return {name.lower(): value for name, value in answer.headers.items()}, json.load(answer)

    def receipt(self, body):
        """When a note with this body arrived at Intercom's side, in milliseconds since 1970."""
        with urllib.request.urlopen(self.simulator.removesuffix("/mcp") + "/_sim/received", timeout=60) as answer:
            received = json.load(answer)
        return next(it["at"] for it in received if (it.get("arguments") or {}).get("body") == body)

    def simulator_tool(self, body):
        """The same call without Portcullis, in a session of its own."""
        if not hasattr(self, "_direct"):
            hello = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "bench", "version": "1"}}
            self._direct = self._post(request(1, "initialize", hello), {})["mcp-session-id"]
        self._post(request(2, "tools/call", note(body)), {"Mcp-Session-Id": self._direct})

    def _post(self, message, more):
        headers = {
            "Authorization": f"Bearer {self.token}",
            "Content-Type": "application/json",
            "Accept": "application/json, text/event-stream",
            **more,
        }
        asked = urllib.request.Request(self.simulator, data=json.dumps(message).encode(), headers=headers)
        with urllib.request.urlopen(asked, timeout=60) as answer:
            answer.read()
            return {name.lower(): value for name, value in answer.headers.items()}


if __name__ == "__main__":
    main()
