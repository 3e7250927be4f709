"""A small server on the Python SDK 2.x: one of everything that a multiplexer has to pass on.

Run it with `stdio`, or with `http [PORT]`; port 0 (the default) takes a free one, and the URL goes to stderr.
Nothing here depends on the clock, on chance or on an earlier call, so that two legs can be compared.
"""

import socket
import sys

import uvicorn
from mcp.server import MCPServer
from mcp.server.mcpserver import Context
from mcp.server.mcpserver.exceptions import ToolError
from mcp.types import (
    Completion,
    EmbeddedResource,
    ImageContent,
    PromptReference,
    ResourceLink,
    TextContent,
    TextResourceContents,
    ToolAnnotations,
)
from pydantic import BaseModel, Field

server = MCPServer("pymcp", title="Python SDK peer", version="1.2.3", instructions="Adds, counts and remembers nothing.")

# The smallest valid picture: one transparent pixel.
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="


class Sum(BaseModel):
    """What `add` answers with."""

    total: int
    terms: list[int] = Field(description="the numbers that were added")


@server.tool(title="Add", annotations=ToolAnnotations(read_only_hint=True, idempotent_hint=True))
def add(a: int, b: int = 2) -> Sum:
    """Add two whole numbers."""
    return Sum(total=a + b, terms=[a, b])


@server.tool()
def echo(text: str) -> str:
    """Give the text back."""
    return text


@server.tool(meta={"example.org/note": {"kept": [1, None, "é"]}})
async def count(to: int, context: Context) -> str:
    """Count up, with a progress notification for every step."""
    for step in range(1, to + 1):
        await context.report_progress(step, to, f"step {step}")
    return f"counted to {to}"


@server.tool(structured_output=False)
def mixed() -> list[TextContent | ImageContent | ResourceLink | EmbeddedResource]:
    """Answer with every kind of content."""
    inside = TextResourceContents(uri="pymcp://inside", text="inside", mime_type="text/plain")
    return [
        TextContent(type="text", text="a line\nand a “quoted” one \u2028 \x07"),
        ImageContent(type="image", data=PIXEL, mime_type="image/png"),
        ResourceLink(type="resource_link", uri="pymcp://greeting", name="greeting", description="a link"),
        EmbeddedResource(type="resource", resource=inside),
    ]


@server.tool()
def fail(reason: str) -> str:
    """Fail, the way tools fail."""
    raise ToolError(reason)


@server.tool()
def big(kilobytes: int) -> str:
    """Answer with a long text."""
    return "0123456789abcdef" * (kilobytes * 64)


@server.resource("pymcp://greeting", title="Greeting", mime_type="text/plain")
def greeting() -> str:
    """A text."""
    return "hello, wörld"


@server.resource("pymcp://pixel", mime_type="image/png")
def pixel() -> bytes:
    """Some bytes."""
    return bytes(range(256))


@server.resource("pymcp://square/{number}", mime_type="application/json")
def square(number: int) -> str:
    """The square of a number."""
    return f'{{"square": {number * number}}}'


@server.prompt(title="Review")
def review(language: str, style: str = "plain") -> str:
    """Ask for a review."""
    return f"Review this {language} code in a {style} style."


@server.completion()
async def complete(ref, argument, context):
    """Complete the language of `review` and the number of `square`."""
    if isinstance(ref, PromptReference):
        words = ["python", "pascal", "perl", "rust"] if ref.name == "review" else []
        known = (context.arguments or {}).get("style") if context else None
        words = [f"{word} ({known})" if known else word for word in words]
    else:
        words = ["1", "12", "123"] if ref.uri == "pymcp://square/{number}" else []
    found = [word for word in words if word.startswith(argument.value)]
    return Completion(values=found, total=len(found), has_more=False)


def listen(port: int) -> socket.socket:
    """Bind first and say where, so that nobody has to guess a port."""
    bound = socket.create_server(("127.0.0.1", port))
    print(f"listening on http://127.0.0.1:{bound.getsockname()[1]}/mcp", file=sys.stderr, flush=True)
    return bound


def main(arguments: list[str]) -> None:
    if arguments[:1] == ["stdio"]:
        server.run("stdio")
    elif arguments[:1] == ["http"]:
        bound = listen(int(arguments[1]) if len(arguments) > 1 else 0)
        config = uvicorn.Config(server.streamable_http_app(), log_level="warning")
        uvicorn.Server(config).run(sockets=[bound])
    else:
        sys.exit("usage: pymcp.py stdio | http [PORT]")


main(sys.argv[1:])
