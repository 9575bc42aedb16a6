//! What may be shown of a value in which an address with a password or a key may stand.

use std::fmt;

/// Stands for what is not shown.
const HIDDEN: &str = "***";

/// A value, or several separated by commas, whose addresses are shown without name, password, query and fragment.
///
/// What is no address is shown as it is.
#[derive(Clone, Copy)]
pub struct Shown<'a>(pub &'a str);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A password may hold a comma, so only what begins like an address begins a new one.
        let mut rest = self.0;
        loop {
            let next = rest.match_indices(',').map(|(at, _)| at + 1).find(|at| begins_address(&rest[*at..]));
            let (value, others) = rest.split_at(next.unwrap_or(rest.len()));
            match value.strip_suffix(',').filter(|_| next.is_some()) {
                Some(value) => write!(f, "{},", One(value))?,
                None => return One(value).fmt(f),
            }
            rest = others;
        }
    }
}

impl fmt::Debug for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{self}\"")
    }
}

fn begins_address(text: &str) -> bool {
    text.trim_start().split_once("://").is_some_and(|(scheme, _)| scheme.chars().all(|c| c.is_ascii_alphanumeric()))
}

/// One value.
struct One<'a>(&'a str);

impl fmt::Display for One<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (scheme, rest) = match self.0.find("://") {
            Some(at) => self.0.split_at(at + 3),
            None => ("", self.0),
        };
        // A name and a password may stand where there is no scheme; a lone `@` begins names of models.
        let has_password =
            rest.split('@').next().is_some_and(|before| before.len() < rest.len() && before.contains(':'));
        if scheme.is_empty() && !has_password {
            return f.write_str(self.0);
        }
        // Whoever did not encode an `@`, `/` or `?` of a password would show half of it, were the first one believed.
        let (hidden, rest) = rest.rsplit_once('@').map_or(("", rest), |(_, rest)| ("***@", rest));
        let place = &rest[..rest.find(['?', '#']).unwrap_or(rest.len())];
        let query = rest.get(place.len()..=place.len()).unwrap_or_default();
        let after = if query.is_empty() { "" } else { HIDDEN };
        write!(f, "{scheme}{hidden}{place}{query}{after}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_shown_without_password_and_query_and_all_else_as_it_is() {
        for (value, shown) in [
            ("https://api.example.org/v1", "https://api.example.org/v1"),
            ("https://ada:hunter2@api.example.org/v1?key=hunter2#hunter2", "https://***@api.example.org/v1?***"),
            ("https://ada:hun/ter?2@x@api.example.org:80/v1", "https://***@api.example.org:80/v1"),
            ("ada:hunter2@proxy:3128", "***@proxy:3128"),
            ("http://a/jwks?k=hunter2,http://b:hunter2@b/jwks", "http://a/jwks?***,http://***@b/jwks"),
            ("http://a, https://ada:hun,ter2@b/?x", "http://a, https://***@b/?***"),
            ("https://h#hunter2", "https://h#***"),
            ("https://h?", "https://h?***"),
            ("@cf/meta/llama-3.1-8b-instruct", "@cf/meta/llama-3.1-8b-instruct"),
            ("image/png,text/*", "image/png,text/*"),
            ("", ""),
        ] {
            assert_eq!(Shown(value).to_string(), shown);
        }
        assert_eq!(format!("{:?}", Shown("https://a:b@c")), "\"https://***@c\"");
    }
}
