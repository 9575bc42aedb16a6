//! Just enough Markdown to tell prose from code, math and link targets, one character at a time.

/// Where in a Markdown text one stands.
#[derive(Clone, Debug, Default)]
pub(super) struct Place {
    block: Block,
    /// The characters of the run that is being read: backticks, tildes or dollars.
    run: Option<Run>,
    /// Only blanks, quote signs and list signs so far in this line.
    indenting: bool,
    line_empty: bool,
    escaped: bool,
    link_target: bool,
    /// Opening brackets, when since then only what may stand in a mark came.
    open_brackets: u32,
    previous: Option<char>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Run {
    of: char,
    length: usize,
    at_line_start: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Block {
    #[default]
    Prose,
    /// Inside a code span or display math, until a run of the same length.
    Span { of: char, length: usize },
    /// In the line that opens a fence: a backtick makes it a span after all.
    FenceInfo { of: char, length: usize },
    /// Inside a fence; `closing` while the line is a run long enough, followed by blanks only.
    Fence { of: char, length: usize, closing: bool },
}

impl Place {
    /// The start of a text.
    pub(super) fn start() -> Self {
        Self { indenting: true, line_empty: true, ..Self::default() }
    }

    /// The last character, if there was one.
    pub(super) fn previous(&self) -> Option<char> {
        self.previous
    }

    /// Whether nothing but indentation stands before this place in its line.
    pub(super) fn at_line_start(&self) -> bool {
        self.indenting
    }

    /// Whether an opening bracket that comes now may open a mark.
    pub(super) fn takes_marks(&self) -> bool {
        let mut after_run = self.clone();
        after_run.end_run();
        after_run.block == Block::Prose && !self.escaped && !self.link_target && self.open_brackets == 0
    }

    /// Whether blanks here are the writer's business alone.
    pub(super) fn is_verbatim(&self) -> bool {
        self.block != Block::Prose
    }

    /// Whether this is a block of code, or the line that opens one.
    pub(super) fn in_fence(&self) -> bool {
        let mut after_run = self.clone();
        after_run.end_run();
        matches!(after_run.block, Block::Fence { .. } | Block::FenceInfo { .. })
    }

    /// Whether a backslash takes its meaning from what comes next.
    pub(super) fn is_escaped(&self) -> bool {
        self.escaped
    }

    /// Whether plain text changes no more here than what stands before it.
    pub(super) fn is_at_rest(&self) -> bool {
        self.run.is_none()
            && !(self.indenting || self.line_empty || self.escaped || self.link_target)
            && self.open_brackets == 0
            && !matches!(self.block, Block::Fence { closing: true, .. })
    }

    /// Moves behind plain text from a place [at rest](Place::is_at_rest): no byte of it [is a sign](is_sign).
    pub(super) fn pass(&mut self, plain: &str) {
        self.previous = plain.chars().next_back().or(self.previous);
    }

    /// Moves behind `c`.
    pub(super) fn step(&mut self, c: char) {
        if let Some(run) = self.run.as_mut().filter(|run| run.of == c) {
            run.length += 1;
            self.previous = Some(c);
            self.line_empty = false;
            return;
        }
        self.end_run();
        let escaped = std::mem::take(&mut self.escaped);
        match c {
            '\n' => self.end_line(),
            '`' | '~' | '$' if !escaped || self.is_verbatim() => {
                self.run = Some(Run { of: c, length: 1, at_line_start: self.indenting });
                self.indenting = false;
            }
            _ => {
                self.escaped = c == '\\' && !escaped && !self.is_verbatim();
                self.step_link(c, escaped);
                if let Block::Fence { closing, .. } = &mut self.block {
                    *closing &= c.is_whitespace();
                }
                self.indenting &= matches!(c, ' ' | '\t' | '>');
            }
        }
        self.line_empty &= c.is_whitespace();
        self.previous = Some(c);
    }

    fn step_link(&mut self, c: char, escaped: bool) {
        self.open_brackets = match c {
            '[' | '【' if !escaped => self.open_brackets + 1,
            ']' | '】' => self.open_brackets.saturating_sub(1),
            _ if super::marks::is_inside(c) => self.open_brackets,
            _ => 0,
        };
        self.link_target = match c {
            '(' => self.link_target || self.previous == Some(']'),
            ')' | ' ' => false,
            _ => self.link_target,
        };
    }

    fn end_line(&mut self) {
        self.block = match self.block {
            // A paragraph ends at an empty line, and with it whatever was left open.
            Block::Span { .. } if self.line_empty => Block::Prose,
            Block::FenceInfo { of, length } => Block::Fence { of, length, closing: false },
            Block::Fence { closing: true, .. } => Block::Prose,
            block => block,
        };
        (self.indenting, self.line_empty) = (true, true);
        (self.link_target, self.open_brackets) = (false, 0);
    }

    fn end_run(&mut self) {
        let Some(Run { of, length, at_line_start }) = self.run.take() else { return };
        self.open_brackets = 0;
        self.block = match self.block {
            Block::Prose if of != '$' && length >= 3 && at_line_start => Block::FenceInfo { of, length },
            Block::Prose if of == '`' || (of == '$' && length == 2) => Block::Span { of, length },
            Block::Span { of: opener, length: opening } if of == opener && length == opening => Block::Prose,
            // What looked like a fence has a backtick in its first line: it was a span, and this may be its end.
            Block::FenceInfo { of: '`', length: opening } if of == '`' => match length == opening {
                true => Block::Prose,
                false => Block::Span { of, length: opening },
            },
            Block::Fence { of: opener, length: opening, .. } if of == opener => {
                Block::Fence { of: opener, length: opening, closing: at_line_start && length >= opening }
            }
            block => block,
        };
    }
}

/// Whether a character that begins with this byte is none of plain text: it may change where one stands.
pub(super) fn is_sign(byte: u8) -> bool {
    // The brackets `【` and `】` begin with the last of these, as most of Japanese does.
    matches!(byte, b'\n' | b'`' | b'~' | b'$' | b'\\' | b'[' | b']' | b'(' | b')' | 0xe3)
}
