//! What is offered, under which name.
