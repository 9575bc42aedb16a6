//! What a source file names: every path into the house and into outside crates, read with a real parser.

use std::collections::{HashMap, HashSet};

use syn::buffer::Cursor;
use syn::parse::{ParseStream, Parser};
use syn::visit::{self, Visit};

/// The names by which the library calls itself, and by which the program calls it.
const ROOTS: [&str; 2] = ["crate", "chatkit_gateway"];

/// A file and where it lies, such as `src/chat/turn.rs`.
#[derive(Clone)]
pub(super) struct Source {
    pub(super) path: String,
    pub(super) text: String,
}

impl Source {
    pub(super) fn new(path: &str, text: &str) -> Self {
        Self { path: path.to_owned(), text: text.to_owned() }
    }

    /// The module it is, such as `["chat", "turn"]`; empty for `lib.rs`, and `["main"]` for `main.rs`.
    pub(super) fn module(&self) -> Vec<String> {
        let below = self.path.split_once("src/").map_or(self.path.as_str(), |(_, below)| below);
        let mut module: Vec<String> = below.trim_end_matches(".rs").split('/').map(str::to_owned).collect();
        if matches!(module.last().map(String::as_str), Some("mod" | "lib")) {
            module.pop();
        }
        module
    }

    pub(super) fn parsed(&self) -> syn::File {
        syn::parse_file(&self.text).unwrap_or_else(|error| panic!("{}: {error}", self.path))
    }
}

/// A path that a file names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Named {
    /// From its root: `["crate", "chat", "sse"]` in the house, `["axum", "Json"]` outside of it.
    pub(super) path: Vec<String>,
    /// As somebody who looks for it would find it.
    pub(super) written: String,
}

/// The paths that a file names, but for those in its `#[cfg(test)]` modules.
pub(super) fn named(source: &Source) -> Vec<Named> {
    let (file, module) = (source.parsed(), source.module());
    let mut imports = Reading { module: module.clone(), ..Reading::default() };
    imports.visit_file(&file);
    let mut reading = Reading { module, imported: imports.importing, ..Reading::default() };
    reading.visit_file(&file);
    reading.named
}

/// The modules that are compiled for tests only and have a file of their own.
pub(super) fn test_modules(sources: &[Source]) -> HashSet<Vec<String>> {
    let mut modules = HashSet::new();
    for source in sources {
        for item in source.parsed().items {
            if let syn::Item::Mod(declared) = item
                && is_for_tests(&declared.attrs)
            {
                modules.insert([source.module(), vec![declared.ident.to_string()]].concat());
            }
        }
    }
    modules
}

/// Every token of a file, with what stands in brackets after its opening one, each as a word or a sign.
pub(super) fn tokens(source: &Source) -> Vec<String> {
    let mut tokens = Vec::new();
    let read = |input: ParseStream<'_>| {
        flatten(input.cursor(), &mut tokens);
        skip_all(input)
    };
    read.parse_str(&source.text).unwrap_or_else(|error| panic!("{}: {error}", source.path));
    tokens
}

fn flatten(mut cursor: Cursor<'_>, tokens: &mut Vec<String>) {
    while !cursor.eof() {
        if let Some((inside, _, _, after)) = cursor.any_group() {
            tokens.push("(".to_owned());
            flatten(inside, tokens);
            cursor = after;
        } else if let Some((token, after)) = cursor.token_tree() {
            tokens.push(token.to_string());
            cursor = after;
        }
    }
}

fn skip_all(input: ParseStream<'_>) -> syn::Result<()> {
    input.step(|cursor| {
        let mut rest = *cursor;
        while let Some((_, after)) = rest.token_tree() {
            rest = after;
        }
        Ok(((), rest))
    })
}

/// Whether `#[cfg(…)]` asks for `test`, and not for its absence.
pub(super) fn is_for_tests(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().filter(|attribute| attribute.path().is_ident("cfg")).any(|attribute| {
        let mut words = Vec::new();
        if let syn::Meta::List(list) = &attribute.meta {
            let read = |input: ParseStream<'_>| {
                flatten(input.cursor(), &mut words);
                skip_all(input)
            };
            let _ = read.parse2(list.tokens.clone());
        }
        words.iter().any(|word| word == "test") && !words.iter().any(|word| word == "not")
    })
}

/// One walk through a file.
#[derive(Default)]
struct Reading {
    /// Where the walk is.
    module: Vec<String>,
    /// What a name in this file stands for, by its imports.
    imported: HashMap<String, Vec<String>>,
    /// The same, as far as this walk has come.
    importing: HashMap<String, Vec<String>>,
    named: Vec<Named>,
}

