"""The Python SDK, `mcp`, as an agent uses it: `auto`, which tries 2026-07-28 first.

The script names what the client declares beside that: `tasks` takes the client half of the tasks extension
from `fastmcp-tasks`, for the SDK has the way to claim such results and no extension of its own; `link`
declares that its user can be shown a page, and notes which.
"""

import httpx2
from mcp import Client, types
from mcp.client.streamable_http import streamable_http_client

from play import HEADERS, SCRIPT, SHOWN, play, run, text_of


async def main() -> None:
    timeout = httpx2.Timeout(30, read=300)  # The SDK's own defaults.
    async with httpx2.AsyncClient(headers=HEADERS, timeout=timeout) as http:
        transport = streamable_http_client(SCRIPT["url"], http_client=http)
        async with Client(transport, mode=SCRIPT["era"], **declared()) as client:
            await play(lambda: tools(client), lambda tool, arguments: call(client, tool, arguments))


def declared() -> dict:
    if SCRIPT["declares"] == "tasks":
        from fastmcp_tasks.client import TasksClientExtension

        return {"extensions": [TasksClientExtension()]}
    return {"elicitation_callback": show} if SCRIPT["declares"] == "link" else {}


async def show(_context, asked) -> types.ElicitResult:
    SHOWN.append(asked.url)
    return types.ElicitResult(action="accept")


async def tools(client: Client) -> dict:
    listed = await client.list_tools()
    return {"tools": [tool.name for tool in listed.tools], "revision": client.protocol_version}


async def call(client: Client, tool: str, arguments: dict):
    result = await client.call_tool(tool, arguments)
    return result.is_error, text_of(result.content)


run(main)
