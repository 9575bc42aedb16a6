//! Small PDF files, made by hand.

use std::io::Write;

use flate2::Compression;
use flate2::write::ZlibEncoder;

/// A file in the making.
#[derive(Default)]
pub(crate) struct Pdf {
    objects: Vec<Vec<u8>>,
}

impl Pdf {
    /// Adds an object; its number.
    pub(crate) fn object(&mut self, spelt: impl AsRef<[u8]>) -> usize {
        self.objects.push(spelt.as_ref().to_vec());
        self.objects.len()
    }

    /// Adds a stream with these entries in its dictionary; its number.
    pub(crate) fn stream(&mut self, entries: &str, data: impl AsRef<[u8]>) -> usize {
        let data = data.as_ref();
        let mut spelt = format!("<<{entries}/Length {}>>\nstream\n", data.len()).into_bytes();
        spelt.extend(data);
        spelt.extend(b"\nendstream");
        self.object(spelt)
    }

    /// The whole file, with this catalogue and further entries in its trailer.
    pub(crate) fn file(&self, catalogue: usize, trailer: &str) -> Vec<u8> {
        let mut file = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n".to_vec();
        let mut places = Vec::new();
        for (index, object) in self.objects.iter().enumerate() {
            places.push(file.len());
            file.extend(format!("{} 0 obj\n", index + 1).into_bytes());
            file.extend(object);
            file.extend(b"\nendobj\n");
        }
        let table = file.len();
        file.extend(format!("xref\n0 {}\n0000000000 65535 f \n", places.len() + 1).into_bytes());
        for place in &places {
            file.extend(format!("{place:010} 00000 n \n").into_bytes());
        }
        let size = places.len() + 1;
        file.extend(
            format!("trailer\n<</Size {size}/Root {catalogue} 0 R{trailer}>>\nstartxref\n{table}\n%%EOF\n")
                .into_bytes(),
        );
        file
    }

    /// Pages with these operators, packed, in Helvetica as `/F1`; the whole file.
    pub(crate) fn of_pages(operators: &[&str]) -> Vec<u8> {
        let mut pdf = Self::default();
        let font = pdf.object("<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>>");
        let contents: Vec<usize> =
            operators.iter().map(|operators| pdf.stream("/Filter/FlateDecode", packed(operators.as_bytes()))).collect();
        let tree = pdf.objects.len() + contents.len() + 1;
        let pages = contents
            .iter()
            .map(|contents| format!("<</Type/Page/Parent {tree} 0 R/MediaBox[0 0 612 792]/Contents {contents} 0 R>>"));
        let kids: Vec<String> = pages.map(|page| format!("{} 0 R", pdf.object(page))).collect();
        let tree = pdf.object(format!(
            "<</Type/Pages/Count {}/Kids[{}]/Resources<</Font<</F1 {font} 0 R>>>>>>",
            kids.len(),
            kids.join(" ")
        ));
        let catalogue = pdf.object(format!("<</Type/Catalog/Pages {tree} 0 R>>"));
        pdf.file(catalogue, "")
    }
}

/// Operators that show these lines below each other.
pub(crate) fn lines(lines: &[&str]) -> String {
    let shown: Vec<String> = lines.iter().map(|line| format!("({line}) Tj 0 -14 Td")).collect();
    format!("BT /F1 12 Tf 72 720 Td {} ET", shown.join(" "))
}

/// Packed as `FlateDecode` wants it.
pub(crate) fn packed(data: &[u8]) -> Vec<u8> {
    let mut packer = ZlibEncoder::new(Vec::new(), Compression::best());
    packer.write_all(data).unwrap();
    packer.finish().unwrap()
}
