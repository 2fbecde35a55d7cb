use super::harness::Demo;
#[test]
fn probe() {
    let mut w = Demo::of("canary").with(&["--speed", "20"]).until("checkout");
    w.until("waits for you");
    println!("{}", w.text());
    w.key("p");
    w.until_listening();
    println!("{}", w.text());
    w.key("prod-eu\r");
    let p = w.until_patches(1);
    println!("{p:#?}");
    w.until("done");
    println!("{}", w.text());
    w.key("x");
    w.until_listening();
    println!("{}", w.text());
    w.key("Y");
    w.until_patches(2);
    w.until("Why");
    println!("{}", w.text());
    w.key("\x1b");
    w.until("back out: done");
    println!("{}{:#?}", w.text(), w.writes());
    w.key("q");
    println!("{:?}", w.ended());
    println!("{:?} {:?}", w.left_behind(), String::from_utf8_lossy(&w.last_words()[w.raw().len()-200..]));
}
#[test]
fn probe_two() {
    let mut w = Demo::of("morning").with(&["--speed", "20"]).until("checkout");
    w.key("/images\r");
    w.until_gone("checkout");
    w.key("x");
    w.until_listening();
    println!("{}", w.text());
    w.key("\x1b");
    w.key("b");
    w.until("opens the plan");
    w.until("v6.9.2");
    println!("{}", w.text());
    w.key("\r");
    w.until_listening();
    println!("{}", w.text());
    w.key("\x1b");
    w.until_gone("copies");
    for k in ["2","8","9","1","?","\x1b",":","\x1b","m","\x1b","h","\x1b", "l", "\x1b", "y", "\x1b", "\x1b", "d", "\x1b"] {
        w.key(k);
        let _ = w.until_patches(0);
        std::thread::sleep(std::time::Duration::from_millis(700));
        println!("== {k:?}\n{}", w.text());
    }
}
#[test]
fn probe_ro() {
    let mut w = Demo::of("blue-green").with(&["--speed", "20", "--read-only"]).until("payments");
    w.until("preview ready");
    println!("{}", w.text());
    w.key("p");
    w.until("cannot be sent");
    println!("{}", w.text());
    w.key("\x1b");
    w.key("W");
    w.until("read-only");
    println!("{}", w.text());
}
