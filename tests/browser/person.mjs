// Somebody at a browser.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

/** Sizes and schemes in which every page is looked at. */
const LOOKS = [
  { width: 1280, height: 800, colorScheme: 'light' },
  { width: 1280, height: 800, colorScheme: 'dark' },
  { width: 360, height: 740, colorScheme: 'light' },
]

export class Person {
  #cluster
  #faults = []
  #looked = new Set()

  static async arrive(browser, cluster, options) {
    const context = await browser.newContext({ reducedMotion: 'reduce', ...options })
    context.setDefaultTimeout(30_000)
    return new Person(cluster, context, await context.newPage())
  }

  constructor(cluster, context, page) {
    this.#cluster = cluster
    this.context = context
    this.page = page
    const ours = [cluster.server, cluster.notes, cluster.photos]
    context.on('request', (request) => {
      if (!ours.some((origin) => request.url().startsWith(`${origin}/`))) this.#faults.push(`asked for ${request.url()}`)
    })
    context.on('console', (message) => {
      const text = message.text()
      // Chromium notes every answer that is not 200 as an error; those are looked at on the page.
      if (message.type() === 'error' && !text.startsWith('Failed to load resource')) this.#faults.push(text)
    })
    context.on('weberror', (fault) => this.#faults.push(fault.error().message))
  }

  /** A second tab, with the same cookies. */
  async secondTab() {
    const other = new Person(this.#cluster, this.context, await this.context.newPage())
    other.#faults = this.#faults
    other.#looked = this.#looked
    return other
  }

  async open(url) {
    await this.page.goto(url)
    await this.look()
  }

  /** Presses something by its id and waits for the page that comes of it. */
  async press(id) {
    await Promise.all([this.page.waitForEvent('domcontentloaded'), this.page.locator(`#${id}`).click()])
    // Whatever it was may lead on to other pages by itself.
    await this.page.waitForLoadState('load')
    await this.look()
  }

  async signIn({ username, password } = this.#cluster) {
    await this.page.fill('#username', username)
    await this.page.fill('#password', password)
    await this.press('login-submit')
  }

  has(id) {
    return this.page.locator(`#${id}`).isVisible()
  }

  text() {
    return this.page.locator('main').innerText()
  }

  async mustBeIn(application) {
    assert.equal(this.page.url(), `${application}/`)
    assert(await this.has('logout'), `not signed in: ${await this.text()}`)
  }

  async mustBeOut(application) {
    await this.page.goto(`${application}/`)
    assert(await this.has('nobody'), `still signed in: ${await this.text()}`)
  }

  /**
   * The notice of a sign-out comes a moment after the sign-out itself; where an application needs longer than two seconds
   * to answer, it comes again after ten.
   */
  async mustSoonBeOut(application) {
    const patience = Date.now() + 30_000
    while (Date.now() < patience && !(await this.has('nobody'))) {
      await this.page.waitForTimeout(100)
      await this.page.goto(`${application}/`)
    }
    await this.mustBeOut(application)
  }

  /** Looks at the page in every look, unless one like it was looked at before. */
  async look() {
    const { page } = this
    const kind = `${await page.title()} | ${await page.locator('h1').allInnerTexts()} | ${(await page.locator('[role=alert]').allInnerTexts()).length}`
    if (this.#looked.has(kind)) return
    this.#looked.add(kind)
    const before = page.viewportSize()
    await page.evaluate(axe) // through the debugger, which a page's content security policy does not bind
    for (const { colorScheme, ...size } of LOOKS) {
      await page.emulateMedia({ colorScheme })
      await page.setViewportSize(size)
      const look = `${page.url()} (${size.width} px, ${colorScheme})`
      const width = await page.evaluate(() => document.documentElement.scrollWidth)
      if (width > size.width) this.#faults.push(`${look}: ${width} px wide`)
      for (const violation of await violations(page)) this.#faults.push(`${look}: ${violation}`)
    }
    await page.setViewportSize(before)
  }

  mustHaveSeenNoFault() {
    assert.deepEqual(this.#faults, [])
  }
}

async function violations(page) {
  const { violations } = await page.evaluate(() => window.axe.run({ rules: { 'target-size': { enabled: true } } }))
  return violations.flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.html}: ${node.failureSummary}`))
}