impl Reading {
    /// The path from its root.
    fn resolve(&self, path: &[String]) -> Vec<String> {
        let (first, rest) = path.split_first().expect("a path has a first part");
        let here = || [vec!["crate".to_owned()], self.module.clone()].concat();
        let (mut from, mut rest) = match first.as_str() {
            root if ROOTS.contains(&root) => (vec!["crate".to_owned()], rest),
            "self" => (here(), rest),
            "super" => (here(), path),
            name => match self.imported.get(name) {
                Some(known) => (known.clone(), rest),
                None => (vec![first.clone()], rest),
            },
        };
        while rest.first().is_some_and(|part| part == "super") {
            from.pop();
            rest = &rest[1..];
        }
        from.extend_from_slice(rest);
        from
    }

    fn name(&mut self, path: &[String], written: String) {
        let named = Named { path: self.resolve(path), written };
        if !self.named.contains(&named) {
            self.named.push(named);
        }
    }

    /// A path in an expression, a type or a macro. One word alone is a variable or a name imported elsewhere.
    fn name_inline(&mut self, path: &[String]) {
        if path.len() > 1 {
            self.name(path, path.join("::"));
        }
    }

    fn import(&mut self, tree: &syn::UseTree, before: &[String]) {
        let with = |ident: &dyn ToString| [before, &[ident.to_string()]].concat();
        match tree {
            syn::UseTree::Path(part) => self.import(&part.tree, &with(&part.ident)),
            syn::UseTree::Group(group) => group.items.iter().for_each(|tree| self.import(tree, before)),
            syn::UseTree::Glob(_) => self.name(&with(&"*"), format!("use {}::*", before.join("::"))),
            syn::UseTree::Name(name) if name.ident == "self" => {
                self.bind(before, before.last().expect("`self` stands in a group").clone());
            }
            syn::UseTree::Rename(name) if name.ident == "self" => self.bind(before, name.rename.to_string()),
            syn::UseTree::Name(name) => self.bind(&with(&name.ident), name.ident.to_string()),
            syn::UseTree::Rename(name) => self.bind(&with(&name.ident), name.rename.to_string()),
        }
    }

    fn bind(&mut self, path: &[String], as_name: String) {
        self.importing.insert(as_name, self.resolve(path));
        self.name(path, format!("use {}", path.join("::")));
    }

    /// What macros and attributes are given is no syntax yet; paths in it look like paths all the same.
    fn name_in_tokens(&mut self, mut cursor: Cursor<'_>) {
        while !cursor.eof() {
            if let Some((ident, mut after)) = cursor.ident() {
                let mut path = vec![ident.to_string()];
                while let Some((part, further)) = joined(after) {
                    path.push(part);
                    after = further;
                }
                self.name_inline(&path);
                cursor = after;
            } else if let Some((inside, _, _, after)) = cursor.any_group() {
                self.name_in_tokens(inside);
                cursor = after;
            } else if let Some((_, after)) = cursor.token_tree() {
                cursor = after;
            }
        }
    }
}

/// `::name` at the beginning of what follows.
fn joined(cursor: Cursor<'_>) -> Option<(String, Cursor<'_>)> {
    let (first, cursor) = cursor.punct()?;
    let (second, cursor) = cursor.punct()?;
    let (ident, after) = cursor.ident()?;
    (first.as_char() == ':' && second.as_char() == ':').then(|| (ident.to_string(), after))
}

impl<'ast> Visit<'ast> for Reading {
    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        if is_for_tests(&item.attrs) {
            return;
        }
        self.module.push(item.ident.to_string());
        visit::visit_item_mod(self, item);
        self.module.pop();
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        self.import(&item.tree, &[]);
    }

    fn visit_item_extern_crate(&mut self, item: &'ast syn::ItemExternCrate) {
        self.name(&[item.ident.to_string()], format!("extern crate {}", item.ident));
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let parts: Vec<String> = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        self.name_inline(&parts);
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, called: &'ast syn::Macro) {
        self.visit_path(&called.path);
        let read = |input: ParseStream<'_>| {
            self.name_in_tokens(input.cursor());
            skip_all(input)
        };
        let _ = read.parse2(called.tokens.clone());
    }

    fn visit_meta_list(&mut self, list: &'ast syn::MetaList) {
        self.visit_path(&list.path);
        let read = |input: ParseStream<'_>| {
            self.name_in_tokens(input.cursor());
            skip_all(input)
        };
        let _ = read.parse2(list.tokens.clone());
    }
}
