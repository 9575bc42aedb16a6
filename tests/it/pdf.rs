//! PDFs as people have them, and as nobody should.

use chatkit_gateway::pdf::{self, FILE_BYTES_MAX, PdfError, PdfText, READING_TIME_MAX};

use crate::support::pdf::{Pdf, lines, packed};

async fn read(file: impl Into<Vec<u8>>) -> Result<PdfText, PdfError> {
    let reading = pdf::text(file.into().into(), 100_000);
    tokio::time::timeout(READING_TIME_MAX * 2, reading).await.expect("reading ends in time")
}

async fn check(file: impl Into<Vec<u8>>, expected: &str) {
    assert_eq!(read(file).await, Ok(PdfText { text: expected.into(), is_cut: false }));
}

/// One page with these operators, and a font with these entries as `/F1`.
fn with_font(entries: &str, operators: &str, more: &mut dyn FnMut(&mut Pdf) -> String) -> Vec<u8> {
    let mut pdf = Pdf::default();
    let further = more(&mut pdf);
    let font = pdf.object(format!("<</Type/Font{entries}{further}>>"));
    let contents = pdf.stream("", operators);
    let page = pdf.object(format!("<</Type/Page/Contents {contents} 0 R/Resources<</Font<</F1 {font} 0 R>>>>>>"));
    let tree = pdf.object(format!("<</Type/Pages/Kids[{page} 0 R]/Count 1>>"));
    let catalogue = pdf.object(format!("<</Type/Catalog/Pages {tree} 0 R>>"));
    pdf.file(catalogue, "")
}

#[tokio::test]
async fn lines_words_and_pages_are_told_apart() {
    let first = lines(&["A robot senses,", "plans and acts."]);
    let second = "BT /F1 10 Tf 72 700 Td [(Four) -300 (num) 20 (bers)] TJ 0 -30 TD (Not \\(five\\)) Tj T* (or six) Tj \
        /F1 10 Tf 1 0 0 1 300 640 Tm (here) ' ET";
    check(
        Pdf::of_pages(&[&first, second]),
        "A robot senses,\nplans and acts.\n\nFour numbers\n\nNot (five)\n\nor six\n\nhere",
    )
    .await;
}

#[tokio::test]
async fn codes_become_characters_as_the_font_says() {
    let shown = "BT /F1 10 Tf (\\223Caf\\351\\224 \\200 5 \\320 o\\256ce) Tj ET";
    check(with_font("/Subtype/TrueType/Encoding/WinAnsiEncoding", shown, &mut |_| String::new()), "“Café” € 5 Ð o®ce")
        .await;
    check(with_font("/Subtype/Type1", "BT /F1 10 Tf (o\\256ce\\320) Tj ET", &mut |_| String::new()), "ofice—").await;
    let differences = "/Subtype/Type1/Encoding<</Differences[1/alpha/eacute 5/uni0679/g7/ffi]>>";
    check(with_font(differences, "BT /F1 10 Tf <0102050607> Tj ET", &mut |_| String::new()), "αéٹffi").await;
    let composite = with_font("/Subtype/Type0/Encoding/Identity-H", "BT /F1 10 Tf <000100020003> Tj ET", &mut |pdf| {
        let map = pdf.stream("", "2 beginbfchar <0001> <0631> <0002> <D83EDD16> endbfchar");
        let glyphs = pdf.object("<</Type/Font/Subtype/CIDFontType2/DW 600/W[1[500 600]]>>");
        format!("/ToUnicode {map} 0 R/DescendantFonts[{glyphs} 0 R]")
    });
    check(composite, "ر🤖").await;
}

#[tokio::test]
async fn objects_are_found_wherever_they_are_packed() {
    let mut pdf = Pdf::default();
    let form = pdf.stream("/Type/XObject/Subtype/Form/Resources<</Font<</F1 5 0 R>>>>", "BT /F1 9 Tf (form) Tj ET");
    let contents =
        pdf.stream("/Filter[/ASCII85Decode/FlateDecode]", ascii85(&packed(format!("/X{form} Do").as_bytes())));
    let inside = ["<</Type/Catalog/Pages 4 0 R>>", "<</Type/Pages/Kids[6 0 R]>>", "<</Type/Font/Subtype/Type1>>"];
    let page = format!("<</Type/Page/Contents[{contents} 0 R]/Resources<</XObject<</X{form} {form} 0 R>>>>>>");
    let (mut head, mut body) = (String::new(), String::new());
    for (number, object) in (3..).zip(inside.into_iter().chain([page.as_str()])) {
        head.push_str(&format!("{number} {} ", body.len()));
        body.push_str(object);
        body.push(' ');
    }
    let entries = format!("/Type/ObjStm/N 4/First {}/Filter/FlateDecode", head.len());
    // The numbers 3 to 6 are those of the packed objects.
    let mut file = pdf.file(3, "");
    let spelt = format!("{head}{body}");
    let pack = packed(spelt.as_bytes());
    let at = file.windows(4).position(|window| window == b"xref").unwrap();
    let mut object = format!("9 0 obj<<{entries}/Length {}>>stream\r\n", pack.len()).into_bytes();
    object.extend(&pack);
    object.extend(b"\nendstream endobj\n");
    file.splice(at..at, object);
    check(file, "form").await;
}

