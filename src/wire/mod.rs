//! JSON-RPC 2.0 in bytes.
