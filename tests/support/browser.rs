//! A browser without scripts and without a window: it keeps cookies, follows redirects and sends the forms it finds.

use std::collections::BTreeMap;

use reqwest::header::{LOCATION, SET_COOKIE};
use reqwest::redirect::Policy;
use url::Url;

pub struct Browser {
    client: reqwest::Client,
    /// By host and name; cookies know no ports.
    cookies: BTreeMap<(String, String), String>,
    /// A redirect to an address that begins so is not followed: no program listens there.
    stop_at: Option<String>,
}

/// Where the browser has arrived.
#[derive(Debug, Clone)]
pub struct Page {
    pub url: Url,
    /// 0 where the address was not opened.
    pub status: u16,
    pub html: String,
}

impl Default for Browser {
    fn default() -> Self {
        let client = reqwest::Client::builder().redirect(Policy::none()).build().unwrap();
        Self { client, cookies: BTreeMap::new(), stop_at: None }
    }
}

impl Browser {
    pub fn new() -> Self {
        Self::default()
    }

    /// A browser that stops at the address of an application that is the test itself.
    pub fn that_stops_at(address: &str) -> Self {
        Self { stop_at: Some(address.to_owned()), ..Self::new() }
    }

    pub async fn open(&mut self, url: impl AsRef<str>) -> Page {
        let url = Url::parse(url.as_ref()).unwrap();
        self.follow(self.client.get(url.clone()), url).await
    }

    /// Presses the button with that id, with these fields filled in.
    pub async fn press(&mut self, page: &Page, button: &str, fields: &[(&str, &str)]) -> Page {
        let form = Form::with(page, button);
        let mut values = form.fields;
        for (name, value) in fields {
            assert!(values.iter().any(|(known, _)| known == name), "no field `{name}` in {}", page.html);
            values.retain(|(known, _)| known != name);
            values.push(((*name).to_owned(), (*value).to_owned()));
        }
        let mut url = page.url.join(&form.action).unwrap();
        if form.method == "post" {
            let origin = page.url.origin().ascii_serialization();
            let request = self.client.post(url.clone()).header("Origin", origin).form(&values);
            self.follow(request, url).await
        } else {
            url.query_pairs_mut().clear().extend_pairs(values);
            self.follow(self.client.get(url.clone()), url).await
        }
    }

    async fn follow(&mut self, request: reqwest::RequestBuilder, mut url: Url) -> Page {
        let mut request = request;
        for _ in 0..20 {
            let host = url.host_str().unwrap().to_owned();
            let ours = self.cookies.iter().filter(|((at, _), _)| *at == host);
            let pairs: Vec<String> = ours.map(|((_, name), value)| format!("{name}={value}")).collect();
            if !pairs.is_empty() {
                request = request.header("Cookie", pairs.join("; "));
            }
            let answer = request.send().await.unwrap_or_else(|error| panic!("{url}: {error:?}"));
            for cookie in answer.headers().get_all(SET_COOKIE) {
                self.keep(&host, cookie.to_str().unwrap());
            }
            let status = answer.status();
            let Some(next) = answer.headers().get(LOCATION).filter(|_| status.is_redirection()) else {
                return Page { url, status: status.as_u16(), html: answer.text().await.unwrap() };
            };
            url = url.join(next.to_str().unwrap()).unwrap();
            if self.stop_at.as_ref().is_some_and(|stop| url.as_str().starts_with(stop)) {
                return Page { url, status: 0, html: String::new() };
            }
            request = self.client.get(url.clone());
        }
        panic!("redirected without end, last to {url}");
    }

    fn keep(&mut self, host: &str, set: &str) {
        let (name, rest) = set.split_once('=').unwrap();
        let mut parts = rest.split(';').map(str::trim);
        let value = parts.next().unwrap_or_default();
        let attributes: Vec<String> = parts.map(str::to_lowercase).collect();
        let is_over = attributes.iter().any(|part| part == "max-age=0" || part.starts_with("expires=thu, 01 jan 1970"));
        let key = (host.to_owned(), name.to_owned());
        if is_over {
            self.cookies.remove(&key);
        } else {
            self.cookies.insert(key, value.to_owned());
        }
    }
}

