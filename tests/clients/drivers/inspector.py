"""The MCP Inspector's command line: one process per step, as people debug a server with it.

Plays the same script as `play.mjs` and prints the same lines. The Inspector lists the tools before
each call and refuses by itself to call what the list does not show, so its `refused` step never
reaches Portcullis; the `invalid` step does.
"""

import json
import os
import re
import subprocess
import sys
import time

SCRIPT = json.loads(sys.argv[1])


def main() -> None:
    step("list", tools)
    step("read", lambda: call(SCRIPT["read"]))
    step("refused", lambda: call(SCRIPT["refused"]))
    step("invalid", lambda: call(SCRIPT["invalid"]))
    if SCRIPT["held"]:
        say({"step": "holding"})
        step("held", lambda: call_until_settled(SCRIPT["held"]))


def tools() -> dict:
    return {"tools": [tool["name"] for tool in inspect("--method", "tools/list")["tools"]]}


def call_until_settled(wanted: dict) -> dict:
    """A held call may end with a pending result; repeating the identical call asks again."""
    deadline = time.monotonic() + SCRIPT["patience"]
    calls = 1
    while True:
        outcome = call(wanted)
        pending = outcome["is_error"] and re.search(SCRIPT["pending"], outcome["text"], re.I)
        if not pending or time.monotonic() > deadline:
            return {**outcome, "calls": calls}
        calls += 1
        time.sleep(0.5)


def call(wanted: dict) -> dict:
    result = inspect(
        "--method", "tools/call",
        "--tool-name", wanted["tool"],
        "--tool-args-json", json.dumps(wanted["arguments"]),
    )
    text = "\n".join(part["text"] for part in result["content"] if part["type"] == "text")
    return {"is_error": bool(result.get("isError")), "text": text}


def inspect(*arguments: str) -> dict:
    """Runs the Inspector once; its result, or an error with the text it printed."""
    ended = subprocess.run(
        [
            *SCRIPT["command"], "--cli", SCRIPT["url"],
            "--transport", "http",
            "--header", f"Authorization: Bearer {os.environ['PORTCULLIS_KEY']}",
            "--protocol-era", SCRIPT["era"],
            "--stored-auth-only", "--format", "json", "--quiet", *arguments,
        ],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=SCRIPT["patience"],
    )
    # A result goes to stdout also where the tool reported an error; all else is an envelope on stderr.
    if ended.stdout.strip():
        return json.loads(ended.stdout)["result"]
    raise RuntimeError(ended.stderr.strip() or f"exit status {ended.returncode}, no output")


def step(name: str, act) -> None:
    try:
        say({"step": name, **act()})
    except Exception as error:  # Whatever the client raises is the observation.
        say({"step": name, "error": f"{type(error).__name__}: {error}"})


def say(line: dict) -> None:
    print(json.dumps(line), flush=True)


main()
