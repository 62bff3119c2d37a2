//! The brand of the pages (name, logo, colour, links), and the files that the pages load from this server.
//!
//! The style sheet is a file of its own and not part of each page. Pages are never cached; a file whose name contains a
//! hash of its content is cached for a year. `style-src 'self'` also allows the operator's style sheet, which no hash
//! in a header could name before the file is read.

use std::fmt::Write as _;
use std::path::Path;

use actix_web::web::Bytes;

use super::contrast::{apart, readable_on};
use crate::config::{Branding, Colour, Config};
use crate::digest::sha256;

const STYLE: &str = include_str!("pages.css");
const MARK: &str = include_str!("mark.svg");

/// The largest file of a brand, in bytes.
const MAX_FILE: usize = 256 * 1024;

/// The backgrounds of `pages.css` that decide about contrast: the darker one of the light scheme, and the lighter one
/// of the dark scheme.
const LIGHT: Colour = Colour::of(0xed, 0xf1, 0xf3);
const DARK: Colour = Colour::of(0x19, 0x22, 0x2a);

#[derive(Debug, Clone)]
pub struct Brand {
    pub(super) name: String,
    pub(super) policy_uri: Option<String>,
    pub(super) terms_uri: Option<String>,
    /// The prefix of this server's own paths: empty, or the path of the issuer.
    pub(super) base: String,
    pub(super) style: Asset,
    pub(super) own_style: Option<Asset>,
    /// The operator's logo, or the default mark.
    pub(super) logo: Asset,
}

#[derive(Debug, Clone)]
pub(in crate::http) struct Asset {
    /// `pages.3f5a….css`: the name contains a hash of the content.
    pub name: String,
    pub content_type: &'static str,
    pub body: Bytes,
}

impl Brand {
    /// Reads the files that the configuration names. The error names the setting and the file.
    pub fn load(config: &Config) -> Result<Self, String> {
        let branding = &config.branding;
        let own_style = branding.css.as_deref().map(own_style).transpose()?;
        let own_logo = branding.logo.as_deref().map(own_logo).transpose()?;
        Ok(Self {
            name: branding.name.trim().to_owned(),
            policy_uri: branding.policy_uri.clone(),
            terms_uri: branding.terms_uri.clone(),
            base: config.path_to(""),
            style: Asset::new("pages", Format::Css, style(branding)),
            own_style,
            logo: own_logo.unwrap_or_else(|| Asset::new("logo", Format::Svg, mark(branding.accent))),
        })
    }

    pub(in crate::http) fn assets(&self) -> impl Iterator<Item = &Asset> {
        [&self.style, &self.logo].into_iter().chain(&self.own_style)
    }
}

impl Asset {
    fn new(stem: &str, format: Format, body: impl Into<Bytes>) -> Self {
        let body = body.into();
        let hash = sha256(&body)[..8].iter().fold(String::new(), |mut hash, byte| {
            let _ = write!(hash, "{byte:02x}");
            hash
        });
        let (ending, content_type) = format.names();
        Self { name: format!("{stem}.{hash}.{ending}"), content_type, body }
    }
}

/// Returns the default style sheet, preceded by the colours that follow from the accent.
fn style(branding: &Branding) -> String {
    let accent = branding.accent;
    let on_dark = apart(accent, DARK, 3.0);
    format!(
        ":root{{--accent:{accent};--on-accent:{};--link:{}}}\n\
         @media(prefers-color-scheme:dark){{:root{{--accent:{on_dark};--on-accent:{};--link:{}}}}}\n{STYLE}",
        readable_on(accent),
        apart(accent, LIGHT, 4.5),
        readable_on(on_dark),
        apart(accent, DARK, 6.0),
    )
}

/// Returns the default mark in the accent colour, made lighter where it would not show on the dark background.
fn mark(accent: Colour) -> String {
    let roof = apart(accent, DARK, 3.0);
    MARK.replace("#roof", &roof.to_string()).replace("#lock", &readable_on(roof).to_string())
}

fn own_style(path: &Path) -> Result<Asset, String> {
    let text = String::from_utf8(read("branding.css", path)?)
        .map_err(|_| format!("branding.css: {} is not UTF-8", path.display()))?;
    Ok(Asset::new("own", Format::Css, text))
}

fn own_logo(path: &Path) -> Result<Asset, String> {
    let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default().to_ascii_lowercase();
    let format = match ending.as_str() {
        "svg" => Format::Svg,
        "png" => Format::Png,
        "jpg" | "jpeg" => Format::Jpeg,
        "webp" => Format::Webp,
        _ => return Err(format!("branding.logo: {} is no .svg, .png, .jpg or .webp", path.display())),
    };
    Ok(Asset::new("logo", format, read("branding.logo", path)?))
}

fn read(setting: &str, path: &Path) -> Result<Vec<u8>, String> {
    let content = std::fs::read(path).map_err(|error| format!("{setting}: cannot read {}: {error}", path.display()))?;
    if content.len() > MAX_FILE {
        return Err(format!("{setting}: {} is larger than 256 KiB", path.display()));
    }
    Ok(content)
}

#[derive(Debug, Clone, Copy)]
enum Format {
    Css,
    Svg,
    Png,
    Jpeg,
    Webp,
}

impl Format {
    const fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::Css => ("css", "text/css; charset=utf-8"),
            Self::Svg => ("svg", "image/svg+xml"),
            Self::Png => ("png", "image/png"),
            Self::Jpeg => ("jpg", "image/jpeg"),
            Self::Webp => ("webp", "image/webp"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn loaded(change: impl Fn(&mut Config)) -> Result<Brand, String> {
        let mut config = Config::default();
        change(&mut config);
        Brand::load(&config)
    }

    #[test]
    fn another_colour_is_another_style_sheet_under_another_name() {
        let ours = loaded(|_| {}).unwrap().style;
        let red = loaded(|config| config.branding.accent = Colour::of(200, 0, 0)).unwrap().style;
        assert!(red.body.starts_with(b":root{--accent:#c80000;--on-accent:#ffffff;"));
        assert_ne!(ours.name, red.name);
    }

    #[test]
    fn the_grounds_are_those_of_the_style_sheet() {
        assert!(STYLE.contains(&format!("--ground: {LIGHT};")));
        assert!(STYLE.contains(&format!("--card: {DARK};")));
    }

    #[test]
    fn a_file_that_cannot_be_used_is_named_with_its_setting() {
        let folder = tempfile::tempdir().unwrap();
        let missing = loaded(|config| config.branding.logo = Some("/nowhere/logo.png".into())).unwrap_err();
        assert!(missing.starts_with("branding.logo: cannot read /nowhere/logo.png"), "{missing}");
        let odd = loaded(|config| config.branding.logo = Some("/nowhere/logo.gif".into())).unwrap_err();
        assert!(odd.starts_with("branding.logo: /nowhere/logo.gif is no"), "{odd}");
        let large = folder.path().join("large.css");
        std::fs::write(&large, vec![b' '; MAX_FILE + 1]).unwrap();
        let large = loaded(|config| config.branding.css = Some(large.clone())).unwrap_err();
        assert!(large.contains("larger than 256 KiB"), "{large}");
    }

    #[test]
    fn the_pages_lie_where_the_issuer_does() {
        assert_eq!(loaded(|_| {}).unwrap().base, "");
        assert_eq!(loaded(|config| config.issuer = "https://example.com/id".to_owned()).unwrap().base, "/id");
    }
}
