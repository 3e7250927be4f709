"""A small server on the Python SDK 1.x, the last one that speaks WebSocket.

Run it with `stdio`, or with `ws [PORT]`; port 0 (the default) takes a free one, and the URL goes to stderr.
Nothing here depends on the clock, on chance or on an earlier call, so that two legs can be compared.
"""

import socket
import sys
import warnings

import uvicorn
from mcp.server.fastmcp import Context, FastMCP
from mcp.server.websocket import websocket_server
from mcp.types import Completion, PromptReference, ToolAnnotations
from pydantic import BaseModel
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute

warnings.simplefilter("ignore", DeprecationWarning)
server = FastMCP("pyws", instructions="Counts, asks and remembers nothing.")


class Name(BaseModel):
    """What `greet` asks for."""

    name: str


@server.tool(title="Add", annotations=ToolAnnotations(readOnlyHint=True))
def add(a: int, b: int = 2) -> int:
    """Add two whole numbers."""
    return a + b


@server.tool()
def echo(text: str) -> str:
    """Give the text back."""
    return text


@server.tool()
async def count(to: int, context: Context) -> str:
    """Count up, with a progress notification for every step."""
    for step in range(1, to + 1):
        await context.report_progress(step, to, f"step {step}")
    return f"counted to {to}"


@server.tool()
async def greet(context: Context) -> str:
    """Ask for a name in the middle of the call."""
    answer = await context.elicit("Who is there?", Name)
    return f"{answer.action}: {getattr(getattr(answer, 'data', None), 'name', None)}"


@server.tool()
def fail(reason: str) -> str:
    """Fail, the way tools fail."""
    raise ValueError(reason)


@server.tool()
def big(kilobytes: int) -> str:
    """Answer with a long text."""
    return "0123456789abcdef" * (kilobytes * 64)


@server.resource("pyws://greeting", title="Greeting", mime_type="text/plain")
def greeting() -> str:
    """A text."""
    return "hello, wörld"


@server.resource("pyws://square/{number}", mime_type="application/json")
def square(number: int) -> str:
    """The square of a number."""
    return f'{{"square": {number * number}}}'


@server.prompt(title="Review")
def review(language: str, style: str = "plain") -> str:
    """Ask for a review."""
    return f"Review this {language} code in a {style} style."


@server.completion()
async def complete(ref, argument, context):
    """Complete the language of `review`."""
    words = ["python", "pascal", "rust"] if isinstance(ref, PromptReference) else []
    found = [word for word in words if word.startswith(argument.value)]
    return Completion(values=found, total=len(found), hasMore=False)


async def converse(websocket) -> None:
    """One connection, with a session of its own."""
    inner = server._mcp_server
    async with websocket_server(websocket.scope, websocket.receive, websocket.send) as (incoming, outgoing):
        await inner.run(incoming, outgoing, inner.create_initialization_options())


def main(arguments: list[str]) -> None:
    if arguments[:1] == ["stdio"]:
        server.run("stdio")
    elif arguments[:1] == ["ws"]:
        bound = socket.create_server(("127.0.0.1", int(arguments[1]) if len(arguments) > 1 else 0))
        print(f"listening on ws://127.0.0.1:{bound.getsockname()[1]}/ws", file=sys.stderr, flush=True)
        app = Starlette(routes=[WebSocketRoute("/ws", converse)])
        uvicorn.Server(uvicorn.Config(app, log_level="warning")).run(sockets=[bound])
    else:
        sys.exit("usage: pyws.py stdio | ws [PORT]")


main(sys.argv[1:])
