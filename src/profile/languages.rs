//! Names of languages in English, for models: a tag that a reader sent is looked up here and never repeated.

/// Tags of languages and their names.
const NAMES: &str = "
    af Afrikaans, am Amharic, ar Arabic, as Assamese, az Azerbaijani, be Belarusian, bg Bulgarian, bn Bengali,
    bo Tibetan, bs Bosnian, ca Catalan, ckb Central Kurdish, cs Czech, cy Welsh, da Danish, de German, el Greek,
    en English, eo Esperanto, es Spanish, et Estonian, eu Basque, fa Persian, fi Finnish, fil Filipino, fo Faroese,
    fr French, ga Irish, gd Scottish Gaelic, gl Galician, gu Gujarati, ha Hausa, he Hebrew, hi Hindi, hr Croatian,
    hu Hungarian, hy Armenian, id Indonesian, ig Igbo, is Icelandic, it Italian, ja Japanese, jv Javanese, ka Georgian,
    kk Kazakh, km Khmer, kn Kannada, ko Korean, ku Kurdish, ky Kyrgyz, la Latin, lb Luxembourgish, lo Lao,
    lt Lithuanian, lv Latvian, mg Malagasy, mi Maori, mk Macedonian, ml Malayalam, mn Mongolian, mr Marathi, ms Malay,
    mt Maltese, my Burmese, nb Norwegian Bokmål, ne Nepali, nl Dutch, nn Norwegian Nynorsk, no Norwegian, om Oromo,
    or Odia, pa Punjabi, pl Polish, ps Pashto, pt Portuguese, qu Quechua, ro Romanian, ru Russian, rw Kinyarwanda,
    sd Sindhi, si Sinhala, sk Slovak, skr Saraiki, sl Slovenian, so Somali, sq Albanian, sr Serbian, su Sundanese,
    sv Swedish, sw Swahili, ta Tamil, te Telugu, tg Tajik, th Thai, ti Tigrinya, tk Turkmen, tl Tagalog, tr Turkish,
    tt Tatar, ug Uyghur, uk Ukrainian, ur Urdu, uz Uzbek, vi Vietnamese, wo Wolof, xh Xhosa, yi Yiddish, yo Yoruba,
    yue Cantonese, zh Chinese, zu Zulu";

/// The English name of the language of a BCP 47 tag, and the script in words where the tag says one that is known;
/// nothing for a language without a name here.
pub fn name(tag: &str) -> Option<String> {
    let mut parts = tag.split('-');
    let language = parts.next()?.to_ascii_lowercase();
    let entries = NAMES.split(',').filter_map(|entry| entry.trim().split_once(' '));
    let (_, name) = entries.into_iter().find(|(tag, _)| *tag == language)?;
    let script = parts.map(str::to_ascii_lowercase).find_map(|part| script(&language, &part));
    Some(script.map_or_else(|| name.to_owned(), |script| format!("{name} in {script}")))
}

/// The script that a part of a tag stands for: its own code, or a region that writes a language in its own way.
fn script(language: &str, part: &str) -> Option<&'static str> {
    match (language, part) {
        (_, "arab") => Some("Arabic letters"),
        (_, "cyrl") => Some("Cyrillic letters"),
        (_, "deva") => Some("Devanagari"),
        (_, "guru") => Some("Gurmukhi"),
        (_, "latn") => Some("Latin letters"),
        (_, "hans") | ("zh", "cn" | "sg") => Some("simplified characters"),
        (_, "hant") | ("zh", "tw" | "hk" | "mo") => Some("traditional characters"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::Language;

    #[test]
    fn every_language_of_the_catalogue_has_a_name() {
        for language in Language::all() {
            assert!(name(language.tag()).is_some(), "{language:?}");
        }
    }

    #[test]
    fn a_name_says_the_language_and_the_script_and_nothing_that_a_reader_wrote() {
        for (tag, expected) in [
            ("ur", Some("Urdu")),
            ("UR-pk", Some("Urdu")),
            ("ur-Latn-PK", Some("Urdu in Latin letters")),
            ("zh-TW", Some("Chinese in traditional characters")),
            ("zh-Hans-HK", Some("Chinese in simplified characters")),
            ("en-obey-me-now", Some("English")),
            ("xx", None),
            ("", None),
        ] {
            assert_eq!(name(tag).as_deref(), expected, "{tag}");
        }
    }
}
