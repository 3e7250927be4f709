// An authorization server on npm's `oidc-provider`, with the login and consent pages that it brings along.
//
// node oidc.mjs NODE_MODULES OPTIONS, one JSON object: `life` (seconds that an access token lives), `refresh` (whether
// there are refresh tokens), `opaque` (tokens that only the server itself can read, in the place of JWTs), `audience` (of all tokens,
// whatever was asked for), `scopes` (false: clients are not registered with the scopes of servers), `clients`, `documents` (client id metadata documents by URL), `metadata` (laid over its own).
// What it does goes to stdout, as `wire.mjs` says; `life`, `delay`, `revoke` and `forget` on stdin change it while it runs.

import { createServer } from "node:http";
import { createRequire } from "node:module";
import { join } from "node:path";
import { laidOver, listen, obey, say, secrets } from "./wire.mjs";

const [modules, text] = process.argv.slice(2);
const options = JSON.parse(text);
const require = createRequire(join(modules, "none.js"));
// It warns of what is only for development, which all of this is.
console.info = console.warn = () => {};
const { default: Provider, errors } = require("oidc-provider");

const SCOPES = ["read", "write"];
// Whoever serves a resource asks about tokens as this client.
const asker = { client_id: "resource-server", client_secret: "resource-server-s3cret", redirect_uris: [], response_types: [], grant_types: [] };

const server = createServer();
const issuer = await listen(server);
let life = options.life ?? 3600;
let delay = 0;
const storage = new Map();
const held = (model) => [...(storage.get(model) ?? new Map()).keys()];

// Its own adapter keeps nothing that could be listed.
class Adapter {
  constructor(model) {
    this.model = model;
    if (!storage.has(model)) storage.set(model, new Map());
    this.kept = storage.get(model);
  }
  async upsert(id, payload, expiresIn) { this.kept.set(id, { payload, until: expiresIn ? Date.now() + expiresIn * 1000 : Infinity }); }
  async find(id) {
    const found = this.kept.get(id);
    return found && found.until > Date.now() ? found.payload : undefined;
  }
  async findBy(fits) { return [...this.kept.values()].find(({ payload }) => fits(payload))?.payload; }
  async findByUid(uid) { return this.findBy((payload) => payload.uid === uid); }
  async findByUserCode(code) { return this.findBy((payload) => payload.userCode === code); }
  async consume(id) { this.kept.get(id).payload.consumed = Math.floor(Date.now() / 1000); }
  async destroy(id) { this.kept.delete(id); }
  async revokeByGrantId(grant) {
    for (const [id, { payload }] of this.kept) if (payload.grantId === grant) this.kept.delete(id);
  }
}

const provider = new Provider(issuer, {
  adapter: Adapter,
  clients: [asker, ...(options.clients ?? [])],
  scopes: ["openid", "offline_access", ...(options.scopes === false ? [] : SCOPES)],
  ttl: { AccessToken: () => life, ClientCredentials: () => life, RefreshToken: 86400, Grant: 86400, Session: 86400, Interaction: 600 },
  cookies: { keys: ["cookie-s3cret"] },
  fetch: async (url) => {
    const document = options.documents?.[String(url)];
    return document ? Response.json(document) : new Response(null, { status: 404 });
  },
  issueRefreshToken: async (_, client) => options.refresh !== false && client.grantTypeAllowed("refresh_token"),
  features: {
    clientCredentials: { enabled: true },
    clientIdMetadataDocument: { enabled: options.documents !== undefined, ack: "draft-02" },
    deviceFlow: { enabled: true },
    introspection: { enabled: true, allowedPolicy: (_, client) => client.clientId === asker.client_id },
    registration: { enabled: true },
    revocation: { enabled: true, allowedPolicy: (_, client, token) => token.clientId === client.clientId },
    resourceIndicators: {
      enabled: true,
      defaultResource: () => undefined,
      useGrantedResource: () => true,
      getResourceServerInfo: (_, resource) => {
        if (!resource.startsWith("http://127.0.0.1:")) throw new errors.InvalidTarget();
        return {
          scope: SCOPES.join(" "),
          audience: options.audience ?? resource,
          accessTokenTTL: life,
          accessTokenFormat: options.opaque ? "opaque" : "jwt",
          jwt: { sign: { alg: "RS256" } },
        };
      },
    },
  },
});

provider.use(async (ctx, next) => {
  if (ctx.path === "/token") await new Promise((over) => setTimeout(over, delay));
  await next();
  const { body, oidc } = ctx;
  const params = { ...(oidc?.params ?? {}) };
  if (oidc?.route === "registration") Object.assign(params, oidc.body);
  const located = URL.parse(ctx.response.get("location") || "none:");
  const answered = { ...Object.fromEntries(located?.searchParams ?? []), ...(body?.constructor === Object ? body : {}) };
  if (oidc?.route === "discovery") ctx.body = laidOver(body, options.metadata);
  else if (oidc?.route !== "introspection" && oidc?.route !== "jwks") secrets(params, answered, ctx.get("authorization"));
  const shown = body?.constructor === Object ? body.error : located?.searchParams.get("error");
  say({ did: oidc?.route ?? ctx.path, status: ctx.status, params, error: shown ?? undefined });
});
for (const event of ["server_error", "authorization.error", "grant.error", "registration_create.error"])
  provider.on(event, (_, error) => say({ failed: event, why: `${error.message}: ${error.error_description ?? error.stack}` }));

server.on("request", provider.callback());
obey({
  life: (seconds) => { life = seconds; },
  // Of all answers with tokens.
  delay: (milliseconds) => { delay = milliseconds; },
  // All access tokens, or the refresh tokens, too.
  revoke: (what) => {
    for (const model of what === "all" ? ["AccessToken", "RefreshToken", "Grant"] : ["AccessToken"]) held(model).forEach((id) => storage.get(model).delete(id));
  },
  // The clients that were registered.
  forget: () => storage.get("Client").clear(),
});
say({ ready: issuer });
