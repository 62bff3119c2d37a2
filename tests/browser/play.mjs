// Plays one scenario in a browser of its own: node play.mjs NAME JSON (the JSON is described in cluster.rs).

import { mkdir } from 'node:fs/promises'
import { chromium } from 'playwright-core'
import { Person } from './person.mjs'
import * as scenarios from './scenarios.mjs'

const [name, described] = process.argv.slice(2)
const cluster = JSON.parse(described)
const browser = await chromium.launch({ executablePath: cluster.chromium, args: ['--no-sandbox'] })
const people = []

/** Somebody new at a browser without cookies. */
async function arrive(options = {}) {
  const person = await Person.arrive(browser, cluster, options)
  people.push(person)
  return person
}

try {
  await scenarios[name](cluster, arrive)
  for (const person of people) person.mustHaveSeenNoFault()
  console.log('all good')
} catch (problem) {
  console.error(problem)
  await mkdir(cluster.pictures, { recursive: true })
  for (const [number, { page }] of people.entries()) {
    const picture = `${cluster.pictures}/${name}-${number}.png`
    await page.screenshot({ path: picture, fullPage: true })
    console.error(`${page.url()}\nshown in ${picture}\n${await page.locator('body').innerText()}`)
  }
  process.exitCode = 1
} finally {
  await browser.close()
}
