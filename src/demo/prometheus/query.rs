//! The part of `PromQL` that the demo answers.
//!
//! Three ends: it is understood; it is no `PromQL` (as the real one would say); or it is more than this knows. Must never
//! take one query for another.

use std::iter::Peekable;

use super::token::{Placed, Token, check, shown, tokens, wrong};
use super::{Kind, Refused};
use crate::demo::controller::pause_duration;
use crate::demo::matcher::Matcher;

#[derive(Debug, PartialEq)]
pub(super) enum Expression {
    Number(f64),
    Time,
    /// `vector(1)`
    Vector(f64),
    Lines(Lines),
    /// When each was sampled.
    Stamps(Vec<Matcher>),
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
        if self.takes_name("timestamp") {
            self.wants("(")?;
            let selector = self.selector()?;
            self.wants(")")?;
            return Ok(Expression::Stamps(selector));
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
        let mut begun = !matchers.is_empty();
        if self.takes("{") {
            begun = true;
            while !self.takes("}") {
                matchers.push(self.matcher()?);
                if !self.takes(",") {
                    self.wants("}")?;
                    break;
                }
            }
        }
        if !begun {
            return Err(unknown());
        }
        if matchers.iter().all(|matcher| matcher.matches("")) {
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
            "timestamp(http_requests_total{namespace=\"shop\"})",
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
            "timestamp(rate(up[5m]))",
            "sum(sum(up))",
        ] {
            assert_eq!(error(text).0, 422, "{text}");
        }
    }
}
