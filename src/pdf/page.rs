//! Pages in their order, and the text that their operators draw.

use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use super::file::{File, Spent};
use super::font::Font;
use super::object::{Dict, Lexer, Object, Token};
use super::place::{Gap, Matrix, Spot};

/// Pages lie in trees so deep.
const TREE_DEPTH_MAX: usize = 50;

/// Drawings within drawings, so deep.
const FORMS_DEPTH_MAX: usize = 8;

/// States that are kept to come back to.
const STATES_MAX: usize = 500;

/// Operands of one operator.
const OPERANDS_MAX: usize = 64;

/// Fonts that are remembered from page to page.
const FONTS_MAX: usize = 64;

/// The operators of a page are read as long as they are not more, its last piece aside.
const OPERATORS_BYTES_MAX: usize = 8 << 20;

/// The fonts read so far, by their numbers.
#[derive(Default)]
pub(super) struct Fonts(HashMap<u32, Rc<Font>>);

/// Whether there shall be another page.
pub(super) type More = bool;

/// Visits the pages with their resources; where the file has no tree of them, in the order of their numbers. They are
/// visited rather than collected, since each may take as much room as the file.
pub(super) fn each(file: &File<'_>, visit: &mut dyn FnMut(&Dict, &Dict) -> Result<More, Spent>) -> Result<(), Spent> {
    let mut any = false;
    let mut counting = |page: &Dict, resources: &Dict| {
        any = true;
        visit(page, resources)
    };
    if let Some(tree) = file.page_tree()? {
        climb(file, &tree, &Rc::default(), TREE_DEPTH_MAX, &mut HashSet::new(), &mut counting)?;
    }
    if !any {
        for dict in file.dicts() {
            let dict = dict?;
            if dict.name("Type") == Some(b"Page") {
                let resources = file.dict(dict.get("Resources"))?.unwrap_or_default();
                if !visit(&dict, &resources)? {
                    break;
                }
            }
        }
    }
    Ok(())
}

