//! Characters of the encodings that every reader of PDFs has to know, and of the names that glyphs go by.

use unicode_normalization::char::compose;

/// What codes from 0x80 to 0x9f mean in `WinAnsiEncoding`; above, and below, it is Latin-1.
const WIN_ANSI: &str = "€\u{81}‚ƒ„…†‡ˆ‰Š‹Œ\u{8d}Ž\u{8f}\u{90}‘’“”•–—˜™š›œ\u{9d}žŸ";

/// What codes from 0x80 mean in `MacRomanEncoding`.
const MAC_ROMAN: &str = "ÄÅÇÉÑÖÜáàâäãåçéèêëíìîïñóòôöõúùûü†°¢£§•¶ß®©™´¨≠ÆØ∞±≤≥¥µ∂∑∏π∫ªºΩæø\
    ¿¡¬√ƒ≈∆«»…\u{a0}ÀÃÕŒœ–—“”‘’÷◊ÿŸ⁄€‹›ﬁﬂ‡·‚„‰ÂÊÁËÈÍÎÏÌÓÔ\u{f8ff}ÒÚÛÙıˆ˜¯˘˙˚¸˝˛ˇ";

/// What codes from 0xa0 mean in `StandardEncoding`; a blank where they mean nothing.
const STANDARD: &str =
    " ¡¢£⁄¥ƒ§¤'“«‹›ﬁﬂ –†‡· ¶•‚„”»…‰ ¿ `´ˆ˜¯˘˙¨ ˚¸ ˝˛ˇ—                Æ ª    ŁØŒº     æ   ı  łøœß    ";

/// Glyphs whose name is not their character, each before it.
const NAMES: &str = "exclam ! quotedbl \" numbersign # dollar $ percent % ampersand & quotesingle ' parenleft ( parenright ) \
    asterisk * plus + comma , hyphen - period . slash / zero 0 one 1 two 2 three 3 four 4 five 5 six 6 seven 7 eight 8 nine 9 \
    colon : semicolon ; less < equal = greater > question ? at @ bracketleft [ backslash \\ bracketright ] asciicircum ^ \
    underscore _ grave ` braceleft { bar | braceright } asciitilde ~ exclamdown ¡ cent ¢ sterling £ currency ¤ yen ¥ \
    brokenbar ¦ section § dieresis ¨ copyright © ordfeminine ª guillemotleft « logicalnot ¬ registered ® macron ¯ degree ° \
    plusminus ± acute ´ mu µ paragraph ¶ periodcentered · cedilla ¸ ordmasculine º guillemotright » onequarter ¼ onehalf ½ \
    threequarters ¾ questiondown ¿ AE Æ ae æ Eth Ð eth ð Oslash Ø oslash ø Thorn Þ thorn þ germandbls ß dotlessi ı Lslash Ł \
    lslash ł OE Œ oe œ florin ƒ circumflex ˆ caron ˇ breve ˘ dotaccent ˙ ring ˚ ogonek ˛ tilde ˜ hungarumlaut ˝ endash – \
    emdash — quoteleft ‘ quoteright ’ quotesinglbase ‚ quotedblleft “ quotedblright ” quotedblbase „ dagger † daggerdbl ‡ \
    bullet • ellipsis … perthousand ‰ guilsinglleft ‹ guilsinglright › fraction ⁄ Euro € trademark ™ minus − multiply × \
    divide ÷ partialdiff ∂ Delta Δ product ∏ summation ∑ radical √ infinity ∞ integral ∫ approxequal ≈ notequal ≠ lessequal ≤ \
    greaterequal ≥ lozenge ◊ ff ﬀ fi ﬁ fl ﬂ ffi ﬃ ffl ﬄ Gamma Γ Theta Θ Lambda Λ Xi Ξ Pi Π Sigma Σ Upsilon Υ Phi Φ Psi Ψ \
    Omega Ω alpha α beta β gamma γ delta δ epsilon ε zeta ζ eta η theta θ iota ι kappa κ lambda λ nu ν xi ξ omicron ο pi π \
    rho ρ sigma σ tau τ upsilon υ phi φ chi χ psi ψ omega ω arrowleft ← arrowup ↑ arrowright → arrowdown ↓ element ∈ \
    similar ∼ equivalence ≡ proportional ∝ nabla ∇ dotmath ⋅ degree °";

