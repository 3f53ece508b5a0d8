//! Messages as programs think of them: [`Sms`] on the way out, [`Inbound`] on the way in. No IO.

mod inbound;
mod party;
mod prepare;
mod references;
mod sms;

pub use self::inbound::{Inbound, InboundMessage, Inbox, Ports, Taken, Unusable};
pub use self::party::Party;
pub use self::prepare::{Invalid, Prepared, Problem};
pub use self::references::References;
pub use self::sms::{Content, OnLoss, Sms};
