//! Mailbox: folder of the mails of an application, and their parser.

use std::path::PathBuf;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tempfile::TempDir;

/// Timeout for the arrival of a mail.
const TIMEOUT: Duration = Duration::from_secs(30);

pub struct Mailbox(TempDir);

/// Received mail with decoded text.
#[derive(Clone, Debug)]
pub struct Mail {
    pub subject: String,
    pub text: String,
    /// The attached calendar, with unfolded lines.
    pub calendar: Option<String>,
}

impl Mailbox {
    pub fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder can be made"))
    }

    pub fn folder(&self) -> PathBuf {
        self.0.path().to_owned()
    }

    /// Returns all mails to an address, oldest first.
    pub fn to(&self, address: &str) -> Vec<Mail> {
        let folder = std::fs::read_dir(self.0.path()).expect("the folder is there");
        let mut files: Vec<_> = folder.map(|entry| entry.expect("it can be listed").path()).collect();
        files.retain(|file| file.extension().is_some_and(|kind| kind == "eml"));
        // By time: a postponed mail has an older id than mails that were sent before it.
        files.sort_by_key(|file| (file.metadata().and_then(|file| file.modified()).ok(), file.clone()));
        let mails = files.iter().map(|file| std::fs::read_to_string(file).expect("a mail can be read"));
        mails.filter(|mail| recipient(mail) == address).map(|mail| Mail::read(&mail)).collect()
    }

    /// Waits until there are `count` mails to an address. Returns the last one.
    pub async fn wait_for(&self, address: &str, count: usize) -> Mail {
        let arrived = async {
            loop {
                let mails = self.to(address);
                assert!(mails.len() <= count, "more mails than expected: {mails:#?}");
                if let Some(last) = mails.into_iter().nth(count - 1) {
                    return last;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(TIMEOUT, arrived).await.expect("the mail arrives in time")
    }

    /// Waits for mail number `count` to an address. Returns the code in it.
    pub async fn code(&self, address: &str, count: usize) -> String {
        self.wait_for(address, count).await.code()
    }
}

impl Mail {
    pub fn read(raw: &str) -> Self {
        let (head, body) = raw.split_once("\r\n\r\n").expect("a mail has a head and a body");
        let subject = header(head, "subject").unwrap_or_default();
        let text = body.split("Content-Type: text/html").next().expect("there is a first part");
        let calendar = body.split_once("Content-Type: text/calendar").map(|(_, part)| {
            let (_, content) = part.split_once("\r\n\r\n").expect("a part has a head and a body");
            let content = content.split("\r\n--").next().expect("a part has an end").replace("\r\n", "");
            let calendar = STANDARD.decode(content).expect("the calendar is Base64");
            String::from_utf8(calendar).expect("the calendar is UTF-8").replace("\r\n ", "")
        });
        Self { subject, text: unquoted(text), calendar }
    }

    /// Finds a line of the calendar by its property.
    pub fn property(&self, name: &str) -> &str {
        let calendar = self.calendar.as_deref().expect("a calendar is attached");
        let value = calendar.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        value.unwrap_or_else(|| panic!("no {name} in {calendar}"))
    }

    /// Finds the line with six digits.
    pub fn code(&self) -> String {
        let is_code = |line: &&str| line.len() == 6 && line.bytes().all(|byte| byte.is_ascii_digit());
        let code = self.text.lines().map(str::trim).find(is_code);
        code.unwrap_or_else(|| panic!("no code in {}", self.text)).to_owned()
    }
}

/// Decodes quoted-printable text (RFC 2045 §6.7).
fn unquoted(text: &str) -> String {
    let text = text.replace("=\r\n", "").replace("\r\n", "\n");
    let mut parts = text.split('=');
    let mut bytes = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        let encoded = part.split_at_checked(2).and_then(|(hex, rest)| Some((u8::from_str_radix(hex, 16).ok()?, rest)));
        match encoded {
            Some((byte, rest)) => {
                bytes.push(byte);
                bytes.extend_from_slice(rest.as_bytes());
            }
            // Of a header.
            None => bytes.extend_from_slice(format!("={part}").as_bytes()),
        }
    }
    String::from_utf8(bytes).expect("the text is UTF-8")
}

fn recipient(raw: &str) -> String {
    let to = header(raw, "to").expect("a mail has a recipient");
    let address = to.rsplit_once('<').map_or(to.as_str(), |(_, address)| address.trim_end_matches('>'));
    address.to_owned()
}

fn header(head: &str, name: &str) -> Option<String> {
    let unfolded = head.replace("\r\n ", " ");
    unfolded.lines().find_map(|line| {
        let (key, value) = line.split_once(": ")?;
        key.eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
    })
}
