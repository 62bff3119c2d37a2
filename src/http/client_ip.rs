//! The address from which a request comes. Forwarded headers count only where a configured proxy sent them.

use std::net::IpAddr;

use actix_web::HttpRequest;

use crate::config::Config;

/// Returns the peer's address; behind trusted proxies, the nearest address in `X-Forwarded-For` that is not one of
/// them.
#[must_use]
pub fn address(request: &HttpRequest, config: &Config) -> Option<IpAddr> {
    // A socket for both families shows an IPv4 peer as an IPv6 address.
    let peer = request.peer_addr()?.ip().to_canonical();
    if !config.trusted(peer) {
        return Some(peer);
    }
    let hops = request.headers().get_all("x-forwarded-for").map(|value| value.to_str().unwrap_or_default());
    let hops: Vec<&str> = hops.flat_map(|line| line.split(',')).collect();
    // No trusted proxy vouches for what comes before a hop that cannot be parsed.
    let mut readable =
        hops.into_iter().rev().map_while(|hop| hop.trim().parse().ok().map(|hop: IpAddr| hop.to_canonical()));
    let nearest = readable.find(|hop| !config.trusted(*hop));
    Some(nearest.unwrap_or(peer))
}
