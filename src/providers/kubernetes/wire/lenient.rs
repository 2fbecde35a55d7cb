//! Tolerance, once for all wire types: `null` is the default, an int may be a string, a time may be rubbish.
//! Never guesses a value: what cannot be understood is absent or an error, not something else.

use std::{fmt, marker::PhantomData, str::FromStr};

use jiff::Timestamp;
use serde::{
    Deserialize, Deserializer,
    de::{self, DeserializeSeed, IgnoredAny, MapAccess, SeqAccess, Visitor},
};

/// How a field is read. Not `Deserialize`, whose answer to `null` is an error.
pub(super) trait Lenient<'de>: Sized {
    fn lenient<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error>;
}

/// A time as the server wrote it. Text that is no time is no time: a fact that is merely missing must not cost the
/// whole object. Nor is one before 1970: programs in Go write the year 1 where they have none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Time(pub Option<Timestamp>);

impl Time {
    pub fn parse(text: &str) -> Self {
        let time = Timestamp::from_str(text).ok();
        Self(time.filter(|time| *time >= Timestamp::UNIX_EPOCH))
    }
}

/// Kubernetes' `IntOrString`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IntOrString {
    Int(i64),
    Text(String),
}

impl fmt::Display for IntOrString {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Int(number) => write!(f, "{number}"),
            Self::Text(text) => f.write_str(text),
        }
    }
}

struct Scalar<T>(PhantomData<T>);

/// What a scalar can be made from. Everything that is not handled is an error.
trait FromScalar: Sized + Default {
    const EXPECTS: &'static str;
    fn from_bool(_: bool) -> Option<Self> {
        None
    }
    fn from_int(_: i64) -> Option<Self> {
        None
    }
    fn from_text(_: &str) -> Option<Self> {
        None
    }
    fn from_owned(text: String) -> Option<Self> {
        Self::from_text(&text)
    }
}

impl<T: FromScalar> Visitor<'_> for Scalar<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(T::EXPECTS)
    }
    fn visit_unit<E: de::Error>(self) -> Result<T, E> {
        Ok(T::default())
    }
    fn visit_none<E: de::Error>(self) -> Result<T, E> {
        Ok(T::default())
    }
    fn visit_bool<E: de::Error>(self, v: bool) -> Result<T, E> {
        T::from_bool(v).ok_or_else(|| E::invalid_type(de::Unexpected::Bool(v), &self))
    }
    fn visit_i64<E: de::Error>(self, v: i64) -> Result<T, E> {
        T::from_int(v).ok_or_else(|| E::invalid_value(de::Unexpected::Signed(v), &self))
    }
    fn visit_u64<E: de::Error>(self, v: u64) -> Result<T, E> {
        i64::try_from(v)
            .ok()
            .and_then(T::from_int)
            .ok_or_else(|| E::invalid_value(de::Unexpected::Unsigned(v), &self))
    }
    fn visit_str<E: de::Error>(self, v: &str) -> Result<T, E> {
        T::from_text(v).ok_or_else(|| E::invalid_value(de::Unexpected::Str(v), &self))
    }
    fn visit_string<E: de::Error>(self, v: String) -> Result<T, E> {
        T::from_owned(v).ok_or_else(|| E::custom(format_args!("expected {}", T::EXPECTS)))
    }
}

impl FromScalar for String {
    const EXPECTS: &'static str = "a string";
    fn from_bool(v: bool) -> Option<Self> {
        Some(v.to_string())
    }
    fn from_int(v: i64) -> Option<Self> {
        Some(v.to_string())
    }
    fn from_text(v: &str) -> Option<Self> {
        Some(v.to_owned())
    }
    fn from_owned(text: String) -> Option<Self> {
        Some(text)
    }
}

impl FromScalar for bool {
    const EXPECTS: &'static str = "true or false";
    fn from_bool(v: bool) -> Option<Self> {
        Some(v)
    }
}

