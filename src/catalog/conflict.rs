//! Two entries that want one name.

use std::fmt;

use super::entry::Route;
use crate::protocol::{Kind, PublicName};

/// A name that two entries wanted. Who came first in file order has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conflict {
    /// The sort of both entries.
    pub kind: Kind,
    /// The name or URI that both wanted.
    pub name: PublicName,
    /// Who has it.
    pub holder: Route,
    /// Who does not.
    pub loser: Route,
    /// By which right the loser wanted it.
    pub claim: Claim,
    /// What became of the loser's wish.
    pub resolution: Resolution,
}

/// Why an entry wants a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Claim {
    /// It is the entry's own name, after rename and prefix, or its URI.
    Own,
    /// `mux.aliases` gives it to the entry.
    Alias,
    /// One of the server's `aliases` stands in the place of the prefix.
    PrefixAlias,
}

/// What became of a name that was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Resolution {
    /// The entry is not offered, or does not have that alias. `onConflict: "error"` refuses this.
    Dropped,
    /// The entry is offered under another name or URI.
    Renamed(PublicName),
}

impl fmt::Display for Conflict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Route { server, original } = &self.loser;
        let noun = self.kind.noun();
        match self.claim {
            Claim::Own => write!(f, "{noun} `{original}` of server `{server}`")?,
            Claim::Alias | Claim::PrefixAlias => {
                write!(
                    f,
                    "alias `{}` for {noun} `{original}` of server `{server}`",
                    self.name
                )?;
            }
        }
        match &self.resolution {
            Resolution::Dropped => write!(f, " is not offered")?,
            Resolution::Renamed(to) => write!(f, " is offered as `{to}`")?,
        }
        let Route { server, original } = &self.holder;
        write!(
            f,
            ": `{}` is {noun} `{original}` of server `{server}`",
            self.name
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::{OriginalName, ServerName};

    #[test]
    fn the_text_names_both_sides() {
        let route = |server: &str, original: &str| Route {
            server: ServerName::new(server),
            original: OriginalName::new(original),
        };
        let mut conflict = Conflict {
            kind: Kind::Tool,
            name: PublicName::new("x"),
            holder: route("a", "x"),
            loser: route("b", "y"),
            claim: Claim::Own,
            resolution: Resolution::Dropped,
        };
        assert_eq!(
            conflict.to_string(),
            "tool `y` of server `b` is not offered: `x` is tool `x` of server `a`"
        );
        conflict.resolution = Resolution::Renamed(PublicName::new("x_2"));
        assert_eq!(
            conflict.to_string(),
            "tool `y` of server `b` is offered as `x_2`: `x` is tool `x` of server `a`"
        );
        conflict.claim = Claim::Alias;
        conflict.resolution = Resolution::Dropped;
        assert_eq!(
            conflict.to_string(),
            "alias `x` for tool `y` of server `b` is not offered: `x` is tool `x` of server `a`"
        );
    }
}
