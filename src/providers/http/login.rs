//! The credential of one server: fetched when it is first needed, and again after the server has refused it. Kept only
//! as long as the server is; never shown.

use std::sync::Arc;

use http::HeaderValue;
use jiff::{SignedDuration, Timestamp};
use reqwest::RequestBuilder;
use secrecy::{ExposeSecret, SecretString};

use super::trouble::Why;
use crate::{config::SecretSource, model::text::sanitise};

/// A refused token is fetched anew at most this often: the command behind it may ask a person.
const AGAIN_AFTER: SignedDuration = SignedDuration::from_secs(30);

/// How the variables of the process are asked for.
pub type Variables = Arc<dyn Fn(&str) -> Option<String> + Send + Sync>;

/// How a server knows us.
#[derive(Clone, Debug)]
pub enum Credential {
    None,
    Bearer(SecretSource),
    Basic {
        user: String,
        password: SecretSource,
    },
    /// A header of the vendor's own: `Authorization: GenieKey …`, `X-Token: …`.
    Header {
        name: &'static str,
        prefix: &'static str,
        secret: SecretSource,
    },
}

impl Credential {
    const fn source(&self) -> Option<&SecretSource> {
        match self {
            Self::None => None,
            Self::Bearer(source)
            | Self::Basic {
                password: source, ..
            }
            | Self::Header { secret: source, .. } => Some(source),
        }
    }

    pub(super) const fn is_some(&self) -> bool {
        self.source().is_some()
    }
}

/// A credential as it goes out with one request.
#[derive(Clone)]
pub(super) struct Fetched {
    secret: Option<SecretString>,
    /// Counts the different secrets there were.
    pub(super) number: u64,
}

impl Fetched {
    /// None was fetched, and none goes out.
    pub(super) const NONE: Self = Self {
        secret: None,
        number: 0,
    };

    pub(super) const fn secret(&self) -> Option<&SecretString> {
        self.secret.as_ref()
    }
}

struct State {
    last: Option<Result<Fetched, Why>>,
    at: Timestamp,
    refused: bool,
}

pub(super) struct Login {
    credential: Credential,
    variables: Variables,
    // Held while it is fetched: ten requests at the start must not start ten commands.
    state: tokio::sync::Mutex<State>,
}

impl Login {
    pub(super) fn new(credential: Credential, variables: Variables) -> Self {
        Self {
            credential,
            variables,
            state: tokio::sync::Mutex::new(State {
                last: None,
                at: Timestamp::UNIX_EPOCH,
                refused: false,
            }),
        }
    }

    pub(super) async fn fetch(&self, now: Timestamp) -> Result<Fetched, Why> {
        let Some(source) = self.credential.source() else {
            return Ok(Fetched::NONE);
        };
        let mut state = self.state.lock().await;
        let recent = now.duration_since(state.at) < AGAIN_AFTER;
        match &state.last {
            Some(Ok(fetched)) if !state.refused || recent => return Ok(fetched.clone()),
            Some(Err(why)) if recent => return Err(why.clone()),
            _ => {}
        }
        let before = match state.last.take() {
            Some(Ok(fetched)) => Some(fetched),
            _ => None,
        };
        state.at = now;
        let fetched = match source.resolve(&*self.variables).await {
            Ok(secret) => {
                let same = before.as_ref().and_then(|b| b.secret.as_ref()).is_some_and(
                    // Both are ours; how long comparing takes tells nobody anything.
                    |old| old.expose_secret() == secret.expose_secret(),
                );
                state.refused = state.refused && same;
                Ok(Fetched {
                    secret: Some(secret),
                    number: before.map_or(1, |b| b.number + u64::from(!same)),
                })
            }
            Err(error) => Err(Why::Login {
                why: sanitise(&error.to_string()),
            }),
        };
        state.last = Some(fetched.clone());
        fetched
    }

    /// The server did not take it.
    pub(super) async fn refused(&self, number: u64) {
        let mut state = self.state.lock().await;
        if matches!(&state.last, Some(Ok(fetched)) if fetched.number == number) {
            state.refused = true;
        }
    }

    pub(super) fn sign(
        &self,
        request: RequestBuilder,
        fetched: &Fetched,
    ) -> Result<RequestBuilder, Why> {
        let Some(secret) = &fetched.secret else {
            return Ok(request);
        };
        let secret = secret.expose_secret();
        Ok(match &self.credential {
            Credential::None => request,
            // Both mark the header as sensitive.
            Credential::Bearer(_) => request.bearer_auth(secret),
            Credential::Basic { user, .. } => request.basic_auth(user, Some(secret)),
            Credential::Header { name, prefix, .. } => {
                let mut value =
                    HeaderValue::from_str(&format!("{prefix}{secret}")).map_err(|_| {
                        Why::Login {
                            why: sanitise("the token holds characters that no header takes"),
                        }
                    })?;
                value.set_sensitive(true);
                request.header(*name, value)
            }
        })
    }
}
