//! The address that a request comes from. Forwarded headers count only when a configured proxy sent them.

use std::net::IpAddr;

use actix_web::HttpRequest;

use crate::config::Config;

/// The peer's address; behind trusted proxies, the nearest address in `X-Forwarded-For` that is not one of them.
#[must_use]
pub fn address(request: &HttpRequest, config: &Config) -> Option<IpAddr> {
    // On a socket for both families an IPv4 peer shows as an IPv6 address.
    let peer = request.peer_addr()?.ip().to_canonical();
    if !config.trusted(peer) {
        return Some(peer);
    }
    let hops = request.headers().get_all("x-forwarded-for").map(|value| value.to_str().unwrap_or_default());
    let hops: Vec<&str> = hops.flat_map(|line| line.split(',')).collect();
    // What stands before a hop that cannot be read was not vouched for by a proxy of ours.
    let mut readable =
        hops.into_iter().rev().map_while(|hop| hop.trim().parse().ok().map(|hop: IpAddr| hop.to_canonical()));
    let nearest = readable.find(|hop| !config.trusted(*hop));
    Some(nearest.unwrap_or(peer))
}
