"""The script that every Python driver plays, and how it tells the runner what it saw.

A driver connects its client and hands two functions over; this file calls the tools, in order, and prints
one JSON line per step. It judges nothing: what is right is known to `judge.py` alone. Default options and
default timeouts everywhere, because those are what agents run with.
"""

import asyncio
import json
import os
import re
import sys
import time

SCRIPT = json.loads(sys.argv[1])
HEADERS = {"Authorization": f"Bearer {os.environ['PORTCULLIS_KEY']}"}
# The addresses that the client was sent to (elicitation in URL mode), for drivers that declare it.
SHOWN = []


def run(main) -> None:
    """Runs a driver. Not connected, or lost on the way, is its end."""
    try:
        asyncio.run(main())
    except Exception as error:
        sys.exit(causes(error))


async def play(tools, call) -> None:
    """`tools` gives the names of the tools and, where the client tells, the revision; `call` calls one by
    name and arguments and gives whether it is an error, and its text."""

    async def one(wanted: dict) -> dict:
        is_error, text = await call(wanted["tool"], wanted["arguments"])
        return {"is_error": bool(is_error), "text": text}

    await step("list", tools)
    await step("read", lambda: one(SCRIPT["read"]))
    await step("refused", lambda: one(SCRIPT["refused"]))
    await step("invalid", lambda: one(SCRIPT["invalid"]))
    if SCRIPT["held"]:
        say({"step": "holding"})
        await step("held", lambda: until_settled(one, SCRIPT["held"]))


async def until_settled(call, wanted: dict) -> dict:
    """A held call may end with a pending result; repeating the identical call asks again."""
    deadline = time.monotonic() + SCRIPT["patience"]
    calls = 1
    while True:
        outcome = await call(wanted)
        pending = outcome["is_error"] and re.search(SCRIPT["pending"], outcome["text"], re.I)
        if not pending or time.monotonic() > deadline:
            return {**outcome, "calls": calls, "shown": SHOWN}
        calls += 1
        await asyncio.sleep(0.5)


def text_of(content) -> str:
    return "\n".join(part.text for part in content if part.type == "text")


async def step(name: str, act) -> None:
    try:
        say({"step": name, **await act()})
    except Exception as error:  # Whatever the client raises is the observation.
        say({"step": name, "error": causes(error)})


def say(line: dict) -> None:
    print(json.dumps(line), flush=True)


def causes(error: BaseException) -> str:
    """A failed connection arrives as a group of groups; what is inside tells."""
    if isinstance(error, BaseExceptionGroup):
        return "; ".join(causes(inner) for inner in error.exceptions)
    return f"{type(error).__name__}: {error}"