fn climb(
    file: &File<'_>,
    branch: &Object,
    above: &Rc<Dict>,
    depth: usize,
    seen: &mut HashSet<u32>,
    visit: &mut dyn FnMut(&Dict, &Dict) -> Result<More, Spent>,
) -> Result<More, Spent> {
    file.go_on()?;
    let is_new = match branch {
        Object::Reference(number) => seen.insert(*number),
        _ => true,
    };
    let Some(dict) = file.dict(Some(branch))?.filter(|_| is_new && depth > 0) else { return Ok(true) };
    let resources = file.dict(dict.get("Resources"))?.map_or_else(|| Rc::clone(above), Rc::new);
    if dict.get("Kids").is_none() {
        return visit(&dict, &resources);
    }
    for kid in file.array(dict.get("Kids"))? {
        if !climb(file, &kid, &resources, depth - 1, seen, visit)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Appends the text of a page, until there are `text_bytes_max` bytes in all.
pub(super) fn read(
    file: &File<'_>,
    page: &Dict,
    resources: &Dict,
    fonts: &mut Fonts,
    text: &mut String,
    text_bytes_max: usize,
) -> Result<(), Spent> {
    let contents = match page.get("Contents") {
        None => return Ok(()),
        Some(contents) if file.stream(contents)?.is_some() => vec![contents.clone()],
        Some(contents) => file.array(Some(contents))?,
    };
    // One operator may be cut in two by the end of a piece.
    let mut operators = Vec::new();
    for piece in &contents {
        if operators.len() < OPERATORS_BYTES_MAX
            && let Some(stream) = file.stream(piece)?
            && let Some(data) = file.unpack(&stream)?
        {
            operators.extend(data);
            operators.push(b'\n');
        }
    }
    let begun = text.len();
    let mut writer = Writer { file, fonts, text, begun, text_bytes_max, last: None };
    writer.draw(&operators, resources, Matrix::IDENTITY, FORMS_DEPTH_MAX)
}

/// What operators set, and `q` and `Q` keep.
#[derive(Clone)]
struct State {
    on_page: Matrix,
    font: Option<Rc<Font>>,
    size: f64,
    character_space: f64,
    word_space: f64,
    stretch: f64,
    leading: f64,
    rise: f64,
}

/// Writes text down as it is drawn.
struct Writer<'a, 'b> {
    file: &'a File<'b>,
    fonts: &'a mut Fonts,
    text: &'a mut String,
    /// Where the page begins.
    begun: usize,
    text_bytes_max: usize,
    /// Where the last string ended, and whether that was measured.
    last: Option<(Spot, bool)>,
}

impl Writer<'_, '_> {
    fn draw(&mut self, operators: &[u8], resources: &Dict, on_page: Matrix, depth: usize) -> Result<(), Spent> {
        let mut state = State {
            on_page,
            font: None,
            size: 0.0,
            character_space: 0.0,
            word_space: 0.0,
            stretch: 1.0,
            leading: 0.0,
            rise: 0.0,
        };
        let mut states: Vec<State> = Vec::new();
        let (mut line, mut at) = (Matrix::IDENTITY, Matrix::IDENTITY);
        let mut operands: Vec<Object> = Vec::new();
        let mut lexer = Lexer::new(operators, 0);
        while let Some(token) = lexer.token() {
            let operator = match token {
                Token::Word(word) => word,
                token => {
                    if let Some(operand) = lexer.object_of(token)
                        && operands.len() < OPERANDS_MAX
                    {
                        operands.push(operand);
                    }
                    continue;
                }
            };
            self.file.go_on()?;
            if self.text.len() > self.text_bytes_max {
                return Ok(());
            }
            let number = |index: usize| operands.get(index).and_then(Object::number).unwrap_or(0.0);
            let matrix = || Matrix(std::array::from_fn(number));
            match operator {
                b"q" if states.len() < STATES_MAX => states.push(state.clone()),
                b"Q" => state = states.pop().unwrap_or(state),
                b"cm" => state.on_page = matrix().then(state.on_page),
                b"BT" => (line, at) = (Matrix::IDENTITY, Matrix::IDENTITY),
                b"Tf" => {
                    if let Some(Object::Name(name)) = operands.first() {
                        state.font = self.font(name, resources)?;
                    }
                    state.size = number(1);
                }
                b"Tc" => state.character_space = number(0),
                b"Tw" => state.word_space = number(0),
                b"Tz" => state.stretch = number(0) / 100.0,
                b"TL" => state.leading = number(0),
                b"Ts" => state.rise = number(0),
                b"Td" => line = Matrix::shift(number(0), number(1)).then(line),
                b"TD" => {
                    state.leading = -number(1);
                    line = Matrix::shift(number(0), number(1)).then(line);
                }
                b"Tm" => line = matrix(),
                b"T*" | b"'" => line = Matrix::shift(0.0, -state.leading).then(line),
                b"\"" => {
                    (state.word_space, state.character_space) = (number(0), number(1));
                    line = Matrix::shift(0.0, -state.leading).then(line);
                }
                _ => {}
            }
            match operator {
                b"Td" | b"TD" | b"Tm" | b"T*" | b"'" | b"\"" => {
                    at = line;
                    // From here on the way from the last string is no longer the widths of its glyphs.
                    self.last = self.last.map(|(end, is_exact)| {
                        (end, is_exact && state.font.as_ref().is_none_or(|font| font.knows_widths))
                    });
                }
                _ => {}
            }
            match (operator, operands.last()) {
                (b"Tj" | b"'" | b"\"", Some(Object::Text(shown))) => at = self.show(shown, &state, at),
                (b"TJ", Some(Object::Array(parts))) => {
                    for part in parts {
                        match part {
                            Object::Text(shown) => at = self.show(shown, &state, at),
                            Object::Number(back) => {
                                at = Matrix::shift(-back / 1000.0 * state.size * state.stretch, 0.0).then(at);
                            }
                            _ => {}
                        }
                    }
                }
                (b"Do", Some(Object::Name(name))) if depth > 0 => {
                    self.draw_form(name, resources, state.on_page, depth - 1)?;
                }
                (b"BI", _) => skip_picture(&mut lexer),
                _ => {}
            }
            operands.clear();
        }
        Ok(())
    }

    /// A drawing of its own within the page; pictures are none.
    fn draw_form(&mut self, name: &[u8], resources: &Dict, on_page: Matrix, depth: usize) -> Result<(), Spent> {
        let forms = self.file.dict(resources.get("XObject"))?.unwrap_or_default();
        let Some(form) = forms.by_bytes(name) else { return Ok(()) };
        let Some(stream) = self.file.stream(form)? else { return Ok(()) };
        if stream.dict.name("Subtype") != Some(b"Form") {
            return Ok(());
        }
        let Some(operators) = self.file.unpack(&stream)? else { return Ok(()) };
        let matrix = self.file.array(stream.dict.get("Matrix"))?;
        let matrix = match matrix.len() {
            6 => Matrix(std::array::from_fn(|index| matrix[index].number().unwrap_or(0.0))),
            _ => Matrix::IDENTITY,
        };
        let own = self.file.dict(stream.dict.get("Resources"))?;
        self.draw(&operators, own.as_ref().unwrap_or(resources), matrix.then(on_page), depth)
    }

    fn font(&mut self, name: &[u8], resources: &Dict) -> Result<Option<Rc<Font>>, Spent> {
        let fonts = self.file.dict(resources.get("Font"))?.unwrap_or_default();
        let Some(object) = fonts.by_bytes(name) else { return Ok(None) };
        if let Object::Reference(number) = object
            && let Some(font) = self.fonts.0.get(number)
        {
            return Ok(Some(Rc::clone(font)));
        }
        let Some(dict) = self.file.dict(Some(object))? else { return Ok(None) };
        let font = Rc::new(Font::read(self.file, &dict)?);
        if let Object::Reference(number) = object {
            if self.fonts.0.len() >= FONTS_MAX {
                self.fonts.0.clear();
            }
            self.fonts.0.insert(*number, Rc::clone(&font));
        }
        Ok(Some(font))
    }

    /// Writes a string down; where the next one stands if nothing moves it.
    fn show(&mut self, shown: &[u8], state: &State, at: Matrix) -> Matrix {
        let Some(font) = &state.font else { return at };
        let (mut words, mut advance) = (String::new(), 0.0);
        for glyph in font.glyphs(shown) {
            glyph.text.chars().for_each(|character| put(character, &mut words));
            let space = state.character_space + if glyph.is_blank_byte { state.word_space } else { 0.0 };
            advance += (glyph.width / 1000.0 * state.size + space) * state.stretch;
            if self.text.len() + words.len() > self.text_bytes_max {
                break;
            }
        }
        let raised = Matrix::shift(0.0, state.rise);
        let next = Matrix::shift(advance, 0.0).then(at);
        if !words.is_empty() {
            let begins = Spot::of(raised.then(at).then(state.on_page), state.size);
            if let Some((end, is_exact)) = self.last {
                self.space(Spot::gap(end, begins, is_exact), &words);
            }
            self.text.push_str(&words);
            self.last = Some((Spot::of(raised.then(next).then(state.on_page), state.size), true));
        }
        next
    }

    fn space(&mut self, gap: Gap, before: &str) {
        let so_far = &self.text[self.begun..];
        if so_far.is_empty() {
            return;
        }
        match gap {
            Gap::None => {}
            Gap::Word if so_far.ends_with(char::is_whitespace) || before.starts_with(char::is_whitespace) => {}
            Gap::Word => self.text.push(' '),
            Gap::Line | Gap::Paragraph => {
                self.text.truncate(self.begun + so_far.trim_end_matches(' ').len());
                self.text.push_str(if gap == Gap::Line { "\n" } else { "\n\n" });
            }
        }
    }
}

/// A character as it would be typed.
fn put(character: char, words: &mut String) {
    match character {
        'ﬀ' => words.push_str("ff"),
        'ﬁ' => words.push_str("fi"),
        'ﬂ' => words.push_str("fl"),
        'ﬃ' => words.push_str("ffi"),
        'ﬄ' => words.push_str("ffl"),
        '\u{a0}' | '\t' | '\n' | '\r' => words.push(' '),
        '\u{ad}' => {}
        character if character.is_control() => {}
        character => words.push(character),
    }
}

/// Goes past the bytes of a picture among the operators.
fn skip_picture(lexer: &mut Lexer<'_>) {
    let is_blank = |byte: Option<&u8>| byte.is_none_or(u8::is_ascii_whitespace);
    let mut ends = memchr::memmem::find_iter(&lexer.bytes[lexer.at..], b"EI").map(|end| lexer.at + end);
    let end = ends.find(|end| is_blank(lexer.bytes.get(end.wrapping_sub(1))) && is_blank(lexer.bytes.get(end + 2)));
    lexer.at = end.map_or(lexer.bytes.len(), |end| end + 2);
}
