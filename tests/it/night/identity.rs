//! Who a server says it is: an authority of our own, and certificates that are right, or wrong in one way each.

use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    date_time_ymd,
};
use rustls::{
    ServerConfig,
    crypto::ring::default_provider,
    pki_types::{CertificateDer, PrivateKeyDer},
};

use super::road::Identity;

/// What is wrong with a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wrong {
    Nothing,
    SelfSigned,
    Expired,
    NotYetValid,
    OtherName,
    OtherAuthority,
}

pub(super) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pub(super) pem: String,
}

impl Authority {
    pub(super) fn new() -> Self {
        Self::called("an authority of the night")
    }

    /// Two of one name would be told apart by their signatures alone.
    fn called(name: &str) -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, name);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let key = KeyPair::generate().unwrap();
        let pem = params.self_signed(&key).unwrap().pem();
        Self {
            issuer: Issuer::new(params, key),
            pem,
        }
    }

    /// A server on this machine that says who it is, rightly or not.
    #[expect(
        clippy::unnecessary_wraps,
        reason = "what a road takes, which may have none"
    )]
    pub(super) fn identity(&self, wrong: Wrong) -> Identity {
        let names = match wrong {
            Wrong::OtherName => vec!["elsewhere.example".to_owned()],
            _ => ["localhost", "127.0.0.1", "world.test"]
                .map(str::to_owned)
                .into(),
        };
        let mut params = CertificateParams::new(names).unwrap();
        (params.not_before, params.not_after) = match wrong {
            Wrong::Expired => (date_time_ymd(2001, 1, 1), date_time_ymd(2002, 1, 1)),
            Wrong::NotYetValid => (date_time_ymd(2090, 1, 1), date_time_ymd(2091, 1, 1)),
            _ => (date_time_ymd(2001, 1, 1), date_time_ymd(2091, 1, 1)),
        };
        let key = KeyPair::generate().unwrap();
        let certificate = match wrong {
            Wrong::SelfSigned => params.self_signed(&key),
            Wrong::OtherAuthority => {
                params.signed_by(&key, &Self::called("nobody's authority").issuer)
            }
            _ => params.signed_by(&key, &self.issuer),
        };
        let chain = vec![CertificateDer::from(certificate.unwrap().der().to_vec())];
        let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .unwrap();
        Some(Arc::new(config))
    }
}
