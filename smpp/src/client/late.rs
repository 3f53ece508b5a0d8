use std::collections::VecDeque;

use crate::correlation::MessageKey;
use crate::pdu::Frame;
use crate::types::SequenceNumber;

/// Parts of one link that timed out, so that a late answer finds its message; bounded.
#[derive(Debug, Default)]
pub(super) struct Late {
    timed_out: VecDeque<(SequenceNumber, MessageKey, u8)>,
    /// Answers that came before their time-out was told.
    unclaimed: VecDeque<(SequenceNumber, Frame)>,
}

/// Parts that are remembered; as many as a session remembers by default.
const TIMED_OUT: usize = 1_000;
const UNCLAIMED: usize = 16;

impl Late {
    /// A part timed out; gives back its answer if that was faster.
    pub(super) fn timed_out(&mut self, number: SequenceNumber, message: &MessageKey, part: u8) -> Option<Frame> {
        if let Some(at) = self.unclaimed.iter().position(|(late, _)| *late == number) {
            return self.unclaimed.remove(at).map(|(_, response)| response);
        }
        if self.timed_out.len() >= TIMED_OUT {
            self.timed_out.pop_front();
        }
        self.timed_out.push_back((number, message.clone(), part));
        None
    }

    /// A late answer has come: which part it is for, and the answer.
    pub(super) fn answered(&mut self, number: SequenceNumber, response: Frame) -> Option<(MessageKey, u8, Frame)> {
        if let Some(at) = self.timed_out.iter().position(|(late, ..)| *late == number) {
            return self.timed_out.remove(at).map(|(_, message, part)| (message, part, response));
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
        let mut late = Late::default();
        assert_eq!(late.timed_out(number(1), &"a".into(), 2), None);
        assert_eq!(late.answered(number(1), response(1)), Some(("a".into(), 2, response(1))));
        assert_eq!(late.answered(number(2), response(2)), None);
        assert_eq!(late.timed_out(number(2), &"b".into(), 1), Some(response(2)));
        for at in 3..2_000 {
            late.timed_out(number(at), &"c".into(), 1);
            late.answered(number(at + 10_000), response(at));
        }
        assert_eq!((late.timed_out.len(), late.unclaimed.len()), (TIMED_OUT, UNCLAIMED));
        assert_eq!(late.answered(number(3), response(3)), None);
    }
}
