//! SMTP server (RFC 5321) on loopback, which can be told to fail.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufStream};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

/// Behaviour of the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Behaviour {
    /// Accepts every mail, except those to `refused@…`. It does not respond to the data of mails to `hang@…`,
    /// nor to QUIT after mails to `late@…`.
    Good,
    /// Responds that it is unavailable.
    Busy,
    /// Rejects every mail.
    Denying,
    /// Closes every connection.
    Closed,
    /// Closes the connection in the middle of a mail.
    Dying,
}

/// Encryption of the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encryption {
    None,
    StartTls,
    Tls,
}

/// Mail that the server has accepted.
#[derive(Clone, Debug)]
pub struct Received {
    pub recipient: String,
    pub message: String,
    /// Credentials in Base64, if any were sent.
    pub login: Option<String>,
    pub is_private: bool,
}

struct Shared {
    behaviour: Mutex<Behaviour>,
    received: Mutex<Vec<Received>>,
    hanging: AtomicUsize,
    encryption: Encryption,
    tls: TlsAcceptor,
}

pub struct SmtpServer {
    pub port: u16,
    /// Certificate in PEM.
    pub certificate: String,
    shared: Arc<Shared>,
}

impl SmtpServer {
    pub async fn start(encryption: Encryption) -> Self {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate can be made");
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
        let config = ServerConfig::builder().with_no_client_auth();
        let config = config.with_single_cert(vec![made.cert.der().clone()], key).expect("the key fits");
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
        let port = listener.local_addr().expect("it has an address").port();
        let shared = Arc::new(Shared {
            behaviour: Mutex::new(Behaviour::Good),
            received: Mutex::default(),
            hanging: AtomicUsize::new(0),
            encryption,
            tls: TlsAcceptor::from(Arc::new(config)),
        });
        tokio::spawn(accept(listener, Arc::clone(&shared)));
        Self { port, certificate: made.cert.pem(), shared }
    }

    pub fn set(&self, behaviour: Behaviour) {
        *self.shared.behaviour.lock().unwrap_or_else(PoisonError::into_inner) = behaviour;
    }

    /// Number of mails to which it has not responded.
    pub fn hanging(&self) -> usize {
        self.shared.hanging.load(Ordering::Relaxed)
    }

    /// All accepted mails, in the order of arrival.
    pub fn received(&self) -> Vec<Received> {
        self.shared.received.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits until `count` mails have been accepted.
    pub async fn wait_for(&self, count: usize) -> Vec<Received> {
        let arrived = async {
            while self.received().len() < count {
                tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            }
        };
        let timeout = std::time::Duration::from_secs(60);
        let outcome = tokio::time::timeout(timeout, arrived).await;
        assert!(outcome.is_ok(), "{} of {count} mails arrived", self.received().len());
        self.received()
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    while let Ok((stream, _)) = listener.accept().await {
        let shared = Arc::clone(&shared);
        // Clients may close the connection at any time.
        tokio::spawn(async move { serve(stream, &shared).await.ok() });
    }
}

async fn serve(stream: TcpStream, shared: &Shared) -> std::io::Result<()> {
    if shared.behaviour() == Behaviour::Closed {
        return Ok(());
    }
    if shared.encryption == Encryption::Tls {
        let stream = shared.tls.accept(stream).await?;
        return converse(BufStream::new(stream), shared, true, true).await.map(drop);
    }
    let Some(stream) = converse(BufStream::new(stream), shared, true, false).await? else { return Ok(()) };
    let stream = shared.tls.accept(stream).await?;
    converse(BufStream::new(stream), shared, false, true).await.map(drop)
}

impl Shared {
    fn behaviour(&self) -> Behaviour {
        *self.behaviour.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Handles commands until the client disconnects, or sends STARTTLS: then the stream is returned.
async fn converse<S: AsyncRead + AsyncWrite + Unpin>(
    mut stream: BufStream<S>,
    shared: &Shared,
    greet: bool,
    is_private: bool,
) -> std::io::Result<Option<S>> {
    if greet {
        say(&mut stream, "220 mail.example ESMTP").await?;
    }
    let (mut recipient, mut login) = (String::new(), None);
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await? == 0 {
            return Ok(None);
        }
        let line = line.trim_end();
        let behaviour = shared.behaviour();
        match line.split([' ', ':']).next().unwrap_or_default().to_uppercase().as_str() {
            "EHLO" if shared.encryption == Encryption::StartTls && !is_private => {
                say(&mut stream, "250-mail.example\r\n250 STARTTLS").await?;
            }
            "EHLO" => say(&mut stream, "250-mail.example\r\n250-AUTH PLAIN\r\n250 8BITMIME").await?,
            "STARTTLS" => {
                say(&mut stream, "220 go ahead").await?;
                return Ok(Some(stream.into_inner()));
            }
            "AUTH" => {
                login = line.rsplit(' ').next().map(str::to_owned);
                say(&mut stream, "235 welcome").await?;
            }
            "MAIL" if behaviour == Behaviour::Busy => say(&mut stream, "451 come back later").await?,
            "RCPT" if behaviour == Behaviour::Denying => say(&mut stream, "550 5.7.1 relaying denied").await?,
            "RCPT" if line.contains("refused@") => {
                say(&mut stream, &format!("550 5.1.1 no such mailbox: {line}")).await?;
            }
            "RCPT" => {
                recipient = line.split(['<', '>']).nth(1).unwrap_or_default().to_owned();
                say(&mut stream, "250 fine").await?;
            }
            "DATA" => {
                say(&mut stream, "354 go on").await?;
                if behaviour == Behaviour::Dying {
                    stream.read_line(&mut String::new()).await?;
                    return Ok(None);
                }
                let message = read_message(&mut stream).await?;
                if recipient.starts_with("hang@") {
                    shared.hanging.fetch_add(1, Ordering::Relaxed);
                    std::future::pending::<()>().await;
                }
                let mail = Received { recipient: recipient.clone(), message, login: login.clone(), is_private };
                shared.received.lock().unwrap_or_else(PoisonError::into_inner).push(mail);
                say(&mut stream, "250 taken").await?;
            }
            "QUIT" if recipient.starts_with("late@") => std::future::pending().await,
            "QUIT" => {
                say(&mut stream, "221 bye").await?;
                return Ok(None);
            }
            _ => say(&mut stream, "250 fine").await?,
        }
    }
}

async fn read_message<S: AsyncRead + AsyncWrite + Unpin>(stream: &mut BufStream<S>) -> std::io::Result<String> {
    let mut message = String::new();
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        if line == ".\r\n" {
            return Ok(message);
        }
        message.push_str(line.strip_prefix('.').unwrap_or(&line));
    }
}

async fn say<S: AsyncRead + AsyncWrite + Unpin>(stream: &mut BufStream<S>, line: &str) -> std::io::Result<()> {
    stream.write_all(line.as_bytes()).await?;
    stream.write_all(b"\r\n").await?;
    stream.flush().await
}
