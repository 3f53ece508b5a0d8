use super::*;
use crate::codec::Wire;

/// A request with its response, each a type.
pub trait Operation: Wire + Into<Pdu> {
    /// What answers it.
    type Response: Wire + Into<Pdu> + Default;

    /// Takes the response out of a PDU; an absent body reads as one in which nothing is set. None if the PDU is
    /// another.
    fn response(pdu: Pdu) -> Option<Self::Response>;
}

/// An [`Operation`] that opens a session.
pub trait Bind: Operation + bind::Sealed {}

macro_rules! operations {
    (always { $($request:ident => $response:ident,)* } optional { $($with_body:ident => $optional:ident,)* }) => {
        $(impl Operation for $request {
            type Response = $response;

            fn response(pdu: Pdu) -> Option<$response> {
                match pdu {
                    Pdu::$response(response) => Some(response),
                    _ => None,
                }
            }
        })*
        $(impl Operation for $with_body {
            type Response = $optional;

            fn response(pdu: Pdu) -> Option<$optional> {
                match pdu {
                    Pdu::$optional(response) => Some(response.unwrap_or_default()),
                    _ => None,
                }
            }
        })*
    };
}

operations! {
    always {
        CancelSm => CancelSmResp,
        ReplaceSm => ReplaceSmResp,
        CancelBroadcastSm => CancelBroadcastSmResp,
        EnquireLink => EnquireLinkResp,
        Unbind => UnbindResp,
    }
    optional {
        BindReceiver => BindReceiverResp,
        BindTransmitter => BindTransmitterResp,
        BindTransceiver => BindTransceiverResp,
        SubmitSm => SubmitSmResp,
        SubmitMulti => SubmitMultiResp,
        DeliverSm => DeliverSmResp,
        DataSm => DataSmResp,
        QuerySm => QuerySmResp,
        BroadcastSm => BroadcastSmResp,
        QueryBroadcastSm => QueryBroadcastSmResp,
    }
}

impl Bind for BindReceiver {}
impl Bind for BindTransmitter {}
impl Bind for BindTransceiver {}

mod bind {
    pub trait Sealed {}

    impl Sealed for super::BindReceiver {}
    impl Sealed for super::BindTransmitter {}
    impl Sealed for super::BindTransceiver {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_absent_body_reads_as_an_empty_one() {
        assert_eq!(SubmitSm::response(Pdu::SubmitSmResp(None)), Some(SubmitSmResp::default()));
        assert_eq!(SubmitSm::response(QuerySmResp::default().into()), None);
        assert_eq!(CancelSm::response(CancelSmResp::default().into()), Some(CancelSmResp::default()));
    }
}
