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
import time

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

    def wait_for(self, names):
        """Waits until exactly these tools are offered."""
        deadline = time.monotonic() + PATIENCE
        while self.names() != names:
            expect(time.monotonic() < deadline, f"offered: {sorted(self.names())}")
            time.sleep(0.1)

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


def log_in(*flags, fails=False):
    """What a person does whom `mcpmux check` tells to log in; the browser follows the page to where it leads."""
    browser = f"{sys.executable} {pathlib.Path(__file__).with_name('browser.py')}"
    command = [*MUX, "login", "suite", "--config", str(CONFIG), *flags]
    done = subprocess.run(command, env={**HOME, "BROWSER": browser}, capture_output=True, text=True, timeout=PATIENCE)
    (FOLDER / "login.log").open("a").write(done.stderr)
    expect((done.returncode != 0) == fails, done.stderr)
    return done.stderr


def logs_in(client):
    expect(client.names() == set(), "tools without a login")
    log_in()
    client.wait_for({"test-tool"})
    client.call("test-tool")


def logs_in_and_lists(client):
    expect(client.names() == set(), "tools without a login")
    log_in()
    client.wait_for({"test-tool"})


def needs_no_login(client):
    client.wait_for({"test-tool"})
    client.call("test-tool")


def steps_up(client):
    logs_in_and_lists(client)
    try:
        client.call("test-tool")
    except Refused as refused:
        expect("mcpmux login suite" in str(refused), str(refused))
        log_in()
        client.wait_for({"test-tool"})
        client.call("test-tool")
        return
    raise SystemExit("the call needed no more scopes")


def gives_up(client):
    expect(client.names() == set(), "tools without a login")
    log_in()
    log_in()


def logs_in_again(client):
    """The first request with the first token makes the server change its authorization server."""
    expect(client.names() == set(), "tools without a login")
    log_in()
    deadline = time.monotonic() + PATIENCE
    while not client.names():
        expect(time.monotonic() < deadline, "the second login was not enough")
        state = subprocess.run([*MUX, "list", "servers", "--json", "--config", str(CONFIG)], env=HOME, capture_output=True)
        if json.loads(state.stdout)[0]["state"] == "needs-login":
            log_in()
        time.sleep(0.1)
    client.call("test-tool")


def is_not_fooled(said):
    def scenario(client):
        expect(client.names() == set(), "tools without a login")
        words = log_in(fails=True)
        expect(said in words, words)
        expect(client.names() == set(), "tools without a login")

    return scenario


AUTH = {
    "auth/client-credentials-basic": needs_no_login,
    "auth/client-credentials-jwt": needs_no_login,
    "auth/scope-step-up": steps_up,
    "auth/scope-retry-limit": gives_up,
    "auth/authorization-server-migration": logs_in_again,
    "auth/resource-mismatch": is_not_fooled("about another server"),
    "auth/metadata-issuer-mismatch": is_not_fooled("another issuer"),
    "auth/iss-supported-missing": is_not_fooled("which issuer"),
    "auth/iss-wrong-issuer": is_not_fooled("another issuer"),
    "auth/iss-unexpected": is_not_fooled("another issuer"),
    "auth/iss-normalized": is_not_fooled("another issuer"),
}


def credentials(scenario):
    """What a person would write into the configuration for what the scenario says."""
    context = json.loads(os.environ.get("MCP_CONFORMANCE_CONTEXT") or "{}")
    auth = {"type": "oauth"}
    names = {"client_id": "clientId", "client_secret": "clientSecret", "private_key_pem": "privateKey", "issuer": "issuer"}
    auth |= {names[key]: value for key, value in context.items() if key in names}
    if "client-credentials" in scenario:
        auth["grant"] = "clientCredentials"
    if scenario in ("auth/basic-cimd",):
        auth["clientMetadataUrl"] = "https://conformance-test.local/client-metadata.json"
    return {"auth": auth} if len(auth) > 1 else {}


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


MUX = [os.environ["MCPMUX_BIN"]]
FOLDER = pathlib.Path(os.environ["MCPMUX_DRIVER_FOLDER"])
CONFIG = FOLDER / "config.json"
HOME = {**os.environ, "XDG_CACHE_HOME": str(FOLDER), "XDG_STATE_HOME": str(FOLDER), "MCPMUX_CREDENTIAL_STORE": "files"}


def main():
    scenario = os.environ["MCP_CONFORMANCE_SCENARIO"]
    entry = {"type": "http", "url": sys.argv[1], "prefix": None, **credentials(scenario)}
    CONFIG.write_text(json.dumps({"mcpServers": {"suite": entry}}))
    command = [*MUX, "serve", "--stdio", "--config", str(CONFIG), "--log-level", "debug"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with open(FOLDER / "mux.log", "wb") as log:
        process = subprocess.Popen(command, stderr=log, env=HOME, **pipes)
    timer = threading.Timer(PATIENCE, process.kill)
    timer.start()
    client_of = SCENARIOS.get(scenario) or AUTH.get(scenario) or logs_in
    try:
        client_of(Client(process, os.environ["MCPMUX_DRIVER_ERA"]))
        process.stdin.close()
        expect(process.wait(10) == 0, "mcpmux did not end well")
    finally:
        timer.cancel()
        process.kill()


if __name__ == "__main__":
    main()
