//! From a context to what a connection needs: server, trust, login, proxy. Refuses what must not be tried (a token over
//! plain http) and what cannot work (a client certificate that rustls does not take) with a sentence.

use std::{fmt, net::IpAddr, path::Path};

use kube::config as file;
use rustls::pki_types::{CertificateDer, pem::PemObject};
use secrecy::ExposeSecret;

use super::{
    super::client::Plugin, Context, Problem, Variables, base64, policy::PluginPolicy, x509,
};
use crate::model::{id::EnvironmentName, text::Safe};

/// How to reach one cluster as one user.
#[derive(Clone)]
pub struct Connection {
    pub environment: EnvironmentName,
    /// The kubeconfig's name of the user.
    pub user: Option<Safe>,
    /// The server's certificate is not checked: a permanent red marker on the screen.
    pub insecure: bool,
    pub(crate) config: kube::Config,
    pub(crate) plugin: Option<Plugin>,
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection")
            .field("environment", &self.environment)
            .field("server", &self.config.cluster_url.host())
            .field("insecure", &self.insecure)
            .finish_non_exhaustive()
    }
}

impl Connection {
    /// A server without TLS or login on this machine: the demo world and tests.
    pub fn loopback(environment: EnvironmentName, address: std::net::SocketAddr) -> Self {
        let uri = http::Uri::builder()
            .scheme("http")
            .authority(address.to_string())
            .path_and_query("/")
            .build()
            .unwrap_or_default();
        Self {
            environment,
            user: None,
            insecure: false,
            config: kube::Config::new(uri),
            plugin: None,
        }
    }
}

/// The proxy variables of the environment. kube reads them too, but holds `NO_PROXY` against the proxy's own name
/// instead of the server's (`config/file_loader.rs`), so it is not asked.
#[derive(Clone, Debug, Default)]
pub(super) struct ProxyVariables {
    https: Option<String>,
    http: Option<String>,
    none: Option<String>,
}

impl ProxyVariables {
    pub(super) fn read(variables: Variables<'_>) -> Self {
        let either = |upper: &str, lower: &str| {
            variables(upper)
                .filter(|text| !text.is_empty())
                .or_else(|| variables(lower).filter(|text| !text.is_empty()))
        };
        Self {
            https: either("HTTPS_PROXY", "https_proxy"),
            http: either("HTTP_PROXY", "http_proxy"),
            none: either("NO_PROXY", "no_proxy"),
        }
    }

    /// As Go's `ProxyFromEnvironment`: never for this machine, never for what `NO_PROXY` lists.
    fn for_server(&self, server: &http::Uri) -> Option<&str> {
        let host = server.host().unwrap_or_default();
        if is_loopback(host) || self.is_excepted(host) {
            return None;
        }
        match server.scheme_str() {
            Some("https") => self.https.as_deref(),
            _ => self.http.as_deref(),
        }
    }

    fn is_excepted(&self, host: &str) -> bool {
        let host = host.trim_matches(['[', ']']).to_ascii_lowercase();
        let entries = self.none.as_deref().unwrap_or_default().split(',');
        entries.map(str::trim).any(|entry| {
            let entry = entry.to_ascii_lowercase();
            let name = entry.trim_start_matches('*').trim_start_matches('.');
            if entry == "*" {
                return true;
            }
            match entry.split_once('/') {
                Some((network, bits)) => in_network(&host, network, bits),
                None => !name.is_empty() && (host == name || host.ends_with(&format!(".{name}"))),
            }
        })
    }
}

fn in_network(host: &str, network: &str, bits: &str) -> bool {
    let (Ok(host), Ok(network), Ok(bits)) = (host.parse(), network.parse(), bits.parse::<u32>())
    else {
        return false;
    };
    match (host, network) {
        (IpAddr::V4(a), IpAddr::V4(b)) if bits <= 32 => {
            (a.to_bits() ^ b.to_bits()).leading_zeros() >= bits
        }
        (IpAddr::V6(a), IpAddr::V6(b)) if bits <= 128 => {
            (a.to_bits() ^ b.to_bits()).leading_zeros() >= bits
        }
        _ => false,
    }
}

