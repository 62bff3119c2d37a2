// What nginx asks before it lets a request pass: is this access token good right now, for this service and this scope?

const crypto = require("crypto");

/** Answers `auth_request /_check/SCOPE` (no scope, nothing asked for): 204 lets the request pass, the others do not. */
async function check(r) {
    if (!r.variables.access_token) {
        return refuse(r, "");
    }
    const answer = await r.subrequest("/_introspect");
    if (answer.status !== 200) {
        r.error(`introspection answered ${answer.status}`);
        return r.return(500);
    }
    const token = JSON.parse(answer.responseText);
    // A refresh token is active as well, but it has no `token_type` and no `aud`.
    if (!token.active || token.token_type !== "Bearer" || token.iss !== r.variables.issuer
        || !token.aud.includes(r.variables.audience) || token.exp * 1000 <= Date.now()) {
        return refuse(r, ' error="invalid_token"');
    }
    const needed = r.uri.slice("/_check/".length);
    if (needed && !(token.scope || "").split(" ").includes(needed)) {
        return r.return(403);
    }
    r.headersOut["X-Subject"] = token.sub;
    r.headersOut["X-Client"] = token.client_id;
    r.headersOut["X-Scope"] = token.scope || "";
    r.return(204);
}

function refuse(r, why) {
    r.headersOut["WWW-Authenticate"] = "Bearer" + why;
    r.return(401);
}

/** Under which name an answer is kept: a digest, so that no token is written down. */
function digest(r) {
    return crypto.createHash("sha256").update(r.variables.access_token).digest("hex");
}

export default { check, digest };