impl FromScalar for i32 {
    const EXPECTS: &'static str = "a 32-bit whole number";
    fn from_int(v: i64) -> Option<Self> {
        Self::try_from(v).ok()
    }
    fn from_text(v: &str) -> Option<Self> {
        v.parse().ok()
    }
}

impl FromScalar for i64 {
    const EXPECTS: &'static str = "a whole number";
    fn from_int(v: i64) -> Option<Self> {
        Some(v)
    }
    fn from_text(v: &str) -> Option<Self> {
        v.parse().ok()
    }
}

impl FromScalar for Time {
    const EXPECTS: &'static str = "a time";
    fn from_text(v: &str) -> Option<Self> {
        Some(Self::parse(v))
    }
}

impl Default for IntOrString {
    fn default() -> Self {
        Self::Int(0)
    }
}

impl FromScalar for IntOrString {
    const EXPECTS: &'static str = "a whole number or a string";
    fn from_int(v: i64) -> Option<Self> {
        Some(Self::Int(v))
    }
    fn from_text(v: &str) -> Option<Self> {
        Some(Self::Text(v.to_owned()))
    }
}

macro_rules! scalars {
    ($($type:ty),*) => {$(
        impl<'de> Lenient<'de> for $type {
            fn lenient<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_any(Scalar(PhantomData))
            }
        }
    )*};
}
scalars!(String, bool, i32, i64, Time, IntOrString);

impl<'de> Lenient<'de> for IgnoredAny {
    fn lenient<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::deserialize(deserializer)
    }
}

struct Optional<T>(PhantomData<T>);

impl<'de, T: Lenient<'de>> Visitor<'de> for Optional<T> {
    type Value = Option<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value or null")
    }
    fn visit_none<E: de::Error>(self) -> Result<Option<T>, E> {
        Ok(None)
    }
    fn visit_unit<E: de::Error>(self) -> Result<Option<T>, E> {
        Ok(None)
    }
    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<T>, D::Error> {
        T::lenient(deserializer).map(Some)
    }
}

impl<'de, T: Lenient<'de>> Lenient<'de> for Option<T> {
    fn lenient<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_option(Optional(PhantomData))
    }
}

impl<'de, T: Lenient<'de>> Lenient<'de> for Box<T> {
    fn lenient<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::lenient(deserializer).map(Self::new)
    }
}

struct Element<T>(PhantomData<T>);

impl<'de, T: Lenient<'de>> DeserializeSeed<'de> for Element<T> {
    type Value = Option<T>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<T>, D::Error> {
        Option::<T>::lenient(deserializer)
    }
}

struct Sequence<T> {
    null: fn() -> Option<T>,
}

impl<'de, T: Lenient<'de>> Visitor<'de> for Sequence<T> {
    type Value = Vec<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list or null")
    }
    fn visit_none<E: de::Error>(self) -> Result<Vec<T>, E> {
        Ok(Vec::new())
    }
    fn visit_unit<E: de::Error>(self) -> Result<Vec<T>, E> {
        Ok(Vec::new())
    }
    /// An empty list is `{}` where a program without list types has written the object.
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Vec<T>, A::Error> {
        match map.next_key::<IgnoredAny>()? {
            None => Ok(Vec::new()),
            Some(_) => Err(de::Error::invalid_type(de::Unexpected::Map, &self)),
        }
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Vec<T>, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(Element(PhantomData))? {
            list.extend(item.or_else(self.null));
        }
        Ok(list)
    }
}

/// A list whose `null` items are left out.
impl<'de, T: Lenient<'de>> Lenient<'de> for Vec<T> {
    fn lenient<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Sequence { null: || None })
    }
}

/// A list in which the place of an item means something: a `null` item is kept, as an empty one.
pub(super) fn positional<'de, T, D>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    T: Lenient<'de> + Default,
    D: Deserializer<'de>,
{
    deserializer.deserialize_any(Sequence {
        null: || Some(T::default()),
    })
}
