//! Where a request comes from, for the owner of a session to recognise, for the audit trail, and to be slowed down.

use std::net::{IpAddr, Ipv6Addr};

/// The program and the address at the other end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Client {
    /// The `User-Agent` header, cut to 255 characters.
    pub user_agent: Option<String>,
    /// The address of the peer, or what a trusted proxy says of its own peer. Absent on the command line.
    pub address: Option<IpAddr>,
}

impl Client {
    /// The address as it is stored.
    #[must_use]
    pub fn ip(&self) -> Option<String> {
        self.address.map(|address| address.to_canonical().to_string())
    }

    /// What counts as one address: of IPv6 the network, because a household has 2⁶⁴ addresses.
    #[must_use]
    pub fn network(&self) -> String {
        match self.address.map(|address| address.to_canonical()) {
            Some(IpAddr::V6(address)) => {
                let [a, b, c, d, ..] = address.segments();
                format!("{}/64", Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
            }
            Some(address) => address.to_string(),
            None => String::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Client;

    #[test]
    fn the_addresses_of_one_household_count_as_one() {
        let network = |address: &str| Client { address: Some(address.parse().unwrap()), user_agent: None }.network();
        assert_eq!(network("2001:db8:1:2:3::4"), network("2001:db8:1:2:ffff::1"));
        assert_ne!(network("2001:db8:1:2::4"), network("2001:db8:1:3::4"));
        assert_eq!(network("::ffff:192.0.2.1"), "192.0.2.1");
        assert_ne!(network("192.0.2.1"), network("192.0.2.2"));
    }
}
