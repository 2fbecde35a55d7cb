//! The API in one blocking request each, so that a test neither needs a runtime nor pays for a process. Knows nothing of
//! the program under test.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

/// Longer than a loaded machine needs; a state that does not come at all fails the test after it.
pub(super) const PATIENCE: Duration = Duration::from_secs(150);

#[derive(Clone, Copy, Debug)]
pub(super) struct Api {
    pub(super) port: u16,
}

impl Api {
    pub(super) const fn new(port: u16) -> Self {
        Self { port }
    }

    fn once(
        self,
        method: &str,
        path: &str,
        content_type: &str,
        body: &str,
    ) -> std::io::Result<(u16, Value)> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port))?;
        write!(
            stream,
            "{method} {path} HTTP/1.0\r\nHost: 127.0.0.1:{}\r\nContent-Type: {content_type}\r\nContent-Length: {}\r\n\r\n{body}",
            self.port,
            body.len()
        )?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer)?;
        let answer = String::from_utf8_lossy(&answer);
        let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
        let status = head
            .split(' ')
            .nth(1)
            .and_then(|code| code.parse().ok())
            .unwrap_or(0);
        Ok((status, serde_json::from_str(body).unwrap_or(Value::Null)))
    }

    fn request(self, method: &str, path: &str, content_type: &str, body: &Value) -> (u16, Value) {
        let body = match body {
            Value::Null => String::new(),
            body => body.to_string(),
        };
        self.once(method, path, content_type, &body)
            .unwrap_or_else(|error| panic!("{method} {path}: {error}"))
    }

    pub(super) fn create(self, object: &Value) {
        let path = collection(object);
        let (status, answer) = self.request("POST", &path, "application/json", object);
        assert_eq!(status, 201, "{path}: {answer}");
    }

    pub(super) fn get(self, path: &str) -> Value {
        let (status, answer) = self.request("GET", path, "application/json", &Value::Null);
        assert_eq!(status, 200, "{path}: {answer}");
        answer
    }

    pub(super) fn patch(self, path: &str, body: &Value) -> Value {
        let (status, answer) = self.request("PATCH", path, "application/merge-patch+json", body);
        assert_eq!(status, 200, "{path}: {answer}");
        answer
    }

    pub(super) fn delete(self, path: &str) {
        let (status, answer) = self.request("DELETE", path, "application/json", &Value::Null);
        assert!(status == 200 || status == 202, "{path}: {answer}");
    }

    /// Reads until the object is as wanted. A read that fails meanwhile is asked again: the server may be coming back.
    pub(super) fn until(self, path: &str, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let end = Instant::now() + PATIENCE;
        loop {
            let seen = self.once("GET", path, "application/json", "");
            if let Ok((_, object)) = &seen
                && wanted(object)
            {
                return object.clone();
            }
            assert!(
                Instant::now() < end,
                "{path} never was {what}: {:?}",
                seen.map(|(code, object)| (code, object["status"].clone()))
            );
            thread::sleep(Duration::from_millis(50));
        }
    }

    pub(super) fn until_gone(self, path: &str) {
        self.until(path, "gone", |object| object["code"] == json!(404));
    }
}

fn collection(object: &Value) -> String {
    let namespace = object["metadata"]["namespace"].as_str().unwrap();
    let version = object["apiVersion"].as_str().unwrap();
    let plural = format!("{}s", object["kind"].as_str().unwrap().to_lowercase());
    match version.contains('/') {
        true => format!("/apis/{version}/namespaces/{namespace}/{plural}"),
        false => format!("/api/{version}/namespaces/{namespace}/{plural}"),
    }
}
