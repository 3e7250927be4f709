//! A template compiled to a small program, run over a URI with all its states at once: the time is
//! bounded by the product of the two lengths, however many ways there are to match.

use super::expression::{Expression, Operator, Part, Variable, parts};
use super::symbol::{Symbol, symbols};

/// How many steps matching may take. One budget serves all templates of one server for one URI.
pub(in crate::catalog) struct Budget(usize);

impl Budget {
    /// Some milliseconds: real templates need a few hundred steps.
    pub(in crate::catalog) const PER_SERVER: usize = 500_000;

    /// A budget of so many steps.
    pub(in crate::catalog) fn new(steps: usize) -> Self {
        Self(steps)
    }

    /// How many steps are left.
    #[cfg(test)]
    pub(in crate::catalog) fn left(&self) -> usize {
        self.0
    }

    fn spend(&mut self, steps: usize) -> Option<()> {
        self.0 = self.0.checked_sub(steps)?;
        Some(())
    }
}

/// A set of symbols that a variable may consist of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Class {
    Any,
    Segment,
    Parameter,
    Key,
}

impl Class {
    fn holds(self, symbol: Symbol) -> bool {
        let Symbol::Plain(byte) = symbol else {
            return true;
        };
        match self {
            Self::Any => true,
            Self::Segment => !matches!(byte, b'/' | b'?' | b'#'),
            Self::Parameter => !matches!(byte, b'&' | b'#'),
            Self::Key => !matches!(byte, b'&' | b'#' | b'='),
        }
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Op {
    Symbol(Symbol),
    Class(Class),
    /// Go on at both places.
    Fork(usize, usize),
    Jump(usize),
}

/// A compiled URI template.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::catalog) struct Template {
    /// The literal at the start: most URIs are told apart here.
    head: Vec<Symbol>,
    /// Everything behind it; the end of the program is the end of the URI.
    program: Vec<Op>,
}

impl Template {
    /// Compiles a template; `None` where it is not RFC 6570 and so can match nothing.
    pub(in crate::catalog) fn parse(text: &str) -> Option<Self> {
        let mut parts = parts(text)?.into_iter().peekable();
        let head = match parts.next_if(|part| matches!(part, Part::Literal(_))) {
            Some(Part::Literal(head)) => symbols(head),
            _ => Vec::new(),
        };
        let mut compiler = Compiler::default();
        for part in parts {
            match part {
                Part::Literal(text) => compiler.literal(text),
                Part::Expression(expression) => compiler.expression(&expression),
            }
        }
        Some(Self {
            head,
            program: compiler.program,
        })
    }

    /// Whether the template can have been expanded to this URI; not, once the budget is spent.
    pub(in crate::catalog) fn matches(&self, uri: &[Symbol], budget: &mut Budget) -> bool {
        uri.strip_prefix(self.head.as_slice())
            .is_some_and(|rest| self.run(rest, budget).unwrap_or(false))
    }

    fn run(&self, uri: &[Symbol], budget: &mut Budget) -> Option<bool> {
        budget.spend(self.program.len())?;
        let mut now = States::new(self.program.len());
        let mut next = States::new(self.program.len());
        self.enter(0, &mut now, budget)?;
        for symbol in uri {
            budget.spend(now.list.len() + 1)?;
            if now.list.is_empty() {
                return Some(false);
            }
            next.clear();
            for at in &now.list {
                let goes_on = match self.program.get(*at) {
                    Some(Op::Symbol(wanted)) => wanted == symbol,
                    Some(Op::Class(class)) => class.holds(*symbol),
                    _ => false,
                };
                if goes_on {
                    self.enter(at + 1, &mut next, budget)?;
                }
            }
            std::mem::swap(&mut now, &mut next);
        }
        Some(now.list.contains(&self.program.len()))
    }

