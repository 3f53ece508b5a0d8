//! What a link's owner decides.

use std::time::Duration;

use crate::{dialled::Dialled, fit::Fit, time::millis};

/// What becomes of an answer that belongs to no open session.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum Orphans {
    /// It is answered with the text of [`Policy::expired`]; the application is not told.
    #[default]
    Final,
    /// It opens a session: the application's `New` holds the answer and no dialled code.
    Adopt,
    /// Nothing happens, apart from a count.
    Ignore,
}

/// What happens when a phone dials again after its session broke off: the user hung up or was too slow, the network
/// or the link failed, or the phone dialled anew.
///
/// What the application kept of the session, and its last screen, are parked for [`Policy::park`] by link, phone and
/// service, unless the application ended the session itself or that screen was secret. A session that broke off while
/// the application worked is parked with the reply that comes too late: the user sees it after all, and nothing runs
/// twice. Done by [`Screens`](crate::Screens), and with it by the [`Runner`](crate::Runner); over a store by its driver.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum Resume {
    /// The session starts anew; nothing is parked.
    #[default]
    Start,
    /// The last screen is shown again at once, without a call of the application. Its next call is for the answer.
    Continue,
    /// The user is asked first. What is typed is no answer for the application; anything but the two keys is asked
    /// again.
    Ask {
        /// The question, with both keys in it: `You were not done.\n1. Go on\n2. Start anew`.
        question: Box<str>,
        /// The key for going on.
        go_on: Box<str>,
        /// The key for starting anew.
        start: Box<str>,
    },
    /// The application decides: it is called as for any new session, with what it kept, and
    /// [`Session::resumed`](crate::Session::resumed) holds the last screen.
    Offer,
}

/// How sessions of one link behave: timers, texts, and what the link can do.
///
/// Built from [`Policy::default`], or [`Policy::ssmi`], and setters. Timers longer than [`Policy::LONGEST`] are cut.
///
/// ```
/// use std::time::Duration;
/// use ussd_session::{Orphans, Policy};
///
/// let policy = Policy::ssmi()
///     .app_timer(Duration::from_secs(12))
///     .fallback("Please try again later")
///     .orphans(Orphans::Ignore);
/// # let _ = policy;
/// ```
#[derive(Clone, Debug)]
pub struct Policy {
    pub(crate) app_timer: u32,
    pub(crate) user_timer: u32,
    pub(crate) total_timer: u32,
    pub(crate) push_timer: u32,
    pub(crate) duplicates: u32,
    pub(crate) tombstone: u32,
    pub(crate) grace: u32,
    pub(crate) late_close_guard: u32,
    pub(crate) min_human: u32,
    pub(crate) fallback: Option<Box<str>>,
    pub(crate) expired: Box<str>,
    pub(crate) busy: Box<str>,
    pub(crate) orphans: Orphans,
    pub(crate) must_answer: bool,
    pub(crate) can_abort: bool,
    pub(crate) can_redirect: bool,
    pub(crate) net_id_unstable: bool,
    pub(crate) resend: bool,
    pub(crate) abort_on_user_slow: bool,
    pub(crate) fit: Option<Box<Fit>>,
    pub(crate) resume: Resume,
    pub(crate) park: u32,
    pub(crate) services: Vec<Box<str>>,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            app_timer: 10_000,
            user_timer: 65_000,
            total_timer: 185_000,
            push_timer: 30_000,
            duplicates: 2_000,
            tombstone: 60_000,
            grace: 30_000,
            late_close_guard: 0,
            min_human: 0,
            fallback: Some("Sorry, try again".into()),
            expired: "expired".into(),
            busy: "busy".into(),
            orphans: Orphans::Final,
            must_answer: false,
            can_abort: false,
            can_redirect: false,
            net_id_unstable: false,
            resend: true,
            abort_on_user_slow: false,
            fit: None,
            resume: Resume::Start,
            park: 600_000,
            services: Vec::new(),
        }
    }
}