fn ascii85(data: &[u8]) -> Vec<u8> {
    let mut spelt = Vec::new();
    for group in data.chunks(4) {
        let mut word = [0; 4];
        word[..group.len()].copy_from_slice(group);
        let value = u32::from_be_bytes(word);
        let digits = (0..5).rev().map(|power| (value / 85_u32.pow(power) % 85) as u8 + b'!');
        spelt.extend(digits.take(group.len() + 1));
    }
    spelt.extend(b"~>");
    spelt
}

#[tokio::test]
async fn a_change_that_was_appended_counts() {
    let mut file = Pdf::of_pages(&[&lines(&["before"])]);
    let changed = lines(&["after"]);
    file.extend(format!("2 0 obj<</Length {}>>stream\n{changed}\nendstream endobj", changed.len()).into_bytes());
    check(file, "after").await;
}

#[tokio::test]
async fn a_file_without_its_tables_and_its_end_gives_what_there_is() {
    let file = Pdf::of_pages(&[&lines(&["first"]), &lines(&["second"])]);
    let table = file.windows(4).position(|window| window == b"xref").unwrap();
    check(&file[..table], "first\n\nsecond").await;
    let tree = file.windows(10).position(|window| window == b"/Type/Page").unwrap();
    let second = tree + file[tree + 1..].windows(10).position(|window| window == b"/Type/Page").unwrap();
    let without_tree = read(&file[..second]).await.unwrap();
    assert!(without_tree.text.is_empty(), "fonts came with the tree: {without_tree:?}");
}

#[tokio::test]
async fn what_cannot_be_read_says_why() {
    assert_eq!(read(*b"%PDF-1.4\nnothing").await, Err(PdfError::Broken));
    assert_eq!(read(Vec::new()).await, Err(PdfError::Broken));
    let mut pdf = Pdf::default();
    let tree = pdf.object("<</Type/Pages/Kids[]>>");
    let catalogue = pdf.object(format!("<</Type/Catalog/Pages {tree} 0 R>>"));
    assert_eq!(read(pdf.file(catalogue, "/Encrypt<</Filter/Standard/V 1>>")).await, Err(PdfError::Encrypted));
    assert_eq!(read(vec![b' '; FILE_BYTES_MAX + 1]).await, Err(PdfError::TooMuch));
    check(Pdf::of_pages(&["0 0 m 9 9 l S", "/Im1 Do"]), "").await;
}

#[tokio::test]
async fn a_long_text_is_cut() {
    let line = lines(&["robot "; 1000]);
    let pages = vec![line.as_str(); 40];
    let read = pdf::text(Pdf::of_pages(&pages).into(), 10_000).await.unwrap();
    assert!(read.is_cut && (9_990..=10_000).contains(&read.text.len()), "{}", read.text.len());
}

#[tokio::test]
async fn bombs_do_not_go_off() {
    let zeros = packed(&vec![b' '; 16 << 20]);
    let twice = packed(&zeros);
    let of_stream = |entries: &str, data: &[u8]| {
        with_font("/Subtype/Type1", &lines(&["text"]), &mut |pdf| {
            format!("/ToUnicode {} 0 R", pdf.stream(entries, data))
        })
    };
    let mut bombs = vec![
        ("a packed stream", of_stream("/Filter/FlateDecode", &zeros)),
        ("a stream packed twice", of_stream("/Filter[/FlateDecode/FlateDecode]", &twice)),
        ("all codes at once", of_stream("", b"1 beginbfrange <00000000> <FFFFFFFF> <0041> endbfrange")),
        ("open brackets", with_font("", &"[".repeat(1 << 20), &mut |_| String::new())),
        ("states", with_font("", &"q ".repeat(1 << 20), &mut |_| String::new())),
        ("objects that hold objects", {
            let (mut pdf, ones) = (Pdf::default(), packed(&vec![b'1'; 4 << 20]));
            for _ in 0..100 {
                pdf.stream("/Type/ObjStm/N 1/First 1/Filter/FlateDecode", &ones);
            }
            pdf.file(1, "")
        }),
        ("numbers of objects", "1 0 obj ".repeat(2 << 20).into_bytes()),
        ("trailers", b"%PDF-1.4\n1 0 obj trailer".iter().copied().chain(b"trailer<<".repeat(1 << 20)).collect()),
    ];
    // Each form draws the next one twenty times.
    let mut pdf = Pdf::default();
    let forms: String = (1..=12).map(|number| format!("/X{number} {number} 0 R")).collect();
    for number in 1..=12 {
        let next = format!("/X{} Do ", number % 12 + 1).repeat(20);
        pdf.stream(&format!("/Subtype/Form/Resources<</XObject<<{forms}>>>>"), next);
    }
    let page = pdf.object(format!("<</Type/Page/Contents 1 0 R/Resources<</XObject<<{forms}>>>>>>"));
    let tree = pdf.object(format!("<</Kids[{}]>>", format!("{page} 0 R {} 0 R ", page + 1).repeat(1000)));
    let catalogue = pdf.object(format!("<</Pages {tree} 0 R>>"));
    bombs.push(("forms that draw forms", pdf.file(catalogue, "")));
    for (name, bomb) in bombs {
        match read(bomb).await {
            Ok(read) => assert!(read.text.len() < 100, "{name}: {}", read.text.len()),
            Err(PdfError::Broken | PdfError::TooMuch) => {}
            Err(other) => panic!("{name}: {other:?}"),
        }
    }
}