/// Endings of names of letters with an accent, and the accent.
const ACCENTS: [(&str, char); 12] = [
    ("acute", '\u{301}'),
    ("grave", '\u{300}'),
    ("circumflex", '\u{302}'),
    ("dieresis", '\u{308}'),
    ("tilde", '\u{303}'),
    ("ring", '\u{30a}'),
    ("cedilla", '\u{327}'),
    ("caron", '\u{30c}'),
    ("ogonek", '\u{328}'),
    ("macron", '\u{304}'),
    ("breve", '\u{306}'),
    ("hungarumlaut", '\u{30b}'),
];

/// How codes of one byte are read where the file does not say more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Encoding {
    Standard,
    WinAnsi,
    MacRoman,
}

impl Encoding {
    pub(super) fn named(name: &[u8]) -> Option<Self> {
        match name {
            b"StandardEncoding" => Some(Self::Standard),
            b"WinAnsiEncoding" => Some(Self::WinAnsi),
            b"MacRomanEncoding" => Some(Self::MacRoman),
            _ => None,
        }
    }

    pub(super) fn character(self, code: u8) -> Option<char> {
        let upper = |table: &str, first: u8| table.chars().nth(usize::from(code - first));
        match (self, code) {
            (_, ..0x20 | 0x7f) => None,
            (Self::Standard, b'\'') => Some('’'),
            (Self::Standard, b'`') => Some('‘'),
            (_, ..0x7f) => Some(char::from(code)),
            (Self::Standard, 0x80..0xa0) => None,
            (Self::Standard, _) => upper(STANDARD, 0xa0).filter(|character| *character != ' '),
            (Self::WinAnsi, 0x80..0xa0) => upper(WIN_ANSI, 0x80),
            (Self::WinAnsi, _) => Some(char::from(code)),
            (Self::MacRoman, _) => upper(MAC_ROMAN, 0x80),
        }
    }
}

/// The character of a glyph's name, such as `eacute` or `uni20AC`; names of a font's own mean nothing.
pub(super) fn character(name: &str) -> Option<char> {
    let name = name.split('.').next().unwrap_or_default();
    let mut characters = name.chars();
    match (characters.next(), characters.next()) {
        (Some(only), None) => return Some(only),
        (None, _) => return None,
        _ => {}
    }
    if name == "space" || name == "nbspace" {
        return Some(' ');
    }
    let mut known = NAMES.split_ascii_whitespace();
    while let (Some(known), Some(character)) = (known.next(), known.next()) {
        if known == name {
            return character.chars().next();
        }
    }
    for (ending, accent) in ACCENTS {
        if let Some(letter) = name.strip_suffix(ending) {
            let letter = if letter == "dotlessi" { "i" } else { letter };
            return letter.chars().next().filter(|_| letter.len() == 1).and_then(|letter| compose(letter, accent));
        }
    }
    let code = name.strip_prefix("uni").filter(|code| code.len() == 4);
    let code = code.or_else(|| name.strip_prefix('u').filter(|code| (4..=6).contains(&code.len())))?;
    char::from_u32(u32::from_str_radix(code, 16).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tables_are_as_long_as_what_they_describe() {
        let lengths = [WIN_ANSI, MAC_ROMAN, STANDARD].map(|table| table.chars().count());
        assert_eq!(lengths, [0x20, 0x80, 0x60]);
        assert_eq!(NAMES.split_ascii_whitespace().count() % 2, 0);
    }

    #[test]
    fn codes_and_names_are_the_characters_they_should_be() {
        let read = |encoding: Encoding, codes: &[u8]| -> String {
            codes.iter().filter_map(|code| encoding.character(*code)).collect()
        };
        assert_eq!(read(Encoding::WinAnsi, b"a'\x80\x93\x9f\xe9"), "a'€“Ÿé");
        assert_eq!(read(Encoding::MacRoman, b"a'\x80\xd2\xde\xff"), "a'Ä“ﬁˇ");
        assert_eq!(read(Encoding::Standard, b"a'`\xa1\xae\xbc\xd0\xe1\xfb\x80"), "a’‘¡ﬁ…—Æß");
        let told =
            ["A", "space", "eacute", "Scaron", "ohungarumlaut", "ffi", "uni20AC", "u1F916", "a.alt", "quoteright"];
        let characters: String = told.into_iter().filter_map(character).collect();
        assert_eq!(characters, "A éŠőﬃ€🤖a’");
        assert!(["g12", "", ".notdef", "cid:7", "uniXYZW", "xacute"].into_iter().all(|name| character(name).is_none()));
    }
}
