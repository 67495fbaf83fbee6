//! Tests of the strict reader.
