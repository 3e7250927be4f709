//! JSON with line ends and indentation; numbers, escapes and order stay as they were written.

use crate::wire::Json;

/// Blanks per level.
const STEP: usize = 2;
/// Levels that are indented further; deeper ones are not, or a hostile depth would cost its square.
const DEEPEST: usize = 100;

/// The value over several lines, ended by a line end.
pub(super) fn indented(json: &Json) -> String {
    let source = String::from_utf8_lossy(json.as_bytes());
    let mut text = String::with_capacity(source.len() * 2);
    let mut depth = 0;
    let mut chars = source.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            ' ' | '\t' | '\n' | '\r' => {}
            '"' => {
                text.push(c);
                copy_string(&mut chars, &mut text);
            }
            '{' | '[' => {
                text.push(c);
                while chars.next_if(char::is_ascii_whitespace).is_some() {}
                if let Some(closing) = chars.next_if(|c| matches!(c, '}' | ']')) {
                    text.push(closing);
                } else {
                    depth += 1;
                    break_line(&mut text, depth);
                }
            }
            '}' | ']' => {
                depth -= 1;
                break_line(&mut text, depth);
                text.push(c);
            }
            ',' => {
                text.push(c);
                break_line(&mut text, depth);
            }
            ':' => text.push_str(": "),
            _ => text.push(c),
        }
    }
    text.push('\n');
    text
}

fn break_line(text: &mut String, depth: usize) {
    text.push('\n');
    text.extend(std::iter::repeat_n(' ', depth.min(DEEPEST) * STEP));
}

/// Copies the rest of a string literal, its closing quote included.
fn copy_string(chars: &mut impl Iterator<Item = char>, text: &mut String) {
    let mut escaped = false;
    for c in chars {
        text.push(c);
        if c == '"' && !escaped {
            return;
        }
        escaped = c == '\\' && !escaped;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_white_space_changes() {
        let json = Json::from_static(
            r#"{"b":[1, 12345678901234567890123,{"\u0061":"x\"{,}\\"} ],"a" : { },"e":[],"t":true}"#,
        );
        assert_eq!(
            indented(&json),
            r#"{
  "b": [
    1,
    12345678901234567890123,
    {
      "\u0061": "x\"{,}\\"
    }
  ],
  "a": {},
  "e": [],
  "t": true
}
"#
        );
    }

    #[test]
    fn depth_costs_no_more_than_length() {
        let levels = 20_000;
        let text = "[".repeat(levels) + &"]".repeat(levels);
        let json = Json::parse(text.into_bytes()).unwrap();
        assert!(indented(&json).len() < levels * 2 * (DEEPEST + 1) * STEP);
    }

    #[test]
    fn a_scalar_is_one_line() {
        assert_eq!(indented(&Json::from_static("-0.10")), "-0.10\n");
    }
}
