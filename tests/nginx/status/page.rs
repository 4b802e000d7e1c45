//! Tests of the page for people, in a browser.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;

use super::{json, number, workers};
use crate::browser::Browser;
use crate::nginx::{Nginx, Which, body, built, code, header};
use crate::support::{find, sys, wait_until};

/// A type of messages, and a zone, whose names look like markup.
const TYPE: &str = "<b class=made>type & 'name'";
const ZONE: &str = "<b/class=made>";

const LOCATIONS: &str = "
    limit_req_zone $arg_a zone=ZONE:64k rate=1r/s;
    server {
        listen 127.0.0.1:PORT;
        keepalive_requests 1000000;
        location = /status  { ipc_status; }
        location = /html    { ipc_status html; }
        location = /json    { ngx_ipc_status json; }
        location = /text    { ipc_status text; }
        location = /publish { ipc_publish \"TYPE\"; }
        location = /worker  { ipc_publish \"TYPE\" to=worker timeout=1ms; }
    }";

fn start(test: &str, count: usize) -> Nginx {
    let module = |name: &str| built("ipc").with_file_name(name);
    let main = format!(
        "load_module {};\nload_module {};\nworker_processes {count};\n\
         error_log log notice;\nuser root;",
        module("ngx_http_ipc_status_module.so").display(),
        module("ngx_http_ipc_module.so").display()
    );
    let http = LOCATIONS.replace("TYPE", TYPE).replace("ZONE", ZONE);
    let nginx = Nginx::new(test, Which::Ipc, &main, &http);

    nginx.spawn(&[]);
    nginx.wait_for_workers(count);
    wait_until("workers that have begun", || {
        workers(&json(&nginx)).len() == count
    });
    nginx
}

/// Sends a request; returns the whole answer.
fn request(nginx: &Nginx, line: &str, headers: &str, data: &str) -> String {
    let mut stream = nginx.connect();
    let mut answer = String::new();

    write!(
        stream,
        "{line} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\
         Content-Length: {}\r\n{headers}\r\n{data}",
        data.len()
    )
    .expect("a request");
    stream.read_to_string(&mut answer).expect("an answer");
    answer
}

/// Sends a request with so many bytes, and reads the answer. The connection stays.
fn post(connection: &mut BufReader<TcpStream>, path: &str, bytes: usize) {
    let (mut length, mut line) = (0, String::new());

    write!(
        connection.get_mut(),
        "POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {bytes}\r\n\r\n{}",
        "x".repeat(bytes)
    )
    .expect("a request");

    while line != "\r\n" {
        line.clear();
        connection.read_line(&mut line).expect("a header");

        if let Some(value) = line.strip_prefix("Content-Length: ") {
            length = value.trim_end().parse().expect("a length");
        }
    }

    connection.read_exact(&mut vec![0; length]).expect("a body");
}

/// Makes the browser open the page, and waits until it shows all workers.
fn open(browser: &mut Browser, nginx: &Nginx, count: usize) {
    browser.open(&format!("http://{}/status", nginx.address()));
    browser.wait_for("document.readyState === 'complete'");
    wait_for_workers(browser, count);
}

fn wait_for_workers(browser: &mut Browser, count: usize) {
    browser.wait_for(&format!(
        "[...document.querySelectorAll('#processes td.head')].filter(\
            cell => cell.textContent.startsWith('worker ')).length === {count}"
    ));
}

/// The text of a cell of a worker.
fn cell(browser: &mut Browser, worker: usize, label: &str) -> String {
    let text = browser.value(&format!(
        "[...document.querySelectorAll('#processes tbody tr')]\
            .filter(row => row.cells[0].textContent === 'worker {worker}')\
            .flatMap(row => [...row.cells]).filter(cell => \
                (cell.dataset.label || (cell.matches('.state') ? 'State' : '')) === '{label}')\
            .map(cell => cell.textContent).join()"
    ));

    text.as_str().unwrap_or_default().to_string()
}

/// Nothing of the page is beside the window.
fn assert_fits(browser: &mut Browser) {
    let sizes = browser.value(
        "[document.documentElement.scrollWidth, \
                               document.documentElement.clientWidth].join()",
    );
    let (page, window) = sizes
        .as_str()
        .and_then(|text| text.split_once(','))
        .expect("two");

    assert_eq!(page, window, "the width of the page, and of the window");
}

/// Writes images of the page, as a desktop and as a phone show it.
fn images(browser: &mut Browser, name: &str) {
    for (device, width, height) in [("desktop", 1280, 800), ("phone", 390, 844)] {
        browser.resize(width, height, device == "phone");
        assert_fits(browser);
        browser.screenshot(&format!("page-{name}-{device}"));
    }

    browser.resize(1280, 800, false);
}

/// A location without an argument answers with the type that the client names first. The
/// page for people asks for JSON, which has no pairs.
#[test]
fn the_client_chooses_the_format() {
    const BROWSER: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
    const HTML: &str = "text/html; charset=utf-8";

    let nginx = start("status_accept", 2);

    for (path, accept, kind) in [
        ("/status", "", "text/plain"),
        ("/status", "*/*", "text/plain"),
        ("/status", "image/png", "text/plain"),
        ("/status", BROWSER, HTML),
        ("/status", "application/json", "application/json"),
        ("/status", "application/json, text/html", "application/json"),
        ("/status", "text/html, application/json", HTML),
        ("/html", "", HTML),
        ("/html", "*/*", HTML),
        ("/html", "Application/JSON", "application/json"),
        ("/json", BROWSER, "application/json"),
        ("/text", BROWSER, "text/plain"),
    ] {
        let headers = match accept {
            "" => String::new(),
            accept => format!("X-Other: text/html\r\naccept: {accept}\r\n"),
        };
        let answer = request(&nginx, &format!("GET {path}"), &headers, "");
        let is_fixed = ["/json", "/text"].contains(&path);
        let place = format!("{path} {accept}");

        assert_eq!(
            (code(&answer), header(&answer, "Content-Type")),
            ("200", kind),
            "{place}"
        );
        assert_eq!(
            header(&answer, "Vary"),
            if is_fixed { "" } else { "Accept" },
            "{place}"
        );
        assert_eq!(
            header(&answer, "Content-Length"),
            body(&answer).len().to_string(),
            "{place}"
        );
        assert_eq!(
            body(&answer).contains("\"pairs\":"),
            path == "/json",
            "{place}"
        );

        let policy = header(&answer, "Content-Security-Policy");

        assert_eq!(policy.starts_with("default-src 'none'; "), kind == HTML);
        assert!(!policy.contains("unsafe"), "{policy}");
    }

    let head = request(&nginx, "HEAD /html", "", "");

    assert_eq!((code(&head), header(&head, "Content-Type")), ("200", HTML));
    assert_eq!(code(&request(&nginx, "POST /html", "", "x")), "405");
    nginx.quit(&[]);
}

/// The page shows the workers, a worker that is killed and started again, and a server that
/// has ended. It can be used with the keyboard.
#[test]
fn a_browser_shows_the_workers() {
    let nginx = start("status_page", 4);
    let Some(mut browser) = Browser::start(&nginx.directory) else {
        return nginx.quit(&[]);
    };

    open(&mut browser, &nginx, 4);
    request(&nginx, "POST /publish", "", "hello");
    browser.wait_for("document.querySelector('#types td.head') !== null");
    browser.wait_for("document.querySelector('#live').textContent === 'Live'");

    let text = browser.text();

    assert!(text.contains(TYPE) && text.contains(ZONE), "{text}");
    assert_eq!(
        browser.value("document.querySelector('.made') === null"),
        true
    );

    let before = json(&nginx);
    let killed = number(workers(&before)[&2], "pid");

    assert_eq!(cell(&mut browser, 2, "Pid"), killed.to_string());
    assert_eq!(cell(&mut browser, 2, "Respawns"), "0");
    sys::kill(killed as i32, libc::SIGKILL);

    let pid = find("another worker", || {
        let pid = number(workers(&json(&nginx)).get(&2)?, "pid");

        (pid > 0 && pid != killed).then_some(pid)
    });

    wait_until("the new pid on the page", || {
        cell(&mut browser, 2, "Pid") == pid.to_string()
    });
    assert_eq!(cell(&mut browser, 2, "Respawns"), "1");
    browser.wait_for(&format!(
        "document.querySelector('#events').textContent.includes('now {pid}') || \
         document.querySelector('#events').textContent.includes('started again: pid {pid}')"
    ));
    images(&mut browser, "4-workers");
    browser.darken(true);
    images(&mut browser, "4-workers-dark");
    browser.darken(false);

    browser.press("Tab");
    browser.press("Enter");
    browser.wait_for("document.querySelector('#live').textContent === 'Paused'");
    browser.press("Enter");
    browser.wait_for("document.querySelector('#live').textContent === 'Live'");

    nginx.signal(libc::SIGHUP);
    browser
        .wait_for("document.querySelector('#events').textContent.includes('reload: generation 2')");
    wait_for_workers(&mut browser, 4);

    nginx.quit(&["exited on signal 9"]);
    browser.wait_for(
        "document.querySelector('#live').textContent.startsWith('nginx does not answer')",
    );
    images(&mut browser, "no-answer");
    assert!(browser.complaints.is_empty(), "{:?}", browser.complaints);
}

/// A worker that does not run is pointed out, and so are the messages that wait for it.
#[test]
fn a_browser_shows_a_worker_that_hangs() {
    let nginx = start("status_page_hangs", 4);
    let Some(mut browser) = Browser::start(&nginx.directory) else {
        return nginx.quit(&[]);
    };

    let before = json(&nginx);
    let [asked, hanging] = [0, 1].map(|n| number(workers(&before)[&n], "pid") as i32);

    // The kernel can pass a new connection to the worker that is stopped. So the test and the
    // browser keep connections to another worker.
    let mut connection = nginx.with_only(asked, || {
        let mut connection = BufReader::new(nginx.connect());

        open(&mut browser, &nginx, 4);
        post(&mut connection, "/worker?worker=0", 1);
        connection
    });

    browser.wait_for("document.querySelector('#alerts').children.length === 0");
    sys::kill(hanging, libc::SIGSTOP);

    for _ in 0..50 {
        post(&mut connection, "/worker?worker=1", 35_000);
    }

    browser.wait_for(&format!(
        "document.querySelector('#alerts').textContent.includes(\
            'worker 1 (pid {hanging}) is stopped, and does not run. 50 messages wait for it.')"
    ));
    assert_eq!(cell(&mut browser, 1, "State"), "stopped");
    assert_eq!(cell(&mut browser, 1, "Waiting"), "50");
    images(&mut browser, "hangs");

    sys::kill(hanging, libc::SIGCONT);
    browser.wait_for("document.querySelector('#alerts').children.length === 0");
    wait_until("a queue that is empty", || {
        cell(&mut browser, 1, "Waiting") == "0"
    });
    assert_eq!(cell(&mut browser, 1, "State"), "running");
    assert!(browser.complaints.is_empty(), "{:?}", browser.complaints);
    nginx.quit(&[]);
}

#[test]
fn a_browser_shows_many_workers() {
    let nginx = start("status_page_many", 64);
    let Some(mut browser) = Browser::start(&nginx.directory) else {
        return nginx.quit(&[]);
    };

    open(&mut browser, &nginx, 64);
    request(&nginx, "POST /publish", "", "hello");

    let hanging = number(workers(&json(&nginx))[&41], "pid") as i32;

    sys::kill(hanging, libc::SIGSTOP);
    browser.wait_for("document.querySelector('#map .bad')?.textContent === '41!'");
    assert_eq!(
        browser.value("document.querySelectorAll('#map a').length"),
        64
    );
    images(&mut browser, "64-workers");

    sys::kill(hanging, libc::SIGCONT);
    assert!(browser.complaints.is_empty(), "{:?}", browser.complaints);
    nginx.quit(&[]);
}
