//! The application's side: four callbacks, and a turn that is answered once.

use std::{fmt, future::Future, sync::Arc};

use tokio::sync::mpsc;

use crate::{
    action::{Callback, CloseReason, EndWhy, Side},
    dialled::Dialled,
    event::{Event, Verb},
    ids::{LinkId, SessionId, TurnToken},
    owned::OwnedEvent,
    screens::Resumed,
    subscriber::Subscriber,
    text::Text,
};

/// A USSD application: what happens when a phone dials, answers, falls silent or hangs up.
///
/// Write the callbacks as `async fn`. Those of one session never overlap; sessions run in parallel. The state of a
/// session is made by `Default` at its first callback, handed to each, and dropped after the last one; it lives in
/// the [`Runner`](crate::Runner), beside the session's record.
pub trait UssdApp: Send + Sync + 'static {
    /// What the application keeps of one session. `()` if nothing.
    type State: Default + Send + 'static;

    /// A phone dialled a code.
    fn new_session(
        &self,
        session: &mut Session<Self::State>,
        turn: Turn,
        dialled: Dialled<'_>,
    ) -> impl Future<Output = Done> + Send;

    /// The user answered.
    fn existing_session(
        &self,
        session: &mut Session<Self::State>,
        turn: Turn,
        message: &str,
    ) -> impl Future<Output = Done> + Send;

    /// Somebody was too slow; the session is over. Comes after the callback that was too slow has returned.
    fn timed_out_session(&self, session: &mut Session<Self::State>, side: Side) -> impl Future<Output = ()> + Send {
        let _ = (session, side);
        async {}
    }

    /// The session is over, by no doing of the application's.
    fn end_session(&self, session: &mut Session<Self::State>, why: EndWhy) -> impl Future<Output = ()> + Send {
        let _ = (session, why);
        async {}
    }
}

impl<A: UssdApp> UssdApp for Arc<A> {
    type State = A::State;

    async fn new_session(&self, session: &mut Session<A::State>, turn: Turn, dialled: Dialled<'_>) -> Done {
        A::new_session(self, session, turn, dialled).await
    }

    async fn existing_session(&self, session: &mut Session<A::State>, turn: Turn, message: &str) -> Done {
        A::existing_session(self, session, turn, message).await
    }

    async fn timed_out_session(&self, session: &mut Session<A::State>, side: Side) {
        A::timed_out_session(self, session, side).await;
    }

    async fn end_session(&self, session: &mut Session<A::State>, why: EndWhy) {
        A::end_session(self, session, why).await;
    }
}

/// One session as its application sees it.
pub struct Session<S> {
    /// What the application keeps.
    pub state: S,
    id: SessionId,
    link: LinkId,
    subscriber: Subscriber,
    dialled: Box<str>,
    /// Octets of `dialled` that name the service.
    service: usize,
    adopted: Option<Box<str>>,
    resumed: Option<Resumed<()>>,
    pub(crate) closed: Option<CloseReason>,
}

impl<S> Session<S> {
    pub(crate) fn new(
        id: SessionId,
        (link, subscriber): (LinkId, Subscriber),
        dialled: &str,
        service: &str,
        state: S,
        resumed: Option<Resumed<()>>,
    ) -> Self {
        let service = service.trim_end_matches('#').len();
        Self { state, id, link, subscriber, dialled: dialled.into(), service, adopted: None, resumed, closed: None }
    }

    /// For the first callback of a session.
    pub(crate) fn first(mut self, callback: &Callback<'_>) -> Self {
        if let Callback::New { orphan: Some(text), .. } = callback {
            self.adopted = Some(text.as_str().into());
        }
        self
    }

    /// The earlier session of this phone that goes on here, with [`Session::state`] as it was
    /// ([`Policy::resume`](crate::Policy::resume)). In [`UssdApp::new_session`] it is an offer: answer with
    /// [`Resumed::screen`] to go on, or with anything else, and set `state` anew then.
    pub fn resumed(&self) -> Option<&Resumed<()>> {
        self.resumed.as_ref()
    }

    /// What was dialled beyond the service's code, part by part
    /// ([`Policy::service`](crate::Policy::service)): `3` and `1` of `*384*1234*3*1#` where the service is
    /// `*384*1234#`. What the parts mean is the application's affair; they were not typed one by one.
    pub fn shortcut(&self) -> impl Iterator<Item = &str> {
        let rest = self.dialled.get(self.service..).unwrap_or_default();
        rest.trim_end_matches('#').split('*').filter(|part| !part.is_empty())
    }

    /// How the session ended: known in its last callback.
    pub fn close_reason(&self) -> Option<CloseReason> {
        self.closed
    }

    /// The answer that opened the session, if it belonged to none ([`Orphans::Adopt`](crate::Orphans::Adopt)).
    pub fn adopted(&self) -> Option<&str> {
        self.adopted.as_deref()
    }

    /// Its id, also in logs and summaries.
    pub fn id(&self) -> SessionId {
        self.id
    }

    /// The link that it runs over.
    pub fn link(&self) -> LinkId {
        self.link
    }

    /// The phone.
    pub fn subscriber(&self) -> Subscriber {
        self.subscriber
    }

    /// The code that it was opened with; empty for a push.
    pub fn dialled(&self) -> Dialled<'_> {
        Dialled::new(&self.dialled)
    }
}

