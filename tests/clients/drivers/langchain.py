"""The LangChain adapters: MCP tools as LangChain's. A tool that the list does not show does not exist there,
so that step calls by the session beneath, as the adapters do. Built on `mcp` before version 2, so it has an
environment of its own."""

from langchain_core.tools import ToolException
from langchain_mcp_adapters.client import MultiServerMCPClient
from langchain_mcp_adapters.tools import load_mcp_tools

from play import HEADERS, SCRIPT, play, run, text_of


async def main() -> None:
    connection = {"transport": "streamable_http", "url": SCRIPT["url"], "headers": HEADERS}
    async with MultiServerMCPClient({"intercom": connection}).session("intercom") as session:
        known = {}

        async def tools() -> dict:
            known.update({tool.name: tool for tool in await load_mcp_tools(session)})
            return {"tools": list(known)}

        async def call(tool: str, arguments: dict):
            if tool not in known or set(arguments) - set(known[tool].args):
                result = await session.call_tool(tool, arguments)
                return result.isError, text_of(result.content)
            try:
                answer = await known[tool].ainvoke(arguments)
            except ToolException as error:
                return True, str(error)
            parts = answer if isinstance(answer, list) else [{"text": answer}]
            return False, "\n".join(part["text"] for part in parts)

        await play(tools, call)


run(main)
