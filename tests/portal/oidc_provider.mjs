// A certified OpenID provider with ID-porten's strict rules, as a process of its own. Settings come as JSON in the
// first argument; "ready" on standard output says that it listens, and each back-channel answer is one more line.
import { createServer } from "node:http";
import { pathToFileURL } from "node:url";

const given = JSON.parse(process.argv[2]);
const { default: Provider, errors } = await import(pathToFileURL(given.packages + "/oidc-provider/lib/index.js").href);
const LEVELS = ["idporten-loa-substantial", "idporten-loa-high", "selfregistered-email"];

const refuse = (why) => { throw new errors.InvalidClientAuth(why); };

const provider = new Provider(given.issuer, {
  jwks: { keys: given.signing },
  cookies: { keys: ["only for tests"] },
  acrValues: LEVELS,
  // Else these are only in userinfo.
  conformIdTokenClaims: false,
  claims: { openid: ["sub", "pid", "acr", "amr", "auth_time", "sid"], profile: ["locale"] },
  scopes: ["openid", "profile"],
  clientAuthMethods: ["private_key_jwt"],
  responseTypes: ["code"],
  pkce: { required: () => true },
  features: {
    devInteractions: { enabled: false },
    backchannelLogout: { enabled: true },
    rpInitiatedLogout: {
      enabled: true,
      logoutSource: (ctx, form) => {
        ctx.body = `<!doctype html><title>Log out</title>${form}<button form="op.logoutForm" name="logout" value="yes">`;
      },
    },
  },
  clients: [{
    client_id: given.client_id,
    redirect_uris: [given.redirect_uri],
    post_logout_redirect_uris: [given.logged_out_uri],
    backchannel_logout_uri: given.backchannel_uri,
    backchannel_logout_session_required: true,
    grant_types: ["authorization_code"],
    response_types: ["code"],
    token_endpoint_auth_method: "private_key_jwt",
    token_endpoint_auth_signing_alg: "RS256",
    id_token_signed_response_alg: "RS256",
    jwks: { keys: given.client_keys },
  }],
  subjectTypes: ["public"],
  // ID-porten's own rules, stricter than the standard's.
  assertJwtClientAuthClaimsAndHeader: (ctx, claims, header, client) => {
    if (claims.aud !== given.issuer) refuse("aud must be the issuer alone");
    if (claims.exp - claims.iat > 120) refuse("the assertion lives too long");
    if (!header.kid) refuse("kid is required");
    if (ctx.oidc.body.client_id !== client.clientId) refuse("client_id is required in the form");
  },
  interactions: { url: (ctx, interaction) => `/interaction/${interaction.uid}` },
  loadExistingGrant: async (ctx) => {
    const grant = new ctx.oidc.provider.Grant({
      clientId: ctx.oidc.client.clientId,
      accountId: ctx.oidc.session.accountId,
    });
    grant.addOIDCScope("openid profile");
    await grant.save();
    return grant;
  },
  findAccount: (ctx, id) => ({
    accountId: id,
    claims: () => ({ sub: id, locale: "nb", ...(id.startsWith("foreign") ? {} : { pid: id }) }),
  }),
  // Its guard refuses addresses of this machine, where the tests run.
  fetch: async (url, { dispatcher, ...options }) => globalThis.fetch(url, options),
});

provider.on("server_error", (ctx, error) => console.error("server_error", error.message));
provider.on("backchannel.success", () => console.log("backchannel success"));
provider.on("backchannel.error", (ctx, error) => console.log("backchannel error " + error.message));

async function body(request) {
  let text = "";
  for await (const part of request) text += part;
  return new URLSearchParams(text);
}

const answer = provider.callback();
createServer(async (request, response) => {
  try {
    if (!request.url.startsWith("/interaction/")) return answer(request, response);
    if (request.method === "GET") {
      response.setHeader("content-type", "text/html");
      return response.end("<!doctype html><title>TestID</title>");
    }
    const form = await body(request);
    const login = { accountId: form.get("pid"), acr: form.get("acr"), amr: ["TestID"], remember: true };
    await provider.interactionFinished(request, response, { login }, { mergeWithLastSubmission: false });
  } catch (error) {
    console.error("interaction", error.message);
    response.statusCode = 500;
    response.end();
  }
}).listen(given.port, "127.0.0.1", () => console.log("ready"));
