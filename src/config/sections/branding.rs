//! `[branding]`

use std::path::PathBuf;

use url::Url;

use crate::config::colour::Colour;
use crate::config::declare::{not_empty, require, settings};

settings! {
    /// What the pages look like.
    pub struct Branding {
        /// The name at the head of each page.
        name: String = "Tokenhouse".to_owned(), check one_line;
        /// A picture (`.svg`, `.png`, `.jpg` or `.webp`, at most 256 KiB) that stands before the name.
        logo: Option<PathBuf> = None, check not_empty;
        /// The colour of buttons and links, as in `#1d5f8a`. Any will do: text on it is white or black, whichever can be
        /// read, and links are made darker or lighter until they can.
        accent: Colour = Colour::of(0x1d, 0x5f, 0x8a);
        /// A style sheet of your own (at most 256 KiB) that follows ours; `docs/branding.md` names what it can count on.
        css: Option<PathBuf> = None, check not_empty;
        /// The https address of your privacy policy, linked at the foot of each page.
        policy_uri: Option<String> = None, check https;
        /// The https address of your terms, linked at the foot of each page.
        terms_uri: Option<String> = None, check https;
    }
}

fn one_line(name: &str) -> Result<(), String> {
    let name = name.trim();
    let is_sound = (1..=60).contains(&name.chars().count()) && !name.chars().any(char::is_control);
    require(is_sound, "must be 1 to 60 characters on one line")
}

fn https(uri: &str) -> Result<(), String> {
    require(Url::parse(uri).is_ok_and(|url| url.scheme() == "https"), "must be an https URL")
}
