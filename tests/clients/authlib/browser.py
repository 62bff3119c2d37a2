"""A browser without scripts: it keeps cookies, follows redirects and sends the forms it finds."""

from html.parser import HTMLParser
from urllib.parse import urljoin

import requests


class Browser:
    def __init__(self, stop_at):
        """Redirects to an address that begins with `stop_at` are not followed: the application is the script."""
        self.session = requests.Session()
        self.stop_at = stop_at

    def open(self, url):
        return self._follow("GET", url, {})

    def press(self, page, button, **fields):
        """Presses the button with that id, with these fields filled in."""
        action, values = page.form_with(button)
        for name, value in fields.items():
            assert name in values, f"no field {name} in {page.html}"
            values[name] = value
        origin = "/".join(page.url.split("/")[:3])
        return self._follow("POST", urljoin(page.url, action), {"data": values, "headers": {"Origin": origin}})

    def _follow(self, method, url, request):
        for _ in range(20):
            answer = self.session.request(method, url, allow_redirects=False, **request)
            if "Location" not in answer.headers:
                return Page(url, answer.text)
            url = urljoin(url, answer.headers["Location"])
            if url.startswith(self.stop_at):
                return Page(url, "")
            method, request = "GET", {}
        raise AssertionError(f"redirected without end, last to {url}")


class Page(HTMLParser):
    def __init__(self, url, html):
        super().__init__()
        self.url, self.html = url, html
        self.ids, self.forms, self._open = set(), [], None
        self.feed(html)

    def has(self, element):
        return element in self.ids

    def form_with(self, button):
        """The form around the button with that id, as the button would send it."""
        for form in self.forms:
            if any(field.get("id") == button for field in form["fields"]):
                sent = [field for field in form["fields"] if is_sent(field, button)]
                return form["action"], {field["name"]: field.get("value") or "" for field in sent}
        raise AssertionError(f"no {button} in a form of {self.url}: {self.html}")

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes, tag=tag)
        self.ids.add(attributes.get("id"))
        if tag == "form":
            self._open = {"action": attributes.get("action") or "", "fields": []}
            self.forms.append(self._open)
        elif tag in ("input", "button", "select", "textarea") and self._open is not None:
            self._open["fields"].append(attributes)

    def handle_endtag(self, tag):
        if tag == "form":
            self._open = None


def is_sent(field, button):
    if not field.get("name"):
        return False
    if field["tag"] == "button" or field.get("type") == "submit":
        return field.get("id") == button
    return field.get("type") not in ("checkbox", "radio") or "checked" in field
