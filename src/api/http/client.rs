//! Client address and user agent. Behind a trusted proxy, the address is that of `Forwarded` or `X-Forwarded-For`.

use std::future::{Ready, ready};
use std::net::{IpAddr, SocketAddr};

use actix_web::dev::Payload;
use actix_web::http::header::{self, HeaderMap, HeaderName};
use actix_web::{FromRequest, HttpRequest, web};
use ipnet::IpNet;

use crate::api::http::problem::Problem;
use crate::domain::values::client::Client;
use crate::state::AppState;

static X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// Extracts the user agent, cut to 255 characters, and the client address.
impl FromRequest for Client {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Ok(client_of(request)))
    }
}

/// The client of a request.
pub fn client_of(request: &HttpRequest) -> Client {
    let agent = request.headers().get(header::USER_AGENT).and_then(|agent| agent.to_str().ok());
    Client { user_agent: agent.map(|agent| agent.chars().take(255).collect()), address: address_of(request) }
}

/// The address of the client of a request.
pub fn address_of(request: &HttpRequest) -> Option<IpAddr> {
    let state = request.app_data::<web::Data<AppState>>();
    let proxies = state.map_or(&[][..], |state| &state.trusted_proxies);
    request.peer_addr().map(|peer| client_address(peer.ip(), request.headers(), proxies))
}

/// Client address. The headers of a peer that is not a trusted proxy are ignored.
///
/// A proxy sets one of the two headers and may pass on the other one, which a client can forge. So if both are present
/// and differ, both are ignored.
fn client_address(peer: IpAddr, headers: &HeaderMap, proxies: &[IpNet]) -> IpAddr {
    let peer = peer.to_canonical();
    if !is_trusted(peer, proxies) {
        return peer;
    }
    let forwarded = |name: &HeaderName, read: fn(&str) -> Option<IpAddr>| {
        let values: Vec<_> = headers.get_all(name).map(|value| value.to_str().unwrap_or_default()).collect();
        let hops = values.iter().flat_map(|value| value.split(',')).rev();
        (!values.is_empty()).then(|| first_untrusted(peer, hops.map(read), proxies))
    };
    match (forwarded(&header::FORWARDED, parse_forwarded), forwarded(&X_FORWARDED_FOR, parse_address)) {
        (Some(one), Some(other)) if one != other => peer,
        (Some(address), _) | (None, Some(address)) => address,
        (None, None) => peer,
    }
}

/// First address that is not a trusted proxy, starting at the nearest hop. Stops before a hop that cannot be parsed.
fn first_untrusted(peer: IpAddr, hops: impl Iterator<Item = Option<IpAddr>>, proxies: &[IpNet]) -> IpAddr {
    let mut nearest = peer;
    for hop in hops {
        let Some(hop) = hop else { break };
        nearest = hop;
        if !is_trusted(hop, proxies) {
            break;
        }
    }
    nearest
}

fn is_trusted(address: IpAddr, proxies: &[IpNet]) -> bool {
    proxies.iter().any(|network| network.contains(&address))
}

/// Parses the `for` parameter of one element of `Forwarded` (RFC 7239 §4).
fn parse_forwarded(element: &str) -> Option<IpAddr> {
    let pairs = element.split(';').filter_map(|pair| pair.split_once('='));
    let (_, node) = pairs.into_iter().find(|(name, _)| name.trim().eq_ignore_ascii_case("for"))?;
    parse_address(node.trim().trim_matches('"'))
}

/// Parses an IP address, with or without port and brackets.
fn parse_address(node: &str) -> Option<IpAddr> {
    let node = node.trim();
    let bare = node.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(node);
    let address = bare.parse().ok().or_else(|| node.parse::<SocketAddr>().ok().map(|socket| socket.ip()));
    address.map(|address: IpAddr| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address_of(peer: &str, headers: &[(&str, &str)]) -> String {
        let proxies = ["10.0.0.0/8".parse().unwrap(), "fd00::/8".parse().unwrap()];
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(HeaderName::try_from(*name).unwrap(), value.parse().unwrap());
        }
        client_address(peer.parse().unwrap(), &map, &proxies).to_string()
    }

    #[test]
    fn headers_of_an_untrusted_peer_are_ignored() {
        assert_eq!(address_of("192.0.2.1", &[("x-forwarded-for", "198.51.100.1")]), "192.0.2.1");
        assert_eq!(address_of("192.0.2.1", &[("forwarded", "for=198.51.100.1")]), "192.0.2.1");
    }

    #[test]
    fn headers_of_a_trusted_proxy_give_the_client_address() {
        for header in [
            ("x-forwarded-for", "198.51.100.1"),
            ("x-forwarded-for", "203.0.113.9, 198.51.100.1"),
            ("x-forwarded-for", "203.0.113.9, 198.51.100.1:4711 , 10.1.1.1"),
            ("forwarded", "for=198.51.100.1;proto=https;by=10.0.0.1"),
            ("forwarded", "for=203.0.113.9, For=\"198.51.100.1:4711\""),
        ] {
            assert_eq!(address_of("10.0.0.1", &[header]), "198.51.100.1", "{header:?}");
        }
        assert_eq!(address_of("::ffff:10.0.0.1", &[("x-forwarded-for", "198.51.100.1")]), "198.51.100.1");
        assert_eq!(address_of("fd00::1", &[("forwarded", "for=\"[2001:db8::1]:4711\"")]), "2001:db8::1");
        assert_eq!(address_of("10.0.0.1", &[("x-forwarded-for", "2001:db8::1")]), "2001:db8::1");
    }

    #[test]
    fn forged_headers_behind_a_trusted_proxy_are_ignored() {
        let genuine = ("x-forwarded-for", "198.51.100.1");
        assert_eq!(address_of("10.0.0.1", &[genuine, ("forwarded", "for=203.0.113.9")]), "10.0.0.1");
        assert_eq!(address_of("10.0.0.1", &[genuine, ("forwarded", "for=198.51.100.1")]), "198.51.100.1");
        assert_eq!(address_of("10.0.0.1", &[("x-forwarded-for", "203.0.113.9"), genuine]), "198.51.100.1");
        assert_eq!(address_of("10.0.0.1", &[("x-forwarded-for", "198.51.100.1, unknown")]), "10.0.0.1");
        assert_eq!(address_of("10.0.0.1", &[("forwarded", "for=_hidden")]), "10.0.0.1");
        assert_eq!(address_of("10.0.0.1", &[]), "10.0.0.1");
    }
}
