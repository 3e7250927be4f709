//! The syntax of a URI template: literals and expressions.

/// A piece of a template.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Part<'a> {
    /// Text that stands for itself.
    Literal(&'a str),
    /// What stands between two braces.
    Expression(Expression<'a>),
}

/// `{` operator, variables `}`.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Expression<'a> {
    /// How the variables are expanded.
    pub(super) operator: Operator,
    /// The variables, at least one.
    pub(super) variables: Vec<Variable<'a>>,
}

/// The operators of RFC 6570, 2.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    Simple,
    Reserved,
    Fragment,
    Label,
    Path,
    Matrix,
    Query,
    Continuation,
}

/// One variable of an expression. A `:n` behind it is dropped: a prefix of a value is a value.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Variable<'a> {
    pub(super) name: &'a str,
    /// Whether `*` stands behind it: a list or a map may come.
    pub(super) explode: bool,
}

/// The pieces of a template, or `None` where its braces or operators are not RFC 6570.
pub(super) fn parts(template: &str) -> Option<Vec<Part<'_>>> {
    let mut parts = Vec::new();
    let mut rest = template;
    while let Some(open) = rest.find(['{', '}']) {
        let (literal, from_brace) = rest.split_at(open);
        let (body, behind) = from_brace.strip_prefix('{')?.split_once('}')?;
        if !literal.is_empty() {
            parts.push(Part::Literal(literal));
        }
        parts.push(Part::Expression(expression(body)?));
        rest = behind;
    }
    if !rest.is_empty() {
        parts.push(Part::Literal(rest));
    }
    Some(parts)
}

fn expression(body: &str) -> Option<Expression<'_>> {
    let operator = match body.as_bytes().first()? {
        b'+' => Operator::Reserved,
        b'#' => Operator::Fragment,
        b'.' => Operator::Label,
        b'/' => Operator::Path,
        b';' => Operator::Matrix,
        b'?' => Operator::Query,
        b'&' => Operator::Continuation,
        // Reserved by RFC 6570 for later.
        b'=' | b',' | b'!' | b'@' | b'|' => return None,
        _ => Operator::Simple,
    };
    let list = if operator == Operator::Simple {
        body
    } else {
        &body[1..]
    };
    let variables = list.split(',').map(variable).collect::<Option<_>>()?;
    Some(Expression {
        operator,
        variables,
    })
}

fn variable(text: &str) -> Option<Variable<'_>> {
    let (name, explode) = match text.strip_suffix('*') {
        Some(name) => (name, true),
        None => (text.split_once(':').map_or(text, |(name, _)| name), false),
    };
    (!name.is_empty() && !name.contains('{')).then_some(Variable { name, explode })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_falls_into_literals_and_expressions() {
        let variable = |name, explode| Variable { name, explode };
        assert_eq!(
            parts("a://{x}/b{?q,list*,cut:3}"),
            Some(vec![
                Part::Literal("a://"),
                Part::Expression(Expression {
                    operator: Operator::Simple,
                    variables: vec![variable("x", false)],
                }),
                Part::Literal("/b"),
                Part::Expression(Expression {
                    operator: Operator::Query,
                    variables: vec![
                        variable("q", false),
                        variable("list", true),
                        variable("cut", false)
                    ],
                }),
            ])
        );
        assert_eq!(parts(""), Some(Vec::new()));
    }

    #[test]
    fn broken_templates_are_refused() {
        for broken in [
            "{", "}", "a{b", "a}b", "{}", "{?}", "{a,}", "{=a}", "{{a}}", "{a:{b}}",
        ] {
            assert_eq!(parts(broken), None, "{broken}");
        }
    }
}
