//! The wire between a house and its database, which a test may cut and mend.

use std::sync::Arc;

use chatkit_gateway::config::Variables;
use secrecy::ExposeSecret;
use sqlx::postgres::PgConnectOptions;
use tokio::io::{AsyncRead, AsyncWrite, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio::sync::watch;

use super::postgres::TestDatabase;

/// Passes bytes on while it is whole.
pub(crate) struct Wire {
    whole: watch::Sender<bool>,
    url: String,
}

impl Wire {
    /// A wire to this database, on a free port of the loopback.
    pub(crate) async fn to(database: &TestDatabase) -> Self {
        let end: Arc<PgConnectOptions> = Arc::new(database.url().expose_secret().parse().unwrap());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let name = end.get_database().unwrap();
        let url = format!("postgres://{}@127.0.0.1:{port}/{name}?sslmode=disable", end.get_username());
        let (whole, state) = watch::channel(true);
        #[expect(clippy::disallowed_methods, reason = "the wire is no turn; it ends with the test")]
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                if *state.borrow() {
                    tokio::spawn(pass_on(near, end.clone(), state.clone()));
                }
            }
        });
        Self { whole, url }
    }

    /// Where the database seems to be.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Has a house look for its database there.
    pub(crate) fn set(&self, variables: &mut Variables) {
        variables.set("DATABASE_URL", self.url.as_str());
    }

    /// Every connection breaks, and no new one comes through.
    pub(crate) fn cut(&self) {
        self.whole.send_replace(false);
    }

    /// New connections come through again.
    pub(crate) fn mend(&self) {
        self.whole.send_replace(true);
    }
}

async fn pass_on(near: TcpStream, end: Arc<PgConnectOptions>, state: watch::Receiver<bool>) {
    match end.get_socket() {
        Some(folder) => {
            let far = UnixStream::connect(folder.join(format!(".s.PGSQL.{}", end.get_port()))).await;
            until_cut(near, far.unwrap(), state).await;
        }
        None => {
            let far = TcpStream::connect((end.get_host(), end.get_port())).await;
            until_cut(near, far.unwrap(), state).await;
        }
    }
}

async fn until_cut(
    mut near: TcpStream,
    mut far: impl AsyncRead + AsyncWrite + Unpin,
    mut state: watch::Receiver<bool>,
) {
    tokio::select! {
        _ = copy_bidirectional(&mut near, &mut far) => {}
        _ = state.wait_for(|whole| !whole) => {}
    }
}
