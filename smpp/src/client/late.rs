use std::collections::VecDeque;

use crate::correlation::MessageKey;
use crate::pdu::Frame;
use crate::types::{CommandId, SequenceNumber};

/// What of one link has timed out, so that a late answer finds whom it is for; bounded.
#[derive(Debug, Default)]
pub(super) struct Late {
    timed_out: VecDeque<(SequenceNumber, Asked)>,
    /// Answers that came before their time-out was told.
    unclaimed: VecDeque<(SequenceNumber, Frame)>,
}

/// What a request was sent for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Asked {
    /// A part of a message, by its number.
    Part(MessageKey, u8),
    /// A PDU of the program.
    Request(CommandId),
}

/// Requests that are remembered; as many as a session remembers by default.
const TIMED_OUT: usize = 1_000;
const UNCLAIMED: usize = 16;

impl Late {
    /// A request timed out; gives back its answer if that was faster.
    pub(super) fn timed_out(&mut self, number: SequenceNumber, asked: Asked) -> Option<(Asked, Frame)> {
        if let Some(at) = self.unclaimed.iter().position(|(late, _)| *late == number) {
            return self.unclaimed.remove(at).map(|(_, response)| (asked, response));
        }
        if self.timed_out.len() >= TIMED_OUT {
            self.timed_out.pop_front();
        }
        self.timed_out.push_back((number, asked));
        None
    }

    /// A late answer has come: what it is for, and the answer.
    pub(super) fn answered(&mut self, number: SequenceNumber, response: Frame) -> Option<(Asked, Frame)> {
        if let Some(at) = self.timed_out.iter().position(|(late, _)| *late == number) {
            return self.timed_out.remove(at).map(|(_, asked)| (asked, response));
        }
        if self.unclaimed.len() >= UNCLAIMED {
            self.unclaimed.pop_front();
        }
        self.unclaimed.push_back((number, response));
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pdu::EnquireLink;

    #[test]
    fn whichever_comes_first() {
        let number = |number: u32| SequenceNumber::try_from(number).unwrap();
        let response = |at| Frame::request(number(at), EnquireLink::default());
        let part = |key: &str, part| Asked::Part(key.into(), part);
        let query = Asked::Request(CommandId::QUERY_SM);
        let mut late = Late::default();
        assert_eq!(late.timed_out(number(1), part("a", 2)), None);
        assert_eq!(late.answered(number(1), response(1)), Some((part("a", 2), response(1))));
        assert_eq!(late.answered(number(2), response(2)), None);
        assert_eq!(late.timed_out(number(2), query.clone()), Some((query, response(2))));
        for at in 3..2_000 {
            late.timed_out(number(at), part("c", 1));
            late.answered(number(at + 10_000), response(at));
        }
        assert_eq!((late.timed_out.len(), late.unclaimed.len()), (TIMED_OUT, UNCLAIMED));
        assert_eq!(late.answered(number(3), response(3)), None);
    }
}
