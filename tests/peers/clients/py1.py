"""Drives the client of the Python SDK 1.x through whole sessions; see README.md for what goes in and what comes out."""

import json
import os
import sys
from contextlib import asynccontextmanager
from datetime import timedelta

import anyio
from answers import elicited, roots, sampled
from mcp import ClientSession, McpError, StdioServerParameters, stdio_client
from mcp.client.sse import sse_client
from mcp.client.streamable_http import streamable_http_client
from mcp.client.websocket import websocket_client
from mcp.types import (
    CallToolResult,
    CancelledNotification,
    CancelledNotificationParams,
    ClientNotification,
    CompletionArgument,
    CreateMessageResult,
    ElicitResult,
    ListRootsResult,
    PaginatedRequestParams,
    PromptReference,
    ResourceTemplateReference,
    ServerNotification,
)
from pydantic import AnyUrl
from scenes import SCENES

LISTS = {
    "tools/list": ("list_tools", "tools", "name"),
    "resources/list": ("list_resources", "resources", "uri"),
    "resources/templates/list": ("list_resource_templates", "resourceTemplates", "uriTemplate"),
    "prompts/list": ("list_prompts", "prompts", "name"),
}


def plain(model) -> dict:
    """What was on the wire: no member that the server did not send."""
    return model.model_dump(mode="json", by_alias=True, exclude_unset=True)


async def sample(_context, params) -> CreateMessageResult:
    return CreateMessageResult.model_validate(sampled(plain(params)))


async def elicit(_context, params) -> ElicitResult:
    return ElicitResult.model_validate(elicited(plain(params)))


async def list_roots(_context) -> ListRootsResult:
    return ListRootsResult.model_validate(roots())


class Peer:
    """What the scenes do, with this SDK."""

    def __init__(self) -> None:
        self.client: ClientSession = None
        self.logs: list = []
        self.told: list = []  # notifications

    async def log(self, params) -> None:
        self.logs.append([params.level, params.logger, params.data])

    async def hear(self, message) -> None:
        if isinstance(message, ServerNotification):
            self.told.append(plain(message.root))

    async def set_level(self, level: str) -> None:
        await self.client.set_logging_level(level)

    async def call(self, name: str, arguments: dict | None = None, **_modern) -> str:
        return plain(await self.client.call_tool(name, arguments))["content"][0].get("text")

    async def keys(self, method: str) -> list:
        _, member, key = LISTS[method]
        return [entry[key] for entry in (await walk(self.client, method))[member]]

    @asynccontextmanager
    async def watching(self, uri: str):
        await self.client.subscribe_resource(AnyUrl(uri))
        self.told.clear()
        updates = "notifications/resources/updated"
        yield lambda: [message["params"]["uri"] for message in self.told if message["method"] == updates]
        await self.client.unsubscribe_resource(AnyUrl(uri))

    @asynccontextmanager
    async def changes(self, method: str):
        self.told.clear()
        wanted = f"notifications/{method}_changed"
        yield lambda: sum(message["method"] == wanted for message in self.told)

    async def cancel(self, name: str) -> None:
        begun = anyio.Event()

        async def step(*_progress) -> None:
            begun.set()

        async with anyio.create_task_group() as group:
            number = self.client._request_id
            group.start_soon(lambda: self.client.call_tool(name, progress_callback=step))
            await begun.wait()
            cancelled = CancelledNotification(params=CancelledNotificationParams(requestId=number))
            await self.client.send_notification(ClientNotification(cancelled))
            # There need not be an answer.
            group.cancel_scope.cancel()

    async def task(self, name: str, arguments: dict) -> dict:
        tasks = self.client.experimental
        made = await tasks.call_tool_as_task(name, arguments)
        listed = made.task.taskId in [task.taskId for task in (await tasks.list_tasks()).tasks]
        # The questions of a task come while its result is waited for.
        async for status in tasks.poll_task(made.task.taskId):
            if status.status == "input_required":
                break
        result = plain(await tasks.get_task_result(made.task.taskId, CallToolResult))
        status = (await tasks.get_task(made.task.taskId)).status
        return {"listed": listed, "status": status, "content": result["content"]}


async def walk(client: ClientSession, method: str) -> dict:
    """All pages of a list as one."""
    call, member, _ = LISTS[method]
    entries, cursor = [], None
    while True:
        page = plain(await getattr(client, call)(params=PaginatedRequestParams(cursor=cursor) if cursor else None))
        entries += page[member]
        cursor = page.get("nextCursor")
        if cursor is None:
            return {member: entries}


