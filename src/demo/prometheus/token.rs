//! `PromQL` cut into tokens, and what is wrong with them before any grammar.
//!
//! Must never refuse what the real one takes.

use super::{Kind, Refused};
use crate::demo::matcher::unescaped;

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    Name(String),
    Text(String),
    Number(String),
    Sign(&'static str),
}

pub(super) type Placed = (usize, Token);

/// Longer ones first.
const SIGNS: [&str; 26] = [
    "=~", "!~", "!=", "==", ">=", "<=", "=", ">", "<", "+", "-", "*", "/", "%", "^", "(", ")", "{",
    "}", "[", "]", ",", ":", "@", ";", ".",
];

/// Functions that exist, so that a slip of the pen is told from what is merely not known here.
const FUNCTIONS: &str = " abs absent absent_over_time avg_over_time ceil changes clamp clamp_max clamp_min \
    count_over_time day_of_month day_of_week days_in_month delta deriv exp floor histogram_avg histogram_count \
    histogram_fraction histogram_quantile histogram_sum hour idelta increase irate label_join label_replace ln log10 \
    log2 max_over_time min_over_time minute month predict_linear present_over_time quantile_over_time rate resets round \
    scalar sgn sort sort_desc sqrt stddev_over_time sum_over_time time timestamp vector year ";

/// What may stand before a bracket and is no function.
const WORDS: &str = " sum avg min max count stddev stdvar topk bottomk count_values quantile group by without on ignoring \
    group_left group_right and or unless bool offset ";

pub(super) fn wrong(place: usize, why: &str) -> Refused {
    Refused(
        Kind::BadData,
        format!(
            "invalid parameter \"query\": 1:{}: parse error: {why}",
            place + 1
        ),
    )
}

pub(super) fn tokens(text: &str) -> Result<Vec<Placed>, Refused> {
    let letters: Vec<char> = text.chars().collect();
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(letter) = letters.get(at).copied() {
        let run = |fits: &dyn Fn(char) -> bool| {
            letters
                .iter()
                .skip(at)
                .take_while(|letter| fits(**letter))
                .collect::<String>()
        };
        let starts_name = |letter: char| letter.is_ascii_alphabetic() || letter == '_';
        if letter.is_whitespace() {
            at += 1;
        } else if matches!(letter, '"' | '\'' | '`') {
            let (inner, length) =
                quoted(&letters, at).ok_or_else(|| wrong(at, "unterminated quoted string"))?;
            tokens.push((at, Token::Text(inner)));
            at += length;
        } else if letter.is_ascii_digit() {
            let number = run(&|letter| letter.is_ascii_alphanumeric() || letter == '.');
            at += number.chars().count();
            tokens.push((at - number.chars().count(), Token::Number(number)));
        } else if starts_name(letter) {
            let name = run(&|letter| letter.is_ascii_alphanumeric() || matches!(letter, '_' | ':'));
            at += name.chars().count();
            tokens.push((at - name.chars().count(), Token::Name(name)));
        } else {
            let rest: String = letters.iter().skip(at).take(2).collect();
            let Some(sign) = SIGNS.into_iter().find(|sign| rest.starts_with(sign)) else {
                return Err(wrong(at, &format!("unexpected character: {letter:?}")));
            };
            tokens.push((at, Token::Sign(sign)));
            at += sign.len();
        }
    }
    Ok(tokens)
}

/// What is inside the quotes, and how long it was with them.
fn quoted(letters: &[char], at: usize) -> Option<(String, usize)> {
    let quote = *letters.get(at)?;
    let mut inner = String::new();
    let mut escaped = false;
    for (length, letter) in letters.iter().skip(at + 1).enumerate() {
        if *letter == quote && !escaped {
            let plain = if quote == '`' {
                inner
            } else {
                unescaped(&inner)
            };
            return Some((plain, length + 2));
        }
        escaped = *letter == '\\' && !escaped && quote != '`';
        inner.push(*letter);
    }
    None
}

/// What the grammar forbids, as far as it needs no grammar.
pub(super) fn check(tokens: &[Placed], length: usize) -> Result<(), Refused> {
    let mut open = Vec::new();
    for (at, token) in tokens {
        let closes = |wanted: &str, open: &mut Vec<&'static str>| match open.pop() {
            Some(sign) if sign == wanted => Ok(()),
            _ => Err(wrong(*at, &format!("unexpected {}", shown(token)))),
        };
        match token {
            Token::Sign(sign @ ("(" | "{" | "[")) => open.push(*sign),
            Token::Sign(")") => closes("(", &mut open)?,
            Token::Sign("}") => closes("{", &mut open)?,
            Token::Sign("]") => closes("[", &mut open)?,
            _ => {}
        }
    }
    match open.pop() {
        Some("(") => return Err(wrong(length, "unclosed left parenthesis")),
        Some("{") => return Err(wrong(length, "unexpected end of input inside braces")),
        Some(_) => {
            return Err(wrong(
                length,
                "unexpected end of input in duration expression",
            ));
        }
        None => {}
    }
    for pair in tokens.windows(2) {
        let [(at, one), (next_at, other)] = pair else {
            continue;
        };
        if let (Token::Name(name), Token::Sign("(")) = (one, other) {
            let padded = format!(" {name} ");
            if !FUNCTIONS.contains(&padded) && !WORDS.contains(&padded) {
                return Err(wrong(*at, &format!("unknown function with name {name:?}")));
            }
        }
        let is_word = |token: &Token| matches!(token, Token::Name(name) if WORDS.contains(&format!(" {name} ")));
        let operand =
            |token: &Token| matches!(token, Token::Name(_) | Token::Number(_) | Token::Text(_));
        if operand(one) && operand(other) && !is_word(one) && !is_word(other) {
            return Err(wrong(*next_at, &format!("unexpected {}", shown(other))));
        }
    }
    match tokens.last() {
        Some((_, Token::Sign(sign))) if !matches!(*sign, ")" | "}" | "]") => {
            Err(wrong(length, "unexpected end of input"))
        }
        _ => Ok(()),
    }
}

pub(super) fn shown(token: &Token) -> String {
    match token {
        Token::Name(name) => format!("identifier {name:?}"),
        Token::Number(number) => format!("number {number:?}"),
        Token::Text(text) => format!("string {text:?}"),
        Token::Sign(")") => "right parenthesis ')'".to_owned(),
        Token::Sign(sign) => format!("<{sign}>"),
    }
}
