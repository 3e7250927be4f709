"""FastMCP's own authorization server, on the handlers of the Python SDK, and a server that takes only its tokens.

python fastmcp_guarded.py OPTIONS. It asks nobody. What it does goes to stdout, as `wire.mjs` says.
"""

import asyncio
import json
import os
import socket
import sys
import threading
from urllib.parse import parse_qsl, urlsplit

import uvicorn
from fastmcp import FastMCP
from fastmcp.server.auth.providers.in_memory import InMemoryOAuthProvider
from mcp.server.auth.settings import ClientRegistrationOptions, RevocationOptions

SECRET = {"access_token", "client_secret", "code", "code_verifier", "refresh_token", "state", "token"}


def say(line: dict) -> None:
    # Two threads speak: a line is written at once.
    os.write(1, f"{json.dumps(line)}\n".encode())


def members(body: bytes) -> dict:
    try:
        found = json.loads(body)
    except ValueError:
        return dict(parse_qsl(body.decode()))
    return found if isinstance(found, dict) else {}


def told(app):
    """Tells each request with its answer."""

    async def wrapped(scope, receive, send):
        if scope["type"] != "http":
            return await app(scope, receive, send)
        path = scope["path"].lstrip("/")
        asked, answered, status = bytearray(), bytearray(), 0

        async def hear():
            message = await receive()
            asked.extend(message.get("body", b""))
            return message

        async def tell(message):
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                for name, value in message["headers"]:
                    if name == b"location":
                        answered.extend(urlsplit(value.decode()).query.encode())
            else:
                answered.extend(message.get("body", b""))
            await send(message)

        await app(scope, hear, tell)
        params = members(scope["query_string"]) | members(bytes(asked))
        if path != "mcp":
            for name, value in [*params.items(), *members(bytes(answered)).items()]:
                if name in SECRET and isinstance(value, str):
                    say({"secret": value})
        shown = dict(scope["headers"]).get(b"authorization", b"").decode().removeprefix("Bearer ")
        say({"did": params.get("method", path), "status": status, "params": params, "shown": shown or None})

    return wrapped


def obey(auth: InMemoryOAuthProvider) -> None:
    for line in sys.stdin:
        for order, argument in json.loads(line).items():
            if order == "forget":
                auth.clients.clear()
            if order == "revoke":
                auth.access_tokens.clear()
                if argument == "all":
                    auth.refresh_tokens.clear()
            say({"obeyed": order})


async def main() -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    origin = f"http://127.0.0.1:{listener.getsockname()[1]}"
    scopes = ["read", "write"]
    auth = InMemoryOAuthProvider(
        base_url=origin,
        client_registration_options=ClientRegistrationOptions(enabled=True, valid_scopes=scopes),
        revocation_options=RevocationOptions(enabled=True),
        required_scopes=["read"],
    )
    server = FastMCP("guarded", auth=auth)

    @server.tool
    def read() -> str:
        """Need the scope read."""
        return "read done"

    threading.Thread(target=obey, args=[auth], daemon=True).start()
    app = told(server.http_app(path="/mcp"))
    config = uvicorn.Config(app, log_level="warning", lifespan="on")
    running = uvicorn.Server(config)
    say({"ready": f"{origin}/mcp"})
    await running.serve(sockets=[listener])


asyncio.run(main())
