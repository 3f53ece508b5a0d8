//! A Redis server of a test's own: on a socket in a directory of its own, kept in memory, stopped at the end.

use std::{
    fs,
    io::{BufRead, BufReader},
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use ussd_session::store::RedisStore;

pub(crate) struct RedisServer {
    process: Child,
    directory: PathBuf,
}

pub(crate) type Connection = redis::aio::MultiplexedConnection;

/// True if tests that are ignored by default were asked for.
pub(crate) fn is_asked_for() -> bool {
    std::env::args().any(|argument| argument == "--include-ignored" || argument == "--ignored")
}

impl RedisServer {
    pub(crate) fn start(settings: &[&str]) -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let directory = std::env::temp_dir().join(format!("ussd-session-{}-{count}", std::process::id()));
        fs::create_dir(&directory).unwrap();
        let process = Command::new("redis-server")
            .args(["--port", "0", "--save", "", "--appendonly", "no", "--daemonize", "no"])
            .arg("--dir")
            .arg(&directory)
            .arg("--unixsocket")
            .arg(directory.join("socket"))
            .args(settings)
            .stdout(Stdio::piped())
            .spawn()
            .expect("redis-server is installed");
        let mut server = Self { process, directory };
        let log = BufReader::new(server.process.stdout.take().unwrap());
        let ready = log.lines().map(|line| line.unwrap()).any(|line| line.contains("eady to accept connections"));
        assert!(ready, "redis-server did not start");
        server
    }

    pub(crate) fn url(&self) -> String {
        format!("redis+unix://{}", self.directory.join("socket").display())
    }

    pub(crate) async fn connection(&self) -> Connection {
        redis::Client::open(self.url()).unwrap().get_multiplexed_async_connection().await.unwrap()
    }

    pub(crate) async fn store(&self) -> RedisStore<Connection> {
        RedisStore::over(self.connection().await)
    }

    /// A store that connects again by itself.
    pub(crate) fn managed(&self, time_limit: Duration) -> RedisStore<redis::aio::ConnectionManager> {
        RedisStore::connect(&self.url(), time_limit).unwrap()
    }

    /// Sends the process a signal, `STOP` for example.
    pub(crate) fn signal(&self, name: &str) {
        let sent = Command::new("kill").arg(format!("-{name}")).arg(self.process.id().to_string()).status();
        assert!(sent.unwrap().success());
    }

    pub(crate) fn stop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        self.stop();
        let _ = fs::remove_dir_all(&self.directory);
    }
}
