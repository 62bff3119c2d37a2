// An Express service that accepts Tokenhouse access tokens: two endpoints, and what stands before them.
// Run it with `node notes.mjs`. ISSUER, AUDIENCE and PORT come from the environment.

import express from "express";
import { createRemoteJWKSet, errors, jwtVerify } from "jose";
import { StatusLists, Unavailable } from "./status_lists.mjs";

const ISSUER = process.env.ISSUER ?? "http://127.0.0.1:8080";
const AUDIENCE = process.env.AUDIENCE ?? ISSUER;

const published = createRemoteJWKSet(new URL(`${ISSUER}/.well-known/jwks.json`), {
  cacheMaxAge: 300_000,
  cooldownDuration: 30_000,
  timeoutDuration: 2_000,
});

// That no key fits is the token's fault, everything else is not.
const unfit = [errors.JWKSNoMatchingKey, errors.JWKSMultipleMatchingKeys];
const keys = (header, token) =>
  published(header, token).catch((error) => {
    throw unfit.some((kind) => error instanceof kind) ? error : new Unavailable(`no keys: ${error.message}`);
  });
const statusLists = new StatusLists(keys);

const expected = {
  algorithms: ["ES256"],
  typ: "at+jwt",
  issuer: ISSUER,
  audience: AUDIENCE,
  requiredClaims: ["sub", "exp", "iat", "jti", "client_id", "status"],
  clockTolerance: 10,
};

/** Lets requests pass whose access token is good and has these scopes; its claims are then in `request.caller`. */
function caller(...scopes) {
  return async (request, response, next) => {
    const token = /^Bearer +([\w.-]+)$/i.exec(request.get("Authorization") ?? "")?.[1];
    if (!token) return refuse(response, 401, "Bearer", "an access token is needed");
    try {
      const { payload } = await jwtVerify(token, keys, expected);
      if (await statusLists.revoked(payload)) throw new errors.JWTInvalid("revoked");
      request.caller = payload;
    } catch (error) {
      if (error instanceof Unavailable) return response.status(503).set("Retry-After", "2").json({ detail: "try again" });
      return refuse(response, 401, 'Bearer error="invalid_token"', "the token is not good");
    }
    const granted = (request.caller.scope ?? "").split(" ");
    if (scopes.every((scope) => granted.includes(scope))) return next();
    refuse(response, 403, `Bearer error="insufficient_scope", scope="${scopes.join(" ")}"`, "a scope is missing");
  };
}

function refuse(response, status, challenge, detail) {
  response.status(status).set("WWW-Authenticate", challenge).json({ detail });
}

const app = express();

app.get("/notes/", caller(), ({ caller: { sub, client_id, scope = "" } }, response) => {
  response.json({ user: sub, client: client_id, scope });
});

app.get("/reports/", caller("reports:read"), (request, response) => {
  response.json({ client: request.caller.client_id });
});

app.listen(process.env.PORT ?? 8000, "127.0.0.1");
