//! `${input:ID}`: values that a file asks its user for, as VS Code's do.

use indexmap::IndexMap;

use super::error::Problem;
use super::rules::texts;
use super::sources::Environment;
use super::tree::Node;

/// The inputs that one file declares, by their ids.
#[derive(Default)]
pub(crate) struct Inputs(IndexMap<String, Input>);

/// One of them.
struct Input {
    default: Option<String>,
    options: Vec<String>,
}

impl Inputs {
    /// Reads an array of declarations. What is no declaration is left out, and missed by whoever uses it.
    pub(crate) fn of(list: &Node) -> Self {
        let input = |node: &Node| {
            let text = |key| node.get(key).and_then(Node::text).map(str::to_owned);
            let options = node.get("options").map(texts).unwrap_or_default();
            let default = text("default");
            Some((text("id")?, Input { default, options }))
        };
        Self(
            list.list()
                .into_iter()
                .flatten()
                .filter_map(input)
                .collect(),
        )
    }

    /// The value of an input: that of the variable with its name, be it in capitals with underscores, else
    /// its default.
    pub(crate) fn value(&self, id: &str, env: &Environment) -> Result<String, Problem> {
        let Some(input) = self.0.get(id) else {
            let id = id.to_owned();
            return Err(Problem::UnknownInput { id });
        };
        let variable = variable_of(id);
        let set = env.get(id).or_else(|| env.get(&variable));
        let fits = |value: &&str| {
            input.options.is_empty() || input.options.iter().any(|option| option == value)
        };
        match set {
            Some(value) if !fits(&value) => Err(Problem::InputOption {
                id: id.to_owned(),
                options: input.options.clone(),
            }),
            Some(value) => Ok(value.to_owned()),
            None => input.default.clone().ok_or_else(|| Problem::UnsetInput {
                id: id.to_owned(),
                variable,
            }),
        }
    }
}

/// `perplexity-key` → `PERPLEXITY_KEY`.
fn variable_of(id: &str) -> String {
    let fit = |c: char| {
        if c.is_ascii_alphanumeric() {
            c.to_ascii_uppercase()
        } else {
            '_'
        }
    };
    id.chars().map(fit).collect()
}