    /// Adds a place to the states, and all places that are reached from it without a symbol.
    fn enter(&self, place: usize, states: &mut States, budget: &mut Budget) -> Option<()> {
        let mut open = vec![place];
        while let Some(at) = open.pop() {
            budget.spend(1)?;
            if std::mem::replace(&mut states.seen[at], states.turn) == states.turn {
                continue;
            }
            match self.program.get(at) {
                Some(Op::Fork(one, other)) => open.extend([*other, *one]),
                Some(Op::Jump(to)) => open.push(*to),
                Some(Op::Symbol(_) | Op::Class(_)) | None => states.list.push(at),
            }
        }
        Some(())
    }
}

/// The places in the program at which a run stands.
struct States {
    list: Vec<usize>,
    /// For each place the turn in which it was entered last: nothing to wipe between two turns.
    seen: Vec<usize>,
    turn: usize,
}

impl States {
    fn new(program: usize) -> Self {
        Self {
            list: Vec::new(),
            seen: vec![0; program + 1],
            turn: 1,
        }
    }

    fn clear(&mut self) {
        self.list.clear();
        self.turn += 1;
    }
}

#[derive(Default)]
struct Compiler {
    program: Vec<Op>,
}

impl Compiler {
    fn literal(&mut self, text: &str) {
        self.program
            .extend(symbols(text).into_iter().map(Op::Symbol));
    }

    fn expression(&mut self, expression: &Expression<'_>) {
        let variables = &expression.variables;
        match expression.operator {
            // Commas between the variables belong to the class.
            Operator::Simple => self.some(Class::Segment),
            Operator::Reserved => self.some(Class::Any),
            Operator::Fragment => self.optional(|it| {
                it.literal("#");
                it.many(Class::Any);
            }),
            Operator::Label => self.optional(|it| {
                it.literal(".");
                it.some(Class::Segment);
            }),
            Operator::Path => self.each(variables, |it, _| {
                it.literal("/");
                it.many(Class::Segment);
            }),
            Operator::Matrix => self.each(variables, |it, variable| {
                it.literal(";");
                it.pair(std::slice::from_ref(variable), Class::Segment);
            }),
            Operator::Query => self.pairs("?", variables),
            Operator::Continuation => self.pairs("&", variables),
        }
    }

    /// `lead pair (& pair)*`, or nothing.
    fn pairs(&mut self, lead: &str, variables: &[Variable<'_>]) {
        self.optional(|it| {
            it.literal(lead);
            it.pair(variables, Class::Parameter);
            it.repeated(|it| {
                it.literal("&");
                it.pair(variables, Class::Parameter);
            });
        });
    }

    /// The name of one of the variables (any name, if one of them is exploded: it may be a map),
    /// with or without a value.
    fn pair(&mut self, variables: &[Variable<'_>], value: Class) {
        match variables.split_last() {
            Some((last, others)) if variables.iter().all(|variable| !variable.explode) => {
                self.one_of(others, last);
            }
            _ => self.some(Class::Key),
        }
        self.optional(|it| {
            it.literal("=");
            it.many(value);
        });
    }

    /// One of the names.
    fn one_of(&mut self, others: &[Variable<'_>], last: &Variable<'_>) {
        let mut ends = Vec::with_capacity(others.len());
        for variable in others {
            let fork = self.open();
            self.literal(variable.name);
            ends.push(self.open());
            self.program[fork] = Op::Fork(fork + 1, self.program.len());
        }
        self.literal(last.name);
        for end in ends {
            self.program[end] = Op::Jump(self.program.len());
        }
    }

    /// For every variable once, or many times where it is exploded; or not at all.
    fn each(&mut self, variables: &[Variable<'_>], body: impl Fn(&mut Self, &Variable<'_>)) {
        for variable in variables {
            if variable.explode {
                self.repeated(|it| body(it, variable));
            } else {
                self.optional(|it| body(it, variable));
            }
        }
    }

    fn some(&mut self, class: Class) {
        self.program.push(Op::Class(class));
        self.many(class);
    }

    fn many(&mut self, class: Class) {
        self.repeated(|it| it.program.push(Op::Class(class)));
    }

    fn optional(&mut self, body: impl FnOnce(&mut Self)) {
        let fork = self.open();
        body(self);
        self.program[fork] = Op::Fork(fork + 1, self.program.len());
    }

    fn repeated(&mut self, body: impl FnOnce(&mut Self)) {
        let fork = self.open();
        body(self);
        self.program.push(Op::Jump(fork));
        self.program[fork] = Op::Fork(fork + 1, self.program.len());
    }

    /// A place for an op that is known only later.
    fn open(&mut self) -> usize {
        self.program.push(Op::Jump(0));
        self.program.len() - 1
    }
}
