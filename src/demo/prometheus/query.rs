//! The part of PromQL that the demo answers.
//!
//! Three ends: it is understood; it is no PromQL (as the real one would say); or it is more than this knows. Must never
//! take one query for another.

use std::iter::Peekable;

use super::{Kind, Refused};
use crate::demo::controller::pause_duration;
use crate::demo::pattern::{Matcher, unescaped};

#[derive(Debug, PartialEq)]
pub(super) enum Expression {
    Number(f64),
    Time,
    /// `vector(1)`
    Vector(f64),
    Lines(Lines),
    /// None: into one.
    Sum(Option<Vec<String>>, Lines),
}

/// Counters as they are, or how they grew.
#[derive(Debug, PartialEq)]
pub(super) struct Lines {
    pub(super) selector: Vec<Matcher>,
    pub(super) grown: Option<Grown>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Grown {
    pub(super) per_second: bool,
    /// In milliseconds.
    pub(super) range: i64,
}

#[derive(Clone, Debug, PartialEq)]
enum Token {
    Name(String),
    Text(String),
    Number(String),
    Sign(&'static str),
}

type Placed = (usize, Token);

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

fn wrong(place: usize, why: &str) -> Refused {
    Refused(
        Kind::BadData,
        format!(
            "invalid parameter \"query\": 1:{}: parse error: {why}",
            place + 1
        ),
    )
}

fn unknown() -> Refused {
    Refused(
        Kind::Execution,
        "the demo world does not know this query".to_owned(),
    )
}

/// `5m`, in milliseconds.
pub(super) fn duration(text: &str) -> Option<i64> {
    if text.parse::<f64>().is_ok() {
        return None;
    }
    let found = pause_duration(&serde_json::Value::from(text))?;
    i64::try_from(found.as_millis()).ok()
}

pub(super) fn parse(text: &str) -> Result<Expression, Refused> {
    let tokens = tokens(text)?;
    if tokens.is_empty() {
        let message = "invalid parameter \"query\": unknown position: parse error: no expression found in input";
        return Err(Refused(Kind::BadData, message.to_owned()));
    }
    check(&tokens, text.chars().count())?;
    let mut reader = Reader {
        rest: tokens.into_iter().peekable(),
    };
    let expression = reader.expression()?;
    match reader.rest.next() {
        None => Ok(expression),
        Some(_) => Err(unknown()),
    }
}

fn tokens(text: &str) -> Result<Vec<Placed>, Refused> {
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
        let starts_name =
            |letter: char| letter.is_ascii_alphabetic() || matches!(letter, '_' | ':');
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
            let name = run(&|letter| starts_name(letter) || letter.is_ascii_digit());
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
fn check(tokens: &[Placed], length: usize) -> Result<(), Refused> {
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
        Some("(") => return Err(wrong(length.saturating_sub(1), "unclosed left parenthesis")),
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

fn shown(token: &Token) -> String {
    match token {
        Token::Name(name) => format!("identifier {name:?}"),
        Token::Number(number) => format!("number {number:?}"),
        Token::Text(text) => format!("string {text:?}"),
        Token::Sign(")") => "right parenthesis ')'".to_owned(),
        Token::Sign(sign) => format!("<{sign}>"),
    }
}

struct Reader {
    rest: Peekable<std::vec::IntoIter<Placed>>,
}

impl Reader {
    fn takes(&mut self, sign: &str) -> bool {
        let found = |(_, token): &Placed| matches!(token, Token::Sign(known) if *known == sign);
        self.rest.next_if(found).is_some()
    }

    fn wants(&mut self, sign: &str) -> Result<(), Refused> {
        if self.takes(sign) {
            Ok(())
        } else {
            Err(unknown())
        }
    }

    fn takes_name(&mut self, name: &str) -> bool {
        let found = |(_, token): &Placed| matches!(token, Token::Name(known) if known == name);
        self.rest.next_if(found).is_some()
    }

    fn name(&mut self) -> Result<String, Refused> {
        match self.rest.next() {
            Some((_, Token::Name(name))) => Ok(name),
            _ => Err(unknown()),
        }
    }

    fn number(&mut self) -> Result<f64, Refused> {
        match self.rest.next() {
            Some((at, Token::Number(text))) => text
                .parse()
                .map_err(|_| wrong(at, &format!("bad number or duration syntax: {text:?}"))),
            _ => Err(unknown()),
        }
    }

    fn expression(&mut self) -> Result<Expression, Refused> {
        if matches!(self.rest.peek(), Some((_, Token::Number(_)))) {
            return self.number().map(Expression::Number);
        }
        if self.takes_name("sum") {
            return self.sum();
        }
        if self.takes_name("time") {
            self.wants("(")?;
            self.wants(")")?;
            return Ok(Expression::Time);
        }
        if self.takes_name("vector") {
            self.wants("(")?;
            let number = self.number()?;
            self.wants(")")?;
            return Ok(Expression::Vector(number));
        }
        self.lines().map(Expression::Lines)
    }

    fn sum(&mut self) -> Result<Expression, Refused> {
        let before = self.by()?;
        self.wants("(")?;
        let lines = self.lines()?;
        self.wants(")")?;
        let by = match before {
            Some(by) => Some(by),
            None => self.by()?,
        };
        Ok(Expression::Sum(by, lines))
    }

    fn by(&mut self) -> Result<Option<Vec<String>>, Refused> {
        if !self.takes_name("by") {
            return Ok(None);
        }
        self.wants("(")?;
        let mut labels = Vec::new();
        while !self.takes(")") {
            labels.push(self.name()?);
            if !self.takes(",") {
                self.wants(")")?;
                break;
            }
        }
        Ok(Some(labels))
    }

    fn lines(&mut self) -> Result<Lines, Refused> {
        for (word, per_second) in [("rate", true), ("increase", false)] {
            let at = self.rest.peek().map_or(0, |(at, _)| *at);
            if self.takes_name(word) {
                self.wants("(")?;
                let selector = self.selector()?;
                if !self.takes("[") {
                    let place = at + word.len() + 1;
                    let why = format!(
                        "expected type range vector in call to function {word:?}, got instant vector"
                    );
                    return Err(wrong(place, &why));
                }
                let range = self.range()?;
                self.wants(")")?;
                return Ok(Lines {
                    selector,
                    grown: Some(Grown { per_second, range }),
                });
            }
        }
        Ok(Lines {
            selector: self.selector()?,
            grown: None,
        })
    }

    fn range(&mut self) -> Result<i64, Refused> {
        let Some((at, Token::Number(text))) = self.rest.next() else {
            return Err(unknown());
        };
        let range = duration(&text).filter(|range| *range > 0);
        let range =
            range.ok_or_else(|| wrong(at, &format!("bad number or duration syntax: {text:?}")))?;
        self.wants("]")?;
        Ok(range)
    }

    fn selector(&mut self) -> Result<Vec<Matcher>, Refused> {
        let at = self.rest.peek().map_or(0, |(at, _)| *at);
        let mut matchers = Vec::new();
        if let Some((_, Token::Name(_))) = self.rest.peek() {
            let name = self.name()?;
            matchers.extend(Matcher::new("__name__", &name, true, false));
        }
        if self.takes("{") {
            while !self.takes("}") {
                matchers.push(self.matcher()?);
                if !self.takes(",") {
                    self.wants("}")?;
                    break;
                }
            }
        }
        if matchers.is_empty() || matchers.iter().all(|matcher| matcher.matches("")) {
            if matches!(self.rest.peek(), Some((_, Token::Sign("("))) | None) && matchers.is_empty()
            {
                return Err(unknown());
            }
            return Err(wrong(
                at,
                "vector selector must contain at least one non-empty matcher",
            ));
        }
        Ok(matchers)
    }

    fn matcher(&mut self) -> Result<Matcher, Refused> {
        let name = self.name()?;
        let (at, equal, regex) = match self.rest.next() {
            Some((at, Token::Sign("="))) => (at, true, false),
            Some((at, Token::Sign("!="))) => (at, false, false),
            Some((at, Token::Sign("=~"))) => (at, true, true),
            Some((at, Token::Sign("!~"))) => (at, false, true),
            Some((at, token)) => {
                let why = format!(
                    "unexpected {} in label matching, expected label matching operator",
                    shown(&token)
                );
                return Err(wrong(at, &why));
            }
            None => return Err(unknown()),
        };
        match self.rest.next() {
            Some((_, Token::Text(value))) => Matcher::new(&name, &value, equal, regex)
                .map_err(|why| wrong(at, &format!("error parsing regexp: {why}"))),
            Some((at, token)) => {
                let why = format!(
                    "unexpected {} in label matching, expected string",
                    shown(&token)
                );
                Err(wrong(at, &why))
            }
            None => Err(unknown()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> (u16, String) {
        match parse(text) {
            Err(Refused(Kind::BadData, message)) => (400, message),
            Err(Refused(_, message)) => (422, message),
            Ok(expression) => panic!("{text}: {expression:?}"),
        }
    }

    #[test]
    fn what_is_known_is_understood() {
        for text in [
            "up",
            "http_requests_total{code=~\"5..\",pod!='x'}",
            "{__name__=\"up\"}",
            "sum(http_requests_total)",
            "sum by (a, b) (http_requests_total{namespace=\"shop\"})",
            "sum(rate(http_requests_total[5m])) by (code)",
            "increase(http_requests_total{a!~\"b|c\"}[1h30m])",
            "vector(1)",
            "time()",
            "42",
        ] {
            assert!(parse(text).is_ok(), "{text}: {:?}", parse(text));
        }
    }

    #[test]
    fn what_is_wrong_is_told_from_what_is_unknown() {
        // Recorded from Prometheus 3.5.3.
        let recorded = [
            (
                "sum(rate(up[5m])",
                "1:17: parse error: unclosed left parenthesis",
            ),
            (
                "foo(up)",
                "1:1: parse error: unknown function with name \"foo\"",
            ),
            (
                "rate(up)",
                "1:6: parse error: expected type range vector in call to function \"rate\", got instant vector",
            ),
        ];
        for (text, message) in recorded {
            assert_eq!(
                error(text),
                (400, format!("invalid parameter \"query\": {message}"))
            );
        }
        assert!(error("").1.contains("no expression found in input"));
        for text in [
            "up up",
            "up{",
            "up{a}",
            "\"x",
            "up +",
            "{}",
            "up{a=~\"(\"}",
            "#",
        ] {
            assert_eq!(error(text).0, 400, "{text}");
        }
        for text in [
            "up + 1",
            "histogram_quantile(0.9, up)",
            "avg(up)",
            "up offset 5m",
            "rate(up[5m:1m])",
            "sum(sum(up))",
        ] {
            assert_eq!(error(text).0, 422, "{text}");
        }
    }
}