pub(super) fn is_loopback(host: &str) -> bool {
    let host = host.trim_matches(['[', ']']);
    host.eq_ignore_ascii_case("localhost")
        || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

pub(super) fn from_file(
    merged: &file::Kubeconfig,
    context: &Context,
    proxy: &ProxyVariables,
    policy: &PluginPolicy,
) -> Result<Connection, Problem> {
    let unusable = |why: &str| Problem::unusable(&context.name, why);
    let wanted = merged
        .contexts
        .iter()
        .find(|named| named.name == context.name)
        .and_then(|named| named.context.as_ref())
        .ok_or_else(|| unusable("it is empty in the kubeconfig"))?;
    let cluster = merged
        .clusters
        .iter()
        .find(|named| named.name == wanted.cluster)
        .and_then(|named| named.cluster.as_ref())
        .ok_or_else(|| {
            unusable(&format!(
                "its cluster {:?} is not in the kubeconfig",
                wanted.cluster
            ))
        })?;
    // A user that is missing is nobody, as for kubectl: the server will say what that may do.
    let mut user = wanted
        .user
        .as_ref()
        .and_then(|name| merged.auth_infos.iter().find(|named| named.name == *name))
        .and_then(|named| named.auth_info.clone())
        .unwrap_or_default();

    let mut config = kube::Config::new(server(cluster).map_err(|why| unusable(&why))?);
    context
        .namespace
        .as_str()
        .clone_into(&mut config.default_namespace);
    config.root_cert = authority(cluster).map_err(|why| unusable(&why))?;
    config.accept_invalid_certs = cluster.insecure_skip_tls_verify.unwrap_or(false);
    config.tls_server_name = cluster
        .tls_server_name
        .clone()
        .filter(|name| !name.is_empty());
    config.proxy_url = proxy_for(cluster, &config.cluster_url, proxy).map_err(|w| unusable(&w))?;
    let plugin = plugin(&mut user, cluster, policy).map_err(|why| unusable(&why))?;
    check_provider(&user).map_err(|why| unusable(&why))?;
    check_plain_http(&config.cluster_url, &user, plugin.is_some()).map_err(|w| unusable(&w))?;
    check_certificate(&user).map_err(|why| unusable(&why))?;
    config.auth_info = user;
    Ok(Connection {
        environment: context.environment.clone(),
        user: context.user.clone(),
        insecure: config.accept_invalid_certs,
        config,
        plugin,
    })
}

pub(super) fn in_cluster(
    server: &str,
    folder: &Path,
    context: &Context,
) -> Result<Connection, Problem> {
    let unusable = |why: &str| Problem::unusable(&context.name, why);
    let url = server
        .parse()
        .map_err(|_| unusable("KUBERNETES_SERVICE_HOST is not a host"))?;
    let mut config = kube::Config::new(url);
    context
        .namespace
        .as_str()
        .clone_into(&mut config.default_namespace);
    let bundle = folder.join("ca.crt");
    config.root_cert = Some(pem_file(&bundle).map_err(|why| unusable(&why))?);
    // Read again by kube: both are rotated under a running pod.
    config.root_cert_file = Some(bundle);
    config.auth_info.token_file = Some(folder.join("token").display().to_string());
    Ok(Connection {
        environment: context.environment.clone(),
        user: None,
        insecure: false,
        config,
        plugin: None,
    })
}

fn server(cluster: &file::Cluster) -> Result<http::Uri, String> {
    let text = cluster
        .server
        .as_deref()
        .filter(|server| !server.is_empty())
        .ok_or("its cluster has no server")?;
    // Never quoted back, and never used: every layer below writes a request's address into its log.
    let host = text.split_once("://").map_or(text, |(_, rest)| rest);
    let host = host.split(['/', '?', '#']).next().unwrap_or_default();
    if host.contains('@') {
        return Err(
            "its server holds a user or a password; name the login under users instead".to_owned(),
        );
    }
    let uri: http::Uri = text
        .parse()
        .map_err(|error| format!("its server {text:?} is not a URL: {error}"))?;
    match (uri.scheme_str(), uri.host()) {
        (Some("https" | "http"), Some(_)) => Ok(uri),
        _ => Err(format!(
            "its server {text:?} is not a URL; it has to begin with https://"
        )),
    }
}

fn authority(cluster: &file::Cluster) -> Result<Option<Vec<Vec<u8>>>, String> {
    let data = cluster.certificate_authority_data.as_deref();
    if let Some(data) = data.filter(|data| !data.is_empty()) {
        let pem = base64::decode(data).ok_or("certificate-authority-data is not base64")?;
        return certificates(&pem)
            .map(Some)
            .ok_or_else(|| "certificate-authority-data holds no certificate".to_owned());
    }
    match cluster.certificate_authority.as_deref() {
        Some(path) if !path.is_empty() => pem_file(Path::new(path)).map(Some),
        _ => Ok(None),
    }
}

fn pem_file(path: &Path) -> Result<Vec<Vec<u8>>, String> {
    let pem = std::fs::read(path)
        .map_err(|error| format!("{} cannot be read: {error}", path.display()))?;
    certificates(&pem).ok_or_else(|| format!("{} holds no certificate", path.display()))
}

fn certificates(pem: &[u8]) -> Option<Vec<Vec<u8>>> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem)
        .map(|der| der.map(|der| der.to_vec()))
        .collect();
    found.ok().filter(|found| !found.is_empty())
}

