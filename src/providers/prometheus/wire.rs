//! The JSON of the HTTP API, for the fields that are read. Tolerant of what is added and of what is missing; strict
//! about a number that cannot be read, because a sample that is dropped is a count that is wrong.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, de::Error as _};
use serde_json::value::RawValue;

pub type Labels = BTreeMap<String, String>;

/// What every answer is wrapped in. HTTP 200 is not success: `status` says it.
#[derive(Debug, Deserialize)]
pub struct Envelope<'a> {
    pub status: String,
    /// Can be there even when it failed.
    #[serde(borrow, default)]
    pub data: Option<&'a RawValue>,
    /// The HTTP status as a text with `VictoriaMetrics`.
    #[serde(rename = "errorType", default, deserialize_with = "or_default")]
    pub error_type: String,
    #[serde(default, deserialize_with = "or_default")]
    pub error: String,
    #[serde(default, deserialize_with = "or_default")]
    pub warnings: Vec<String>,
    /// Not before Prometheus 2.53.
    #[serde(default, deserialize_with = "or_default")]
    pub infos: Vec<String>,
    /// `VictoriaMetrics` in a cluster: some of its storage did not answer.
    #[serde(rename = "isPartial", default, deserialize_with = "or_default")]
    pub is_partial: bool,
}

#[derive(Deserialize)]
struct Data<'a> {
    #[serde(rename = "resultType")]
    kind: String,
    #[serde(borrow)]
    result: &'a RawValue,
}

/// The answer to a query.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// In no order that means anything: it differs between versions.
    Vector(Vec<Sample>),
    Matrix(Vec<Series>),
    Scalar(Point),
    Text(String),
}

/// A value at a time. In an instant vector the time is that of the evaluation, not of the sample.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    pub at: Timestamp,
    pub value: f64,
}

/// Never both: a series is of numbers or of histograms.
#[derive(Clone, Debug, PartialEq)]
pub enum Sampled {
    Number(Point),
    Histogram(Timestamp, Histogram),
}

#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    pub labels: Labels,
    pub sampled: Sampled,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Series {
    pub labels: Labels,
    /// A step without a sample is simply not there.
    pub points: Vec<Point>,
    pub histograms: Vec<(Timestamp, Histogram)>,
}

/// A native histogram.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Histogram {
    #[serde(deserialize_with = "number")]
    pub count: f64,
    #[serde(deserialize_with = "number")]
    pub sum: f64,
    /// Empty ones are left out.
    pub buckets: Vec<Bucket>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Bucket {
    /// 0: `(low, high]`, 1: `[low, high)`, 2: both open, 3: both closed.
    pub bounds: u8,
    pub low: f64,
    pub high: f64,
    pub count: f64,
}

impl Answer {
    /// Reads the `data` of a query.
    pub fn read(data: &RawValue) -> Result<Self, serde_json::Error> {
        let data: Data<'_> = serde_json::from_str(data.get())?;
        let result = data.result.get();
        match data.kind.as_str() {
            "vector" => Ok(Self::Vector(
                serde_json::from_str::<Vec<WireSample>>(result)?
                    .into_iter()
                    .map(Sample::try_from)
                    .collect::<Result<_, _>>()?,
            )),
            "matrix" => Ok(Self::Matrix(
                serde_json::from_str::<Vec<WireSeries>>(result)?
                    .into_iter()
                    .map(Series::from)
                    .collect(),
            )),
            "scalar" => {
                serde_json::from_str::<WirePoint>(result).map(|point| Self::Scalar(point.0))
            }
            "string" => {
                serde_json::from_str::<(f64, String)>(result).map(|(_, text)| Self::Text(text))
            }
            _ => Err(serde_json::Error::custom("a result of an unknown type")),
        }
    }
}

#[derive(Deserialize)]
struct WireSample {
    #[serde(default, deserialize_with = "or_default")]
    metric: Labels,
    value: Option<WirePoint>,
    histogram: Option<WireHistogram>,
}

impl TryFrom<WireSample> for Sample {
    type Error = serde_json::Error;

    fn try_from(wire: WireSample) -> Result<Self, Self::Error> {
        let sampled = match (wire.value, wire.histogram) {
            (Some(point), _) => Sampled::Number(point.0),
            (None, Some(histogram)) => Sampled::Histogram(histogram.0, histogram.1),
            (None, None) => {
                return Err(serde_json::Error::custom(
                    "a sample without a value and without a histogram",
                ));
            }
        };
        Ok(Self {
            labels: wire.metric,
            sampled,
        })
    }
}

