//! Filling in references, by properties.

use std::path::Path;

use proptest::prelude::*;

use super::super::error::Findings;
use super::super::expand::{Expander, Paths};
use super::super::place::Place;
use super::super::sources::Environment;
use super::super::tree::Node;

/// The filled-in text, or the messages of what was wrong.
fn expand(written: &str, variables: &[(&str, &str)]) -> Result<String, String> {
    let variables = variables
        .iter()
        .map(|(name, value)| ((*name).into(), (*value).into()));
    let env = Environment::new(variables);
    let paths = Paths {
        base: Path::new("/nowhere"),
        work: Path::new("/work"),
        home: None,
    };
    let mut node = Node::literal(written, Place::default());
    let mut findings = Findings::default();
    Expander::new(&env, paths).fill(&mut node, &mut findings);
    let messages: Vec<String> = findings
        .errors
        .iter()
        .map(|error| error.problem.to_string())
        .collect();
    node.text().map(str::to_owned).ok_or(messages.join("\n"))
}

proptest! {
    #[test]
    fn text_without_a_reference_stays(text in ".{0,40}") {
        prop_assume!(!text.contains("${"));
        prop_assert_eq!(expand(&text, &[]), Ok(text));
    }

    #[test]
    fn escaped_text_comes_out_as_it_was(text in "[$ {}a:-]{0,20}") {
        let escaped = text.replace("${", "$${");
        prop_assert_eq!(expand(&escaped, &[]), Ok(text));
    }

    #[test]
    fn a_value_goes_in_as_it_is(before in "[^$]{0,9}", value in ".{1,40}", after in "[^$]{0,9}") {
        let written = format!("{before}${{X}}{after}");
        let filled = format!("{before}{value}{after}");
        prop_assert_eq!(expand(&written, &[("X", &value)]), Ok(filled.clone()));
        let with_default = format!("{before}${{X:-other}}{after}");
        prop_assert_eq!(expand(&with_default, &[("X", &value)]), Ok(filled));
    }

    #[test]
    fn a_default_is_taken_for_unset_and_empty(default in "[^$}]{0,20}") {
        let written = format!("<${{X:-{default}}}>");
        let filled = Ok(format!("<{default}>"));
        prop_assert_eq!(expand(&written, &[]), filled.clone());
        prop_assert_eq!(expand(&written, &[("X", "")]), filled.clone());
        prop_assert_eq!(expand(&format!("${{Y:-{written}}}"), &[]), filled);
    }

    #[test]
    fn nothing_that_a_variable_holds_is_in_a_message(written in "[$ {}X:-a]{0,30}") {
        if let Err(message) = expand(&written, &[("X", "s3cret"), ("Xa", "s3cret")]) {
            prop_assert!(!message.is_empty());
            prop_assert!(!message.contains("s3cret"), "{}", message);
        }
    }
}
