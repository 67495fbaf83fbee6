//! Finds personal data in the texts of a call or an answer.