#[derive(Deserialize)]
struct WireSeries {
    #[serde(default, deserialize_with = "or_default")]
    metric: Labels,
    #[serde(default, deserialize_with = "or_default")]
    values: Vec<WirePoint>,
    #[serde(default, deserialize_with = "or_default")]
    histograms: Vec<WireHistogram>,
}

impl From<WireSeries> for Series {
    fn from(wire: WireSeries) -> Self {
        let mut points: Vec<Point> = wire.values.into_iter().map(|point| point.0).collect();
        points.sort_by_key(|point| point.at);
        Self {
            labels: wire.metric,
            points,
            histograms: wire
                .histograms
                .into_iter()
                .map(|histogram| (histogram.0, histogram.1))
                .collect(),
        }
    }
}

struct WirePoint(Point);

impl<'de> Deserialize<'de> for WirePoint {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (at, value) = <(f64, Number)>::deserialize(deserializer)?;
        let at = time(at).ok_or_else(|| D::Error::custom("a time out of range"))?;
        Ok(Self(Point { at, value: value.0 }))
    }
}

struct WireHistogram(Timestamp, Histogram);

impl<'de> Deserialize<'de> for WireHistogram {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (at, histogram) = <(f64, Histogram)>::deserialize(deserializer)?;
        let at = time(at).ok_or_else(|| D::Error::custom("a time out of range"))?;
        Ok(Self(at, histogram))
    }
}

impl<'de> Deserialize<'de> for Bucket {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (bounds, low, high, count) = <(u8, Number, Number, Number)>::deserialize(deserializer)?;
        Ok(Self {
            bounds,
            low: low.0,
            high: high.0,
            count: count.0,
        })
    }
}

/// Values are texts, because JSON knows neither `NaN` nor `+Inf`. A plain number is taken as well.
struct Number(f64);

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Either<'a> {
            Borrowed(&'a str),
            Text(String),
            Number(f64),
        }
        let text = match Either::deserialize(deserializer)? {
            Either::Number(number) => return Ok(Self(number)),
            Either::Borrowed(text) => text.to_owned(),
            Either::Text(text) => text,
        };
        text.parse()
            .map(Self)
            .map_err(|_| D::Error::custom("a value that is not a number"))
    }
}

fn number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    Number::deserialize(deserializer).map(|number| number.0)
}

/// `null` is what is not there.
fn or_default<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(
    deserializer: D,
) -> Result<T, D::Error> {
    Option::deserialize(deserializer).map(Option::unwrap_or_default)
}

/// Seconds with up to three decimals, which a float does not hold exactly.
pub fn time(seconds: f64) -> Option<Timestamp> {
    let millis = (seconds * 1_000.0).round();
    // Beyond this a float does not hold whole milliseconds, and no server means it.
    if !millis.is_finite() || millis.abs() > 9e15 {
        return None;
    }
    #[expect(
        clippy::cast_possible_truncation,
        reason = "it is whole and within 53 bits"
    )]
    Timestamp::from_millisecond(millis as i64).ok()
}

/// `/api/v1/targets`: only what tells how often something is scraped.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Targets {
    #[serde(rename = "activeTargets", deserialize_with = "or_default")]
    pub active: Vec<Target>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Target {
    #[serde(deserialize_with = "or_default")]
    pub labels: Labels,
    /// `15s`, `1m30s`. Not before Prometheus 2.28.
    #[serde(rename = "scrapeInterval", deserialize_with = "or_default")]
    pub scrape_interval: String,
}

/// `/api/v1/status/buildinfo`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct BuildInfo {
    /// Only Mimir and its relatives say who they are.
    #[serde(deserialize_with = "or_default")]
    pub application: String,
    #[serde(deserialize_with = "or_default")]
    pub version: String,
    #[serde(rename = "goVersion", deserialize_with = "or_default")]
    pub go_version: String,
}

impl BuildInfo {
    /// Who it is, as people say it.
    pub fn words(&self) -> String {
        // Debian and others add their own suffix: 3.5.3+ds1.
        let version = self.version.split('+').next().unwrap_or_default();
        if !self.application.is_empty() {
            return format!("{} {version}", self.application)
                .trim_end()
                .to_owned();
        }
        match (version, self.go_version.as_str()) {
            // It says nothing, or since 1.96 a version of Prometheus for Grafana's sake, the same for ever
            // (VictoriaMetrics pull request 5437).
            ("" | "2.24.0", "") => "VictoriaMetrics".to_owned(),
            // Its versions never reached 1, and those of Prometheus that anyone runs passed it in 2016.
            (version, _) if version.starts_with("0.") => format!("Thanos {version}"),
            (version, _) => format!("Prometheus {version}"),
        }
    }
}

