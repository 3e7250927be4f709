//! What a person wrote.