impl Page {
    /// A parameter of the address.
    pub fn parameter(&self, name: &str) -> Option<String> {
        self.url.query_pairs().find(|(known, _)| known == name).map(|(_, value)| value.into_owned())
    }

    pub fn has(&self, id: &str) -> bool {
        tags(&self.html).iter().any(|tag| tag.attribute("id").as_deref() == Some(id))
    }
}

struct Form {
    action: String,
    method: String,
    fields: Vec<(String, String)>,
}

impl Form {
    /// The form around the element with that id, as its button would send it.
    fn with(page: &Page, id: &str) -> Self {
        let mut form: Option<Self> = None;
        let mut found = false;
        for tag in tags(&page.html) {
            let attribute = |name: &str| tag.attribute(name).unwrap_or_default();
            match (tag.name.as_str(), &mut form) {
                ("form", _) => {
                    let method = attribute("method").to_lowercase();
                    form = Some(Self { action: attribute("action"), method, fields: Vec::new() });
                }
                ("/form", Some(_)) if found => break,
                ("/form", _) => form = None,
                ("input" | "button" | "textarea" | "select", Some(form)) => {
                    let pressed = attribute("id") == id;
                    found |= pressed;
                    let is_button = tag.name == "button" || matches!(attribute("type").as_str(), "submit" | "button");
                    let unchecked = matches!(attribute("type").as_str(), "checkbox" | "radio")
                        && tag.attribute("checked").is_none();
                    if !attribute("name").is_empty() && (pressed || !is_button) && !unchecked {
                        form.fields.push((attribute("name"), attribute("value")));
                    }
                }
                _ => {}
            }
        }
        form.filter(|_| found).unwrap_or_else(|| panic!("no `{id}` in a form of {}: {}", page.url, page.html))
    }
}

struct Tag {
    name: String,
    attributes: Vec<(String, String)>,
}

impl Tag {
    fn attribute(&self, name: &str) -> Option<String> {
        self.attributes.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone())
    }
}

/// The tags of a page in their order. Enough for pages whose texts are escaped.
fn tags(html: &str) -> Vec<Tag> {
    let mut tags = Vec::new();
    let mut rest = html;
    while let Some(start) = rest.find('<') {
        rest = &rest[start + 1..];
        let length = rest.find(|c: char| c.is_whitespace() || c == '>').unwrap_or(rest.len());
        let mut tag = Tag { name: rest[..length].to_lowercase(), attributes: Vec::new() };
        rest = rest[length..].trim_start();
        while !rest.is_empty() && !rest.starts_with('>') {
            let length = rest.find(|c: char| c.is_whitespace() || c == '>' || c == '=').unwrap_or(rest.len());
            let name = rest[..length].to_lowercase();
            rest = rest[length..].trim_start();
            let mut value = "";
            if let Some(after) = rest.strip_prefix('=') {
                (value, rest) = attribute_value(after.trim_start());
            } else if length == 0 {
                rest = &rest[1..]; // a stray character
            }
            tag.attributes.push((name, unescape(value)));
            rest = rest.trim_start();
        }
        tags.push(tag);
    }
    tags
}

fn attribute_value(text: &str) -> (&str, &str) {
    for quote in ['"', '\''] {
        if let Some(inside) = text.strip_prefix(quote) {
            return inside.split_once(quote).unwrap_or((inside, ""));
        }
    }
    text.split_at(text.find(|c: char| c.is_whitespace() || c == '>').unwrap_or(text.len()))
}

fn unescape(text: &str) -> String {
    let named = [("&quot;", "\""), ("&#34;", "\""), ("&#39;", "'"), ("&#x27;", "'"), ("&#x2f;", "/"), ("&#47;", "/")];
    let mut plain = text.replace("&lt;", "<").replace("&gt;", ">");
    for (written, meant) in named {
        plain = plain.replace(written, meant);
    }
    plain.replace("&amp;", "&")
}
