// An MCP server on the npm SDK that takes only the tokens of one authorization server: the SDK's own guard in front, which says
// 401 and 403, and behind it tokens are read by `jose` (JWTs), or by the authorization server (all others).
//
// node guarded.mjs NODE_MODULES OPTIONS, one JSON object: `issuer`, `metadata` (laid over the server's own). What it does goes to stdout, as
// `wire.mjs` says. The tool `read` takes the scope `read`; `write` takes `write`, too.

import { createServer } from "node:http";
import { createRequire } from "node:module";
import { join } from "node:path";
import { laidOver, listen, obey, say } from "./wire.mjs";

const [modules, text] = process.argv.slice(2);
const options = JSON.parse(text);
const require = createRequire(join(modules, "none.js"));
const express = require("express");
const { createRemoteJWKSet, jwtVerify } = require("jose");
const { McpServer } = require("@modelcontextprotocol/sdk/server/mcp.js");
const { StreamableHTTPServerTransport } = require("@modelcontextprotocol/sdk/server/streamableHttp.js");
const { requireBearerAuth } = require("@modelcontextprotocol/sdk/server/auth/middleware/bearerAuth.js");
const { mcpAuthMetadataRouter } = require("@modelcontextprotocol/sdk/server/auth/router.js");
const { InvalidTokenError } = require("@modelcontextprotocol/sdk/server/auth/errors.js");

const app = express();
const server = createServer(app);
const origin = await listen(server);
const url = `${origin}/mcp`;
const metadata = `${origin}/.well-known/oauth-protected-resource/mcp`;

const { issuer } = options;
const found = await fetch(`${issuer}/.well-known/oauth-authorization-server`);
const authority = await found.json();
const keys = authority.jwks_uri && createRemoteJWKSet(new URL(authority.jwks_uri));
const asker = `Basic ${Buffer.from("resource-server:resource-server-s3cret").toString("base64")}`;

const verifier = {
  async verifyAccessToken(token) {
    const told = (claims) => ({
      token,
      clientId: claims.client_id,
      scopes: (claims.scope ?? "").split(" "),
      expiresAt: claims.exp,
      resource: claims.aud && new URL(claims.aud),
    });
    try {
      if (token.split(".").length === 3) {
        const { payload } = await jwtVerify(token, keys, { issuer, audience: url, typ: "at+jwt" });
        return told(payload);
      }
      const body = new URLSearchParams({ token });
      const asked = await fetch(authority.introspection_endpoint ?? `${issuer}/introspect`, { method: "POST", body, headers: { authorization: asker } });
      const claims = await asked.json();
      if (asked.ok && claims.active) return told(claims);
    } catch (error) {
      throw new InvalidTokenError(error.code ?? "no good");
    }
    throw new InvalidTokenError("not active");
  },
};

function tools() {
  const mcp = new McpServer({ name: "guarded", version: "1.0.0" });
  for (const name of ["read", "write"])
    mcp.registerTool(name, { description: `Needs the scope ${name}.` }, () => ({ content: [{ type: "text", text: `${name} done` }] }));
  return mcp;
}

const guards = Object.fromEntries(
  [["read"], ["read", "write"]].map((requiredScopes) => [
    requiredScopes.at(-1),
    requireBearerAuth({ verifier, requiredScopes, resourceMetadataUrl: metadata, expectedResource: url }),
  ]),
);

app.use((request, response, next) => {
  response.on("finish", () =>
    say({ did: request.body?.params?.name ?? request.body?.method ?? request.path, status: response.statusCode, shown: request.headers.authorization?.slice(7) }));
  next();
});
if (options.metadata) {
  const own = { resource: url, authorization_servers: [issuer], scopes_supported: ["read", "write"] };
  app.get("/.well-known/oauth-protected-resource/mcp", (_, response) => response.json(laidOver(own, options.metadata)));
}
// The router insists on HTTPS where it does not know the host.
app.use(mcpAuthMetadataRouter({ oauthMetadata: authority, resourceServerUrl: new URL(url), scopesSupported: ["read", "write"] }));
app.use(express.json());
app.all("/mcp", (request, response, next) => guards[request.body?.params?.name === "write" ? "write" : "read"](request, response, next));
app.all("/mcp", async (request, response) => {
  if (request.method !== "POST") return response.status(405).end();
  const transport = new StreamableHTTPServerTransport({ sessionIdGenerator: undefined });
  response.on("close", () => transport.close());
  await tools().connect(transport);
  await transport.handleRequest(request, response, request.body);
});

obey();
say({ ready: url });
