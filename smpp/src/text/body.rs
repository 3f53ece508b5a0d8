use bytes::Bytes;

use super::{Codings, Concatenation, ConcatenationKind, Decoded, Gsm7, InvalidUdh, UserDataHeader};
use crate::pdu::{BroadcastSm, DataSm, DeliverSm, Pdu, ReplaceSm, SubmitMulti, SubmitSm};
use crate::tlv::{SarMsgRefNum, SarSegmentSeqnum, SarTotalSegments, Tag, Tlvs};
use crate::types::{DataCoding, EsmClass, ShortMessage};

/// The user data of a message: where it stood, and what is left when its header is taken off.
///
/// ```
/// use smpp::text::{Body, BodySource, Codings};
/// use smpp::tlv::{Tag, Tlvs};
/// use smpp::types::{DataCoding, EsmClass, ShortMessage};
///
/// let mut tlvs = Tlvs::new();
/// tlvs.push_raw(Tag::MESSAGE_PAYLOAD, b"\x05\x00\x03\x2a\x02\x01part one ")?;
/// let body = Body::new(EsmClass::UDHI, DataCoding::DEFAULT, &ShortMessage::default(), &tlvs);
/// assert_eq!(body.source, BodySource::MessagePayload);
/// assert_eq!(body.decode(&Codings::default()).unwrap().text, "part one ");
/// assert_eq!(body.concatenation.unwrap().total, 2);
/// # Ok::<(), smpp::tlv::TlvTooLong>(())
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Body {
    /// Where the user data stood.
    pub source: BodySource,
    /// How the text is coded.
    pub data_coding: DataCoding,
    /// The header, if esm_class says that there is one.
    pub header: Option<UserDataHeader>,
    /// Why there is none though esm_class says so. The text is then the whole user data.
    pub invalid_header: Option<InvalidUdh>,
    /// Which part of a longer message this is: by the header, or else by the sar TLVs.
    pub concatenation: Option<Concatenation>,
    /// What stands behind the header: a slice of the PDU.
    pub text: Bytes,
    /// Octets that the header took.
    pub header_length: usize,
}

/// Where user data stands in a PDU.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum BodySource {
    /// The field short_message, which may be empty.
    ShortMessage,
    /// The TLV message_payload.
    MessagePayload,
}

impl Body {
    /// Finds the text: it is short_message, or the TLV message_payload if that field is empty; data_sm has only the
    /// TLV. A header is taken off either in the same way.
    pub fn new(esm_class: EsmClass, data_coding: DataCoding, short_message: &ShortMessage, tlvs: &Tlvs) -> Self {
        let (source, user_data) = match tlvs.get_raw(Tag::MESSAGE_PAYLOAD) {
            Some(payload) if short_message.is_empty() => {
                (BodySource::MessagePayload, tlvs.as_bytes().slice_ref(payload))
            }
            _ => (BodySource::ShortMessage, short_message.as_bytes().clone()),
        };
        let mut body = Self {
            source,
            data_coding,
            header: None,
            invalid_header: None,
            concatenation: None,
            text: user_data,
            header_length: 0,
        };
        if esm_class.has_udh() && !body.text.is_empty() {
            match UserDataHeader::parse(&body.text) {
                Ok((header, text)) => {
                    body.header_length = body.text.len().saturating_sub(text.len());
                    body.concatenation = header.concatenation();
                    body.header = Some(header);
                    body.text = text;
                }
                Err(invalid) => body.invalid_header = Some(invalid),
            }
        }
        body.concatenation = body.concatenation.or_else(|| sar(tlvs));
        body
    }

    /// The tables that the header chooses for GSM 7-bit text.
    pub fn tables(&self) -> Gsm7 {
        self.header.as_ref().map_or(Gsm7::DEFAULT, UserDataHeader::tables)
    }

    /// The text, of this part alone; none for octets that are no text. Parts of a longer message are better read
    /// [together](super::LongMessage::decode).
    pub fn decode(&self, codings: &Codings) -> Option<Decoded<'_>> {
        codings.decode_parts(self.data_coding, self.tables(), [(&self.text[..], self.header_length)].into_iter())
    }
}

macro_rules! bodies {
    ($($pdu:ident: |$this:ident| $esm_class:expr, $data_coding:expr, $short_message:expr;)*) => {
        $(impl $pdu {
            /// Where the text is, and the text with its header taken off.
            pub fn body(&self) -> Body {
                let $this = self;
                Body::new($esm_class, $data_coding, $short_message, &$this.tlvs)
            }
        })*

        impl Pdu {
            /// Where the text is, and the text with its header taken off; none for PDUs that carry no message.
            pub fn body(&self) -> Option<Body> {
                match self {
                    $(Self::$pdu(pdu) => Some(pdu.body()),)*
                    _ => None,
                }
            }
        }
    };
}

bodies! {
    SubmitSm: |pdu| pdu.esm_class, pdu.data_coding, &pdu.short_message;
    SubmitMulti: |pdu| pdu.esm_class, pdu.data_coding, &pdu.short_message;
    DeliverSm: |pdu| pdu.esm_class, pdu.data_coding, &pdu.short_message;
    DataSm: |pdu| pdu.esm_class, pdu.data_coding, &ShortMessage::default();
    // What it replaces keeps its esm_class and data_coding, which the PDU does not say.
    ReplaceSm: |pdu| EsmClass::NORMAL, DataCoding::DEFAULT, &pdu.short_message;
    BroadcastSm: |pdu| EsmClass::NORMAL, pdu.data_coding, &ShortMessage::default();
}

