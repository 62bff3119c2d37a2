// The scenarios, each played by people who arrive at browsers without cookies.

import assert from 'node:assert/strict'

export async function both(cluster, arrive) {
  const person = await arrive()
  await person.open(`${cluster.notes}/`)
  await person.press('login')
  await person.signIn()
  await person.press('consent-accept')
  await person.mustBeIn(cluster.notes)

  await person.open(`${cluster.photos}/`)
  await person.press('login')
  assert(!(await person.has('password')), 'the password was asked for twice')
  await person.press('consent-accept')
  await person.mustBeIn(cluster.photos)

  await person.press('logout')
  await person.mustBeOut(cluster.photos)
  await person.mustSoonBeOut(cluster.notes)
  await person.press('login')
  assert(await person.has('password'), 'the server still knows the person')
}

export async function consent_once(cluster, arrive) {
  const person = await arrive()
  await person.open(`${cluster.notes}/`)
  await person.press('login')
  await person.signIn()
  const text = await person.text()
  assert.match(text, /Notes/)
  await person.press('consent-accept')
  await person.press('logout')

  await person.press('login')
  await person.signIn()
  await person.mustBeIn(cluster.notes)
}

export async function denied(cluster, arrive) {
  const person = await arrive()
  await person.open(`${cluster.notes}/`)
  await person.press('login')
  await person.signIn()
  await person.press('consent-deny')
  assert(person.page.url().startsWith(`${cluster.notes}/callback`))
  assert.match(await person.text(), /access_denied/)

  await person.press('login')
  assert(await person.has('consent-accept'), 'a refusal is no consent')
  await person.press('consent-accept')
  await person.mustBeIn(cluster.notes)
}

export async function wrong_password(cluster, arrive) {
  const person = await arrive()
  await person.open(`${cluster.notes}/`)
  await person.press('login')
  await person.signIn({ username: cluster.username, password: 'wrong horse battery' })
  const known = await person.page.locator('[role=alert]').innerText()
  await person.signIn({ username: 'nobody', password: 'wrong horse battery' })
  const unknown = await person.page.locator('[role=alert]').innerText()
  assert(known.length > 0)
  assert.equal(known, unknown, 'the page tells who has an account here')
  await person.signIn()
  await person.press('consent-accept')
  await person.mustBeIn(cluster.notes)
}

export async function too_many_tries(cluster, arrive) {
  const person = await arrive()
  await person.open(`${cluster.notes}/`)
  await person.press('login')
  const said = new Set()
  for (let tries = 0; tries < 30 && said.size < 2; tries++) {
    await person.signIn({ username: cluster.username, password: `wrong ${tries}` })
    said.add(await person.page.locator('[role=alert]').innerText())
  }
  assert.equal(said.size, 2, `only ever said: ${[...said]}`)
  await person.signIn()
  assert(await person.has('login-submit'), 'the right password passed all the same')
}

export async function expired(cluster, arrive) {
  const person = await arrive()
  await person.open(`${cluster.notes}/`)
  await person.press('login')
  await person.context.clearCookies({ domain: '127.0.0.1' })
  await person.signIn()
  assert(person.page.url().startsWith(cluster.server), person.page.url())
  assert(!(await person.has('consent-accept')), 'another browser could have gone on')

  await person.open(`${cluster.notes}/`)
  await person.press('login')
  await person.signIn()
  await person.press('consent-accept')
  await person.mustBeIn(cluster.notes)
}

export async function back_button(cluster, arrive) {
  // To the question about consent, which is asked once, and the second time to the sign-in page; then on from there,
  // where it offers to.
  for (const page of ['consent', 'login']) {
    const person = await arrive()
    await person.open(`${cluster.notes}/`)
    await person.press('login')
    await person.signIn()
    if (await person.has('consent-accept')) await person.press('consent-accept')
    await person.mustBeIn(cluster.notes)

    await person.page.goBack()
    await person.look()
    assert(person.page.url().startsWith(`${cluster.server}/${page}`), person.page.url())
    if (await person.has('login-submit')) await person.signIn()
    if (await person.has('consent-accept')) await person.press('consent-accept')
    await person.open(`${cluster.notes}/`)
    await person.mustBeIn(cluster.notes)
  }
}

export async function two_tabs(cluster, arrive) {
  const one = await arrive()
  const two = await one.secondTab()
  for (const [tab, application] of [[one, cluster.notes], [two, cluster.photos]]) {
    await tab.open(`${application}/`)
    await tab.press('login')
    assert(await tab.has('password'))
  }
  for (const [tab, application] of [[one, cluster.notes], [two, cluster.photos]]) {
    await tab.signIn()
    await tab.press('consent-accept')
    await tab.mustBeIn(application)
  }
}

