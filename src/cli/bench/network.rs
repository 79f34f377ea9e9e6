//! What came over the network.
//!
//! Owns: reading the counters of this machine. They count everything on it, so that a quiet machine tells more. Never does: guess
//! where an engine runs elsewhere.

use std::collections::BTreeSet;

/// The bytes received so far by whatever this machine reaches the network through; `None` where it can't be told: another system
/// than Linux, or an engine elsewhere.
pub(super) fn received() -> Option<u64> {
    let host = std::env::var("DOCKER_HOST").unwrap_or_default();
    if !host.is_empty() && !host.starts_with("unix://") {
        return None;
    }
    let routes = std::fs::read_to_string("/proc/net/route").ok()?;
    let devices = std::fs::read_to_string("/proc/net/dev").ok()?;
    sum(&routes, &devices)
}

/// Of the interfaces with a default route: bridges and what hangs on them would count twice.
fn sum(routes: &str, devices: &str) -> Option<u64> {
    let default = |line: &str| {
        let mut words = line.split_whitespace();
        let name = words.next()?;
        (words.next()? == "00000000").then(|| name.to_owned())
    };
    let names: BTreeSet<String> = routes.lines().skip(1).filter_map(default).collect();
    let received = |line: &str| {
        let (name, counts) = line.split_once(':')?;
        names.contains(name.trim()).then(|| counts.split_whitespace().next()?.parse::<u64>().ok())?
    };
    let counts: Vec<u64> = devices.lines().filter_map(received).collect();
    (!counts.is_empty()).then(|| counts.iter().sum())
}

#[cfg(test)]
mod tests {
    use super::sum;

    #[test]
    fn only_what_leads_outside_counts() {
        let routes = "Iface\tDestination\tGateway\neth0\t00000000\t0102A8C0\neth0\t0002A8C0\t0\ndocker0\t000011AC\t0\n";
        let devices = "Inter-|   Receive\n face |bytes packets\n    lo: 50 1 0\n  eth0: 1200 9 0\ndocker0: 700 3 0\n";
        assert_eq!(sum(routes, devices), Some(1200));
        assert_eq!(sum("Iface\n", devices), None);
    }
}
