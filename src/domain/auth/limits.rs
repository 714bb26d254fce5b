//! Rate limits, as the section `[throttle]` of the settings has them.

use chrono::Duration;
use serde::Deserialize;

/// Limits of the throttle and of the quotas. A limit is a number of attempts that are free.
#[derive(Clone, Debug, Deserialize)]
pub struct Limits {
    /// Whether anything is limited.
    pub enabled: bool,
    /// The first wait. Each further one is twice as long.
    pub first_wait_seconds: u32,
    /// The longest wait.
    pub longest_wait_seconds: u32,
    /// The time without an attempt after which a counter starts again.
    pub forget_after_seconds: u32,
    /// Failed log-ins of one account from one address.
    pub login_per_account: u32,
    /// Failed log-ins from one address.
    pub login_per_address: u32,
    /// Registrations from one address.
    pub register_per_address: u32,
    /// Password resets requested for one account from one address.
    pub forgot_password_per_account: u32,
    /// Password resets requested from one address.
    pub forgot_password_per_address: u32,
    /// Wrong codes for one account from one address.
    pub validate_code_per_account: u32,
    /// Wrong codes from one address.
    pub validate_code_per_address: u32,
    /// Verification codes requested for one account from one address.
    pub resend_per_account: u32,
    /// Verification codes requested from one address.
    pub resend_per_address: u32,
    /// Mails to one recipient that somebody else can cause.
    pub mails_per_recipient: u32,
    /// Quota: contacts that one user may create in an hour.
    pub contacts_per_hour: u32,
    /// Quota: files of contacts that one user may import in an hour.
    pub imports_per_hour: u32,
}

impl Limits {
    /// The first wait.
    #[must_use]
    pub fn first_wait(&self) -> Duration {
        Duration::seconds(self.first_wait_seconds.into())
    }

    /// The longest wait.
    #[must_use]
    pub fn longest_wait(&self) -> Duration {
        Duration::seconds(self.longest_wait_seconds.into())
    }

    /// The time without an attempt after which a counter starts again.
    #[must_use]
    pub fn forget_after(&self) -> Duration {
        Duration::seconds(self.forget_after_seconds.into())
    }
}
