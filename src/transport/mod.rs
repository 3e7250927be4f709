//! Pipes that move frames.
