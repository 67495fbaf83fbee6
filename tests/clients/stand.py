"""What the clients are tested against: Portcullis, the commands that release holds, and the simulator.

`Stand` is only addresses and commands, so it serves a Portcullis that runs already. `start` makes one
from a binary: simulator, configuration, keys, server, all in a temporary folder and on free ports.
"""

import json
import os
import re
import secrets
import time
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass, field

from children import Child, output_of

START_SECONDS = 60
PRINCIPAL = "clients"
APPROVER = "clients-approver"

# The whole configuration of the Portcullis under test. Its role lets the principal read conversations and
# change articles, and not create them: that is what the script's steps stand on.
CONFIGURATION = """\
listen: 127.0.0.1:0
data: {data}
upstream: {{ url: "{simulator}", token: "${{SIM_TOKEN}}" }}
principals: [ {{ id: {principal}, roles: [article-editor] }} ]
approvers: [ {{ id: clients-approver, groups: [kb-editors] }} ]
"""


@dataclass
class Stand:
    """A Portcullis under test. What is None cannot be asked, and the steps that need it are left out."""

    url: str
    key: str
    principal: str | None = None
    control: list[str] | None = None
    simulator: str | None = None
    environment: dict = field(default_factory=lambda: dict(os.environ))

    def pending_holds(self, tool):
        """The ids of this principal's holds on a tool that wait for a person."""
        text = output_of([*self.control, "holds", "list", "--json"], self.environment)
        try:
            return {
                hold["id"]
                for hold in json.loads(text)
                if hold["state"] == "pending"
                and hold["tool"] == tool
                and self.principal in (None, hold["principal"])
            }
        except (ValueError, KeyError, TypeError) as error:
            wanted = "a JSON list of objects with `id`, `state`, `tool`, `principal`"
            raise RuntimeError(f"`holds list --json` must print {wanted} ({error!r}):\n{text}") from None

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
def start(binary, folder):
    """Starts the simulator and Portcullis in front of it, gives their `Stand`, and stops both."""
    binary = os.path.abspath(binary)
    environment = {**os.environ, "SIM_TOKEN": secrets.token_hex(16), "HOME": folder}
    children = []
    try:
        simulator = _serve([binary, "simulate", "--listen", "127.0.0.1:0", "--token", environment["SIM_TOKEN"]], environment, folder, children)
        config = os.path.join(folder, "portcullis.yaml")
        with open(config, "w") as file:
            data = os.path.join(folder, "data")
            file.write(CONFIGURATION.format(data=data, simulator=simulator, principal=PRINCIPAL))
        control = [binary, "--config", config]
        key = _last_line(output_of([*control, "principals", "add", PRINCIPAL], environment))
        approver = _last_line(output_of([*control, "people", "key", "add", APPROVER], environment))
        environment["PORTCULLIS_APPROVER_KEY"] = approver
        url = _serve([binary, "serve", "--config", config], environment, folder, children)
        yield Stand(url, key, PRINCIPAL, control, simulator.removesuffix("/mcp"), environment)
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
