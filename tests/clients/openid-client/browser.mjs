// A browser without scripts: it keeps cookies, follows redirects and sends the forms it finds.

export class Browser {
  #cookies = new Map()
  #stopAt

  /** Redirects to an address that begins with `stopAt` are not followed: the application is the script itself. */
  constructor(stopAt) {
    this.#stopAt = stopAt
  }

  open(url) {
    return this.#follow(new URL(url), {})
  }

  /** Presses the button with that id, with these fields filled in. */
  press(page, button, fields = {}) {
    const form = formWith(page, button)
    for (const name of Object.keys(fields)) {
      if (!form.values.has(name)) throw new Error(`no field ${name} in ${page.html}`)
      form.values.set(name, fields[name])
    }
    const headers = { Origin: page.url.origin }
    return this.#follow(new URL(form.action, page.url), { method: 'POST', headers, body: form.values })
  }

  async #follow(url, request) {
    for (let hops = 0; hops < 20; hops++) {
      const cookie = [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; ')
      const headers = { ...request.headers, ...(cookie && { Cookie: cookie }) }
      const answer = await fetch(url, { ...request, headers, redirect: 'manual' })
      for (const set of answer.headers.getSetCookie()) this.#keep(set)
      const next = answer.headers.get('location')
      if (!next) return { url, status: answer.status, html: await answer.text() }
      url = new URL(next, url)
      if (url.href.startsWith(this.#stopAt)) return { url, html: '' }
      request = {}
    }
    throw new Error(`redirected without end, last to ${url}`)
  }

  #keep(set) {
    const [, name, value] = set.match(/^([^=]+)=([^;]*)/)
    if (/;\s*max-age=0/i.test(set)) this.#cookies.delete(name)
    else this.#cookies.set(name, value)
  }
}

export function has(page, id) {
  return attributes(page.html).some((tag) => tag.id === id)
}

/** The form around the element with that id, as its button would send it. */
function formWith(page, id) {
  for (const [, head, body] of page.html.matchAll(/<form\b([^>]*)>(.*?)<\/form>/gs)) {
    const inside = attributes(body)
    if (!inside.some((tag) => tag.id === id)) continue
    const isButton = (tag) => tag.tag === 'button' || tag.type === 'submit'
    const isOff = (tag) => ['checkbox', 'radio'].includes(tag.type) && tag.checked === undefined
    const sent = inside.filter((tag) => tag.name && (!isButton(tag) || tag.id === id) && !isOff(tag))
    const values = new URLSearchParams(sent.map((tag) => [tag.name, tag.value ?? '']))
    return { action: attributes(`<form ${head}>`)[0].action ?? '', values }
  }
  throw new Error(`no ${id} in a form of ${page.url}: ${page.html}`)
}

function attributes(html) {
  return [...html.matchAll(/<([a-z]+)\b([^>]*)>/gi)].map(([, tag, text]) => {
    const pairs = text.matchAll(/([a-z-]+)(?:=(?:"([^"]*)"|'([^']*)'|([^\s"']+)))?/gi)
    return { tag, ...Object.fromEntries([...pairs].map(([, name, a, b, c]) => [name, unescape(a ?? b ?? c ?? '')])) }
  })
}

function unescape(text) {
  const named = { quot: '"', lt: '<', gt: '>', amp: '&', '#39': "'", '#x27': "'", '#x2f': '/', '#34': '"', '#47': '/' }
  return text.replace(/&(quot|lt|gt|amp|#39|#x27|#x2f|#34|#47);/g, (_, name) => named[name])
}