/// `proxy-url` is meant for this cluster and counts as it stands; the environment's proxy has its exceptions.
fn proxy_for(
    cluster: &file::Cluster,
    server: &http::Uri,
    proxy: &ProxyVariables,
) -> Result<Option<http::Uri>, String> {
    let own = cluster.proxy_url.as_deref().filter(|url| !url.is_empty());
    let Some(text) = own.or_else(|| proxy.for_server(server)) else {
        return Ok(None);
    };
    let text = if text.contains("://") {
        text.to_owned()
    } else {
        format!("http://{text}")
    };
    // Never quoted back: it may hold a password.
    let uri: http::Uri = text
        .parse()
        .map_err(|_| "its proxy is not a URL".to_owned())?;
    match uri.scheme_str() {
        Some("http" | "https") => Ok(Some(uri)),
        scheme => Err(format!(
            "its proxy speaks {}, which is not supported; http and https are",
            scheme.unwrap_or("nothing known")
        )),
    }
}

/// Takes the plugin out of the login: it is run by us, see `client::exec`.
fn plugin(
    user: &mut file::AuthInfo,
    cluster: &file::Cluster,
    policy: &PluginPolicy,
) -> Result<Option<Plugin>, String> {
    let Some(exec) = user.exec.take() else {
        return Ok(None);
    };
    // A token, a password or a token file counts before a plugin, as in kube and client-go.
    if user.token.is_some() || user.token_file.is_some() || user.username.is_some() {
        return Ok(None);
    }
    let command = exec
        .command
        .filter(|command| !command.is_empty())
        .ok_or("its credential plugin names no command")?;
    if !policy.allows(&command) {
        return Err(format!(
            "its credential plugin {command:?} is not allowed by kuberc's credentialPluginPolicy"
        ));
    }
    let info = |cluster: &file::Cluster| {
        file::ExecAuthCluster::try_from(cluster)
            .map_err(|error| error.to_string())
            .and_then(|info| serde_json::to_value(info).map_err(|error| error.to_string()))
    };
    Ok(Some(Plugin {
        command,
        args: exec.args.unwrap_or_default(),
        env: exec
            .env
            .unwrap_or_default()
            .into_iter()
            .filter_map(|mut pair| Some((pair.remove("name")?, pair.remove("value")?)))
            .collect(),
        install_hint: exec.install_hint,
        api_version: exec
            .api_version
            .unwrap_or_else(|| "client.authentication.k8s.io/v1".to_owned()),
        cluster: if exec.provide_cluster_info {
            Some(info(cluster)?)
        } else {
            None
        },
    }))
}

/// kubectl dropped the built-in cloud logins in 1.26; kube would still run their `cmd-path` without a limit.
fn check_provider(user: &file::AuthInfo) -> Result<(), String> {
    match &user.auth_provider {
        Some(provider) if provider.name != "oidc" => Err(format!(
            "its auth-provider {:?} was removed from kubectl in 1.26; use the vendor's credential plugin (users[].user.exec)",
            provider.name
        )),
        _ => Ok(()),
    }
}

fn check_plain_http(
    server: &http::Uri,
    user: &file::AuthInfo,
    has_plugin: bool,
) -> Result<(), String> {
    let secret = has_plugin
        || user.token.is_some()
        || user.token_file.is_some()
        || user.password.is_some()
        || user.auth_provider.is_some();
    let host = server.host().unwrap_or_default();
    if server.scheme_str() == Some("http") && secret && !is_loopback(host) {
        return Err(format!(
            "its server http://{host} is not encrypted, and a token would travel in the open; use https"
        ));
    }
    Ok(())
}

fn check_certificate(user: &file::AuthInfo) -> Result<(), String> {
    let data = user.client_certificate_data.as_deref();
    let pem = match (
        data.filter(|data| !data.is_empty()),
        &user.client_certificate,
    ) {
        (Some(data), _) => base64::decode(data).ok_or("client-certificate-data is not base64")?,
        (None, Some(path)) if !path.is_empty() => std::fs::read(path)
            .map_err(|error| format!("the client certificate {path} cannot be read: {error}"))?,
        _ => return Ok(()),
    };
    if let Some(key) = &user.client_key_data
        && base64::decode(key.expose_secret()).is_none()
    {
        return Err("client-key-data is not base64".to_owned());
    }
    let found = certificates(&pem).ok_or("the client certificate is not a certificate in PEM")?;
    match found.first().and_then(|der| x509::version(der)) {
        Some(1 | 2) => Err(
            "its client certificate is of X.509 version 1, which this program's TLS does not take; \
             make it again as version 3 (openssl x509 -req … -extfile with any extension)"
                .to_owned(),
        ),
        _ => Ok(()),
    }
}
