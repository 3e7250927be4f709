"""Drives the client of the Python SDK 2.x through whole sessions; see README.md for what goes in and what comes out."""

import json
import os
import sys
from contextlib import asynccontextmanager

import anyio
from answers import elicited, roots, sampled
from mcp import Client, MCPError, StdioServerParameters
from mcp.types import CreateMessageResult, ElicitResult, ListRootsResult, PromptReference, ResourceTemplateReference
from scenes import SCENES

MODES = {"legacy": "legacy", "auto": "auto", "modern": "2026-07-28"}
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

    def __init__(self, era: str) -> None:
        self.client: Client = None
        self.modern = era != "legacy"
        self.logs: list = []
        self.told: list = []  # notifications

    async def log(self, params) -> None:
        self.logs.append([params.level, params.logger, params.data])

    async def hear(self, message) -> None:
        self.told.append(plain(message) if hasattr(message, "model_dump") else {"method": None})

    async def set_level(self, level: str) -> None:
        if not self.modern:
            await self.client.set_logging_level(level)

    async def call(self, name: str, arguments: dict | None = None, level: str | None = None) -> str:
        meta = {"io.modelcontextprotocol/logLevel": level} if level and self.modern else None
        return plain(await self.client.call_tool(name, arguments, meta=meta))["content"][0].get("text")

    async def keys(self, method: str) -> list:
        _, member, key = LISTS[method]
        return [entry[key] for entry in (await walk(self.client, method))[member]]

    @asynccontextmanager
    async def listening(self, **what):
        """The events of a subscription of the new revision."""
        events: list = []

        async def collect(subscription) -> None:
            async for event in subscription:
                events.append(event)

        async with self.client.listen(**what) as subscription, anyio.create_task_group() as group:
            group.start_soon(collect, subscription)
            yield events
            group.cancel_scope.cancel()

    @asynccontextmanager
    async def watching(self, uri: str):
        if self.modern:
            async with self.listening(resource_subscriptions=[uri]) as events:
                yield lambda: [event.uri for event in events]
            return
        await self.client.subscribe_resource(uri)
        self.told.clear()
        updates = "notifications/resources/updated"
        yield lambda: [message["params"]["uri"] for message in self.told if message["method"] == updates]
        await self.client.unsubscribe_resource(uri)

    @asynccontextmanager
    async def changes(self, method: str):
        if self.modern:
            async with self.listening(**{f"{method.replace('/', '_')}_changed": True}) as events:
                yield lambda: len(events)
            return
        self.told.clear()
        wanted = f"notifications/{method}_changed"
        yield lambda: sum(message["method"] == wanted for message in self.told)

    async def cancel(self, name: str) -> None:
        begun = anyio.Event()

        async def step(*_progress) -> None:
            begun.set()

        async with anyio.create_task_group() as group:
            group.start_soon(lambda: self.client.call_tool(name, progress_callback=step))
            await begun.wait()
            group.cancel_scope.cancel()


async def walk(client: Client, method: str) -> dict:
    """All pages of a list as one."""
    call, member, _ = LISTS[method]
    entries, cursor = [], None
    while True:
        page = plain(await getattr(client, call)(cursor=cursor))
        entries += page[member]
        cursor = page.get("nextCursor")
        if cursor is None:
            return {member: entries}


def reference(ref: dict):
    """The typed form of a completion's `ref`."""
    kind = PromptReference if ref["type"] == "ref/prompt" else ResourceTemplateReference
    return kind.model_validate(ref)


async def settle(client: Client, wanted: dict) -> dict:
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


async def perform(client: Client, method: str, params: dict, progress: list) -> dict:
    """One operation."""

    async def step(done, total, message):
        progress.append([done, total, message])

    if method in LISTS:
        return await walk(client, method)
    if method == "tools/call":
        return plain(await client.call_tool(params["name"], params.get("arguments"), progress_callback=step))
    if method == "resources/read":
        return plain(await client.read_resource(params["uri"]))
    if method == "prompts/get":
        return plain(await client.get_prompt(params["name"], params.get("arguments")))
    if method == "completion/complete":
        known = params.get("context", {}).get("arguments")
        return plain(await client.complete(reference(params["ref"]), params["argument"], context_arguments=known))
    if method == "settle":
        return await settle(client, params)
    if method == "ping":
        return plain(await client.send_ping())
    if method == "server":
        return {"revision": str(client.protocol_version), "capabilities": plain(client.server_capabilities)}
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
    except MCPError as error:
        line = {"error": plain(error.error)}
    except Exception as error:
        line = {"exception": f"{type(error).__name__}: {error}"}
    return line | ({"progress": progress} if progress else {})


def say(**line) -> None:
    print(json.dumps(line, sort_keys=True), flush=True)


async def run(session: dict, turn: anyio.CapacityLimiter) -> None:
    """One connection and its operations, in order."""
    target = session.get("http")
    if target is None:
        command = session["stdio"]
        target = StdioServerParameters(command=command[0], args=command[1:], env=dict(os.environ))
    # No cache: every operation has to reach the server.
    how = {"mode": MODES[session["era"]], "cache": None, "read_timeout_seconds": 60}
    peer = Peer(session["era"])
    asked = {"sampling_callback": sample, "elicitation_callback": elicit, "list_roots_callback": list_roots}
    told = {"logging_callback": peer.log, "message_handler": peer.hear}
    client = peer.client = Client(target, **asked, **told, **how)
    async with turn:
        try:
            async with client:
                for operation in session["operations"]:
                    say(session=session["id"], operation=operation["id"], **await answer(peer, operation))
        except Exception as error:
            say(session=session["id"], exception=repr(error))


async def main() -> None:
    work = json.load(sys.stdin)
    turn = anyio.CapacityLimiter(work["parallel"])
    async with anyio.create_task_group() as group:
        for session in work["sessions"]:
            group.start_soon(run, session, turn)


anyio.run(main)
