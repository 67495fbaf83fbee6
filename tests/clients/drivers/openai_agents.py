"""The OpenAI Agents SDK: its MCP server class, as an agent holds it, without an agent. It gives up after 5 s,
so a held call answers before that, and the identical call asks again."""

from agents.mcp import MCPServerStreamableHttp

from play import HEADERS, SCRIPT, play, run, text_of


async def main() -> None:
    params = {"url": SCRIPT["url"], "headers": HEADERS}
    async with MCPServerStreamableHttp(params=params) as server:
        await play(lambda: tools(server), lambda tool, arguments: call(server, tool, arguments))


async def tools(server: MCPServerStreamableHttp) -> dict:
    return {"tools": [tool.name for tool in await server.list_tools()]}


async def call(server: MCPServerStreamableHttp, tool: str, arguments: dict):
    result = await server.call_tool(tool, arguments)
    return result.is_error, text_of(result.content)


run(main)
