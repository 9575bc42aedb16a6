//! Maps of sites: which pages a map lists, and which further maps.

use std::io::Read as _;

use flate2::read::MultiGzDecoder;
use quick_xml::Reader;
use quick_xml::events::Event;

/// A map may be this large, unpacked: the most that the standard allows.
pub(super) const SITEMAP_BYTES_MAX: u64 = 50 * 1024 * 1024;

/// Most addresses of one map: the standard's limit.
const ADDRESSES_MAX: usize = 50_000;

/// A longer address is none.
const ADDRESS_BYTES_MAX: usize = 4_096;

/// What a map lists.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Sitemap {
    /// Addresses of pages, as written.
    pub pages: Vec<String>,
    /// Addresses of further maps.
    pub maps: Vec<String>,
    /// It breaks off, or lists more than it may.
    pub is_cut: bool,
}

/// Reads a map: XML, or an address a line; packed or not. Fails with a sentence.
pub(super) fn parse(bytes: &[u8]) -> Result<Sitemap, String> {
    let unpacked = match bytes {
        [0x1f, 0x8b, ..] => Some(unpack(bytes)?),
        _ => None,
    };
    let text = String::from_utf8_lossy(unpacked.as_deref().unwrap_or(bytes));
    let text = text.trim_start_matches('\u{feff}').trim_start();
    if text.starts_with('<') { xml(text) } else { lines(text) }
}

fn unpack(bytes: &[u8]) -> Result<Vec<u8>, String> {
    let mut unpacked = Vec::new();
    let read = MultiGzDecoder::new(bytes).take(SITEMAP_BYTES_MAX + 1).read_to_end(&mut unpacked);
    match read {
        Ok(_) if unpacked.len() as u64 > SITEMAP_BYTES_MAX => {
            Err(format!("it unpacks to more than {} MiB", SITEMAP_BYTES_MAX / 1024 / 1024))
        }
        Ok(_) => Ok(unpacked),
        Err(_) => Err("it cannot be unpacked".to_owned()),
    }
}

fn lines(text: &str) -> Result<Sitemap, String> {
    let mut map = Sitemap::default();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        if !line.starts_with("http://") && !line.starts_with("https://") {
            return Err("it is no sitemap".to_owned());
        }
        map.add(false, line.to_owned());
    }
    Ok(map)
}

fn xml(text: &str) -> Result<Sitemap, String> {
    let mut reader = Reader::from_str(text);
    reader.config_mut().check_end_names = false;
    let mut map = Sitemap::default();
    let mut root = None;
    // The elements around: names within `url` and `sitemap` may come from elsewhere, such as `image:loc`.
    let mut depth = 0_usize;
    let mut entry: Option<(usize, bool)> = None;
    let mut address: Option<String> = None;
    loop {
        let event = match reader.read_event() {
            Ok(event) => event,
            Err(_) => {
                map.is_cut = true;
                break;
            }
        };
        match event {
            Event::Start(start) => {
                depth += 1;
                let name = start.local_name();
                let name = name.as_ref();
                if root.is_none() {
                    if !matches!(name, b"urlset" | b"sitemapindex") {
                        return Err("it is no sitemap".to_owned());
                    }
                    root = Some(());
                }
                match (name, entry) {
                    (b"url", None) => entry = Some((depth, false)),
                    (b"sitemap", None) => entry = Some((depth, true)),
                    (b"loc", Some((at, _))) if depth == at + 1 => address = Some(String::new()),
                    _ => {}
                }
            }
            Event::End(_) => {
                if let (Some(address), Some((_, is_map))) = (address.take(), entry) {
                    map.add(is_map, address.trim().to_owned());
                }
                if entry.is_some_and(|(at, _)| at == depth) {
                    entry = None;
                }
                depth = depth.saturating_sub(1);
            }
            Event::Text(text) => add(&mut address, &text.decode().unwrap_or_default()),
            Event::CData(text) => add(&mut address, &text.decode().unwrap_or_default()),
            Event::GeneralRef(reference) => {
                let named = match reference.decode().as_deref() {
                    Ok("amp") => Some('&'),
                    Ok("lt") => Some('<'),
                    Ok("gt") => Some('>'),
                    Ok("quot") => Some('"'),
                    Ok("apos") => Some('\''),
                    // Others would have to be declared, and nobody declares any here.
                    Ok(_) | Err(_) => reference.resolve_char_ref().ok().flatten(),
                };
                add(&mut address, named.map(String::from).as_deref().unwrap_or_default());
            }
            Event::Eof => {
                map.is_cut |= depth > 0;
                break;
            }
            Event::Empty(_) | Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::DocType(_) => {}
        }
    }
    if root.is_none() { Err("it is no sitemap".to_owned()) } else { Ok(map) }
}

