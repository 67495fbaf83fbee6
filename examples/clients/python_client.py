"""An agent's tools through Portcullis, with the official Python SDK.

    python3 -m venv .venv && .venv/bin/pip install mcp==2.3.0
    PORTCULLIS_KEY=... .venv/bin/python python_client.py 215470000000101

PORTCULLIS_URL is where Portcullis listens for agents; the key comes from `portcullis principals add NAME`.
Nothing here knows Intercom's token: Portcullis keeps it.
"""

import asyncio
import os
import sys

import httpx2
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

URL = os.environ.get("PORTCULLIS_URL", "http://127.0.0.1:8787/mcp")


async def main(key: str, conversation: str) -> None:
    # A held call may stay silent for a while: let reading take five minutes, and nothing else.
    timeout = httpx2.Timeout(30, read=300)
    headers = {"Authorization": f"Bearer {key}"}
    async with httpx2.AsyncClient(headers=headers, timeout=timeout) as http:
        # The client tries the stateless revision 2026-07-28 first, in which a held call is repeated by
        # the SDK itself until a person has decided.
        async with Client(streamable_http_client(URL, http_client=http)) as client:
            # The list is already cut to what this key's roles may see.
            listed = await client.list_tools()
            print("tools:", ", ".join(tool.name for tool in listed.tools))

            # A refusal is an ordinary result with `is_error` and a text for the model: the rule and its reason.
            result = await client.call_tool("get_conversation", {"id": conversation})
            print("refused or failed:" if result.is_error else "conversation:")
            for part in result.content:
                if part.type == "text":
                    print(part.text)


if __name__ == "__main__":
    if not os.environ.get("PORTCULLIS_KEY") or len(sys.argv) != 2:
        sys.exit("usage: PORTCULLIS_KEY=... python python_client.py CONVERSATION_ID")
    asyncio.run(main(os.environ["PORTCULLIS_KEY"], sys.argv[1]))
