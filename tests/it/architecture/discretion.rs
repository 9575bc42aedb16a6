//! What the house keeps to itself: libraries that may not be heard, and secrets that are compared without a clock.

use std::collections::BTreeSet;

use chatkit_gateway::telemetry::UNHEARD;
use syn::visit::{self, Visit};

use super::names::{Source, is_for_tests, test_modules};
use super::{none, read, sources};

/// What the house logs with, and the house.
const HEARD: &[&str] = &["chatkit_gateway", "tracing", "tracing_log", "tracing_serde", "tracing_subscriber"];
/// Floors on which secrets of callers are looked at.
const GUARDED: &[&str] = &["auth", "attachments", "routes", "quota"];
/// Words in the names of what nobody may find out by how long a comparison takes.
const SECRET: &[&str] = &["secret", "signature", "password", "digest", "hmac", "expose_secret"];

/// The crates of the lock file that can log, as they are called in code.
fn logging(lock: &str) -> BTreeSet<String> {
    let packages = lock.split("[[package]]").skip(1);
    let logs = packages.filter(|package| {
        let asked = package.split_once("dependencies = [").map_or("", |(_, asked)| asked);
        asked.lines().any(|line| {
            let name = line.trim().trim_matches(['"', ',']).split(' ').next().unwrap_or_default();
            matches!(name, "log" | "tracing" | "tracing-core")
        })
    });
    logs.filter_map(|package| Some(package.split_once("name = \"")?.1.split_once('"')?.0.replace('-', "_"))).collect()
}

#[test]
fn no_library_that_can_log_is_heard_below_warn() {
    let found = logging(&read("Cargo.lock"));
    assert!(found.contains("rustls") && found.contains("sqlx_core"), "the lock file is read: {found:?}");
    let heard = found.into_iter().filter(|name| !UNHEARD.contains(&name.as_str()) && !HEARD.contains(&name.as_str()));
    none("libraries that can log and are not in `telemetry::UNHEARD`", heard);
}

/// Comparisons by `==` and `!=` of what has a secret's name.
#[derive(Default)]
struct Comparisons(Vec<String>);

impl<'ast> Visit<'ast> for Comparisons {
    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        if !is_for_tests(&item.attrs) {
            visit::visit_item_mod(self, item);
        }
    }

    fn visit_expr_binary(&mut self, compared: &'ast syn::ExprBinary) {
        let is_comparison = matches!(compared.op, syn::BinOp::Eq(_) | syn::BinOp::Ne(_));
        for side in [&compared.left, &compared.right].into_iter().filter(|_| is_comparison) {
            let mut names = Names::default();
            names.visit_expr(side);
            let Names { found, is_length } = names;
            // How long something is may be known, and whether it is there.
            self.0.extend(found.filter(|_| !is_length));
        }
        visit::visit_expr_binary(self, compared);
    }
}

/// The first secret's name in an expression.
#[derive(Default)]
struct Names {
    found: Option<String>,
    is_length: bool,
}

impl<'ast> Visit<'ast> for Names {
    fn visit_ident(&mut self, ident: &'ast syn::Ident) {
        let name = ident.to_string();
        if SECRET.iter().any(|word| name.contains(word)) {
            self.found = Some(name);
        } else if matches!(name.as_str(), "len" | "is_some" | "is_none" | "is_empty") {
            self.is_length = true;
        }
    }
}

fn comparisons(source: &Source) -> Vec<String> {
    let mut comparisons = Comparisons::default();
    comparisons.visit_file(&source.parsed());
    comparisons.0.into_iter().map(|name| format!("{}: {name}", source.path)).collect()
}

#[test]
fn no_secret_is_compared_by_a_comparison_that_stops_at_the_first_difference() {
    let all = sources(&["src"]);
    let for_tests = test_modules(&all);
    let guarded = all.iter().filter(|source| {
        let module = source.module();
        let floor = module.first().map(String::as_str).unwrap_or_default();
        GUARDED.contains(&floor) && !(1..=module.len()).any(|length| for_tests.contains(&module[..length]))
    });
    none("use `verify_slice` of a keyed hash instead", guarded.flat_map(comparisons));
}

#[test]
fn the_law_on_comparisons_sees_what_it_should_and_nothing_else() {
    let source = Source::new(
        "src/auth/a.rs",
        "fn a() { if link.signature == own { } let same = left != *password_hash; key.expose_secret() == other; \
         if secret.len() == 3 && secrets.is_empty() == false && name == other { } mac.verify_slice(&signature); }\n\
         #[cfg(test)] mod tests { fn b() { secret == other; } }",
    );
    assert_eq!(
        comparisons(&source),
        ["src/auth/a.rs: signature", "src/auth/a.rs: password_hash", "src/auth/a.rs: expose_secret"]
    );
    let lock = "[[package]]\nname = \"a-b\"\ndependencies = [\n \"tracing 0.1\",\n]\n[[package]]\nname = \"c\"\n";
    assert_eq!(logging(lock).into_iter().collect::<Vec<_>>(), ["a_b"]);
}
