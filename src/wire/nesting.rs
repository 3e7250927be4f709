//! Which brackets are open: one bit a level, so that depth costs neither stack nor much heap.

/// The two kinds of JSON containers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Container {
    Array,
    Object,
}

/// A stack of containers. The innermost 64 levels live in a register; only deeper ones are spilled.
#[derive(Debug, Default)]
pub(super) struct Nesting {
    current: u64,
    depth: usize,
    spilled: Vec<u64>,
}

const LEVELS: usize = u64::BITS as usize;

impl Nesting {
    pub(super) fn push(&mut self, container: Container) {
        if self.depth > 0 && self.depth.is_multiple_of(LEVELS) {
            self.spilled.push(self.current);
            self.current = 0;
        }
        self.current = (self.current << 1) | u64::from(container == Container::Object);
        self.depth += 1;
    }

    /// Forgets the innermost container; there must be one.
    pub(super) fn pop(&mut self) {
        self.depth -= 1;
        self.current >>= 1;
        if self.depth > 0 && self.depth.is_multiple_of(LEVELS) {
            self.current = self.spilled.pop().unwrap_or_default();
        }
    }

    /// The innermost open container.
    pub(super) fn top(&self) -> Option<Container> {
        if self.depth == 0 {
            None
        } else if self.current & 1 == 1 {
            Some(Container::Object)
        } else {
            Some(Container::Array)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn remembers_every_level() {
        let kinds: Vec<Container> = (0..1_000_u32)
            .map(|level| {
                if level % 3 == 0 {
                    Container::Object
                } else {
                    Container::Array
                }
            })
            .collect();
        let mut nesting = Nesting::default();
        for kind in &kinds {
            nesting.push(*kind);
        }
        let mut seen = Vec::new();
        while let Some(kind) = nesting.top() {
            seen.push(kind);
            nesting.pop();
        }
        seen.reverse();
        assert_eq!(seen, kinds);
    }
}
