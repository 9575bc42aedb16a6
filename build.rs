//! Migrations, the book and the conformance cases are compiled in: building again is due when one of their files changes.

fn main() {
    println!("cargo::rerun-if-changed=migrations");
    println!("cargo::rerun-if-changed=book");
    println!("cargo::rerun-if-changed=protocol/conformance/cases");
}
