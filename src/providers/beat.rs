//! What makes a source ask again besides its own pace. Sources of real systems have none: only a world whose time stands
//! still tells when time has passed, and then everything in it is read at the same second.
//! Owns no clock and no request.

use tokio::sync::watch;

/// How long something that fails is left alone where there is a beat: until about the next one.
pub const WAIT: std::time::Duration = std::time::Duration::from_secs(1);

#[derive(Clone, Debug, Default)]
pub struct Beat(Option<watch::Receiver<u64>>);

impl Beat {
    /// `None`: it never comes.
    pub const fn of(count: Option<watch::Receiver<u64>>) -> Self {
        Self(count)
    }

    pub const fn is_there(&self) -> bool {
        self.0.is_some()
    }

    /// Waits for the next; nothing is lost when the wait is given up, and several that came meanwhile are one.
    pub async fn comes(&mut self) {
        if let Some(count) = &mut self.0
            && count.changed().await.is_ok()
        {
            return;
        }
        std::future::pending::<()>().await;
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;

    #[test]
    fn it_comes_when_it_is_told_and_never_where_there_is_none() {
        assert!(Beat::default().comes().now_or_never().is_none());
        let (sender, receiver) = watch::channel(0);
        let mut beat = Beat::of(Some(receiver));
        assert!(beat.comes().now_or_never().is_none());
        sender.send_replace(1);
        sender.send_replace(2);
        assert!(beat.comes().now_or_never().is_some());
        assert!(beat.comes().now_or_never().is_none());
    }
}
