//! Writes the JSON Schema of the wire to `schema/`: `cargo run -p chatkit-protocol --example schema`.

use std::path::Path;

use chatkit_protocol::schema;

fn main() -> std::io::Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("schema");
    schema::documents().iter().try_for_each(|document| std::fs::write(folder.join(document.name), document.to_string()))
}
