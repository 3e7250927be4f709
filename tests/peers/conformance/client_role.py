"""The mux as a client: each scenario of the suite is its one upstream, a driver is its client."""

import json
import os
import re
import subprocess
import sys
import time

from suite import MUX, ROOT, complaints, left_out

DRIVER = ROOT / "tests/peers/clients/scenario.py"
RUN = 60.0  # seconds for one scenario; the suite ends it after 30
ERAS = ("legacy", "modern")  # of the driver: what the mux does upstream must not depend on it


def required(revision, folder):
    """The scenarios for clients in a requirement set, those that are not scored included."""
    text = (folder / f"requirements/{revision}.yaml").read_text()
    scored = re.search(r"^client:\n((?:  - \S+\n)+)", text, re.MULTILINE)[1]
    extra = re.findall(r"^  - scenario: (\S+)\n    leg: client$", text, re.MULTILINE)
    return [*re.findall(r"^  - (\S+)$", scored, re.MULTILINE), *extra]


def run_scenario(scenario, revision, era, suite, folder):
    """One run of one scenario: how many checks passed, what is wrong, and the seconds."""
    folder.mkdir(parents=True)
    command = [*suite, "client", "--command", f"{sys.executable} {DRIVER}", "--scenario", scenario]
    # Extensions belong to no revision; they are run all the same.
    command += ["--spec-version", revision, "--force", "-o", str(folder / "results")]
    environment = {**os.environ, "MCPMUX_BIN": str(MUX), "MCPMUX_DRIVER_ERA": era, "MCPMUX_DRIVER_FOLDER": str(folder)}
    began = time.monotonic()
    try:
        done = subprocess.run(command, cwd=folder, env=environment, timeout=RUN, capture_output=True)
    except subprocess.TimeoutExpired:
        return 0, ["the suite did not end"], RUN
    output = (done.stdout + done.stderr).decode(errors="replace")
    (folder / "suite.log").write_text(output)
    checks = [check for file in folder.glob("results/**/checks.json") for check in json.loads(file.read_text())]
    passed = sum(check["status"] == "SUCCESS" for check in checks)
    wrong = complaints(folder / "results", "**")
    # In some scenarios the suite takes no offence at a client that fails; the driver fails for a reason.
    if done.returncode != 0 or "Client exited with code" in output:
        errors = [text for file in folder.glob("results/**/stderr.txt") for text in file.read_text().splitlines()[-3:]]
        wrong += [f"exit code {done.returncode}", *errors]
    if passed == 0:
        wrong.append("no check was made")
    return passed, wrong, time.monotonic() - began


def run(revisions, suite, folder, keep):
    """Runs the requirement sets, prints a line for each scenario; returns passed, failed."""
    good = bad = 0
    print("revision    driver  scenario                                 checks  seconds", flush=True)
    for revision in revisions:
        scenarios = required(revision, folder)
        omitted = [scenario for scenario in scenarios if left_out(scenario)]
        for scenario in (scenario for scenario in scenarios if scenario not in omitted):
            for era in ERAS:
                place = keep / f"client-{revision}-{era}-{scenario.replace('/', '-')}"
                passed, wrong, seconds = run_scenario(scenario, revision, era, suite, place)
                line = f"{revision}  {era:<6}  {scenario:<39}  {passed:>6}  {seconds:>7.1f}"
                print(line, *(f"✗ {text}" for text in wrong), sep="\n    ", flush=True)
                good, bad = good + (not wrong), bad + bool(wrong)
        print(f"{revision}  left out: {len(omitted)} of {len(scenarios)}, see the README", flush=True)
    return good, bad
