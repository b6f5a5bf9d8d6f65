//! The part of the WebDriver protocol (W3C Recommendation "WebDriver") that testing a page in Chromium needs.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

use common::testing::{Folder, Running, have, have_program, start};
use serde_json::{Value, json};

/// Longer than a page of a million events takes to open on a busy machine.
const LIMIT: Duration = Duration::from_secs(120);

/// What an element is called in the protocol's JSON.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// A browser, with a driver of its own.
pub(crate) struct Browser {
    address: SocketAddr,
    session: String,
    _driver: Running,
    _profile: Folder,
}

impl Browser {
    /// Starts one; None where there is none.
    pub(crate) fn start() -> Option<Self> {
        let there = have_program("chromium") && have_program("chromedriver");
        if !have("chromium and chromedriver", there) {
            return None;
        }
        let mut driver = start("chromedriver", &["--port=0"]);
        let line = driver.out_line_with("started successfully on port ");
        let port = line.split("port ").nth(1).unwrap().trim_end_matches('.');
        let profile = Folder::new();
        let data = format!("--user-data-dir={}", profile.path("profile"));
        // No background work that would look for a network.
        let arguments = json!([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--disable-dev-shm-usage",
            "--window-size=1400,900",
            data
        ]);
        let mut browser = Self {
            address: SocketAddr::from(([127, 0, 0, 1], port.trim().parse().unwrap())),
            session: String::new(),
            _driver: driver,
            _profile: profile,
        };
        let capabilities = json!({"capabilities": {"alwaysMatch": {
            "goog:chromeOptions": {"args": arguments},
            "goog:loggingPrefs": {"browser": "ALL"},
        }}});
        // A browser may need longer to start on a busy machine than its driver waits.
        let session = (0..3).find_map(|_| browser.answer("POST", "/session", &capabilities).ok());
        let session = session.expect("the browser starts");
        let id = session["sessionId"].as_str().unwrap();
        browser.session = format!("/session/{id}");
        Some(browser)
    }

    pub(crate) fn open(&self, url: &str) {
        self.post("/url", &json!({"url": url}));
    }

    /// What a script in the page returns.
    pub(crate) fn run(&self, script: &str) -> Value {
        self.post("/execute/sync", &json!({"script": script, "args": []}))
    }

    /// An attribute of the first element that a selector finds.
    pub(crate) fn attribute(&self, selector: &str, name: &str) -> Option<String> {
        let script = format!("return document.querySelector('{selector}').getAttribute('{name}')");
        self.run(&script).as_str().map(str::to_owned)
    }

    /// Gives the window this size, as a phone's if it is narrow.
    pub(crate) fn resize(&self, width: u32, height: u32) {
        self.command(
            "Emulation.setDeviceMetricsOverride",
            &json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500}),
        );
    }

    /// Shows the page as in print, or in these colours.
    pub(crate) fn emulate(&self, media: &str, colours: &str) {
        let features = json!([{"name": "prefers-color-scheme", "value": colours}]);
        self.command(
            "Emulation.setEmulatedMedia",
            &json!({"media": media, "features": features}),
        );
    }

    /// A command of the Chrome DevTools Protocol.
    fn command(&self, name: &str, parameters: &Value) {
        self.post(
            "/goog/cdp/execute",
            &json!({"cmd": name, "params": parameters}),
        );
    }

    /// Moves the pointer there.
    pub(crate) fn point(&self, x: f64, y: f64) {
        let (x, y) = (x.round() as i64, y.round() as i64);
        self.act(&json!({"type": "pointer", "id": "mouse", "parameters": {"pointerType": "mouse"}, "actions": [
            {"type": "pointerMove", "x": x, "y": y, "duration": 0},
        ]}));
    }

    /// Clicks a place in the window.
    pub(crate) fn click(&self, x: f64, y: f64) {
        let (x, y) = (x.round() as i64, y.round() as i64);
        self.act(&json!({"type": "pointer", "id": "mouse", "parameters": {"pointerType": "mouse"}, "actions": [
            {"type": "pointerMove", "x": x, "y": y, "duration": 0},
            {"type": "pointerDown", "button": 0},
            {"type": "pointerUp", "button": 0},
        ]}));
    }

    /// Drags from one place in the window to another.
    pub(crate) fn drag(&self, (x, y): (f64, f64), (to_x, to_y): (f64, f64)) {
        let place = |x: f64, y: f64| json!({"type": "pointerMove", "x": x.round() as i64, "y": y.round() as i64, "duration": 0});
        self.act(&json!({"type": "pointer", "id": "mouse", "parameters": {"pointerType": "mouse"}, "actions": [
            place(x, y),
            {"type": "pointerDown", "button": 0},
            place((x + to_x) / 2.0, (y + to_y) / 2.0),
            place(to_x, to_y),
            {"type": "pointerUp", "button": 0},
        ]}));
    }

    /// Turns the wheel there.
    pub(crate) fn wheel(&self, x: f64, y: f64, by: i32) {
        let (x, y) = (x.round() as i64, y.round() as i64);
        self.act(&json!({"type": "wheel", "id": "wheel", "actions": [
            {"type": "scroll", "x": x, "y": y, "deltaX": 0, "deltaY": by, "duration": 0},
        ]}));
    }

    /// Presses a key; see the protocol's table for those that are no letters.
    pub(crate) fn press(&self, key: char) {
        self.act(&json!({"type": "key", "id": "keys", "actions": [
            {"type": "keyDown", "value": key},
            {"type": "keyUp", "value": key},
        ]}));
    }

    fn act(&self, source: &Value) {
        self.post("/actions", &json!({"actions": [source]}));
    }

    /// Writes into an element.
    pub(crate) fn write(&self, selector: &str, text: &str) {
        let found = self.post(
            "/element",
            &json!({"using": "css selector", "value": selector}),
        );
        let element = found[ELEMENT].as_str().unwrap();
        self.post(&format!("/element/{element}/value"), &json!({"text": text}));
    }

    /// The messages of the page on the console.
    pub(crate) fn console(&self) -> Vec<Value> {
        let log = self.post("/se/log", &json!({"type": "browser"}));
        log.as_array().unwrap().clone()
    }

    fn post(&self, path: &str, body: &Value) -> Value {
        self.ask("POST", &format!("{}{path}", self.session), body)
    }

    fn ask(&self, method: &str, path: &str, body: &Value) -> Value {
        let answer = self.answer(method, path, body);
        answer.unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    fn answer(&self, method: &str, path: &str, body: &Value) -> Result<Value, Value> {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(LIMIT)).unwrap();
        let body = body.to_string();
        write!(
            &stream,
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            self.address,
            body.len()
        )
        .unwrap();
        let mut reader = BufReader::new(stream);
        let mut length = 0;
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).unwrap();
            let line = line.trim_end().to_ascii_lowercase();
            if line.is_empty() {
                break;
            }
            if let Some(value) = line.strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
        }
        let mut answer = vec![0; length];
        reader.read_exact(&mut answer).unwrap();
        let mut answer: Value = serde_json::from_slice(&answer).unwrap();
        let value = answer["value"].take();
        match value.get("error") {
            None => Ok(value),
            Some(_) => Err(value),
        }
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        if !self.session.is_empty() {
            // A test that fails leaves no browser behind either.
            let end = || self.answer("DELETE", &self.session, &json!({}));
            let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(end));
        }
    }
}
