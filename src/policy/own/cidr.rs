//! Networks and addresses, as `net.cidr_contains` compares them.

use std::net::IpAddr;

use ipnet::IpNet;
use regorus::Value;

/// Whether a network holds an address or another network. What is neither ends the evaluation, as
/// does an IPv4 address in the clothes of IPv6, which OPA takes for IPv4 and the library does not.
pub(super) fn contains(args: &[Value]) -> Option<Value> {
    let [Value::String(outer), Value::String(inner)] = args else { return None };
    let outer = network(outer)?;
    let holds = match inner.parse::<IpAddr>() {
        Ok(address) => outer.contains(&plain(address)?),
        Err(_) => outer.contains(&network(inner)?),
    };
    Some(holds.into())
}

fn network(text: &str) -> Option<IpNet> {
    // The parts one by one: leading zeros in an address are nothing to OPA and something to the
    // library; in a length it is the other way round, and a sign is nothing to both.
    let (address, length) = text.split_once('/')?;
    let length = length.bytes().all(|byte| byte.is_ascii_digit()).then_some(length)?;
    IpNet::new(plain(address.parse().ok()?)?, length.parse().ok()?).ok()
}

fn plain(address: IpAddr) -> Option<IpAddr> {
    (address.to_canonical() == address).then_some(address)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_hold_what_lies_in_them() {
        for (outer, inner, expected) in [
            ("10.0.0.0/8", "10.255.0.1", Some(true)),
            ("10.0.0.0/8", "11.0.0.1", Some(false)),
            ("10.1.2.3/8", "10.0.0.0", Some(true)),
            ("10.0.0.0/8", "10.1.0.0/16", Some(true)),
            ("10.1.0.0/16", "10.0.0.0/8", Some(false)),
            ("0.0.0.0/0", "::1", Some(false)),
            ("::/0", "2001:db8::1", Some(true)),
            ("2001:db8::/32", "2001:db9::1", Some(false)),
            ("10.0.0.0/33", "10.0.0.1", None),
            ("10.0.0.0/08", "10.0.0.1", Some(true)),
            ("10.0.0.0/+8", "10.0.0.1", None),
            ("10.0.0.0", "10.0.0.1", None),
            ("10.0.0.0/8", "office", None),
            ("10.0.0.0/8", "::ffff:10.0.0.1", None),
            ("010.0.0.0/8", "10.0.0.1", None),
        ] {
            let found = contains(&[outer.into(), inner.into()]);
            assert_eq!(found, expected.map(Value::from), "{outer} {inner}");
        }
    }
}
