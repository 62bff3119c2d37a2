"""Which access tokens were revoked before they expired, from Tokenhouse's status lists (IETF Token Status List, draft 20).

A thread for each list fetches it again every `ttl` seconds, two of them as it is served. A request looks at the bits in
memory; only the first one that meets a list waits for it.
"""

import base64
import logging
import threading
import time
import urllib.request
import zlib

import jwt


class Unavailable(Exception):
    """Whether a token was revoked cannot be told: answer 503, never 200."""


class StatusLists:
    """The lists that tokens have named. `keys` is the `PyJWKClient` of the issuer."""

    def __init__(self, keys, algorithm="ES256"):
        self.keys, self.algorithm = keys, algorithm
        self.lists, self.lock = {}, threading.Lock()

    def revoked(self, claims):
        """Whether a token with these claims was revoked. Its signature and its claims have been checked before."""
        entry = claims["status"]["status_list"]
        with self.lock:
            if entry["uri"] not in self.lists:
                self.lists[entry["uri"]] = StatusList(entry["uri"], self.keys, self.algorithm)
            found = self.lists[entry["uri"]]
        return found.bit(entry["idx"])


class StatusList:
    def __init__(self, uri, keys, algorithm):
        self.uri, self.keys, self.algorithm = uri, keys, algorithm
        self.claims, self.bits, self.tried = {"iat": 0, "exp": 0, "ttl": 1}, b"", threading.Event()
        threading.Thread(target=self.follow, daemon=True).start()

    def bit(self, index):
        self.tried.wait(timeout=3)
        if time.time() >= self.claims["exp"] or not 0 <= index < 8 * len(self.bits):
            raise Unavailable(f"{self.uri} is too old, or too short for {index}")
        return self.bits[index >> 3] >> (index & 7) & 1 == 1

    def follow(self):
        while True:
            try:
                self.fetch()
            except Exception as error:  # whatever it was: the list that is there is good until its `exp`
                logging.warning("no fresh status list: %s: %s", self.uri, error)
            self.tried.set()
            time.sleep(self.claims["ttl"])

    def fetch(self):
        with urllib.request.urlopen(self.uri, timeout=2) as answer:
            token = answer.read().decode("ascii")
        key = self.keys.get_signing_key_from_jwt(token)
        must = {"require": ["sub", "iat", "exp", "ttl", "status_list"]}
        signed = jwt.decode_complete(token, key, algorithms=[self.algorithm], subject=self.uri, leeway=10, options=must)
        claims, status_list = signed["payload"], signed["payload"]["status_list"]
        if signed["header"].get("typ") != "statuslist+jwt" or status_list["bits"] != 1:
            raise ValueError("this is no status list of one bit a token")
        if claims["iat"] >= self.claims["iat"]:  # a cache on the way may still have an older one
            lst = status_list["lst"]
            self.bits = zlib.decompress(base64.urlsafe_b64decode(lst + "=" * (-len(lst) % 4)))
            self.claims = claims
