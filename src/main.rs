//! The binary: nothing but a way into the library.

fn main() {}
