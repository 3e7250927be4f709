// The authorization server that the npm SDK has among its examples: it asks nobody, and knows no refresh tokens.
//
// node npm_authority.mjs NODE_MODULES OPTIONS. What it does goes to stdout, as `wire.mjs` says.

import { createServer } from "node:http";
import { createRequire } from "node:module";
import { join } from "node:path";
import { listen, obey, say, secrets } from "./wire.mjs";

const [modules] = process.argv.slice(2);
const require = createRequire(join(modules, "none.js"));
const express = require("express");
const { mcpAuthRouter } = require("@modelcontextprotocol/sdk/server/auth/router.js");
const { DemoInMemoryAuthProvider } = require("@modelcontextprotocol/sdk/examples/server/demoInMemoryOAuthProvider.js");

const app = express();
const server = createServer(app);
const issuer = await listen(server);
const provider = new DemoInMemoryAuthProvider();

app.use((request, response, next) => {
  const { json } = response;
  response.json = (body) => {
    if (!request.path.startsWith("/introspect")) secrets(body);
    return json.call(response, body);
  };
  response.on("finish", () => {
    const located = URL.parse(response.get("location") ?? "none:");
    if (request.path !== "/introspect") secrets(request.body, Object.fromEntries(located?.searchParams ?? []));
    say({ did: request.path.slice(1), status: response.statusCode, params: { ...request.query, ...request.body } });
  });
  next();
});
app.post("/introspect", express.urlencoded(), async (request, response) => {
  try {
    const token = await provider.verifyAccessToken(request.body.token);
    response.json({ active: true, client_id: token.clientId, scope: token.scopes.join(" "), exp: token.expiresAt, aud: token.resource });
  } catch {
    response.json({ active: false });
  }
});
app.use(mcpAuthRouter({ provider, issuerUrl: new URL(issuer), scopesSupported: ["read", "write"] }));

obey({ forget: () => provider.clientsStore.clients.clear() });
say({ ready: issuer });
