//! No bytes make the reader panic: its own thread would hide that, so it is asked here without one.

use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::*;

/// Everything that a file can have, spelt so that single bytes matter.
const SAMPLE: &str = "%PDF-1.7
1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj
2 0 obj<</Type/Pages/Kids[3 0 R 9 0 R]/Resources<</Font<</F1 5 0 R/F2 6 0 R>>/XObject<</X 8 0 R>>>>>>endobj
3 0 obj<</Type/Page/Parent 2 0 R/Contents[4 0 R]>>endobj
4 0 obj<</Length 160>>stream
q 1 0 0 1 10 20 cm BT /F1 10 Tf 12 TL 50 Tz 1 Tc 2 Tw 3 Ts 1 2 Td (A\\101) Tj T* [(B) -300 (C)] TJ (D) ' 1 2 (E) \" ET Q
BT /F2 9 Tf 1 0 0 1 5 5 Tm <0041004200430044> Tj ET BI /W 1 ID xx EI /X Do
endstream endobj
5 0 obj<</Type/Font/Subtype/Type3/FontMatrix[.01 0 0 .01 0 0]/FirstChar 65/Widths[50 60 7 0 R]/Encoding<</Differences[65/a/eacute 200/u1F916]>>>>endobj
6 0 obj<</Type/Font/Subtype/Type0/Encoding/Identity-H/ToUnicode 10 0 R/DescendantFonts[<</DW 900/W[65[500 600] 70 80 700]>>]>>endobj
7 0 obj 70 endobj
8 0 obj<</Subtype/Form/Matrix[1 0 0 1 0 0]/Filter[/ASCIIHexDecode/A85]/Length 12>>stream
38376355523E
endstream endobj
9 0 obj<</Type/Page/Contents 4 0 R>>endobj
10 0 obj<</Length 120>>stream
beginbfchar <0041> <0061> endbfchar beginbfrange <0042> <0043> [<0062> <0063>] <0044> <0045> <D83EDD16> endbfrange
endstream endobj
11 0 obj<</Type/ObjStm/N 1/First 5/Length 20>>stream
12 0 <</Type/Font>>
endstream endobj
trailer<</Root 1 0 R>>
";

fn read(bytes: &[u8]) -> Result<PdfText, PdfError> {
    extract(bytes, 1_000, Instant::now() + Duration::from_secs(10))
}

#[test]
fn the_sample_is_read() {
    let PdfText { text, is_cut } = read(SAMPLE.as_bytes()).unwrap();
    assert!(text.contains('a') && text.contains("bc") && text.contains('🤖') && !is_cut, "{text}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn no_change_of_a_file_makes_it_panic(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..20),
        pieces in prop::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>()), 0..4),
        end in any::<prop::sample::Index>(),
    ) {
        let mut bytes = SAMPLE.as_bytes().to_vec();
        for (place, byte) in changes {
            let place = place.index(bytes.len());
            bytes[place] = byte;
        }
        for (from, to) in pieces {
            let piece = bytes[from.index(bytes.len())..].iter().copied().take(60).collect::<Vec<u8>>();
            let to = to.index(bytes.len());
            bytes.splice(to..to, piece);
        }
        bytes.truncate(end.index(bytes.len() * 3).max(1));
        if let Ok(read) = read(&bytes) {
            prop_assert!(read.text.len() <= 1_000);
        }
    }

    #[test]
    fn no_numbers_make_it_panic(numbers in prop::collection::vec(any::<f64>(), 8), big in any::<i64>()) {
        let mut sample = SAMPLE.to_owned();
        for number in numbers {
            let place = sample.find(" 1 0 ").unwrap_or(0);
            sample.replace_range(place..place + 3, &format!(" {number} "));
        }
        let _ = read(sample.replace("65", &big.to_string()).as_bytes());
        let _ = read(sample.replace("500", &big.to_string()).replace("/First 5", &format!("/First {big}")).as_bytes());
    }
}
