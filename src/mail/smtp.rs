//! SMTP client (RFC 5321), with a new connection for each mail: after an aborted mail, the responses to the next one on
//! the same connection could be taken for those to the first.
//!
//! This uses the connections of lettre, not its `AsyncSmtpTransport`, which waits for the response to QUIT before it
//! reports success: with a server that hangs there, an accepted mail would time out and be sent again.

use std::time::Duration;

use lettre::Message;
use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS};
use lettre::transport::smtp::client::{AsyncSmtpConnection, Certificate, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use serde::Deserialize;
use tokio::time::timeout;

use super::SendError;

/// Timeout for the response to QUIT.
const QUIT_TIMEOUT: Duration = Duration::from_secs(2);

/// Mail server settings. Not `Debug`, because they contain a password.
#[derive(Clone)]
pub struct Server {
    /// Host name, which the certificate must contain.
    pub host: String,
    /// Port; 0 for the default port.
    pub port: u16,
    /// Encryption of the connection.
    pub tls: SmtpTls,
    /// User name and password.
    pub credentials: Option<(String, String)>,
    /// Timeout for sending one mail, from the connection to the server's confirmation.
    pub timeout: Duration,
    /// Additional trusted certificate authority, in PEM.
    pub authority: Option<Vec<u8>>,
}

/// Encryption of the connection to a mail server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SmtpTls {
    /// STARTTLS (RFC 3207), usually on port 587: starts unencrypted, and must upgrade to TLS.
    Starttls,
    /// TLS from the first byte (RFC 8314), usually on port 465.
    Tls,
    /// No encryption, usually on port 25: for a server on the same machine.
    None,
}

/// SMTP client of one mail server.
#[derive(Clone)]
pub(super) struct SmtpClient {
    host: String,
    port: u16,
    /// TLS from the first byte, or after STARTTLS.
    tls: Option<TlsParameters>,
    starts_unencrypted: bool,
    credentials: Option<Credentials>,
    timeout: Duration,
}

impl std::fmt::Debug for SmtpClient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SmtpClient").field("host", &self.host).field("port", &self.port).finish_non_exhaustive()
    }
}

impl SmtpClient {
    pub(super) fn new(server: Server) -> Result<Self, Error> {
        let default_port = match server.tls {
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
            port: if server.port == 0 { default_port } else { server.port },
            tls,
            starts_unencrypted: server.tls != SmtpTls::Tls,
            credentials: server.credentials.map(|(user, password)| Credentials::new(user, password)),
            timeout: server.timeout,
        })
    }

    /// Sends a message.
    pub(super) async fn send(&self, message: &Message) -> Result<(), SendError> {
        match timeout(self.timeout, self.deliver(message)).await {
            Ok(Ok(mut connection)) => {
                // The server has accepted the mail; errors of QUIT do not matter.
                timeout(QUIT_TIMEOUT, connection.quit()).await.ok();
                Ok(())
            }
            Ok(Err(error)) => Err(send_error(&error)),
            Err(_) => Err(SendError::Unreachable("no response in time")),
        }
    }

    /// Connects and transfers the message. Returns the connection, to be closed with QUIT.
    async fn deliver(&self, message: &Message) -> Result<AsyncSmtpConnection, Error> {
        let (client, tls_at_connect) = (ClientId::default(), self.tls.clone().filter(|_| !self.starts_unencrypted));
        let server = (self.host.as_str(), self.port);
        let mut connection =
            AsyncSmtpConnection::connect_tokio1(server, Some(self.timeout), &client, tls_at_connect, None).await?;
        if let (true, Some(tls)) = (self.starts_unencrypted, &self.tls) {
            connection.starttls(tls.clone(), &client).await?;
        }
        if let Some(credentials) = &self.credentials {
            connection.auth(DEFAULT_MECHANISMS, credentials).await?;
        }
        connection.send(message.envelope(), &message.formatted()).await?;
        Ok(connection)
    }
}

/// Classifies an error of lettre.
fn send_error(error: &Error) -> SendError {
    let response = std::error::Error::source(error).map(ToString::to_string).unwrap_or_default();
    match error.status().map(u16::from) {
        Some(code) if error.is_permanent() && is_bad_address(&response) => SendError::Rejected(code),
        Some(code) => SendError::NotAccepted(code),
        None if error.is_timeout() => SendError::Unreachable("no response in time"),
        None if error.is_tls() => SendError::Unreachable("TLS failed"),
        None if error.is_response() => SendError::Unreachable("invalid response"),
        None if error.is_client() => SendError::Unreachable("it does not support a required extension"),
        None => SendError::Unreachable("the connection failed"),
    }
}

/// Whether the response says that the recipient's address is wrong (RFC 3463 §3.2). Other rejections are not permanent:
/// most are caused by our own settings, such as the sender's address (5.1.7, 5.1.8), which can be corrected.
fn is_bad_address(response: &str) -> bool {
    let code = response.split_whitespace().next().unwrap_or_default();
    code.starts_with("5.1.") && !["5.1.7", "5.1.8"].contains(&code)
}

#[cfg(test)]
mod tests {
    use super::is_bad_address;

    #[test]
    fn only_a_wrong_recipient_address_is_permanent() {
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
