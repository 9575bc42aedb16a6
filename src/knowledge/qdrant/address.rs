//! Where Qdrant is: the address in every form in which people paste it becomes that of its gRPC port.

use secrecy::{ExposeSecret, SecretString};

/// The port on which Qdrant speaks gRPC.
const GRPC_PORT: u16 = 6334;
/// The port on which it speaks REST, and which most pasted addresses name.
const REST_PORT: u16 = 6333;
/// Where clusters of Qdrant Cloud have their names.
const CLOUD: &str = "cloud.qdrant.io";

/// The address of a Qdrant server for gRPC.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// `http://host:port` or `https://host:port`.
    pub uri: String,
    /// The address named the port of REST, and this is the other one.
    pub was_rest: bool,
}

impl Address {
    /// Reads an address as people paste it: with or without scheme, port, slash at the end.
    ///
    /// # Errors
    /// What is wrong with it and what to write instead, as a sentence that follows the variable's name.
    pub fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if text.chars().any(|c| c.is_control() || c.is_whitespace()) {
            return Err("must not hold blanks or line breaks".to_owned());
        }
        let (scheme, rest) = match text.split_once("://") {
            Some((scheme, rest)) => (Some(scheme.to_ascii_lowercase()), rest),
            None => (None, text),
        };
        let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
        if authority.contains('@') {
            return Err("must not hold a name or a key; put the key into QDRANT_API_KEY".to_owned());
        }
        // The console shows its own address below the cluster's.
        if !matches!(path.trim_matches('/'), "" | "dashboard" | "dashboard#") && !path.starts_with("/dashboard") {
            return Err("must not have a path: gRPC is served at the root, such as http://host:6334".to_owned());
        }
        let (host, port) = host_and_port(authority)?;
        let in_cloud = host == CLOUD || host.ends_with(&format!(".{CLOUD}"));
        let secure = match scheme.as_deref() {
            Some("https" | "grpcs") => true,
            Some("http" | "grpc") => in_cloud,
            None => in_cloud || port == Some(443),
            Some(_) => return Err("must begin with http:// or https://".to_owned()),
        };
        let was_rest = port == Some(REST_PORT);
        let port = port.filter(|_| !was_rest).unwrap_or(GRPC_PORT);
        let scheme = if secure { "https" } else { "http" };
        Ok(Self { uri: format!("{scheme}://{host}:{port}"), was_rest })
    }

    /// Whether it is a cluster of Qdrant Cloud.
    pub(super) fn is_in_cloud(&self) -> bool {
        self.uri.contains(CLOUD)
    }
}

fn host_and_port(authority: &str) -> Result<(String, Option<u16>), String> {
    let example = || "must be an address such as http://localhost:6334 or https://name.cloud.qdrant.io".to_owned();
    let (host, port) = match authority.strip_prefix('[') {
        Some(rest) => {
            let (host, port) = rest.split_once(']').ok_or_else(example)?;
            host.parse::<std::net::Ipv6Addr>().map_err(|_| example())?;
            (format!("[{host}]"), port)
        }
        None => {
            let (host, port) = authority.split_at(authority.find(':').unwrap_or(authority.len()));
            let letters = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
            if host.is_empty() || !host.chars().all(letters) {
                return Err(example());
            }
            (host.to_ascii_lowercase(), port)
        }
    };
    match port.strip_prefix(':') {
        None if port.is_empty() => Ok((host, None)),
        None => Err(example()),
        Some("") => Ok((host, None)),
        Some(number) => match number.parse::<u16>() {
            Ok(number) if number > 0 => Ok((host, Some(number))),
            _ => Err("must have a port from 1 to 65535; Qdrant's gRPC has 6334".to_owned()),
        },
    }
}

/// A key without what came along when it was copied.
///
/// # Errors
/// It holds something that no key holds, as a sentence that does not repeat it.
pub fn key(given: &SecretString) -> Result<SecretString, String> {
    let trimmed = given.expose_secret().trim().trim_matches('"');
    if trimmed.is_empty() || !trimmed.chars().all(|c| c.is_ascii_graphic()) {
        return Err("must be one line of letters, digits and signs; copy it again from Qdrant's console".to_owned());
    }
    Ok(SecretString::from(trimmed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_that_people_paste_leads_to_the_port_of_grpc() {
        for (pasted, uri, was_rest) in [
            ("http://h:6333", "http://h:6334", true),
            ("http://h:6334", "http://h:6334", false),
            ("h:6334", "http://h:6334", false),
            ("h", "http://h:6334", false),
            ("http://h", "http://h:6334", false),
            ("http://h:6333/", "http://h:6334", true),
            ("  http://H:6333//  ", "http://h:6334", true),
            ("grpc://h:6334", "http://h:6334", false),
            ("grpcs://h:7000", "https://h:7000", false),
            ("HTTPS://h", "https://h:6334", false),
            ("http://[::1]:6333", "http://[::1]:6334", true),
            ("[::1]", "http://[::1]:6334", false),
            ("x.cloud.qdrant.io", "https://x.cloud.qdrant.io:6334", false),
            ("http://x.eu.aws.cloud.qdrant.io:6333", "https://x.eu.aws.cloud.qdrant.io:6334", true),
            ("https://x.cloud.qdrant.io:6333/dashboard#/collections", "https://x.cloud.qdrant.io:6334", true),
            ("https://x.cloud.qdrant.io/", "https://x.cloud.qdrant.io:6334", false),
            ("https://proxy.example.org:443", "https://proxy.example.org:443", false),
            ("cloud.qdrant.io.example.org", "http://cloud.qdrant.io.example.org:6334", false),
        ] {
            assert_eq!(Address::parse(pasted), Ok(Address { uri: uri.to_owned(), was_rest }), "{pasted}");
        }
    }

    #[test]
    fn what_is_no_address_is_refused_with_what_to_write_instead() {
        for (pasted, told) in [
            ("", "such as"),
            ("http://", "such as"),
            ("ftp://h", "http://"),
            ("http://h:port", "6334"),
            ("http://h:0", "6334"),
            ("http://h:99999", "6334"),
            ("http://h/collections/book", "path"),
            ("http://:secret@h:6333", "QDRANT_API_KEY"),
            ("http://h\n:6333", "line breaks"),
            ("http://[::1", "such as"),
        ] {
            let refused = Address::parse(pasted).unwrap_err();
            assert!(refused.contains(told) && !refused.contains("secret"), "{pasted}: {refused}");
        }
    }

    #[test]
    fn a_key_loses_what_came_along_and_is_never_repeated() {
        assert_eq!(key(&" \"abc.d-e\"\r\n".into()).unwrap().expose_secret(), "abc.d-e");
        for wrong in ["abc\ndef", "ab c", "schlüssel", "  "] {
            assert!(!key(&wrong.into()).unwrap_err().contains(wrong.trim()) || wrong.trim().is_empty());
        }
    }
}
