"""The mux as a server: the suite talks to it, and it to the fixture server."""

import json
import re
import subprocess
import time
import urllib.request
from contextlib import ExitStack
from typing import NamedTuple

from suite import FAIL, LEGACY, MODERN, MUX, SUMMARY, TARGET, Broken, Outcome, complaints

FIXTURE = TARGET / "examples/fixture_server"

START = 20.0  # seconds until a server listens and the mux lists what its upstream lists
RUN = 300.0  # seconds for one run of the suite
LISTENING = re.compile(r"listening on (http://\S+)")
THROUGH = ("stdio", "http")


class Cell(NamedTuple):
    """One run: the suite at `revision`, by way of `leg`, to a fixture that speaks `era`."""

    revision: str
    era: str
    leg: str  # direct, or how the mux reaches the fixture: stdio, http
    like: str  # the era of the direct run that this one is compared with

    def __str__(self):
        return f"{self.revision}  {self.era:<6}  {self.leg:<6}"

    def excepted(self):
        """What must fail here, by scenario. There is a mux in between in all of these cells."""
        found = {}
        for entry in FAIL:
            if (entry.revision, entry.fixture) == (self.revision, self.era) and entry.leg in (None, self.leg):
                found.setdefault(entry.scenario, []).append(entry)
        return found


# A fixture of the other era has no direct run: it is compared with the one that speaks both.
MATRIX = [
    Cell(revision, era, leg, like)
    for revision, era, legs, like in (
        (LEGACY, "legacy", ("direct", *THROUGH), "legacy"),
        (LEGACY, "both", ("direct", *THROUGH), "both"),
        (LEGACY, "modern", THROUGH, "both"),
        (MODERN, "modern", ("direct", *THROUGH), "modern"),
        (MODERN, "both", ("direct", *THROUGH), "both"),
        (MODERN, "legacy", THROUGH, "both"),
    )
    for leg in legs
]


def start(stack, command, log):
    """Starts a server that says on stderr where it listens; returns the process and that address."""
    with open(log, "wb") as stderr:
        process = subprocess.Popen(
            list(map(str, command)), stdin=subprocess.DEVNULL, stdout=stderr, stderr=stderr
        )
    stack.callback(stop, process)
    until = time.monotonic() + START
    while time.monotonic() < until and process.poll() is None:
        if found := LISTENING.search(log.read_text(errors="replace")):
            return process, found[1]
        time.sleep(0.02)
    raise Broken(f"`{command[0]}` does not listen:\n{log.read_text(errors='replace')}")


def stop(process):
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def serve(stack, cell, folder):
    """Starts the servers of a cell; returns them and the address that the suite is to use."""
    era = ["--era", cell.era]
    if cell.leg == "stdio":
        entry = {"command": str(FIXTURE), "args": [*era, "--stdio"]}
        processes = []
    else:
        command = [FIXTURE, *era, "--http", "127.0.0.1:0"]
        process, url = start(stack, command, folder / "fixture.log")
        if cell.leg == "direct":
            return [process], url
        entry = {"type": "http", "url": url}
        processes = [process]
    config = folder / "config.json"
    config.write_text(json.dumps({"mcpServers": {"fixture": {**entry, "prefix": None}}}))
    command = [MUX, "serve", "--config", config, "--http", "127.0.0.1:0"]
    process, url = start(stack, command, folder / "mux.log")
    return [*processes, process], url


def post(url, message, headers):
    """Sends one message; returns the response headers and the answer to it, if there is one."""
    headers = {
        "Content-Type": "application/json",
        "Accept": "application/json, text/event-stream",
        **headers,
    }
    request = urllib.request.Request(url, json.dumps(message).encode(), headers)
    with urllib.request.urlopen(request, timeout=10) as response:
        if not response.headers.get("Content-Type", "").startswith("text/event-stream"):
            body = response.read()
            return response.headers, json.loads(body) if body else None
        for line in response:
            if line.startswith(b"data:") and line[5:].strip():
                answer = json.loads(line[5:])
                if answer.get("id") == message.get("id") and "method" not in answer:
                    return response.headers, answer
    raise Broken(f"no answer to {message['method']}")