/// `1h30m`, `15s`, `1500ms`, in milliseconds.
pub fn duration_ms(text: &str) -> Option<u64> {
    let mut rest = text.trim();
    let mut total: u64 = 0;
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let number: u64 = rest.get(..digits)?.parse().ok()?;
        rest = rest.get(digits..)?;
        let letters = rest.bytes().take_while(u8::is_ascii_alphabetic).count();
        let unit = match rest.get(..letters)? {
            "ms" => 1,
            "s" => 1_000,
            "m" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            "w" => 604_800_000,
            "y" => 31_536_000_000,
            _ => return None,
        };
        total = total.checked_add(number.checked_mul(unit)?)?;
        rest = rest.get(letters..)?;
    }
    Some(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(data: &str) -> Result<Answer, serde_json::Error> {
        let raw: &RawValue = serde_json::from_str(data).unwrap();
        Answer::read(raw)
    }

    #[test]
    fn values_that_are_no_numbers_in_json_are_read() {
        let data = r#"{"resultType":"vector","result":[
            {"metric":{"k":"a"},"value":[1795215228.38,"+Inf"]},
            {"metric":{"k":"b"},"value":[1795215228.38,"NaN"]},
            {"value":[1795215228,"-0"],"added":{"later":1}}]}"#;
        let Answer::Vector(samples) = answer(data).unwrap() else {
            panic!("not a vector")
        };
        let numbers: Vec<f64> = samples
            .iter()
            .map(|sample| match sample.sampled {
                Sampled::Number(point) => point.value,
                Sampled::Histogram(..) => panic!("a histogram"),
            })
            .collect();
        assert!(numbers[0].is_infinite() && numbers[1].is_nan() && numbers[2] == 0.0);
        assert_eq!(samples[0].labels["k"], "a");
    }

    #[test]
    fn times_keep_their_milliseconds() {
        assert_eq!(
            time(1_795_215_228.38).map(Timestamp::as_millisecond),
            Some(1_795_215_228_380)
        );
        assert_eq!(time(f64::NAN), None);
        assert_eq!(time(1e300), None);
    }

    #[test]
    fn a_sample_that_cannot_be_read_spoils_the_answer_instead_of_being_dropped() {
        for result in [
            r#"[{"metric":{},"value":[1,"many"]}]"#,
            r#"[{"metric":{}}]"#,
            r#"[{"metric":{},"value":[1]}]"#,
        ] {
            let data = format!(r#"{{"resultType":"vector","result":{result}}}"#);
            assert!(answer(&data).is_err(), "{data}");
        }
        assert!(answer(r#"{"resultType":"streams","result":[]}"#).is_err());
    }

    #[test]
    fn servers_are_called_by_their_names() {
        let words = |json: &str| serde_json::from_str::<BuildInfo>(json).unwrap().words();
        assert_eq!(
            words(r#"{"version":"3.5.3+ds1","goVersion":"go1.27.1"}"#),
            "Prometheus 3.5.3"
        );
        assert_eq!(words(r#"{"version":"2.24.0"}"#), "VictoriaMetrics");
        assert_eq!(words("{}"), "VictoriaMetrics");
        assert_eq!(
            words(r#"{"version":"2.24.0","goVersion":"go1.15"}"#),
            "Prometheus 2.24.0"
        );
        assert_eq!(
            words(r#"{"application":"Grafana Mimir","version":"2.14.0"}"#),
            "Grafana Mimir 2.14.0"
        );
        assert_eq!(
            words(r#"{"version":"0.37.2","goVersion":"go1.23"}"#),
            "Thanos 0.37.2"
        );
    }

    #[test]
    fn durations_are_read_as_the_servers_write_them() {
        assert_eq!(duration_ms("15s"), Some(15_000));
        assert_eq!(duration_ms("1m30s"), Some(90_000));
        assert_eq!(duration_ms("500ms"), Some(500));
        for wrong in ["", "15", "s", "1.5s", "99999999999999999999s", "1m-3s"] {
            assert_eq!(duration_ms(wrong), None, "{wrong}");
        }
    }
}
