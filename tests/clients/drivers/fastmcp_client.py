"""`fastmcp` with its tasks add-on, `fastmcp-tasks`: imported, it makes every client follow tasks, so that
a held call is one, which the client polls until a person decided."""

import fastmcp_tasks  # noqa: F401  Its import is what switches tasks on.
from fastmcp import Client
from fastmcp.client.transports import StreamableHttpTransport

from play import HEADERS, SCRIPT, play, run, text_of


async def main() -> None:
    async with Client(StreamableHttpTransport(SCRIPT["url"], headers=HEADERS)) as client:
        await play(lambda: tools(client), lambda tool, arguments: call(client, tool, arguments))


async def tools(client: Client) -> dict:
    return {"tools": [tool.name for tool in await client.list_tools()]}


async def call(client: Client, tool: str, arguments: dict):
    result = await client.call_tool(tool, arguments, raise_on_error=False)
    return result.is_error, text_of(result.content)


run(main)