/// The sar TLVs, if all three are there and make sense.
fn sar(tlvs: &Tlvs) -> Option<Concatenation> {
    let SarMsgRefNum(reference) = tlvs.get()?;
    let SarTotalSegments(total) = tlvs.get()?;
    let SarSegmentSeqnum(part) = tlvs.get()?;
    let makes_sense = (1..=total).contains(&part);
    makes_sense.then_some(Concatenation { kind: ConcatenationKind::Sar, reference, total, part })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(esm_class: u8, data_coding: u8, short_message: &'static [u8], tlvs: &Tlvs) -> Body {
        let short_message = ShortMessage::new(short_message).unwrap();
        Body::new(EsmClass(esm_class), DataCoding(data_coding), &short_message, tlvs)
    }

    fn sar(reference: u16, total: u8, part: u8) -> Tlvs {
        Tlvs::new().with(&SarMsgRefNum(reference)).with(&SarTotalSegments(total)).with(&SarSegmentSeqnum(part))
    }

    #[test]
    fn short_message_comes_before_the_payload() {
        let mut tlvs = Tlvs::new();
        tlvs.push_raw(Tag::MESSAGE_PAYLOAD, b"payload").unwrap();
        assert_eq!(&body(0, 0, b"short", &tlvs).text[..], b"short");
        let from_payload = body(0, 0, b"", &tlvs);
        assert_eq!((from_payload.source, &from_payload.text[..]), (BodySource::MessagePayload, &b"payload"[..]));
        assert_eq!(body(0, 0, b"", &Tlvs::new()).source, BodySource::ShortMessage);
    }

    #[test]
    fn a_header_is_taken_off_only_if_esm_class_says_so() {
        let octets = b"\x05\x00\x03\x2a\x02\x01abc";
        assert_eq!(body(0, 0, octets, &Tlvs::new()).text.len(), 9);
        let part = body(0x43, 0, octets, &Tlvs::new());
        assert_eq!((&part.text[..], part.header_length), (&b"abc"[..], 6));
        let empty = body(0x40, 0, b"", &Tlvs::new());
        assert_eq!((empty.header, empty.invalid_header), (None, None));
    }

    #[test]
    fn a_header_beyond_the_message_leaves_it_whole() {
        let odd = body(0x40, 0, b"\x09ab", &Tlvs::new());
        assert_eq!(odd.invalid_header, Some(InvalidUdh { claimed: 9, present: 2 }));
        assert_eq!((odd.header, &odd.text[..]), (None, &b"\x09ab"[..]));
    }

    #[test]
    fn of_two_segmentations_the_header_counts() {
        let octets = b"\x05\x00\x03\x2a\x02\x01abc";
        assert_eq!(body(0x40, 0, octets, &sar(1, 2, 1)).concatenation.unwrap().kind, ConcatenationKind::Udh8);
        let ports = b"\x06\x05\x04\x0b\x84\x23\xf0abc";
        let concatenation = body(0x40, 0, ports, &sar(1, 2, 1)).concatenation.unwrap();
        assert_eq!(concatenation, Concatenation { kind: ConcatenationKind::Sar, reference: 1, total: 2, part: 1 });
        for tlvs in [sar(1, 2, 0), sar(1, 2, 3), sar(1, 0, 0), Tlvs::new().with(&SarMsgRefNum(1))] {
            assert_eq!(body(0, 0, b"abc", &tlvs).concatenation, None);
        }
    }

    #[test]
    fn every_pdu_with_a_message_has_a_body() {
        let mut tlvs = Tlvs::new();
        tlvs.push_raw(Tag::MESSAGE_PAYLOAD, b"\x03\x24\x01\x01abc").unwrap();
        let text = |pdu: Pdu| pdu.body().map(|body| (body.text, body.header_length));
        let (esm_class, whole) = (EsmClass::UDHI, Some((Bytes::from_static(b"\x03\x24\x01\x01abc"), 0)));
        let cut = Some((Bytes::from_static(b"abc"), 4));
        assert_eq!(text(SubmitSm { esm_class, tlvs: tlvs.clone(), ..Default::default() }.into()), cut);
        assert_eq!(text(SubmitMulti { esm_class, tlvs: tlvs.clone(), ..Default::default() }.into()), cut);
        assert_eq!(text(DeliverSm { esm_class, tlvs: tlvs.clone(), ..Default::default() }.into()), cut);
        assert_eq!(text(DataSm { esm_class, tlvs: tlvs.clone(), ..Default::default() }.into()), cut);
        assert_eq!(text(ReplaceSm { tlvs: tlvs.clone(), ..Default::default() }.into()), whole);
        assert_eq!(text(BroadcastSm { tlvs, ..Default::default() }.into()), whole);
        assert_eq!(text(crate::pdu::EnquireLink::default().into()), None);
    }

    #[test]
    fn text_is_read_by_its_tables() {
        let turkish = body(0x40, 0, b"\x03\x24\x01\x01\x1b\x73eker", &Tlvs::new());
        assert_eq!(turkish.decode(&Codings::default()).unwrap().text, "\u{15f}eker");
        assert_eq!(body(0, 4, b"\x01\x02", &Tlvs::new()).decode(&Codings::default()), None);
    }
}
