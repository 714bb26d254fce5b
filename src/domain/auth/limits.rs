//! Limits of throttles and quotas: the section `[throttle]` of the configuration.

use chrono::Duration;
use serde::Deserialize;

/// Limits of throttles and quotas. The limit of a throttle is the number of attempts without a wait.
#[derive(Clone, Debug, Deserialize)]
pub struct Limits {
    /// Whether anything is limited.
    pub enabled: bool,
    /// First wait. Each further one is twice as long.
    pub first_wait_seconds: u32,
    /// Longest wait.
    pub longest_wait_seconds: u32,
    /// Time without an attempt after which a counter is reset.
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
    /// Wrong codes of invitations by one account from one address.
    pub invitation_per_account: u32,
    /// Wrong codes of invitations from one address.
    pub invitation_per_address: u32,
    /// Wrong codes of bookings by one account of staff from one address.
    pub arrival_per_account: u32,
    /// Wrong codes of bookings from one address.
    pub arrival_per_address: u32,
    /// Mails to one recipient that other people can cause.
    pub mails_per_recipient: u32,
    /// Reads of free slots from one address in a minute.
    pub availability_per_minute: u32,
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

    /// Longest wait.
    #[must_use]
    pub fn longest_wait(&self) -> Duration {
        Duration::seconds(self.longest_wait_seconds.into())
    }

    /// Time without an attempt after which a counter is reset.
    #[must_use]
    pub fn forget_after(&self) -> Duration {
        Duration::seconds(self.forget_after_seconds.into())
    }
}
