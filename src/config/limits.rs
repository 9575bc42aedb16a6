//! Settings of how much somebody may do. Where it makes sense, 0 means no limit.

use std::net::IpAddr;

use ipnet::IpNet;

use super::Reader;
use super::variables::*;

/// How much somebody may do; `None` where there is no limit.
#[derive(Clone, Debug, Default)]
pub struct LimitSettings {
    /// Messages of one reader in a minute.
    pub messages_per_minute: Option<u64>,
    /// Messages of one reader in a day.
    pub messages_per_day: Option<u64>,
    /// Messages from one address in a minute.
    pub messages_per_minute_per_address: Option<u64>,
    /// Messages from one address in a day.
    pub messages_per_day_per_address: Option<u64>,
    /// Tokens that one reader's answers may cost in a day.
    pub tokens_per_day: Option<u64>,
    /// Texts that are written anew for one reader in a day.
    pub personalizations_per_day: Option<u64>,
    /// Texts that one reader has translated in a day.
    pub translations_per_day: Option<u64>,
    /// Texts that readers without an account have translated from one address in a day.
    pub translations_per_day_per_address: Option<u64>,
    /// Answers that one reader listens to at once.
    pub streams_per_reader: Option<u64>,
    /// Answers that one address listens to at once.
    pub streams_per_address: Option<u64>,
    /// Requests of any kind from one address in a minute.
    pub requests_per_minute_per_address: Option<u64>,
    /// Attempts to sign up or in from one address in a minute.
    pub attempts_per_minute: Option<u64>,
    /// Open connections.
    pub connections: Option<u64>,
    /// Open connections of one address.
    pub connections_per_address: Option<u64>,
    /// Whose word on where a request comes from is taken.
    pub trusted_proxies: Vec<IpNet>,
}

impl LimitSettings {
    /// Whether this is a proxy whose word is taken.
    pub fn trusts(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.trusted_proxies.iter().any(|network| network.contains(&address))
    }
}

pub(super) fn read(reader: &mut Reader<'_>) -> LimitSettings {
    LimitSettings {
        messages_per_minute: limit(reader, &MESSAGES_PER_MINUTE),
        messages_per_day: limit(reader, &MESSAGES_PER_DAY),
        messages_per_minute_per_address: limit(reader, &MESSAGES_PER_MINUTE_PER_ADDRESS),
        messages_per_day_per_address: limit(reader, &MESSAGES_PER_DAY_PER_ADDRESS),
        tokens_per_day: limit(reader, &TOKENS_PER_DAY),
        personalizations_per_day: limit(reader, &PERSONALIZATIONS_PER_DAY),
        translations_per_day: limit(reader, &TRANSLATIONS_PER_DAY),
        translations_per_day_per_address: limit(reader, &TRANSLATIONS_PER_DAY_PER_ADDRESS),
        streams_per_reader: limit(reader, &STREAMS_PER_READER),
        streams_per_address: limit(reader, &STREAMS_PER_ADDRESS),
        requests_per_minute_per_address: limit(reader, &REQUESTS_PER_MINUTE_PER_ADDRESS),
        attempts_per_minute: limit(reader, &AUTH_ATTEMPTS_PER_MINUTE),
        connections: limit(reader, &CONNECTIONS),
        connections_per_address: limit(reader, &CONNECTIONS_PER_ADDRESS),
        trusted_proxies: trusted_proxies(reader),
    }
}

fn limit(reader: &mut Reader<'_>, variable: &super::Variable) -> Option<u64> {
    Some(reader.number(variable, 0..=1_000_000_000)).filter(|limit| *limit > 0)
}

fn trusted_proxies(reader: &mut Reader<'_>) -> Vec<IpNet> {
    let read = |text: &String| text.parse().or_else(|_| text.parse::<IpAddr>().map(IpNet::from)).ok();
    let listed = reader.list(&TRUSTED_PROXIES);
    let networks: Vec<IpNet> = listed.iter().filter_map(read).collect();
    if networks.len() < listed.len() {
        let remedy = "must be addresses or networks such as 10.0.0.0/8, separated by commas";
        reader.mistake(TRUSTED_PROXIES.name, remedy);
    }
    networks
}
