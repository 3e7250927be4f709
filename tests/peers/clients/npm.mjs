// Drives the client of the npm SDK 1.x through whole sessions: `npm.mjs SDK`; README.md says what goes in and out.

import { join } from "node:path";
import { pathToFileURL } from "node:url";

import { scenes } from "./scenes.mjs";

const [sdk] = process.argv.slice(2);
const load = (file) => import(pathToFileURL(join(sdk, "dist/esm", file)));
const { Client } = await load("client/index.js");
const { StdioClientTransport } = await load("client/stdio.js");
const { StreamableHTTPClientTransport } = await load("client/streamableHttp.js");
const { SSEClientTransport } = await load("client/sse.js");
const { WebSocketClientTransport } = await load("client/websocket.js");
const types = await load("types.js");
const { CreateMessageRequestSchema, ElicitRequestSchema, ListRootsRequestSchema, McpError, ResultSchema } = types;

const LISTS = {
  "tools/list": ["tools", "name"],
  "resources/list": ["resources", "uri"],
  "resources/templates/list": ["resourceTemplates", "uriTemplate"],
  "prompts/list": ["prompts", "name"],
};
const TEXTS = { email: "ann@example.com", uri: "https://example.com/", date: "2000-01-02" };

/** The same answers as in answers.py. */
const choice = (field) => field.enum?.[0] ?? (field.oneOf ?? field.anyOf ?? [])[0]?.const;
function value(field) {
  if ("default" in field) return field.default;
  if (field.type === "array") return [choice(field.items)];
  if (field.type === "integer" || field.type === "number") return field.minimum ?? 7;
  if (field.type === "boolean") return true;
  return choice(field) ?? TEXTS[field.format] ?? "Ann";
}
function elicited(params) {
  if (params.mode === "url") return { action: "accept" };
  const fields = Object.entries(params.requestedSchema.properties ?? {});
  return { action: "accept", content: Object.fromEntries(fields.map(([name, field]) => [name, value(field)])) };
}
function sampled(params) {
  const content = params.messages.at(-1).content;
  const heard = Array.isArray(content) ? content[0] : content;
  const said = { type: "text", text: `I heard: ${heard.text}` };
  return { role: "assistant", content: said, model: "parrot", stopReason: "endTurn" };
}

const ROOTS = [
  { uri: "file:///home/ann/one", name: "one" },
  { uri: "file:///home/ann/tw%C3%B6", name: "twö" },
];

function transport(session) {
  if (session.ws) return new WebSocketClientTransport(new URL(session.ws));
  if (session.sse) return new SSEClientTransport(new URL(session.sse));
  if (session.http) return new StreamableHTTPClientTransport(new URL(session.http));
  const [command, ...args] = session.stdio;
  return new StdioClientTransport({ command, args, env: process.env, stderr: "ignore" });
}

const pause = (ms) => new Promise((done) => setTimeout(done, ms));

async function request(client, method, params, options) {
  return client.request({ method, params }, ResultSchema, { timeout: 60_000, ...options });
}

/** Notes what is told as it arrives: the SDK itself drops progress that comes in the same turn as the response. */
function listen(link, client) {
  const heed = link.onmessage;
  client.told = [];
  link.onmessage = (message, ...rest) => {
    if (message.method && message.id === undefined) client.told.push(message);
    if (message.method === "notifications/progress") {
      const { progress, total, message: text } = message.params;
      client.progress.push([progress, total ?? null, text ?? null]);
    }
    heed(message, ...rest);
  };
}

/** All pages of a list as one. */
async function walk(client, method) {
  const [member] = LISTS[method];
  const entries = [];
  for (let cursor; ; ) {
    const page = await request(client, method, cursor === undefined ? {} : { cursor });
    entries.push(...page[member]);
    cursor = page.nextCursor;
    if (cursor === undefined) return { [member]: entries };
  }
}

/** Waits until the lists have all that is wanted, named by its key; returns what they lack in the end. */
async function settle(client, wanted) {
  for (const until = Date.now() + 30_000; ; await pause(50)) {
    const lacking = {};
    for (const [method, keys] of Object.entries(wanted)) {
      const [member, key] = LISTS[method];
      const there = new Set((await walk(client, method))[member].map((entry) => entry[key]));
      const missing = keys.filter((name) => !there.has(name));
      if (missing.length > 0) lacking[method] = missing;
    }
    if (Object.keys(lacking).length === 0 || Date.now() > until) return lacking;
  }
}

async function keys(client, method) {
  const [member, key] = LISTS[method];
  return (await walk(client, method))[member].map((entry) => entry[key]);
}

async function perform(client, { method, params }) {
  if (method in scenes) {
    return scenes[method]({ client, told: client.told, types, keys: (list) => keys(client, list) }, params);
  }
  if (method === "server") return { revision: client.revision, capabilities: client.getServerCapabilities() };
  if (method === "settle") return settle(client, params);
  if (method in LISTS) return walk(client, method);
  return request(client, method, params, method === "tools/call" ? { onprogress: () => {} } : {});
}

async function answer(client, operation) {
  const progress = (client.progress = []);
  const line = {};
  try {
    line.result = await perform(client, operation);
  } catch (error) {
    const { code, message, data } = error;
    // The SDK writes the code before the server's words, too.
    if (error instanceof McpError) line.error = { code, message: message.replace(`MCP error ${code}: `, ""), data };
    else line.exception = String(error);
  }
  return progress.length > 0 ? { ...line, progress } : line;
}

const say = (line) => process.stdout.write(JSON.stringify(line) + "\n");

async function run(session) {
  try {
    const capabilities = { elicitation: { form: {}, url: {} }, sampling: {}, roots: {} };
    const client = new Client({ name: "npm", version: "1" }, { capabilities });
    client.setRequestHandler(ElicitRequestSchema, ({ params }) => elicited(params));
    client.setRequestHandler(CreateMessageRequestSchema, ({ params }) => sampled(params));
    client.setRequestHandler(ListRootsRequestSchema, () => ({ roots: ROOTS }));
    const link = transport(session);
    // Not every transport keeps the revision that was agreed on; the client tells each of it.
    const tell = link.setProtocolVersion?.bind(link);
    link.setProtocolVersion = (revision) => {
      client.revision = revision;
      tell?.(revision);
    };
    await client.connect(link);
    listen(link, client);
    for (const operation of session.operations) {
      say({ session: session.id, operation: operation.id, ...(await answer(client, operation)) });
    }
    await client.close();
  } catch (error) {
    say({ session: session.id, exception: String(error) });
  }
}

let text = "";
for await (const piece of process.stdin) text += piece;
const work = JSON.parse(text);
const waiting = [...work.sessions];
const worker = async () => {
  for (let session = waiting.shift(); session; session = waiting.shift()) await run(session);
};
await Promise.all(Array.from({ length: work.parallel }, worker));
process.stdout.write("", () => process.exit(0));
