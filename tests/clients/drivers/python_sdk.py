"""The Python SDK, `mcp`, as an agent uses it: `auto`, which tries 2026-07-28 first.

Plays the same script as `play.mjs` and prints the same lines.
"""

import asyncio
import json
import os
import re
import sys
import time

import httpx2
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

SCRIPT = json.loads(sys.argv[1])


async def main() -> None:
    headers = {"Authorization": f"Bearer {os.environ['PORTCULLIS_KEY']}"}
    timeout = httpx2.Timeout(30, read=300)  # The SDK's own defaults.
    async with httpx2.AsyncClient(headers=headers, timeout=timeout) as http:
        transport = streamable_http_client(SCRIPT["url"], http_client=http)
        async with Client(transport, mode=SCRIPT["era"]) as client:
            await play(client)


async def play(client: Client) -> None:
    async def tools() -> dict:
        listed = await client.list_tools()
        return {"tools": [tool.name for tool in listed.tools], "revision": client.protocol_version}

    await step("list", tools)
    await step("read", lambda: call(client, SCRIPT["read"]))
    await step("refused", lambda: call(client, SCRIPT["refused"]))
    await step("invalid", lambda: call(client, SCRIPT["invalid"]))
    if SCRIPT["held"]:
        say({"step": "holding"})
        await step("held", lambda: call_until_settled(client, SCRIPT["held"]))


async def call_until_settled(client: Client, wanted: dict) -> dict:
    """A held call may end with a pending result; repeating the identical call asks again."""
    deadline = time.monotonic() + SCRIPT["patience"]
    calls = 1
    while True:
        outcome = await call(client, wanted)
        pending = outcome["is_error"] and re.search(SCRIPT["pending"], outcome["text"], re.I)
        if not pending or time.monotonic() > deadline:
            return {**outcome, "calls": calls}
        calls += 1
        await asyncio.sleep(0.5)


async def call(client: Client, wanted: dict) -> dict:
    result = await client.call_tool(wanted["tool"], wanted["arguments"])
    text = "\n".join(part.text for part in result.content if part.type == "text")
    return {"is_error": bool(result.is_error), "text": text}


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


try:
    asyncio.run(main())
except Exception as error:  # Not connected, or lost on the way.
    sys.exit(causes(error))
