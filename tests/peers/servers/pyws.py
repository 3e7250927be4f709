"""A small server on the Python SDK 1.x, the last one that speaks WebSocket.

Run it with `stdio`, or with `ws [PORT]`; port 0 (the default) takes a free one, and the URL goes to stderr.
Nothing here depends on the clock, on chance or on an earlier call, so that two legs can be compared; what a client
changes, it changes back.
"""

import socket
import sys
import warnings
from contextlib import suppress
from weakref import WeakKeyDictionary, WeakSet

import anyio
import uvicorn
from mcp.server.fastmcp import Context, FastMCP
from mcp.server.lowlevel import NotificationOptions
from mcp.server.websocket import websocket_server
from mcp.types import (
    CallToolResult,
    Completion,
    PromptReference,
    SamplingMessage,
    TextContent,
    Tool,
    ToolAnnotations,
    ToolExecution,
)
from pydantic import AnyUrl, BaseModel
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute

warnings.simplefilter("ignore", DeprecationWarning)
server = FastMCP("pyws", instructions="Counts, asks and remembers nothing.")
inner = server._mcp_server
inner.experimental.enable_tasks()

LEVELS = ["debug", "info", "notice", "warning", "error", "critical", "alert", "emergency"]
GREETING = "pyws://greeting"
sessions = WeakSet()  # everybody who has asked for the tools
levels = WeakKeyDictionary()  # session → the lowest level that it wants
watchers = WeakSet()  # the sessions that watch the greeting
given_up = 0  # calls of `wait` that were cancelled


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
async def sample(text: str, context: Context) -> str:
    """Have the client's model say something."""
    heard = SamplingMessage(role="user", content=TextContent(type="text", text=text))
    answer = await context.session.create_message([heard], max_tokens=9)
    return answer.content.text


@server.tool()
async def where(context: Context) -> str:
    """Ask for the client's roots."""
    answer = await context.session.list_roots()
    return ", ".join(f"{root.name} at {root.uri}" for root in answer.roots)


@server.tool()
async def log(context: Context) -> str:
    """Say something at every level that the client wants to hear."""
    wanted = LEVELS[LEVELS.index(levels.get(context.session, "debug")) :]
    for level in wanted:
        await context.session.send_log_message(level, {"said": level}, "pyws", context.request_id)
    return f"said {len(wanted)}"


@server.tool()
async def touch(context: Context) -> str:
    """Tell those who watch the greeting that it has changed, and say how many they are."""
    there = list(watchers)
    for session in there:
        await session.send_resource_updated(AnyUrl(GREETING))
    return str(len(there))


async def tell() -> None:
    """Tells everybody who is still there that the tools have changed."""
    for session in list(sessions):
        with suppress(anyio.ClosedResourceError, anyio.BrokenResourceError):
            await session.send_tool_list_changed()


@server.tool()
async def grow() -> str:
    """Add a tool."""
    server.add_tool(lambda: "grown", name="grown", description="Only there for a while.")
    await tell()
    return "grown"


@server.tool()
async def shrink() -> str:
    """Take it away again."""
    server.remove_tool("grown")
    await tell()
    return "shrunk"


@server.tool()
async def wait(context: Context) -> str:
    """Wait for too long, but not any longer than the client does."""
    global given_up
    await context.report_progress(1, None, "waiting")
    try:
        await anyio.sleep(60)
    except anyio.get_cancelled_exc_class():
        given_up += 1
        raise
    return "nobody has cancelled this"


@server.tool()
def waited() -> str:
    """Say how many have cancelled their waiting."""
    return str(given_up)


@server.tool()
def fail(reason: str) -> str:
    """Fail, the way tools fail."""
    raise ValueError(reason)


@server.tool()
def big(kilobytes: int) -> str:
    """Answer with a long text."""
    return "0123456789abcdef" * (kilobytes * 64)


@server.resource(GREETING, title="Greeting", mime_type="text/plain")
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


RESEARCH = Tool(
    name="research",
    description="Find something out, as a task.",
    inputSchema={"type": "object", "properties": {"topic": {"type": "string"}}, "required": ["topic"]},
    execution=ToolExecution(taskSupport="required"),
)


@inner.list_tools()
async def list_tools() -> list[Tool]:
    """The tools above, and the one that the SDK has no decorator for."""
    sessions.add(inner.request_context.session)
    return [*await server.list_tools(), RESEARCH]


@inner.call_tool(validate_input=False)
async def call_tool(name: str, arguments: dict):
    """Calls one of them."""
    if name != RESEARCH.name:
        return await server.call_tool(name, arguments)
    experimental = inner.request_context.experimental
    experimental.validate_task_mode("required")

    async def work(task) -> CallToolResult:
        await task.update_status("looking")
        return CallToolResult(content=[TextContent(type="text", text=f"all about {arguments['topic']}")])

    return await experimental.run_task(work)


@inner.set_logging_level()
async def set_level(level) -> None:
    """What the client wants to hear from now on."""
    levels[inner.request_context.session] = level


@inner.subscribe_resource()
async def subscribe(uri) -> None:
    """Nothing changes but the greeting."""
    if str(uri) == GREETING:
        watchers.add(inner.request_context.session)


@inner.unsubscribe_resource()
async def unsubscribe(uri) -> None:
    """The session has seen enough."""
    watchers.discard(inner.request_context.session)


def options(plain=inner.create_initialization_options):
    """What the SDK says of itself, and what it does not know that it can."""
    made = plain(NotificationOptions(tools_changed=True))
    made.capabilities.resources.subscribe = True
    return made


inner.create_initialization_options = options


async def converse(websocket) -> None:
    """One connection, with a session of its own."""
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
