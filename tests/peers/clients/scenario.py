"""The client of one scenario of the official conformance suite, with mcpmux between the two.

    MCP_CONFORMANCE_SCENARIO=tools_call MCPMUX_BIN=… MCPMUX_DRIVER_ERA=legacy scenario.py URL

The suite starts it. It writes a configuration whose one server is the URL, starts `mcpmux serve --stdio`, does
what the scenario wants done, and checks what comes back: the suite sees only the other side of the mux.
"""

import json
import os
import pathlib
import subprocess
import sys
import threading

from answers import elicited, sampled

PATIENCE = 25.0  # seconds for a scenario
META = "io.modelcontextprotocol/"
INFO = {"name": "scenario", "version": "1"}
CAPABILITIES = {"elicitation": {}, "sampling": {}, "roots": {}}


class Refused(Exception):
    """The error that a request ended in."""


def answer(method, params):
    """What this client says to a question."""
    known = {"elicitation/create": elicited, "sampling/createMessage": sampled}
    return known[method](params) if method in known else {"roots": []}


class Client:
    """A client over stdio; the era is how it speaks."""

    def __init__(self, process, era):
        self.process, self.modern, self.last = process, era == "modern", 0
        if not self.modern:
            hello = {"protocolVersion": "2025-11-25", "capabilities": CAPABILITIES, "clientInfo": INFO}
            self.request("initialize", hello)
            self.send({"method": "notifications/initialized"})

    def send(self, message):
        self.process.stdin.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")
        self.process.stdin.flush()

    def exchange(self, method, params):
        """One request and its result; questions on the way are answered."""
        self.last += 1
        self.send({"id": self.last, "method": method, "params": params})
        for line in self.process.stdout:
            message = json.loads(line)
            if "method" in message and "id" in message:
                self.send({"id": message["id"], "result": answer(message["method"], message.get("params", {}))})
            elif "method" not in message and message.get("id") == self.last:
                if "error" in message:
                    raise Refused(json.dumps(message["error"]))
                return message["result"]
        raise SystemExit(f"mcpmux ended during {method}")

    def request(self, method, params=None):
        """A request, repeated with answers for as long as there are questions."""
        params = dict(params or {})
        if self.modern:
            keys = {"protocolVersion": "2026-07-28", "clientInfo": INFO, "clientCapabilities": CAPABILITIES}
            params["_meta"] = {META + key: value for key, value in keys.items()}
        result = self.exchange(method, params)
        while result.get("resultType") == "input_required":
            asked = result.get("inputRequests", {}).items()
            given = {key: answer(ask["method"], ask.get("params", {})) for key, ask in asked}
            again = {**params, "inputResponses": given}
            if "requestState" in result:
                again["requestState"] = result["requestState"]
            result = self.exchange(method, again)
        return result

    def names(self):
        return {tool["name"] for tool in self.request("tools/list")["tools"]}

    def call(self, name, **arguments):
        """Calls a tool that must succeed; returns its first text."""
        result = self.request("tools/call", {"name": name, "arguments": arguments})
        expect(not result.get("isError"), f"{name} failed: {result}")
        return result["content"][0]["text"] if result["content"] else ""


def expect(holds, otherwise):
    if not holds:
        raise SystemExit(otherwise)


def connects(client):
    expect(client.names() == set(), "tools out of nothing")


def calls(client):
    said = client.call("add_numbers", a=5, b=3)
    expect(said == "The sum of 5 and 3 is 8", said)


def takes_defaults(client):
    said = client.call("test_client_elicitation_defaults")
    expect(said.startswith("Elicitation completed") and "John Doe" in said, said)


def reconnects(client):
    said = client.call("test_reconnection")
    expect(said == "Reconnection test completed successfully", said)


def echoes_state(client):
    wanted = {"echo_state": "echo-state-ok", "no_state": "no-state-ok", "unrelated": "unrelated-ok"}
    for name, text in (wanted | {"no_result_type": "no-result-type-test-ok"}).items():
        said = client.call(f"test_mrtr_{name}")
        expect(said == text, said)


def repeats_names(client):
    for name in sorted(client.names()):
        client.call(name)
    for resource in client.request("resources/list")["resources"]:
        client.request("resources/read", {"uri": resource["uri"]})
    for prompt in client.request("prompts/list")["prompts"]:
        client.request("prompts/get", {"name": prompt["name"]})


def repeats_arguments(client):
    for call in json.loads(os.environ["MCP_CONFORMANCE_CONTEXT"])["toolCalls"]:
        client.call(call["name"], **call["arguments"])


def drops_broken_tools(client):
    expect(client.names() == {"valid_tool"}, f"offered: {sorted(client.names())}")
    client.call("valid_tool", region="us-west1")
    try:
        client.call("invalid_empty_header", value="x")
    except Refused:
        return
    raise SystemExit("a tool was called that is not offered")


def lists_only(client):
    expect(client.names() == {"lookup_user"}, f"offered: {sorted(client.names())}")


def keeps_schemas(client):
    tools = {tool["name"]: tool for tool in client.request("tools/list")["tools"]}
    client.call("json_schema_echo", schema=tools["json_schema_2020_12_tool"]["inputSchema"])


SCENARIOS = {
    "initialize": connects,
    "request-metadata": connects,
    "tools_call": calls,
    "elicitation-sep1034-client-defaults": takes_defaults,
    "sse-retry": reconnects,
    "sep-2322-client-request-state": echoes_state,
    "http-standard-headers": repeats_names,
    "http-custom-headers": repeats_arguments,
    "http-invalid-tool-headers": drops_broken_tools,
    "json-schema-ref-no-deref": lists_only,
    "json-schema-2020-12-preservation": keeps_schemas,
}


def main():
    folder = pathlib.Path(os.environ["MCPMUX_DRIVER_FOLDER"])
    config = folder / "config.json"
    config.write_text(json.dumps({"mcpServers": {"suite": {"type": "http", "url": sys.argv[1], "prefix": None}}}))
    command = [os.environ["MCPMUX_BIN"], "serve", "--stdio", "--config", str(config), "--log-level", "debug"]
    home = {**os.environ, "XDG_CACHE_HOME": str(folder), "XDG_STATE_HOME": str(folder)}
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with open(folder / "mux.log", "wb") as log:
        process = subprocess.Popen(command, stderr=log, env=home, **pipes)
    timer = threading.Timer(PATIENCE, process.kill)
    timer.start()
    try:
        SCENARIOS[os.environ["MCP_CONFORMANCE_SCENARIO"]](Client(process, os.environ["MCPMUX_DRIVER_ERA"]))
        process.stdin.close()
        expect(process.wait(10) == 0, "mcpmux did not end well")
    finally:
        timer.cancel()
        process.kill()


if __name__ == "__main__":
    main()