impl<S: fmt::Debug> fmt::Debug for Session<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut session = f.debug_struct("Session");
        session.field("id", &self.id).field("link", &self.link).field("subscriber", &self.subscriber);
        session.field("state", &self.state).finish_non_exhaustive()
    }
}

/// The right to answer one turn, once: all that answers it takes it away.
///
/// One that is dropped without an answer, by a panic too, ends the session with the policy's fallback text at once.
#[must_use = "a turn that is dropped ends the session with the fallback text"]
pub struct Turn(Option<Inner>);

/// The right to answer a turn later, from anywhere: a task, a thread, a queue. As [`Turn`] in all else.
#[must_use = "a replier that is dropped ends the session with the fallback text"]
pub struct Replier(Turn);

/// The proof that a callback has answered its turn, or has put it off.
#[derive(Debug)]
pub struct Done(());

/// A text for the phone, with what is to be known about it.
#[derive(Clone)]
pub struct Screen {
    text: String,
    secret: bool,
    expects_secret: bool,
}

struct Inner {
    link: LinkId,
    to: Subscriber,
    token: TurnToken,
    replies: mpsc::UnboundedSender<(LinkId, OwnedEvent)>,
}

impl Turn {
    pub(crate) fn new(
        link: LinkId,
        to: Subscriber,
        token: TurnToken,
        replies: mpsc::UnboundedSender<(LinkId, OwnedEvent)>,
    ) -> Self {
        Self(Some(Inner { link, to, token, replies }))
    }

    /// Shows a text and waits for the user's answer.
    pub fn cont(self, screen: impl Into<Screen>) -> Done {
        self.reply(Verb::Continue, screen.into())
    }

    /// Shows a text and ends the session.
    pub fn end(self, screen: impl Into<Screen>) -> Done {
        self.reply(Verb::End, screen.into())
    }

    /// Hands the phone to another code, where the link can. If it cannot, the session ends with the fallback text.
    pub fn redirect(mut self, target: &str) -> Done {
        if let Some(inner) = self.0.take() {
            inner.send(Event::Redirect { to: inner.to, token: inner.token, target });
            // A link that cannot leaves the turn open; this closes it. After a redirect it changes nothing.
            inner.send(Event::HandlerFailed { to: inner.to, token: inner.token });
        }
        Done(())
    }

    /// Breaks the session off without a text.
    pub fn abort(mut self) -> Done {
        if let Some(inner) = self.0.take() {
            inner.send(Event::Abort { to: inner.to, token: inner.token });
        }
        Done(())
    }

    /// Puts the answer off: the callback returns, and the replier answers when it can. The application's timer of the
    /// policy runs on.
    pub fn later(self) -> (Replier, Done) {
        (Replier(self), Done(()))
    }

    /// The turn, to be quoted elsewhere.
    pub fn token(&self) -> Option<TurnToken> {
        self.0.as_ref().map(|inner| inner.token)
    }

    fn reply(mut self, verb: Verb, screen: Screen) -> Done {
        if let Some(inner) = self.0.take() {
            inner.send(Event::Reply { to: inner.to, token: inner.token, verb, text: screen.as_text() });
        }
        Done(())
    }
}

impl Replier {
    /// As [`Turn::cont`].
    pub fn cont(self, screen: impl Into<Screen>) {
        self.0.cont(screen);
    }

    /// As [`Turn::end`].
    pub fn end(self, screen: impl Into<Screen>) {
        self.0.end(screen);
    }

    /// As [`Turn::redirect`].
    pub fn redirect(self, target: &str) {
        self.0.redirect(target);
    }

    /// As [`Turn::abort`].
    pub fn abort(self) {
        self.0.abort();
    }

    /// The turn, to be quoted elsewhere.
    pub fn token(&self) -> Option<TurnToken> {
        self.0.token()
    }
}

impl Inner {
    /// Fails only if the runner is gone, and then nobody waits.
    fn send(&self, event: Event<'_>) {
        let _ = self.replies.send((self.link, OwnedEvent::from(event)));
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        if let Some(inner) = self.0.take() {
            inner.send(Event::HandlerFailed { to: inner.to, token: inner.token });
        }
    }
}

impl fmt::Debug for Turn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Turn").field(&self.token()).finish()
    }
}

impl fmt::Debug for Replier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Replier").field(&self.token()).finish()
    }
}

impl Screen {
    /// A text.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), secret: false, expects_secret: false }
    }

    /// Keeps the text out of logs and stores.
    #[must_use]
    pub fn secret(mut self) -> Self {
        self.secret = true;
        self
    }

    /// Marks the answer to it as a secret: a PIN.
    #[must_use]
    pub fn expecting_secret(mut self) -> Self {
        self.expects_secret = true;
        self
    }

    fn as_text(&self) -> Text<'_> {
        let text = if self.secret { Text::secret(&self.text) } else { Text::public(&self.text) };
        text.asking_for_secret(self.expects_secret)
    }
}

impl Resumed<()> {
    /// The last screen of the earlier session, to be shown again.
    #[must_use]
    pub fn screen(&self) -> Screen {
        let screen = Screen::new(self.text());
        if self.expects_secret() { screen.expecting_secret() } else { screen }
    }
}

impl From<&str> for Screen {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

impl From<String> for Screen {
    fn from(text: String) -> Self {
        Self::new(text)
    }
}

impl fmt::Debug for Screen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_text().fmt(f)
    }
}