fn add(address: &mut Option<String>, text: &str) {
    if let Some(address) = address.as_mut().filter(|address| address.len() <= ADDRESS_BYTES_MAX) {
        address.push_str(text);
    }
}

impl Sitemap {
    fn add(&mut self, is_map: bool, address: String) {
        let list = if is_map { &mut self.maps } else { &mut self.pages };
        match address.len() {
            0 => {}
            1..=ADDRESS_BYTES_MAX if list.len() < ADDRESSES_MAX => list.push(address),
            _ => self.is_cut = true,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    const MAP: &str = "\u{feff}<?xml version=\"1.0\"?><!DOCTYPE x><urlset xmlns=\"http://www.sitemaps.org/schemas/sitemap/0.9\" xmlns:image=\"i\">\n\
        <!-- <url><loc>https://x.dev/no</loc></url> -->\
        <url><loc>\n https://x.dev/a?x=1&amp;y=&#50; \n</loc><lastmod>2026</lastmod><image:image><image:loc>https://x.dev/i.png</image:loc></image:image></url>\
        <url><lastmod/><loc><![CDATA[https://x.dev/b&c]]></loc></url><url><loc></loc></url><loc>https://x.dev/stray</loc></urlset>";

    #[test]
    fn a_map_lists_its_pages() {
        let map = parse(MAP.as_bytes()).expect("a map");
        assert_eq!(map.pages, ["https://x.dev/a?x=1&y=2", "https://x.dev/b&c"]);
        assert!(map.maps.is_empty() && !map.is_cut);
    }

    #[test]
    fn an_index_lists_maps_and_a_text_lists_addresses() {
        let index = "<ns:sitemapindex xmlns:ns='s'><ns:sitemap><ns:loc>https://x.dev/1.xml.gz</ns:loc></ns:sitemap></ns:sitemapindex>";
        assert_eq!(parse(index.as_bytes()).expect("a map").maps, ["https://x.dev/1.xml.gz"]);
        let text = parse(b"https://x.dev/a\r\n\r\nhttp://x.dev/b\r\n").expect("a map");
        assert_eq!(text.pages, ["https://x.dev/a", "http://x.dev/b"]);
    }

    #[test]
    fn a_packed_map_is_unpacked_within_limits() {
        let pack = |bytes: &[u8]| {
            let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            encoder.write_all(bytes).expect("memory");
            encoder.finish().expect("memory")
        };
        assert_eq!(parse(&pack(MAP.as_bytes())), parse(MAP.as_bytes()));
        let bomb = pack(&vec![b' '; usize::try_from(SITEMAP_BYTES_MAX).expect("fits") + 1]);
        assert!(bomb.len() < 1_000_000);
        assert_eq!(parse(&bomb), Err("it unpacks to more than 50 MiB".to_owned()));
        assert_eq!(parse(b"\x1f\x8bno"), Err("it cannot be unpacked".to_owned()));
    }

    #[test]
    fn what_is_no_map_or_half_a_map_is_told() {
        for text in ["<html><body>Not found", "<rss></rss>", "Not found", "<", "<!-- x -->"] {
            assert_eq!(parse(text.as_bytes()), Err("it is no sitemap".to_owned()), "{text}");
        }
        let half = parse(&MAP.as_bytes()[..MAP.len() - 80]).expect("half a map");
        assert!(half.is_cut && !half.pages.is_empty());
        let many =
            "<urlset>".to_owned() + &"<url><loc>https://x.dev/</loc></url>".repeat(ADDRESSES_MAX + 1) + "</urlset>";
        let many = parse(many.as_bytes()).expect("a map");
        assert!(many.is_cut && many.pages.len() == ADDRESSES_MAX);
    }

    #[test]
    fn entities_that_grow_do_not_grow_here() {
        let bomb = "<!DOCTYPE x [<!ENTITY a 'aaaaaaaaaa'><!ENTITY b '&a;&a;&a;'>]><urlset><url><loc>https://x.dev/&b;&b;</loc></url></urlset>";
        assert_eq!(parse(bomb.as_bytes()).expect("a map").pages, ["https://x.dev/"]);
    }
}
