// openid-client signs in, asks who it is, refreshes and signs out. Its one argument is JSON: see server.rs.

import assert from 'node:assert/strict'
import * as client from 'openid-client'
import { Browser, has } from './browser.mjs'

const server = JSON.parse(process.argv[2])
const application = new URL(server.redirect_uri).origin

const config = await client.discovery(
  new URL(server.issuer),
  server.client_id,
  undefined,
  client.ClientSecretBasic(server.client_secret),
  { execute: [client.allowInsecureRequests, client.enableNonRepudiationChecks] },
)
assert.equal(config.serverMetadata().issuer, server.issuer)
assert(config.serverMetadata().supportsPKCE())
ok('discovery')

const browser = new Browser(application)
const begun = await begin({ scope: 'openid profile email offline_access', prompt: 'consent' })
const page = await signIn(await browser.open(begun.url))
assert(page.url.href.startsWith(server.redirect_uri), `not back at the application: ${page.url} ${page.html}`)
assert.equal(page.url.searchParams.get('iss'), server.issuer)

await assert.rejects(finish(page, { ...begun, state: 'another' }), ({ cause }) => /state/.test(cause.message))
ok('an answer with another state is refused by the client')

const tokens = await finish(page, begun)
const claims = tokens.claims()
assert.equal(claims.iss, server.issuer)
assert.equal(claims.aud, server.client_id)
assert.equal(claims.nonce, begun.nonce)
assert.match(tokens.scope ?? begun.scope, /openid/)
ok('code, PKCE and ID token, with its signature')

await refused(finish(page, begun), 'invalid_grant')
ok('a code is good once')

// What the second use of the code has ended is begun anew, and needs neither password nor consent this time.
const again = await begin({ scope: 'openid profile email' })
const pair = await finish(await browser.open(again.url), again)
assert.equal(pair.claims().sub, claims.sub)
assert.equal(pair.claims().auth_time ?? claims.auth_time, claims.auth_time)
ok('a second sign-in without a page')

const info = await client.fetchUserInfo(config, pair.access_token, claims.sub)
assert.equal(info.sub, claims.sub)
assert.equal(info.email, 'ada@example.org')
assert.equal(info.preferred_username, server.username)
ok('userinfo')

const next = await client.refreshTokenGrant(config, pair.refresh_token)
assert.notEqual(next.access_token, pair.access_token)
assert.equal(next.claims()?.sub ?? claims.sub, claims.sub)
assert.equal((await client.fetchUserInfo(config, next.access_token, claims.sub)).sub, claims.sub)
ok('refresh')

const stranger = await begin({ scope: 'openid' })
const theirs = await signIn(await browser.open(stranger.url))
await refused(finish(theirs, { ...stranger, verifier: client.randomPKCECodeVerifier() }), 'invalid_grant')
ok('a code is worth nothing without its verifier')

const goodbye = client.buildEndSessionUrl(config, {
  id_token_hint: pair.id_token,
  post_logout_redirect_uri: server.post_logout_redirect_uri,
  state: 'so long',
})
const bye = await browser.open(goodbye)
assert(bye.url.href.startsWith(server.post_logout_redirect_uri), `not sent back: ${bye.url} ${bye.html}`)
assert.equal(bye.url.searchParams.get('state'), 'so long')
await refused(client.refreshTokenGrant(config, next.refresh_token), 'invalid_grant')
const silent = await begin({ scope: 'openid', prompt: 'none' })
await refused(finish(await browser.open(silent.url), silent), 'login_required')
ok('sign-out, which ends the session')

console.log('all good')

async function begin(parameters) {
  const [verifier, state, nonce] = [client.randomPKCECodeVerifier(), client.randomState(), client.randomNonce()]
  const url = client.buildAuthorizationUrl(config, {
    redirect_uri: server.redirect_uri,
    code_challenge: await client.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
    state,
    nonce,
    ...parameters,
  })
  return { url, verifier, state, nonce, scope: parameters.scope }
}

function finish(page, begun) {
  return client.authorizationCodeGrant(config, page.url, {
    pkceCodeVerifier: begun.verifier,
    expectedState: begun.state,
    expectedNonce: begun.nonce,
    idTokenExpected: true,
  })
}

async function signIn(page) {
  if (has(page, 'login-submit')) {
    const { username, password } = server
    page = await browser.press(page, 'login-submit', { username, password })
  }
  if (has(page, 'consent-accept')) page = await browser.press(page, 'consent-accept')
  return page
}

async function refused(attempt, error) {
  await assert.rejects(attempt, (reason) => {
    assert.equal(reason.error, error, reason.stack)
    return true
  })
}

function ok(what) {
  console.log(`ok  ${what}`)
}
