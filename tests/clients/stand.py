"""What the clients are tested against: Portcullis, the commands that release holds, and the simulator.

`Stand` is only addresses and commands, so it serves a Portcullis that runs already. `start` makes one
from a binary: simulator, configuration, keys, server, all in a temporary folder and on free ports.
"""

import json
import os
import re
import secrets
import threading
import time
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass, field

from children import Child, output_of

START_SECONDS = 60
# A console that browsers find elsewhere, as behind a TLS proxy: held calls name this address.
PAGE = "https://approve.example.com"
APPROVER = "clients-approver"

# The whole configuration of the Portcullis under test. The role lets a principal read conversations and
# change articles, and not create them: that is what the script's steps stand on. Each client is a principal
# of its own, so that their holds are told apart and they can run side by side.
CONFIGURATION = """\
listen: 127.0.0.1:0
data: {data}
upstream: {{ url: "{simulator}", token: "${{SIM_TOKEN}}" }}
principals: [ {principals} ]
approvers: [ {{ id: clients-approver, groups: [kb-editors] }} ]
console: {{ listen: 127.0.0.1:0, url: "{page}" }}
"""


@dataclass
class Stand:
    """A Portcullis under test. What is None cannot be asked, and the steps that need it are left out."""

    url: str
    keys: dict  # By client; by None the one that all of them use.
    principal: str | None = None
    page: str | None = None
    control: list[str] | None = None
    simulator: str | None = None
    environment: dict = field(default_factory=lambda: dict(os.environ))
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _asked: tuple = (float("-inf"), "")

    def key(self, client):
        return self.keys.get(client) or self.keys[None]

    def pending_holds(self, tool, client):
        """The ids of a client's holds on a tool that wait for a person."""
        principal = client if client in self.keys else self.principal
        text = self._holds()
        try:
            return {
                hold["id"]
                for hold in json.loads(text)
                if hold["state"] == "pending"
                and hold["tool"] == tool
                and principal in (None, hold["principal"])
            }
        except (ValueError, KeyError, TypeError) as error:
            wanted = "a JSON list of objects with `id`, `state`, `tool`, `principal`"
            raise RuntimeError(f"`holds list --json` must print {wanted} ({error!r}):\n{text}") from None

    def _holds(self):
        """What `holds list` prints; asked once for all clients that run at the same time."""
        with self._lock:
            if time.monotonic() - self._asked[0] > 0.2:
                text = output_of([*self.control, "holds", "list", "--json"], self.environment)
                self._asked = (time.monotonic(), text)
            return self._asked[1]

    def approve(self, hold):
        """Releases a hold, as the approver whose key the environment carries."""
        output_of([*self.control, "holds", "approve", hold], self.environment)

    def received(self, call):
        """How many calls of this tool with exactly these arguments reached Intercom's side."""
        address = f"{self.simulator}/_sim/received"
        try:
            with urllib.request.urlopen(address, timeout=30) as answer:
                items = json.load(answer)
        except (OSError, ValueError) as error:
            raise RuntimeError(f"the simulator does not tell what it received at `{address}`: {error}") from None
        return sum(
            item.get("tool") == call["tool"] and item.get("arguments") == call["arguments"]
            for item in items
        )


@contextmanager
def start(binary, folder, clients):
    """Starts the simulator and Portcullis in front of it, gives their `Stand`, and stops both."""
    binary = os.path.abspath(binary)
    environment = {**os.environ, "SIM_TOKEN": secrets.token_hex(16), "HOME": folder}
    children = []
    try:
        simulator = _serve([binary, "simulate", "--listen", "127.0.0.1:0", "--token", environment["SIM_TOKEN"]], environment, folder, children)
        config = os.path.join(folder, "portcullis.yaml")
        with open(config, "w") as file:
            data = os.path.join(folder, "data")
            principals = ", ".join(f"{{ id: {client}, roles: [article-editor] }}" for client in clients)
            file.write(CONFIGURATION.format(data=data, simulator=simulator, principals=principals, page=PAGE))
        control = [binary, "--config", config]
        add = [*control, "principals", "add"]
        keys = {client: _last_line(output_of([*add, client], environment)) for client in clients}
        approver = _last_line(output_of([*control, "people", "key", "add", APPROVER], environment))
        environment["PORTCULLIS_APPROVER_KEY"] = approver
        url = _serve([binary, "serve", "--config", config], environment, folder, children)
        yield Stand(url, keys, None, PAGE, control, simulator.removesuffix("/mcp"), environment)
    finally:
        for child in reversed(children):
            child.stop()


def _serve(command, environment, folder, children):
    """Starts a server and waits for the address it prints."""
    child = Child(command, environment, folder, merge_stderr=True)
    children.append(child)
    deadline = time.monotonic() + START_SECONDS
    try:
        while (line := child.next_line(deadline)) is not None:
            if found := re.search(r"listening on (http://\S+/mcp)\b", line):
                return found.group(1)
        raise RuntimeError(f"`{' '.join(command)}` ended before it listened:\n{child.tail()}")
    except TimeoutError:
        raise RuntimeError(f"`{' '.join(command)}` does not listen:\n{child.tail()}") from None


def _last_line(text):
    return text.strip().splitlines()[-1]