def tools(url, revision):
    """The names of the tools that are listed there, asked in the way of the revision."""
    request = {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {}}
    headers = {"MCP-Protocol-Version": revision}
    if revision >= MODERN:
        key = "io.modelcontextprotocol/"
        meta = {key + "protocolVersion": revision, key + "clientCapabilities": {}}
        request["params"]["_meta"] = meta
        headers["Mcp-Method"] = "tools/list"
    else:
        client = {"name": "conformance", "version": "1"}
        params = {"protocolVersion": revision, "capabilities": {}, "clientInfo": client}
        hello = {"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params}
        if session := post(url, hello, {})[0].get("Mcp-Session-Id"):
            headers["Mcp-Session-Id"] = session
        post(url, {"jsonrpc": "2.0", "method": "notifications/initialized"}, headers)
    answer = post(url, request, headers)[1]
    return sorted(tool["name"] for tool in answer.get("result", {}).get("tools", []))


def wait_for_tools(url, revision, expected):
    """Waits until the tools are listed; without `expected`, any will do."""
    until = time.monotonic() + START
    while True:
        try:
            found = tools(url, revision)
        except (OSError, ValueError, Broken) as error:
            found = f"{error}"
        if found and found == (expected or found) and isinstance(found, list):
            return found
        if time.monotonic() > until:
            raise Broken(f"the fixture's tools are not listed: {found}")
        time.sleep(0.1)


def baseline(cell, folder):
    """The suite's own list of checks that must fail: one that passes is an error, too."""
    entries = (entry for entries in cell.excepted().values() for entry in entries)
    named = [f"  - {entry.scenario}:{entry.check}" for entry in entries if entry.check]
    if not named:
        return []
    file = folder / "expected-failures.yml"
    file.write_text("\n".join(["server:", *named]) + "\n")
    return ["--expected-failures", file]


def run_suite(suite, url, cell, folder):
    """One run of the suite."""
    results = folder / "results"
    command = [*suite, "server", "--url", url, "--requirements", cell.revision, "-o", results]
    command += baseline(cell, folder)
    began = time.monotonic()
    done = subprocess.run(list(map(str, command)), cwd=folder, timeout=RUN, capture_output=True)
    output = (done.stdout + done.stderr).decode(errors="replace")
    (folder / "suite.log").write_text(output)
    lines = SUMMARY.findall(output)
    if not lines:
        raise Broken(f"the suite printed no summary:\n{output[-2000:]}")
    said = {name: complaints(results, f"server-{name}-[0-9]*") for _, name, _, _ in lines}
    return Outcome(
        exit=done.returncode,
        scenarios={name: mark == "✓" for mark, name, _, _ in lines},
        checks=sum(int(passed) for _, _, passed, _ in lines),
        complaints={name: texts for name, texts in said.items() if texts},
        seconds=time.monotonic() - began,
    )


def run_cell(cell, suite, folder, listed):
    """Serves a cell and runs the suite on it; `listed` are the fixture's tools, once known."""
    folder.mkdir()
    with ExitStack() as stack:
        processes, url = serve(stack, cell, folder)
        expected = None if cell.leg == "direct" else listed.get((cell.revision, cell.like))
        names = wait_for_tools(url, cell.revision, expected)
        outcome = run_suite(suite, url, cell, folder)
        if any(process.poll() is not None for process in processes):
            raise Broken("a server ended during the run")
    return names, outcome


def judge(cell, outcome, base):
    """What is wrong with a run, compared with the direct one; a line for each scenario."""
    wrong = []
    excepted = cell.excepted()
    for name in excepted.keys() - outcome.scenarios.keys():
        wrong.append(f"✗ {name} is an exception, and there is no such scenario")
    for name, passes in base.scenarios.items():
        said = outcome.complaints.get(name, [])
        if name in excepted:
            if not said:
                wrong.append(f"✗ {name} passes: it is no exception any more")
        elif passes and not outcome.scenarios.get(name, False):
            wrong.append("\n      ".join([f"✗ {name}", *(said or ["it did not run"])]))
    if base.exit == 0 and outcome.exit != 0:
        wrong.append(f"✗ exit code {outcome.exit}")
    if cell.leg == "direct" and outcome.exit != 0:
        wrong.append(f"✗ exit code {outcome.exit}: the fixture itself does not conform")
    return wrong


def run(cells, suite, keep):
    """Runs the cells in order and prints the table; returns passed, failed."""
    passed = failed = 0
    bases, listed = {}, {}
    print("revision    fixture leg     scenarios  checks  exit  warnings  seconds", flush=True)
    for number, cell in enumerate(cells):
        try:
            names, outcome = run_cell(cell, suite, keep / f"{number:02}", listed)
        except (Broken, subprocess.TimeoutExpired) as error:
            print(f"{cell}  broken: {error}", flush=True)
            failed += 1
            continue
        if cell.leg == "direct":
            bases[cell.revision, cell.era] = outcome
            listed[cell.revision, cell.era] = names
        base = bases.get((cell.revision, cell.like))
        wrong = judge(cell, outcome, base) if base else ["✗ there is no direct run to compare with"]
        good = sum(outcome.scenarios.values())
        warned = [
            f"! {name}: {text}"
            for name, texts in outcome.complaints.items()
            for text in texts
            if text.startswith("WARNING") and name not in cell.excepted()
        ]
        print(
            f"{cell}  {good:>4}/{len(outcome.scenarios):<4}  {outcome.checks:>6}"
            f"  {outcome.exit:>4}  {len(warned):>8}  {outcome.seconds:>7.1f}",
            *wrong,
            *warned,
            sep="\n    ",
            flush=True,
        )
        passed += good
        failed += len(wrong)
    return passed, failed
