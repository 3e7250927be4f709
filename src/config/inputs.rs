//! `${input:ID}`: values that a file asks its user for, as VS Code's do.

use indexmap::IndexMap;

use super::error::Problem;
use super::outside::{Outside, Question, Typed};
use super::shape;
use super::sources::Environment;
use super::tree::Node;

/// The inputs that one file declares, by their ids.
#[derive(Default)]
pub(crate) struct Inputs(IndexMap<String, Input>);

/// One of them.
struct Input {
    text: String,
    typed: Typed,
    default: Option<String>,
    options: Vec<String>,
}

impl Inputs {
    /// Reads an array of declarations. What is no declaration is left out, and missed by whoever uses it.
    pub(crate) fn of(list: &Node) -> Self {
        let nodes = list.list().into_iter().flatten();
        Self(nodes.filter_map(input).collect())
    }

    /// The value of an input: that of the variable with its name, be it in capitals with underscores, else
    /// what a person answers, else the default.
    pub(crate) fn value(
        &self,
        id: &str,
        env: &Environment,
        outside: Option<&dyn Outside>,
    ) -> Result<String, Problem> {
        let Some(input) = self.0.get(id) else {
            let id = id.to_owned();
            return Err(Problem::UnknownInput { id });
        };
        let variable = variable_of(id);
        let set = env.get(id).or_else(|| env.get(&variable));
        let answered = || {
            let question = Question {
                id,
                text: &input.text,
                options: &input.options,
                typed: input.typed,
            };
            let answer = outside?.ask(&question)?;
            Some(answer.expose().to_owned()).filter(|answer| !answer.is_empty())
        };
        let value = set.map(str::to_owned).or_else(answered);
        let known = |value: &String| input.options.is_empty() || input.options.contains(value);
        match value.or_else(|| input.default.clone()) {
            Some(value) if known(&value) => Ok(value),
            Some(_) => Err(Problem::InputOption {
                id: id.to_owned(),
                options: input.options.clone(),
            }),
            None => Err(Problem::UnsetInput {
                id: id.to_owned(),
                variable,
            }),
        }
    }
}

fn input(node: &Node) -> Option<(String, Input)> {
    let text = |key| node.get(key).and_then(Node::text).map(str::to_owned);
    let hidden = node.get("password").map(shape::flag);
    let input = Input {
        text: text("description").unwrap_or_default(),
        typed: match hidden {
            Some(Ok(true)) => Typed::Hidden,
            _ => Typed::Shown,
        },
        default: text("default"),
        options: options(node),
    };
    Some((text("id")?, input))
}

/// An option is a string, or an object with its `value`.
fn options(input: &Node) -> Vec<String> {
    let list = input.get("options").and_then(Node::list);
    let option = |node: &Node| {
        let value = node.text().or_else(|| node.get("value")?.text());
        value.map(str::to_owned)
    };
    list.into_iter().flatten().filter_map(option).collect()
}

/// `perplexity-key` → `PERPLEXITY_KEY`.
pub(crate) fn variable_of(id: &str) -> String {
    let fit = |c: char| {
        if c.is_ascii_alphanumeric() {
            c.to_ascii_uppercase()
        } else {
            '_'
        }
    };
    id.chars().map(fit).collect()
}
