//! Faults by key: what is switched on is felt by the program as any outage is, and healed it comes back.

use super::harness::Demo;

#[test]
fn a_source_switched_off_by_key_is_unreachable_and_comes_back_when_healed() {
    let mut windlass = Demo::of("canary").size(160, 48).live();
    windlass.key("\r");
    windlass.until("Story of this release");
    windlass.key("F");
    windlass.until("What goes wrong");
    for _ in 0..3 {
        windlass.key("\tj");
    }
    windlass.key("\r");
    windlass.until("● on  503");
    windlass.until("503 Prometheus");
    windlass.key("\x1b");
    windlass.until_gone("What goes wrong");
    windlass.key("r");
    windlass.until("Prometheus unreachable");
    windlass.until("prometheus/prod-eu unreachable");
    windlass.key("F");
    windlass.until("on at Prometheus");
    windlass.key("0");
    windlass.until_gone("on at Prometheus");
    windlass.key("\x1b");
    windlass.until_gone("What goes wrong");
    windlass.key("r");
    windlass.until_gone("Prometheus unreachable");
    windlass.until_live();
    windlass.leaves_without_a_change();
}

#[test]
fn what_the_command_line_switched_on_is_told_and_healed_with_the_rest() {
    let mut windlass = Demo::of("canary").with(&["--fault", "latency:20"]).live();
    windlass.key("F");
    windlass.until("by the scenario or the command line: latency:20");
    windlass.key("0");
    windlass.until_gone("latency:20");
    windlass.key("F");
    windlass.until_gone("What goes wrong");
    windlass.leaves_without_a_change();
}
