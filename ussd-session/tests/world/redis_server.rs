//! A Redis server of a test's own: on a socket in a directory of its own, kept in memory, stopped at the end.

use std::{
    fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
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
        Self { process: Self::spawn(&directory, settings), directory }
    }

    /// A cluster of one: it serves all slots, and refuses what lies in two of them.
    pub(crate) async fn start_cluster() -> Self {
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port().to_string();
        let server = Self::start(&["--bind", "127.0.0.1", "--cluster-enabled", "yes", "--cluster-port", &port]);
        let mut connection = server.connection().await;
        let slots = redis::cmd("CLUSTER").arg("ADDSLOTSRANGE").arg(0).arg(16_383).to_owned();
        slots.query_async::<()>(&mut connection).await.unwrap();
        let mut again = tokio::time::interval(Duration::from_millis(20));
        loop {
            let info: String = redis::cmd("CLUSTER").arg("INFO").query_async(&mut connection).await.unwrap();
            if info.contains("cluster_state:ok") {
                return server;
            }
            again.tick().await;
        }
    }

    /// Starts it again where it was.
    pub(crate) fn restart(&mut self) {
        self.stop();
        self.process = Self::spawn(&self.directory, &[]);
    }

    fn spawn(directory: &Path, settings: &[&str]) -> Child {
        let mut process = Command::new("redis-server")
            .args(["--port", "0", "--save", "", "--appendonly", "no", "--daemonize", "no"])
            .arg("--dir")
            .arg(directory)
            .arg("--unixsocket")
            .arg(directory.join("socket"))
            .args(settings)
            .stdout(Stdio::piped())
            .spawn()
            .expect("redis-server is installed");
        let log = BufReader::new(process.stdout.take().unwrap());
        let ready = log.lines().map(|line| line.unwrap()).any(|line| line.contains("eady to accept connections"));
        assert!(ready, "redis-server did not start");
        process
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