async def complete(client: ClientSession, params: dict) -> dict:
    """A completion, with the typed form of its `ref`."""
    kind = PromptReference if params["ref"]["type"] == "ref/prompt" else ResourceTemplateReference
    known = params.get("context", {}).get("arguments")
    argument = CompletionArgument(**params["argument"]).model_dump()
    return plain(await client.complete(kind(**params["ref"]), argument, context_arguments=known))


async def settle(client: ClientSession, wanted: dict) -> dict:
    """Waits until the lists have all that is wanted, named by its key; returns what they lack in the end."""
    until = anyio.current_time() + 30
    while True:
        lacking = {}
        for method, keys in wanted.items():
            member, key = LISTS[method][1:]
            there = {entry[key] for entry in (await walk(client, method))[member]}
            lacking |= {method: sorted(set(keys) - there)} if set(keys) - there else {}
        if not lacking or anyio.current_time() > until:
            return lacking
        await anyio.sleep(0.05)


async def perform(client: ClientSession, method: str, params: dict, progress: list) -> dict:
    """One operation."""

    async def step(done, total, message):
        progress.append([done, total, message])

    if method in LISTS:
        return await walk(client, method)
    if method == "tools/call":
        return plain(await client.call_tool(params["name"], params.get("arguments"), progress_callback=step))
    if method == "resources/read":
        return plain(await client.read_resource(AnyUrl(params["uri"])))
    if method == "prompts/get":
        return plain(await client.get_prompt(params["name"], params.get("arguments")))
    if method == "completion/complete":
        return await complete(client, params)
    if method == "settle":
        return await settle(client, params)
    if method == "ping":
        return plain(await client.send_ping())
    raise SystemExit(f"unknown operation {method}")


async def answer(peer: Peer, operation: dict) -> dict:
    """The line that one operation ends in, without its addresses."""
    progress: list = []
    method, params = operation["method"], operation.get("params", {})
    try:
        if method in SCENES:
            line = {"result": await SCENES[method](peer, params)}
        else:
            line = {"result": await perform(peer.client, method, params, progress)}
    except McpError as error:
        line = {"error": plain(error.error)}
    except Exception as error:
        line = {"exception": f"{type(error).__name__}: {error}"}
    return line | ({"progress": progress} if progress else {})


@asynccontextmanager
async def connect(session: dict):
    """The streams of any transport."""
    if "sse" in session:
        async with sse_client(session["sse"]) as (incoming, outgoing):
            yield incoming, outgoing
    elif "ws" in session:
        async with websocket_client(session["ws"]) as (incoming, outgoing):
            yield incoming, outgoing
    elif "http" in session:
        async with streamable_http_client(session["http"]) as (incoming, outgoing, _):
            yield incoming, outgoing
    else:
        command = session["stdio"]
        parameters = StdioServerParameters(command=command[0], args=command[1:], env=dict(os.environ))
        async with stdio_client(parameters) as (incoming, outgoing):
            yield incoming, outgoing


def say(**line) -> None:
    print(json.dumps(line, sort_keys=True), flush=True)


async def run(session: dict, turn: anyio.CapacityLimiter) -> None:
    """One connection and its operations, in order."""
    async with turn:
        try:
            async with connect(session) as (incoming, outgoing):
                peer = Peer()
                asked = {"sampling_callback": sample, "elicitation_callback": elicit, "list_roots_callback": list_roots}
                told = {"logging_callback": peer.log, "message_handler": peer.hear}
                async with ClientSession(incoming, outgoing, timedelta(seconds=60), **asked, **told) as client:
                    peer.client = client
                    hello = await client.initialize()
                    server = {"revision": hello.protocolVersion, "capabilities": plain(hello.capabilities)}
                    for operation in session["operations"]:
                        asked = operation["method"] == "server"
                        line = {"result": server} if asked else await answer(peer, operation)
                        say(session=session["id"], operation=operation["id"], **line)
        except Exception as error:
            say(session=session["id"], exception=repr(error))


async def main() -> None:
    work = json.load(sys.stdin)
    turn = anyio.CapacityLimiter(work["parallel"])
    async with anyio.create_task_group() as group:
        for session in work["sessions"]:
            group.start_soon(run, session, turn)


anyio.run(main)
