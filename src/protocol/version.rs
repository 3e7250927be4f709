//! Protocol revisions and the two eras they fall into.

use std::fmt;

/// How a peer speaks: with a handshake and sessions, or with metadata on every request
/// (2026-07-28, "Versioning").
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Era {
    /// `initialize` first; revisions up to 2025-11-25.
    Legacy,
    /// Every request stands alone; revisions from 2026-07-28.
    Modern,
}

impl fmt::Display for Era {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Legacy => "legacy",
            Self::Modern => "modern",
        })
    }
}

/// One published revision of the protocol. Ordered by date.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ProtocolVersion {
    /// 2024-11-05
    V2024_11_05,
    /// 2025-03-26, the only one with batches
    V2025_03_26,
    /// 2025-06-18
    V2025_06_18,
    /// 2025-11-25, the last with a handshake
    V2025_11_25,
    /// 2026-07-28, the first without sessions
    V2026_07_28,
}

impl ProtocolVersion {
    /// Every revision that the mux speaks, oldest first.
    pub const ALL: [Self; 5] = [
        Self::V2024_11_05,
        Self::V2025_03_26,
        Self::V2025_06_18,
        Self::V2025_11_25,
        Self::V2026_07_28,
    ];
    /// The newest revision with a handshake.
    pub const NEWEST_LEGACY: Self = Self::V2025_11_25;
    /// The newest revision without sessions.
    pub const NEWEST_MODERN: Self = Self::V2026_07_28;

    /// The revision with this date, if the mux speaks it.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|version| version.as_str() == text)
    }

    /// The date that names the revision.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::V2024_11_05 => "2024-11-05",
            Self::V2025_03_26 => "2025-03-26",
            Self::V2025_06_18 => "2025-06-18",
            Self::V2025_11_25 => "2025-11-25",
            Self::V2026_07_28 => "2026-07-28",
        }
    }

    /// The era that the revision belongs to.
    pub fn era(self) -> Era {
        if self >= Self::V2026_07_28 {
            Era::Modern
        } else {
            Era::Legacy
        }
    }

    /// What to answer a legacy client that asked for `wanted`: the same if the mux speaks it, else the
    /// newest legacy revision (2025-11-25, "Version negotiation").
    pub fn negotiate_legacy(wanted: &str) -> Self {
        Self::parse(wanted)
            .filter(|version| version.era() == Era::Legacy)
            .unwrap_or(Self::NEWEST_LEGACY)
    }

    /// The modern revisions that the mux speaks.
    pub fn modern() -> impl Iterator<Item = Self> {
        Self::ALL
            .into_iter()
            .filter(|version| version.era() == Era::Modern)
    }
}

impl fmt::Display for ProtocolVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
