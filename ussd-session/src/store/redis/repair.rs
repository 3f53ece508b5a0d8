//! Open sessions that the list of what is due has lost.

use std::time::Duration;

use redis::{aio::ConnectionLike, cmd};

use super::{PAGE, RedisStore, RedisStoreError, member};
use crate::{ids::LinkId, store::Key, time::millis};

/// What [`RedisStore::repair`] has done.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct Repaired {
    /// Sessions that were missing and are listed now.
    pub listed: usize,
    /// Where the next call is to go on; none after the last.
    pub next: Option<u64>,
}

/// How long what is listed again is to live. It is looked at within seconds, and then written as ever.
const LISTED_FOR: Duration = Duration::from_secs(3600);

impl<C: ConnectionLike + Clone + Send + Sync + 'static> RedisStore<C> {
    /// Lists open sessions again that the list of what is due lacks, of some of the keys on one server: about a
    /// thousand at a time, by SCAN. `from` is none for the first call, then [`Repaired::next`]. Any machine may do it
    /// at any time; what is listed again is due at once, and the machine that then [ticks](crate::store::Driver::tick)
    /// it puts its deadline right.
    ///
    /// It is for a [cluster](RedisStore::cluster), whose server with the list may be lost with its last writes: every
    /// few minutes, on each of the cluster's primaries. `server` is a connection to one of them, since SCAN is no
    /// command for a cluster as a whole. A single Redis writes the list with the session and needs no repair.
    ///
    /// ```no_run
    /// # async fn example(
    /// #     store: ussd_session::store::RedisStore<redis::aio::ConnectionManager>,
    /// #     mut primary: redis::aio::ConnectionManager,
    /// # ) -> Result<(), ussd_session::store::RedisStoreError> {
    /// let mut from = None;
    /// loop {
    ///     let repaired = store.repair(&mut primary, from).await?;
    ///     from = repaired.next;
    ///     if from.is_none() {
    ///         break;
    ///     }
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// The server, or the one with the list, cannot be reached.
    pub async fn repair(
        &self,
        server: &mut impl ConnectionLike,
        from: Option<u64>,
    ) -> Result<Repaired, RedisStoreError> {
        // Only open sessions have owners.
        let mut command = cmd("SCAN");
        command.arg(from.unwrap_or(0)).arg("MATCH").arg(format!("{}:{{*}}:*:o", escaped(&self.prefix)));
        command.arg("COUNT").arg(PAGE);
        let (next, owners): (u64, Vec<String>) = command.query_async(server).await?;
        let mut call = self.repair.prepare_invoke();
        call.key(self.due_key()).arg(millis(LISTED_FOR));
        let keys: Vec<Key> = owners.iter().filter_map(|owner| self.owned(owner)).collect();
        let mut listed = 0;
        if !keys.is_empty() {
            keys.iter().for_each(|key| _ = call.arg(member(*key)));
            listed = call.invoke_async(&mut self.connection.clone()).await?;
        }
        Ok(Repaired { listed, next: (next != 0).then_some(next) })
    }

    /// Whose session an owner's key is about; none if it is not one of ours.
    fn owned(&self, owner: &str) -> Option<Key> {
        let rest = owner.strip_prefix(&*self.prefix)?.strip_prefix(":{")?.strip_suffix(":o")?;
        let (phone, link) = rest.split_once("}:")?;
        Some(Key { link: LinkId(link.parse().ok()?), subscriber: phone.parse().ok()? })
    }
}

/// A text that matches itself.
fn escaped(text: &str) -> String {
    let special = |c: char| matches!(c, '*' | '?' | '[' | ']' | '^' | '-' | '\\');
    text.chars().flat_map(|c| special(c).then_some('\\').into_iter().chain([c])).collect()
}
