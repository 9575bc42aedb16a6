//! The table of expected answers, as `expected.txt` has it.

use std::collections::HashMap;

use super::cast::Guise;

pub(super) struct Table {
    pub(super) rows: Vec<Row>,
}

pub(super) struct Row {
    /// The method and the path of a door, and what is asked there.
    pub(super) name: String,
    /// The status that each column expects.
    pub(super) cells: HashMap<String, u16>,
}

impl Table {
    pub(super) fn read() -> Self {
        let text = include_str!("expected.txt");
        let (heads, lines): (Vec<&str>, Vec<&str>) = text.lines().partition(|line| line.starts_with('#'));
        let columns: Vec<&str> = heads.last().unwrap().trim_start_matches('#').split_whitespace().collect();
        assert_eq!(columns, super::cast::COLUMNS, "the head of the table");
        let rows: Vec<Row> = lines.iter().map(|line| Row::read(line, &columns)).collect();
        assert!(rows.len() > 30, "only {} rows", rows.len());
        Self { rows }
    }
}

impl Row {
    /// A row ends with as many cells as there are columns; what stands before them is its name.
    fn read(line: &str, columns: &[&str]) -> Self {
        let words: Vec<&str> = line.split_whitespace().collect();
        let (name, cells) = words.split_at(words.len() - columns.len());
        let status = |cell: &&str| cell.parse().unwrap_or_else(|_| panic!("`{cell}` is no status: {line}"));
        let cells = columns.iter().map(|column| (*column).to_owned()).zip(cells.iter().map(status)).collect();
        Self { name: name.join(" "), cells }
    }

    /// Its method and path.
    pub(super) fn door(&self) -> String {
        self.name.split([' ', ',']).take(2).collect::<Vec<_>>().join(" ")
    }

    /// The type of the request, for rows of the protocol.
    pub(super) fn kind(&self) -> Option<String> {
        self.name.split([' ', ',']).nth(2).map(str::to_owned)
    }

    /// Whether the request names something that is there.
    pub(super) fn names_something(&self) -> bool {
        self.cells["owner"] < 400
    }

    /// The ways in which the owner is known that it is tried for.
    pub(super) fn guises(&self) -> &'static [Guise] {
        match self.about() {
            "once" => &[Guise::User],
            "with an account" => &[Guise::Account, Guise::Cookie],
            "when signed in" | "in the owner's name" => &[Guise::User, Guise::Account, Guise::Cookie],
            "as a visitor" => &[Guise::Visitor],
            _ => &Guise::ALL,
        }
    }

    /// What else is said of the request.
    fn about(&self) -> &str {
        self.name.split_once(", ").map_or("", |(_, about)| about)
    }

    /// Whether what is shown is good for nothing afterwards.
    pub(super) fn ends_a_session(&self) -> bool {
        self.name.starts_with("POST /auth/signout") || self.name.starts_with("POST /auth/refresh")
    }

    /// Whether the request can be carried out only once.
    pub(super) fn takes_once(&self) -> bool {
        self.door().ends_with("/attachments/{id}/upload")
    }
}
