// How the servers of this folder talk to whoever started them: one JSON object a line.
//
// Out: `{"ready": URL}` once; `{"did": WHAT, "status", "params", …}` for each request that was answered; `{"secret": TEXT}` for everything that
// nobody else may see. In: `{ORDER: ARGUMENT}`, answered by `{"obeyed": ORDER}`. The end of stdin ends the server.

import { createInterface } from "node:readline";

export const say = (line) => process.stdout.write(`${JSON.stringify(line)}\n`);

const SECRET = [
  "access_token", "client_assertion", "client_secret", "code", "code_verifier", "device_code",
  "refresh_token", "registration_access_token", "state", "token",
];

/** Tells all secrets of a request and its answer. */
export function secrets(...sources) {
  for (const source of sources) {
    if (typeof source === "string" && source.startsWith("Basic ")) {
      const [, secret] = Buffer.from(source.slice(6), "base64").toString().split(":");
      say({ secret: source.slice(6) });
      say({ secret: decodeURIComponent(secret) });
    } else if (typeof source === "object") {
      for (const name of SECRET) if (typeof source?.[name] === "string" && source[name]) say({ secret: source[name] });
    }
  }
}

/** Listens on a free port; the origin. */
export async function listen(server) {
  await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
  return `http://127.0.0.1:${server.address().port}`;
}

/** The object with other members in the place of some; `null` takes one away. */
export function laidOver(object, over = {}) {
  const laid = { ...object, ...over };
  for (const [name, value] of Object.entries(over)) if (value === null) delete laid[name];
  return laid;
}

/** Carries out what comes on stdin, to its end. */
export function obey(orders = {}) {
  const lines = createInterface({ input: process.stdin });
  lines.on("line", (line) => {
    for (const [order, argument] of Object.entries(JSON.parse(line))) {
      orders[order](argument);
      say({ obeyed: order });
    }
  });
  lines.on("close", () => process.exit(0));
}
