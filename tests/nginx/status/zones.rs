//! Tests of the zones in the status.

use super::{json, nginx, number};
use crate::nginx::body;
use crate::support::metrics::metrics;
use crate::support::zones::{look, value};

/// The status has the numbers that a look from outside finds. The zone is that of the cache.
#[test]
fn zones_are_shown() {
    let nginx = nginx("status_zones");
    let (json, text, prometheus) = (json(&nginx), nginx.get("/text"), nginx.get("/prometheus"));
    let metrics = metrics(body(&prometheus));
    let zones = json["zones"].as_array().expect("an array");
    let cache = zones
        .iter()
        .find(|zone| zone["name"] == "cache")
        .expect("the zone of the cache");
    let (_, seen) = look(&[], nginx.master(), Some("cache"));
    let of = |name| number(cache, name);

    assert_eq!(of("size"), 1 << 20);
    assert_eq!(
        value(&seen, "pages"),
        format!("{}, {} free", of("pages"), of("free"))
    );
    assert_eq!(
        value(&seen, "free runs"),
        format!("{}, the longest has {} pages", of("runs"), of("longest"))
    );
    assert_eq!(
        value(&seen, "chunks"),
        format!("{} bytes, {} in use", of("chunks"), of("used"))
    );
    assert!(of("used") > 0 && of("free") < of("pages"), "{cache}");
    assert_eq!((of("fragmentation"), of("holder")), (0, 0));
    assert!(
        body(&text).lines().any(|line| line
            == format!(
                "zone:\"cache\" size:1048576 pages:{} free:{} runs:{} longest:{} fragmentation:0 \
                 chunks:{} used:{} holder:0",
                of("pages"),
                of("free"),
                of("runs"),
                of("longest"),
                of("chunks"),
                of("used")
            )),
        "{text}"
    );
    assert_eq!(
        metrics["ngx_ipc_zone_free_pages{zone=\"cache\"}"] as i64,
        of("free")
    );
    nginx.quit(&[]);
}
