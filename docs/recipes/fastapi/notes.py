"""A FastAPI service that accepts Tokenhouse access tokens: one route and its checks.

Run it with `uvicorn notes:app`. ISSUER and AUDIENCE come from the environment.
"""

import os
from typing import Annotated

import jwt
from fastapi import Depends, FastAPI, HTTPException, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer, SecurityScopes
from status_lists import StatusLists, Unavailable

ISSUER = os.environ.get("ISSUER", "http://127.0.0.1:8080")
AUDIENCE = os.environ.get("AUDIENCE", ISSUER)

app = FastAPI()
keys = jwt.PyJWKClient(f"{ISSUER}/.well-known/jwks.json", lifespan=300, cooldown_duration=30, timeout=2)
status_lists = StatusLists(keys)
bearer = Annotated[HTTPAuthorizationCredentials | None, Depends(HTTPBearer(auto_error=False))]


# Not `async`: FastAPI runs it in a thread, where it may wait for the keys now and then.
def caller(needed: SecurityScopes, credentials: bearer):
    """The claims of the access token that came with the request, if it is good and has the scopes that are needed."""
    if credentials is None:
        raise refused(401, "Bearer", "an access token is needed")
    token = credentials.credentials
    try:
        key = keys.get_signing_key_from_jwt(token)
        must = {"require": ["iss", "sub", "aud", "exp", "iat", "jti", "client_id", "status"]}
        signed = jwt.decode_complete(
            token, key, algorithms=["ES256"], issuer=ISSUER, audience=AUDIENCE, leeway=10, options=must
        )
        if str(signed["header"].get("typ")).lower() not in ("at+jwt", "application/at+jwt"):
            raise jwt.InvalidTokenError("not an access token")
        claims = signed["payload"]
        if status_lists.revoked(claims):
            raise jwt.InvalidTokenError("revoked")
    except (jwt.PyJWKClientConnectionError, Unavailable):
        raise HTTPException(503, "the token cannot be checked now", {"Retry-After": "2"}) from None
    except jwt.PyJWTError:
        raise refused(401, 'Bearer error="invalid_token"', "the token is not good") from None
    if not set(needed.scopes) <= set(claims.get("scope", "").split()):
        raise refused(403, f'Bearer error="insufficient_scope", scope="{needed.scope_str}"', "a scope is missing")
    return claims


def refused(status, challenge, why):
    return HTTPException(status, why, {"WWW-Authenticate": challenge})


@app.get("/notes/")
def notes(claims: Annotated[dict, Security(caller)]):
    """Whose notes these are, as the token says."""
    return {"user": claims["sub"], "client": claims["client_id"], "scope": claims.get("scope", "")}


@app.get("/reports/")
def reports(claims: Annotated[dict, Security(caller, scopes=["reports:read"])]):
    """For those alone who were granted `reports:read`."""
    return {"client": claims["client_id"]}
