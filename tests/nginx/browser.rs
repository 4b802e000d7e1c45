//! Chromium without a window, which a test controls through a pipe with the messages of
//! the DevTools protocol. A NUL ends each message.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::{env, fs};

use serde_json::{Value, json};

use crate::support::wait_until;

/// Chromium reads from descriptor 3, and writes to descriptor 4.
const PIPES: &str = "exec \"$@\" 3<&0 4>&1 < /dev/null > /dev/null 2> \"$0\"";

/// A browser with one page. It ends when this value is dropped.
pub struct Browser {
    child: Child,
    to: ChildStdin,
    from: BufReader<ChildStdout>,
    session: Value,
    last: u64,
    /// What the page has complained about: exceptions, and what its policy forbids.
    pub complaints: Vec<Value>,
}

impl Browser {
    /// Starts Chromium with its files in a directory. `None`, and a line that says so, if it
    /// is not installed.
    pub fn start(directory: &Path) -> Option<Self> {
        let is_installed = |directory: &Path| directory.join("chromium").is_file();

        if !env::split_paths(&env::var_os("PATH").unwrap_or_default())
            .any(|directory| is_installed(&directory))
        {
            println!("# skipped: chromium is not installed");
            return None;
        }

        let mut child = Command::new("sh")
            .args(["-c", PIPES])
            .arg(directory.join("chromium.log"))
            .arg("chromium")
            .arg(format!(
                "--user-data-dir={}",
                directory.join("chromium").display()
            ))
            .args([
                "--headless=new",
                "--remote-debugging-pipe",
                "--no-sandbox",
                "--no-first-run",
                "--disable-gpu",
                "--disable-dev-shm-usage",
                "--disable-background-networking",
                "--disable-component-update",
                "about:blank",
            ])
            .env("HOME", directory)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("sh");
        let mut browser = Self {
            to: child.stdin.take().expect("a pipe"),
            from: BufReader::new(child.stdout.take().expect("a pipe")),
            child,
            session: Value::Null,
            last: 0,
            complaints: Vec::new(),
        };
        let target = browser.call("Target.createTarget", json!({ "url": "about:blank" }));
        let attach = json!({ "targetId": target["targetId"], "flatten": true });

        browser.session = browser.call("Target.attachToTarget", attach)["sessionId"].take();

        for domain in ["Page", "Runtime", "Log"] {
            browser.call(&format!("{domain}.enable"), json!({}));
        }

        Some(browser)
    }

    /// Calls a method of the protocol; returns its result.
    fn call(&mut self, method: &str, parameters: Value) -> Value {
        self.last += 1;

        let mut message = json!({ "id": self.last, "method": method, "params": parameters });

        if !self.session.is_null() {
            message["sessionId"] = self.session.clone();
        }

        write!(self.to, "{message}\0").expect("a browser that reads");

        loop {
            let mut text = Vec::new();

            self.from.read_until(0, &mut text).expect("a message");
            assert_eq!(text.pop(), Some(0), "the browser has ended: {method}");

            let mut message: Value = serde_json::from_slice(&text).expect("a message");

            if message["id"] == self.last {
                assert!(message["error"].is_null(), "{method}: {message}");
                return message["result"].take();
            }

            self.look_at(message);
        }
    }

    /// Keeps an event if the page complains. A request that nginx does not answer is no
    /// fault of the page.
    fn look_at(&mut self, event: Value) {
        let entry = &event["params"]["entry"];
        let is_complaint = event["method"] == "Runtime.exceptionThrown"
            || event["method"] == "Log.entryAdded"
                && entry["level"] == "error"
                && entry["source"] != "network";

        if is_complaint {
            self.complaints.push(event);
        }
    }

    /// Sets the size of the window, and whether it is that of a phone.
    pub fn resize(&mut self, width: u32, height: u32, is_phone: bool) {
        self.call(
            "Emulation.setDeviceMetricsOverride",
            json!({
                "width": width, "height": height, "deviceScaleFactor": 1, "mobile": is_phone
            }),
        );
    }

    /// Sets whether the user prefers dark colours.
    pub fn darken(&mut self, is_dark: bool) {
        let value = if is_dark { "dark" } else { "light" };
        let features = json!([{ "name": "prefers-color-scheme", "value": value }]);

        self.call(
            "Emulation.setEmulatedMedia",
            json!({ "features": features }),
        );
    }

    /// Opens a page.
    pub fn open(&mut self, url: &str) {
        let opened = self.call("Page.navigate", json!({ "url": url }));

        assert!(opened["errorText"].is_null(), "{opened}");
    }

    /// The value of an expression of JavaScript.
    pub fn value(&mut self, expression: &str) -> Value {
        let parameters = json!({
            "expression": expression, "returnByValue": true, "awaitPromise": true
        });
        let mut result = self.call("Runtime.evaluate", parameters);

        assert!(
            result["exceptionDetails"].is_null(),
            "{expression}: {result}"
        );
        result["result"]["value"].take()
    }

    /// Waits until an expression is true.
    pub fn wait_for(&mut self, expression: &str) {
        wait_until(expression, || self.value(expression) == true);
    }

    /// The visible text of the page.
    pub fn text(&mut self) -> String {
        self.value("document.body.innerText")
            .as_str()
            .unwrap_or_default()
            .to_string()
    }

    /// Presses a key, such as "Tab" or "Enter".
    pub fn press(&mut self, key: &str) {
        let code = if key == "Tab" { 9 } else { 13 };
        let text = if key == "Tab" { "" } else { "\r" };

        for kind in ["keyDown", "keyUp"] {
            let mut event = json!({
                "type": kind, "key": key, "code": key, "windowsVirtualKeyCode": code
            });

            if kind == "keyDown" && !text.is_empty() {
                event["text"] = text.into();
            }

            self.call("Input.dispatchKeyEvent", event);
        }
    }

    /// Writes an image of the window to a file of the directory `T_SCREENSHOTS`, if this
    /// variable is set.
    pub fn screenshot(&mut self, name: &str) {
        let Some(directory) = env::var_os("T_SCREENSHOTS") else {
            return;
        };
        let mut image = self.call("Page.captureScreenshot", json!({ "format": "png" }));
        let data = image["data"].take();
        let bytes = from_base64(data.as_str().expect("an image"));

        fs::write(Path::new(&directory).join(format!("{name}.png")), bytes).expect("a file");
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let id = self.last + 1;

        if write!(
            self.to,
            "{}\0",
            json!({ "id": id, "method": "Browser.close" })
        )
        .is_err()
        {
            let _ = self.child.kill();
        }

        let _ = self.child.wait();
    }
}

/// Decodes the text of base64, RFC 4648.
fn from_base64(text: &str) -> Vec<u8> {
    let digit = |byte: u8| {
        Some(match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        })
    };
    let digits: Vec<u8> = text.bytes().filter_map(digit).collect();

    digits
        .chunks(4)
        .flat_map(|chunk| {
            let bits = |k: usize| u32::from(chunk.get(k).copied().unwrap_or(0)) << (18 - 6 * k);
            let all = (0..4).map(bits).sum::<u32>().to_be_bytes();

            all.into_iter().skip(1).take(chunk.len() - 1)
        })
        .collect()
}
