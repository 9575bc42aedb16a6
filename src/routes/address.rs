//! Where a request comes from.

use std::net::SocketAddr;

use axum::extract::ConnectInfo;
use axum::http::request::Parts;

use crate::identity::ClientAddress;

/// The address at the other end of the connection; none where the server does not listen itself.
pub(super) fn of(parts: &Parts) -> Option<ClientAddress> {
    let ConnectInfo(peer) = parts.extensions.get::<ConnectInfo<SocketAddr>>()?;
    Some(ClientAddress::new(peer.ip()))
}
