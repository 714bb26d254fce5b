//! Handing a message to a mail server (RFC 5321), over a connection of its own: one on which a mail was given up half-way
//! must not carry another, whose answers would be mistaken for the first one's.

use std::time::Duration;

use lettre::Message;
use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS};
use lettre::transport::smtp::client::{AsyncSmtpConnection, Certificate, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use serde::Deserialize;
use tokio::time::timeout;

use super::SendError;

/// How long the server may take to say goodbye.
const FAREWELL: Duration = Duration::from_secs(2);

/// A mail server. Not `Debug`: it holds a password.
#[derive(Clone)]
pub struct Server {
    /// Its name, which its certificate must bear.
    pub host: String,
    /// Its port; 0 for the usual one.
    pub port: u16,
    /// TLS of the connection.
    pub tls: SmtpTls,
    /// User and password.
    pub credentials: Option<(String, String)>,
    /// How long sending one mail may take, from connecting to the server's word that it has it.
    pub timeout: Duration,
    /// Another certificate authority to trust, in PEM.
    pub authority: Option<Vec<u8>>,
}

/// TLS of the connection to a mail server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SmtpTls {
    /// STARTTLS (RFC 3207), usually on port 587. A server without it is refused.
    Starttls,
    /// TLS from the first byte (RFC 8314), usually on port 465.
    Tls,
    /// No TLS, usually on port 25: for a server on the same machine.
    None,
}

/// A way to a server.
#[derive(Clone)]
pub(super) struct Route {
    host: String,
    port: u16,
    /// Around the whole connection, or for the change-over.
    tls: Option<TlsParameters>,
    starts_in_the_clear: bool,
    credentials: Option<Credentials>,
    timeout: Duration,
}

impl std::fmt::Debug for Route {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Route").field("host", &self.host).field("port", &self.port).finish_non_exhaustive()
    }
}

impl Route {
    pub(super) fn to(server: Server) -> Result<Self, Error> {
        let usual_port = match server.tls {
            SmtpTls::Starttls => 587,
            SmtpTls::Tls => 465,
            SmtpTls::None => 25,
        };
        let tls = if server.tls == SmtpTls::None {
            None
        } else {
            let mut parameters = TlsParameters::builder(server.host.clone());
            if let Some(authority) = &server.authority {
                parameters = parameters.add_root_certificate(Certificate::from_pem(authority)?);
            }
            Some(parameters.build_rustls()?)
        };
        Ok(Self {
            host: server.host,
            port: if server.port == 0 { usual_port } else { server.port },
            tls,
            starts_in_the_clear: server.tls != SmtpTls::Tls,
            credentials: server.credentials.map(|(user, password)| Credentials::new(user, password)),
            timeout: server.timeout,
        })
    }

    /// Hands a message over.
    pub(super) async fn send(&self, message: &Message) -> Result<(), SendError> {
        match timeout(self.timeout, self.hand_over(message)).await {
            Ok(Ok(mut connection)) => {
                // The server has the mail, whatever it makes of the goodbye.
                timeout(FAREWELL, connection.quit()).await.ok();
                Ok(())
            }
            Ok(Err(error)) => Err(meaning(&error)),
            Err(_) => Err(SendError::Unreachable("it does not answer in time")),
        }
    }

    async fn hand_over(&self, message: &Message) -> Result<AsyncSmtpConnection, Error> {
        let (client, at_once) = (ClientId::default(), self.tls.clone().filter(|_| !self.starts_in_the_clear));
        let server = (self.host.as_str(), self.port);
        let mut connection =
            AsyncSmtpConnection::connect_tokio1(server, Some(self.timeout), &client, at_once, None).await?;
        if let (true, Some(tls)) = (self.starts_in_the_clear, &self.tls) {
            connection.starttls(tls.clone(), &client).await?;
        }
        if let Some(credentials) = &self.credentials {
            connection.auth(DEFAULT_MECHANISMS, credentials).await?;
        }
        connection.send(message.envelope(), &message.formatted()).await?;
        Ok(connection)
    }
}

fn meaning(error: &Error) -> SendError {
    let said = std::error::Error::source(error).map(ToString::to_string).unwrap_or_default();
    match error.status().map(u16::from) {
        Some(code) if error.is_permanent() && is_bad_address(&said) => SendError::Refused(code),
        Some(code) => SendError::NotNow(code),
        None if error.is_timeout() => SendError::Unreachable("it does not answer in time"),
        None if error.is_tls() => SendError::Unreachable("TLS fails"),
        None if error.is_response() => SendError::Unreachable("its answer makes no sense"),
        None if error.is_client() => SendError::Unreachable("it does not offer what is needed"),
        None => SendError::Unreachable("the connection fails"),
    }
}

/// Whether the server says that the recipient's address is wrong (RFC 3463 §3.2). It may refuse for many other reasons, of
/// which our own settings, the sender's address (5.1.7, 5.1.8) among them, are the likeliest; those can be mended.
fn is_bad_address(said: &str) -> bool {
    let code = said.split_whitespace().next().unwrap_or_default();
    code.starts_with("5.1.") && !["5.1.7", "5.1.8"].contains(&code)
}

#[cfg(test)]
mod tests {
    use super::is_bad_address;

    #[test]
    fn only_a_wrong_recipient_is_final() {
        for wrong in ["5.1.1 no such mailbox", "5.1.10 null MX"] {
            assert!(is_bad_address(wrong), "{wrong}");
        }
        for other in
            ["5.1.8 sender domain not found", "5.1.7 bad sender", "5.7.1 relaying denied by 5.1.22.7", "no", ""]
        {
            assert!(!is_bad_address(other), "{other}");
        }
    }
}
