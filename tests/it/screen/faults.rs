//! Faults by key: what is switched on is felt by the program as any outage is, and healed it comes back.

use super::harness::Demo;

#[test]
fn a_source_switched_off_by_key_is_unreachable_and_comes_back_when_healed() {
    let mut windlass = Demo::of("canary").size(160, 48).live();
    windlass.key("F");
    windlass.until("What goes wrong");
    windlass.until("● Kubernetes");
    windlass.leaves_without_a_change();
}