/// Setters, each `fn name(mut self, value) -> Self`.
macro_rules! timers {
    ($($(#[$doc:meta])* $name:ident)*) => { impl Policy { $(
        $(#[$doc])*
        #[must_use]
        pub fn $name(mut self, span: Duration) -> Self {
            self.$name = bounded(span);
            self
        }
    )* } };
}

macro_rules! switches {
    ($($(#[$doc:meta])* $name:ident)*) => { impl Policy { $(
        $(#[$doc])*
        #[must_use]
        pub fn $name(mut self, yes: bool) -> Self {
            self.$name = yes;
            self
        }
    )* } };
}

timers! {
    /// How long the application may take for a reply: the gateway's limit minus a margin. Default 10 s.
    app_timer
    /// How long the user may take for an answer: a guard a little beyond the network's own timer. Default 65 s.
    user_timer
    /// How long a session may last. Default 185 s.
    total_timer
    /// How long a push may go unanswered. Default 30 s.
    push_timer
    /// A code dialled again within this time, on a link without keys against doubles, is a double. Default 2 s.
    duplicates
    /// How long a session that ended is remembered: longer than the slowest reply, and than the time after which the
    /// network gives an id again. Default 60 s.
    tombstone
    /// How long sessions wait for a broken link. Default 30 s.
    grace
    /// An end without an id that comes within this time after a redial means the session before. Default 0, off; 1 s
    /// is sensible where the gateway closes late and has no ids.
    late_close_guard
    /// An answer that comes faster than this after the prompt is a double: no human types so fast. Default 0, off;
    /// 250 ms is sensible for SSMI.
    min_human
    /// How long a session that broke off can be resumed ([`Policy::resume`]). Default 10 minutes.
    park
}

switches! {
    /// The gateway holds a request open and has to be answered, also for what belongs to no session. Default no.
    must_answer
    /// The link can end a dialogue without a text. Default no.
    can_abort
    /// The link can hand a phone to another code. Default no.
    can_redirect
    /// The gateway changes its id within a dialogue. Default no: an answer with another id belongs to no session.
    net_id_unstable
    /// Keep the last prompt and send it again when the network repeats a message. Default yes; costs the memory of
    /// one prompt for each session. Texts marked secret, or of more than 8,000 octets, are not kept.
    resend
    /// End the dialogue on the network when the user is too slow, where the link can. Default no.
    abort_on_user_slow
}

impl Policy {
    /// The longest timer: one week.
    pub const LONGEST: Duration = Duration::from_secs(7 * 24 * 3600);

    /// Defaults for SSMI: the gateway's timers are long, it can hand a phone on, and it has no abort.
    /// The user has 185 s, a session 600 s.
    #[must_use]
    pub fn ssmi() -> Self {
        Self { user_timer: 185_000, total_timer: 600_000, can_redirect: true, ..Self::default() }
    }

    /// The final text when the application is too slow or fails; none to send nothing. Default `Sorry, try again`.
    #[must_use]
    pub fn fallback<'a>(mut self, text: impl Into<Option<&'a str>>) -> Self {
        self.fallback = text.into().map(Into::into);
        self
    }

    /// The final text for an answer that belongs to no session. Default `expired`.
    #[must_use]
    pub fn expired(mut self, text: &str) -> Self {
        self.expired = text.into();
        self
    }

    /// The final text when all places are taken. Default `busy`.
    #[must_use]
    pub fn busy(mut self, text: &str) -> Self {
        self.busy = text.into();
        self
    }

    /// What becomes of an answer that belongs to no session. Default [`Orphans::Final`].
    #[must_use]
    pub fn orphans(mut self, orphans: Orphans) -> Self {
        self.orphans = orphans;
        self
    }

    /// Makes the application's texts fit the screen, and shows long ones in pages without calling it. Default none:
    /// texts go as they are. Done by [`Screens`](crate::Screens), and with it by the [`Runner`](crate::Runner); over a
    /// store by its driver.
    #[must_use]
    pub fn fit(mut self, fit: impl Into<Option<Fit>>) -> Self {
        self.fit = fit.into().map(Box::new);
        self
    }

    /// What happens when a phone dials again after its session broke off. Default [`Resume::Start`].
    #[must_use]
    pub fn resume(mut self, resume: Resume) -> Self {
        self.resume = resume;
        self
    }

    /// A service's code, for example `*384*1234#`. What is dialled beyond it is a shortcut
    /// ([`Session::shortcut`](crate::Session::shortcut)), and the service is the same with or without. May be called
    /// again for more services; the longest code that fits counts. Default none: every code is a service.
    #[must_use]
    pub fn service(mut self, code: &str) -> Self {
        self.services.push(code.into());
        self
    }

    /// The service that a code belongs to.
    pub(crate) fn service_of<'d>(&'d self, dialled: Dialled<'d>) -> &'d str {
        let known = self.services.iter().filter(|service| dialled.tail(service).is_some());
        known.max_by_key(|service| service.len()).map_or(dialled.as_str(), |service| service)
    }
}

fn bounded(span: Duration) -> u32 {
    u32::try_from(millis(span.min(Policy::LONGEST))).unwrap_or(u32::MAX)
}
