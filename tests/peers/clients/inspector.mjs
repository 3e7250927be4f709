// Drives `inspector --cli`, one run of it (and so one connection) per operation; README.md says what goes in and out.
// The runs share this process, because starting Node once per operation would cost more than all the rest.

import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const [inspector] = process.argv.slice(2);
const { runCli } = await import(pathToFileURL(join(inspector, "clients/cli/build/index.js")));
const scratch = mkdtempSync(join(tmpdir(), "mcpmux-inspector-"));
const say = process.stdout.write.bind(process.stdout);
// What the inspector says for people is dropped, the results come through files; it waits for the callback.
process.stdout.write = (_text, ...rest) => {
  rest.findLast((value) => typeof value === "function")?.();
  return true;
};

const assign = (values) => Object.entries(values ?? {}).map(([key, value]) => `${key}=${value}`);
const many = (flag, values) => (values.length === 0 ? [] : [flag, ...values]);

/** The inspector's flags for one operation. */
function flags({ method, params = {} }) {
  switch (method) {
    case "server":
      return ["--method", "initialize"];
    case "tools/call":
      return ["--method", method, "--tool-name", params.name, "--tool-args-json", JSON.stringify(params.arguments ?? {})];
    case "resources/read":
      return ["--method", method, "--uri", params.uri];
    case "prompts/get":
      return ["--method", method, "--prompt-name", params.name, ...many("--prompt-args", assign(params.arguments))];
    case "completion/complete":
      return [
        ...["--method", "prompts/complete", "--complete-ref-type", params.ref.type],
        ...["--complete-ref", params.ref.name ?? params.ref.uri],
        ...["--complete-arg-name", params.argument.name, "--complete-arg-value", params.argument.value],
      ];
    default:
      return ["--method", method];
  }
}

/** Where a session's server is, as the inspector wants to hear it. */
function target(session) {
  return session.http ? ["--server-url", session.http, "--transport", "http"] : session.stdio;
}

async function perform(session, operation, file) {
  const where = session.http ? [] : ["--transport", "stdio"];
  const how = ["--protocol-era", session.era, "--format", "json", "--quiet", "--output", file];
  const words = ["node", "inspector", ...target(session), ...where, ...how, ...flags(operation)];
  const line = {};
  try {
    await runCli(words);
  } catch (error) {
    const code = error?.envelope?.code ?? error?.code;
    line.exception = `${error?.message ?? error}${code === undefined ? "" : ` (${code})`}`;
  }
  // A tool's own error is an exception, and a result all the same.
  if (existsSync(file)) line.result = JSON.parse(readFileSync(file, "utf8"));
  rmSync(file, { force: true });
  return line;
}

async function run(session) {
  for (const operation of session.operations) {
    const file = join(scratch, `${session.number}.json`);
    const line = await perform(session, operation, file);
    say(JSON.stringify({ session: session.id, operation: operation.id, ...line }) + "\n");
  }
}

let text = "";
for await (const piece of process.stdin) text += piece;
const work = JSON.parse(text);
const waiting = work.sessions.map((session, number) => ({ ...session, number }));
const worker = async () => {
  for (let session = waiting.shift(); session; session = waiting.shift()) await run(session);
};
await Promise.all(Array.from({ length: work.parallel }, worker));
rmSync(scratch, { recursive: true });
say("", () => process.exit(0));
