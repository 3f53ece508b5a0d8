use std::time::Duration;

use crate::types::{COctetString, CommandStatus, MessageState};

/// What a [`Smsc`](super::Smsc) does with a submitted message.
#[derive(Clone, Debug, Eq, PartialEq)]
#[must_use]
pub struct Answer {
    pub(super) what: What,
    pub(super) after: Duration,
    pub(super) receipts: Vec<(MessageState, Duration)>,
}

#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum What {
    /// Under this id, or under the next number.
    Accept(Option<COctetString<65>>),
    Refuse(CommandStatus),
    /// Nothing ever.
    Never,
    /// The link is lost instead.
    CutLink,
    /// Answered behind the next ones, until so many wait.
    Hold(usize),
}

impl Answer {
    /// The message is taken. Its id is a number, the first of a test is `1`.
    pub fn accept() -> Self {
        Self::new(What::Accept(None))
    }

    /// The message is taken under this id.
    pub fn accept_as(id: COctetString<65>) -> Self {
        Self::new(What::Accept(Some(id)))
    }

    /// The message is refused.
    pub fn refuse(status: CommandStatus) -> Self {
        Self::new(What::Refuse(status))
    }

    /// The message is refused with `ESME_RTHROTTLED`: too many a second.
    pub fn throttle() -> Self {
        Self::refuse(CommandStatus::RTHROTTLED)
    }

    /// The message is never answered.
    pub fn never() -> Self {
        Self::new(What::Never)
    }

    /// The link is lost before the answer.
    pub fn cut_link() -> Self {
        Self::new(What::CutLink)
    }

    /// The message is taken and its answer held back, until so many are: then they are answered, the last one first.
    pub fn reorder(messages: usize) -> Self {
        Self::new(What::Hold(messages))
    }

    /// The answer comes so much later; other messages are answered meanwhile.
    pub fn after(mut self, delay: Duration) -> Self {
        self.after = delay;
        self
    }

    /// A receipt follows the answer, if the message is taken.
    pub fn then_receipt(self, state: MessageState) -> Self {
        self.receipt_after(state, Duration::ZERO)
    }

    /// A receipt follows the answer so much later, if the message is taken. Several may be asked for.
    pub fn receipt_after(mut self, state: MessageState, delay: Duration) -> Self {
        self.receipts.push((state, delay));
        self
    }

    fn new(what: What) -> Self {
        Self { what, after: Duration::ZERO, receipts: Vec::new() }
    }
}

/// [`accept`](Answer::accept).
impl Default for Answer {
    fn default() -> Self {
        Self::accept()
    }
}
