//! Builds the crate anew when the pages were: `make web` writes them, a placeholder keeps their folder where none are built.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=../../web/dist");
}
