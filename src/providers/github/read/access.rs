//! What a token may do in one repository, as far as the host tells without trying.

use serde::Deserialize;

use super::one;
use crate::{
    model::pipeline::Repository,
    providers::http::{Server, Trouble},
};

/// What the host says of a repository for this token's user. A fine-grained token may have less than its user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Access {
    /// `None`: it does not say.
    pub push: Option<bool>,
}

#[derive(Debug, Default, Deserialize)]
struct Wire {
    permissions: Option<Permissions>,
}

#[derive(Debug, Default, Deserialize)]
struct Permissions {
    push: Option<bool>,
}

/// Fails with "not found or no permission" for a private repository that the token may not see.
pub async fn repository_access(
    server: &Server,
    repository: &Repository,
) -> Result<Access, Trouble> {
    let (wire, _): (Wire, _) = one(server, &format!("/repos/{repository}")).await?;
    Ok(Access {
        push: wire.permissions.and_then(|permissions| permissions.push),
    })
}
