"""A small server on FastMCP 4: lists in pages of two, structured output, `_meta`, progress, templates, completion.

Run it with `stdio`, or with `http [PORT]`; port 0 (the default) takes a free one, and the URL goes to stderr.
Nothing here depends on the clock, on chance or on an earlier call, so that two legs can be compared.
"""

import asyncio
import socket
import sys
from typing import Literal

from fastmcp import Context, FastMCP
from fastmcp.exceptions import ToolError
from fastmcp.prompts import Message
from fastmcp.tools.base import ToolResult
from mcp.types import PromptReference, TextContent
from pydantic import BaseModel

server = FastMCP("fastmcp", version="4.5.6", instructions="Weighs things.", list_page_size=2)


class Weight(BaseModel):
    """A number with its unit."""

    grams: float
    label: str | None = None


@server.tool(tags={"scale"}, annotations={"readOnlyHint": True, "openWorldHint": False})
def weigh(thing: Literal["feather", "stone"], grams: float = 1.5) -> Weight:
    """Weigh a thing."""
    return Weight(grams=grams, label=thing)


@server.tool
def numbers() -> list[int]:
    """Answer with a list, which FastMCP wraps into an object."""
    return [1, -2, 2**53 - 1]


@server.tool
async def steps(context: Context, many: int = 3) -> str:
    """Report progress without a total."""
    for step in range(many):
        await context.report_progress(step + 0.5)
    return f"{many} steps"


@server.tool
def noted() -> ToolResult:
    """Answer with content, structured content and `_meta` of its own."""
    words = [TextContent(type="text", text="noted", _meta={"example.org/line": 7})]
    return ToolResult(content=words, structured_content={"deep": {"er": [None, True]}}, meta={"example.org/trace": "t-1"})


@server.tool
def refuse(why: str) -> str:
    """Fail, the way tools fail."""
    raise ToolError(why)


@server.resource("weights://stone", title="Stone", mime_type="application/json", meta={"example.org/kept": True})
def stone() -> str:
    """The weight of a stone."""
    return '{"grams": 1000}'


@server.resource("weights://raw", mime_type="application/octet-stream")
def raw() -> bytes:
    """Bytes that are not text."""
    return b"\x00\xff\xfe weight"


@server.resource("weights://note")
def note() -> str:
    """A third one, so that the list has a second page."""
    return "a note"


@server.resource("weights://thing/{name}{?unit}", mime_type="text/plain")
def thing(name: str, unit: str = "g") -> str:
    """The weight of anything."""
    return f"{name}: {len(name)} {unit}"


@server.prompt(title="Compare")
def compare(left: str, right: str = "a feather") -> list[Message]:
    """Compare two things."""
    return [Message(f"What is heavier, {left} or {right}?"), Message("Let me think.", role="assistant")]


@server.completion
def complete(ref, argument, context):
    """Complete both arguments of `compare`, and the name of a thing."""
    names = ["stone", "steel", "feather"]
    if isinstance(ref, PromptReference) and ref.name != "compare":
        return None
    return [name for name in names if name.startswith(argument.value)]


def listen(port: int) -> socket.socket:
    """Bind first and say where, so that nobody has to guess a port."""
    bound = socket.create_server(("127.0.0.1", port))
    print(f"listening on http://127.0.0.1:{bound.getsockname()[1]}/mcp", file=sys.stderr, flush=True)
    return bound


def main(arguments: list[str]) -> None:
    if arguments[:1] == ["stdio"]:
        server.run(transport="stdio", show_banner=False)
    elif arguments[:1] == ["http"]:
        bound = listen(int(arguments[1]) if len(arguments) > 1 else 0)
        asyncio.run(server.run_http_async(show_banner=False, log_level="warning", path="/mcp", sockets=[bound]))
    else:
        sys.exit("usage: fastmcp_server.py stdio | http [PORT]")


main(sys.argv[1:])