export async function keyboard(cluster, arrive) {
  const { page } = await arrive({ javaScriptEnabled: false })
  await page.goto(`${cluster.notes}/login`)
  assert.equal(await page.evaluate(() => document.activeElement.id), 'username')
  await page.keyboard.type(cluster.username)
  await tabTo(page, 'password')
  await page.keyboard.type(cluster.password)
  await Promise.all([page.waitForURL(/consent/), page.keyboard.press('Enter')])
  await tabTo(page, 'consent-accept')
  await Promise.all([page.waitForURL(`${cluster.notes}/`), page.keyboard.press('Enter')])
  assert.match(await page.locator('main').innerText(), /signed in as/)
}

export async function change_password(cluster, arrive) {
  const [here, elsewhere] = [await arrive(), await arrive()]
  for (const person of [here, elsewhere]) {
    await person.open(`${cluster.server}/account`)
    await person.signIn()
    assert(await person.has('password-submit'), await person.text())
  }

  const fresh = 'purple monkey dishwasher'
  for (const [current, repeated, fault] of [['wrong', fresh, true], [cluster.password, 'another one', true], [cluster.password, fresh, false]]) {
    await here.page.fill('#current-password', current)
    await here.page.fill('#new-password', fresh)
    await here.page.fill('#new-password-again', repeated)
    await here.press('password-submit')
    assert.equal(await here.has('problem'), fault, await here.text())
  }

  await elsewhere.open(`${cluster.server}/account`)
  assert(await elsewhere.has('login-submit'), 'signed in elsewhere with the old password')
  await elsewhere.signIn()
  assert(await elsewhere.has('problem'), 'the old password still works')
  await elsewhere.signIn({ username: cluster.username, password: fresh })
  assert(await elsewhere.has('password-submit'), await elsewhere.text())
}

export async function end_others(cluster, arrive) {
  const [here, elsewhere] = [await arrive(), await arrive()]
  await elsewhere.open(`${cluster.notes}/`)
  await elsewhere.press('login')
  await elsewhere.signIn()
  await elsewhere.press('consent-accept')
  await elsewhere.mustBeIn(cluster.notes)

  await here.open(`${cluster.server}/account`)
  await here.signIn()
  assert.match(await here.text(), /Notes/)
  await here.press('end-others')
  assert(!(await here.has('end-others')), 'no other sign-in is left')

  await elsewhere.mustSoonBeOut(cluster.notes)
  await elsewhere.press('login')
  assert(await elsewhere.has('login-submit'), 'the other browser is still signed in')
  await here.open(`${cluster.server}/account`)
  assert(await here.has('password-submit'), 'and so is this one no more')
}

export async function logout_page(cluster, arrive) {
  const person = await arrive()
  await person.open(`${cluster.notes}/`)
  await person.press('login')
  await person.signIn()
  await person.press('consent-accept')
  await person.mustBeIn(cluster.notes)

  await person.open(`${cluster.server}/oauth2/logout`)
  assert(await person.has('logout-confirm'))
  await person.open(`${cluster.notes}/`)
  await person.mustBeIn(cluster.notes)

  await person.open(`${cluster.server}/account`)
  await person.press('sign-out')
  await person.press('logout-confirm')
  assert(!(await person.has('logout-confirm')))
  await person.mustSoonBeOut(cluster.notes)
}

export async function error_page(cluster, arrive) {
  const person = await arrive()
  const request = {
    client_id: 'demo-notes',
    response_type: 'code',
    redirect_uri: `${cluster.notes}/callback/elsewhere`,
    scope: 'openid',
    code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
    code_challenge_method: 'S256',
  }
  for (const wrong of [request, { ...request, client_id: 'nobody' }]) {
    await person.open(`${cluster.server}/oauth2/authorize?${new URLSearchParams(wrong)}`)
    assert(person.page.url().startsWith(cluster.server), 'sent on to an address that is not registered')
    assert.match(await person.text(), /redirect_uri|client/)
  }
  await person.open(`${cluster.server}/login`)
}

async function tabTo(page, id) {
  for (let presses = 0; presses < 20; presses++) {
    await page.keyboard.press('Tab')
    const [now, outline] = await page.evaluate(() => {
      const { id } = document.activeElement
      const { outlineStyle, boxShadow } = getComputedStyle(document.activeElement)
      return [id, outlineStyle !== 'none' || boxShadow !== 'none']
    })
    assert(outline, `${now}: nothing shows where the keyboard is`)
    if (now === id) return
  }
  throw new Error(`the keyboard does not reach ${id}`)
}
