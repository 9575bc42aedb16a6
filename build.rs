//! Migrations and the book are compiled in: building again is due when one of their files changes.

fn main() {
    println!("cargo::rerun-if-changed=migrations");
    println!("cargo::rerun-if-changed=book");
}
