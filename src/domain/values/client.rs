//! Client of a request: its user agent and IP address. Used for the list of sessions, where the owner
//! recognises the client, for the audit log, and for throttling.

use std::net::{IpAddr, Ipv6Addr};

/// User agent and IP address of the client.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Client {
    /// `User-Agent` header, truncated to 255 characters.
    pub user_agent: Option<String>,
    /// IP address of the peer, or the client address that a trusted proxy reports. `None` on the command line.
    pub address: Option<IpAddr>,
}

impl Client {
    /// IP address as it is stored: an IPv4-mapped IPv6 address is written as IPv4.
    #[must_use]
    pub fn ip(&self) -> Option<String> {
        self.address.map(|address| address.to_canonical().to_string())
    }

    /// Network that is throttled as one client: the IPv4 address, or the /64 network of an IPv6
    /// address, because one household has 2⁶⁴ IPv6 addresses.
    #[must_use]
    pub fn network(&self) -> String {
        match self.address.map(network_of) {
            Some(IpAddr::V6(address)) => format!("{address}/64"),
            Some(address) => address.to_string(),
            None => String::new(),
        }
    }
}

/// First address of the network that is throttled as one client.
#[must_use]
pub fn network_of(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
        address => address,
    }
}

#[cfg(test)]
mod tests {
    use super::Client;

    #[test]
    fn ipv6_addresses_of_one_household_are_one_network() {
        let network = |address: &str| Client { address: Some(address.parse().unwrap()), user_agent: None }.network();
        assert_eq!(network("2001:db8:1:2:3::4"), network("2001:db8:1:2:ffff::1"));
        assert_ne!(network("2001:db8:1:2::4"), network("2001:db8:1:3::4"));
        assert_eq!(network("::ffff:192.0.2.1"), "192.0.2.1");
        assert_ne!(network("192.0.2.1"), network("192.0.2.2"));
    }
}
