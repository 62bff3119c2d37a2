"""authlib signs in, asks who it is, refreshes and signs out. The one argument is JSON: see server.rs."""

import json
import sys
from urllib.parse import parse_qs, urlencode, urlsplit

import requests
from authlib.common.errors import AuthlibBaseError
from authlib.common.security import generate_token
from authlib.integrations.requests_client import OAuth2Session
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.jwk import KeySet

from browser import Browser

SCOPE = "openid profile email offline_access"
ALGORITHMS = ["RS256", "ES256"]


def main(server):
    metadata = requests.get(server["issuer"] + "/.well-known/openid-configuration").json()
    assert metadata["issuer"] == server["issuer"]
    assert "S256" in metadata["code_challenge_methods_supported"]
    keys = KeySet.import_key_set(requests.get(metadata["jwks_uri"]).json())
    ok("discovery")

    application = Application(server, metadata, keys)
    browser = Browser(server["redirect_uri"].removesuffix("/callback"))

    begun = application.begin(scope=SCOPE, prompt="consent")
    page = sign_in(browser, browser.open(begun["url"]), server)
    assert page.url.startswith(server["redirect_uri"]), (page.url, page.html)
    refused("mismatching_state", application.finish, page, {**begun, "state": "another"})
    ok("an answer with another state is refused by the client")
    session, claims = application.finish(page, begun)
    assert claims["aud"] in (server["client_id"], [server["client_id"]])
    ok("code, PKCE and ID token, with its signature, nonce and at_hash")

    info = session.get(metadata["userinfo_endpoint"]).json()
    assert (info["sub"], info["email"]) == (claims["sub"], "ada@example.org"), info
    ok("userinfo")

    first = dict(session.token)
    session.refresh_token(metadata["token_endpoint"])
    assert session.token["access_token"] != first["access_token"]
    assert session.get(metadata["userinfo_endpoint"]).json()["sub"] == claims["sub"]
    ok("refresh")

    stranger = application.begin(scope="openid")
    theirs = sign_in(browser, browser.open(stranger["url"]), server)
    wrong = {**stranger, "verifier": generate_token(64)}
    refused("invalid_grant", application.finish, theirs, wrong)
    ok("a code is worth nothing without its verifier")

    goodbye = {
        "id_token_hint": first["id_token"],
        "post_logout_redirect_uri": server["post_logout_redirect_uri"],
        "state": "so long",
    }
    page = browser.open(metadata["end_session_endpoint"] + "?" + urlencode(goodbye))
    assert page.url.startswith(server["post_logout_redirect_uri"]), (page.url, page.html)
    assert parse_qs(urlsplit(page.url).query)["state"] == ["so long"]
    silent = application.begin(scope="openid", prompt="none")
    page = browser.open(silent["url"])
    assert parse_qs(urlsplit(page.url).query)["error"] == ["login_required"], page.url
    session.refresh_token(metadata["token_endpoint"])
    ok("sign-out, which a session with offline_access outlives")
    print("all good")


class Application:
    def __init__(self, server, metadata, keys):
        self.server, self.metadata, self.keys = server, metadata, keys

    def begin(self, **parameters):
        verifier, nonce = generate_token(64), generate_token(32)
        session = self._session(parameters["scope"])
        url, state = session.create_authorization_url(
            self.metadata["authorization_endpoint"], code_verifier=verifier, nonce=nonce, **parameters
        )
        return {"url": url, "state": state, "nonce": nonce, "verifier": verifier, "scope": parameters["scope"]}

    def finish(self, page, begun):
        session = self._session(begun["scope"])
        token = session.fetch_token(
            self.metadata["token_endpoint"],
            authorization_response=page.url,
            state=begun["state"],
            code_verifier=begun["verifier"],
        )
        decoded = jwt.decode(token["id_token"], self.keys, algorithms=ALGORITHMS)
        claims = CodeIDToken(
            decoded.claims,
            decoded.header,
            options={"iss": {"essential": True, "value": self.server["issuer"]}, "exp": {"essential": True}},
            params={
                "client_id": self.server["client_id"],
                "nonce": begun["nonce"],
                "access_token": token["access_token"],
            },
        )
        claims.validate()
        return session, claims

    def _session(self, scope):
        return OAuth2Session(
            self.server["client_id"],
            self.server["client_secret"],
            scope=scope,
            redirect_uri=self.server["redirect_uri"],
            token_endpoint_auth_method="client_secret_basic",
            code_challenge_method="S256",
        )


def sign_in(browser, page, server):
    if page.has("login-submit"):
        page = browser.press(page, "login-submit", username=server["username"], password=server["password"])
    if page.has("consent-accept"):
        page = browser.press(page, "consent-accept")
    return page


def refused(error, attempt, *arguments):
    try:
        attempt(*arguments)
    except AuthlibBaseError as reason:
        assert reason.error == error, reason
    else:
        raise AssertionError(f"not refused with {error}")


def ok(what):
    print("ok ", what)


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
