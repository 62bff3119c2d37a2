// Which access tokens were revoked before they expired, from Tokenhouse's status lists (IETF Token Status List, draft 20).
//
// Each list is fetched again every `ttl` seconds, two of them as it is served, whether or not a request comes. A request
// looks at the bits in memory; only the first ones that meet a list wait for it.

import { inflateSync } from "node:zlib";
import { jwtVerify } from "jose";

/** Whether a token was revoked cannot be told: answer 503, never 200. */
export class Unavailable extends Error {}

export class StatusLists {
  #lists = new Map();

  /** `keys` is the `createRemoteJWKSet` of the issuer. */
  constructor(keys, algorithm = "ES256") {
    this.keys = keys;
    this.algorithm = algorithm;
  }

  /** Whether a token with these claims was revoked. Its signature and its claims have been checked before. */
  async revoked({ status: { status_list: { uri, idx } } }) {
    if (!this.#lists.has(uri)) this.#lists.set(uri, this.#follow(uri));
    const list = this.#lists.get(uri);
    await list.tried;
    if (Date.now() >= list.exp * 1000 || !(idx >= 0 && idx < list.bits.length * 8)) {
      throw new Unavailable(`${uri} is too old, or too short for ${idx}`);
    }
    return ((list.bits[idx >> 3] >> (idx & 7)) & 1) === 1;
  }

  #follow(uri) {
    const list = { uri, bits: Buffer.alloc(0), iat: 0, exp: 0, ttl: 1 };
    const again = async () => {
      // Whatever went wrong: the list that is there is good until its `exp`.
      await this.#fetch(list).catch((error) => console.warn(`no fresh status list: ${uri}: ${error.message}`));
      setTimeout(again, list.ttl * 1000).unref();
    };
    list.tried = again();
    return list;
  }

  async #fetch(list) {
    const answer = await fetch(list.uri, { signal: AbortSignal.timeout(2000), redirect: "error" });
    if (!answer.ok) throw new Error(`status ${answer.status}`);
    const { payload } = await jwtVerify(await answer.text(), this.keys, {
      algorithms: [this.algorithm],
      typ: "statuslist+jwt",
      subject: list.uri,
      requiredClaims: ["iat", "exp", "ttl", "status_list"],
      clockTolerance: 10,
    });
    const { bits, lst } = payload.status_list;
    if (bits !== 1) throw new Error("this is no list of one bit a token");
    if (payload.iat < list.iat) return; // a cache on the way may still have an older one
    list.bits = inflateSync(Buffer.from(lst, "base64url"));
    ({ iat: list.iat, exp: list.exp, ttl: list.ttl } = payload);
  }
}
