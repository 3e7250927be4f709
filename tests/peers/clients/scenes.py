"""What takes more than one request: log messages, watched resources, changed lists, cancellation, tasks.

A peer is the client of either SDK: what it does differently is in its driver. Whatever comes of a scene does not
depend on time: it waits for what must happen, and tells whether it did.
"""

import anyio

PATIENCE = 20.0  # seconds for anything to happen
SCENES = {}


def scene(play):
    SCENES[play.__name__] = play
    return play


async def until(found):
    """Waits for something to be true; `found` may be asynchronous."""
    with anyio.fail_after(PATIENCE):
        while True:
            value = found()
            if value if not hasattr(value, "__await__") else await value:
                return
            await anyio.sleep(0.02)


@scene
async def logged(peer, params: dict) -> dict:
    """The messages of one call from a level on; the loudest one ends it, unless any will do."""
    await peer.set_level(params["level"])
    peer.logs.clear()

    async def heard():
        # A message on another stream than the answer's may come after it, when it is no modern client's any more.
        for _ in ("on", "off"):
            await peer.call(params["name"], level=params["level"])
        return peer.logs

    if params.get("any"):
        await until(heard)
        return {"heard": True}
    await peer.call(params["name"], level=params["level"])
    await until(lambda: any(level == "emergency" for level, _, _ in peer.logs))
    return {"messages": list(peer.logs)}


@scene
async def watched(peer, params: dict) -> dict:
    """Watches a resource that a tool changes, and no longer than that."""
    async with peer.watching(params["uri"]) as updates:
        await peer.call(params["name"])
        await until(updates)
        heard = sorted(set(updates()))
        if params.get("toggles"):
            await peer.call(params["name"])
    if params.get("counts"):
        # The tool says how many watch.
        async def alone():
            return await peer.call(params["name"]) == "0"

        await until(alone)
    return {"updated": heard}


@scene
async def changed(peer, params: dict) -> dict:
    """A tool adds to a list, and perhaps another one takes it away; each time the list is told to have changed."""
    wanted = params.get("tool", params.get("uri"))

    async def there():
        return wanted in await peer.keys(params["list"])

    async def gone():
        return not await there()

    async with peer.changes(params["list"]) as told:
        await peer.call(params["name"], params.get("arguments"))
        await until(told)
        await until(there)
        if "undo" in params:
            before = told()
            await peer.call(params["undo"])
            await until(lambda: told() > before)
            await until(gone)
    return {"changed": True}


@scene
async def cancelled(peer, params: dict) -> dict:
    """Gives a call up once it has begun; the witness counts those that the server has given up."""
    before = await peer.call(params["witness"])
    await peer.cancel(params["name"])

    async def noticed():
        return await peer.call(params["witness"]) != before

    await until(noticed)
    return {"cancelled": True}


@scene
async def task(peer, params: dict) -> dict:
    """A call as a task, followed to its end."""
    return await peer.task(params["name"], params["arguments"])
