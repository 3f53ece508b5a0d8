//! Vumi: what decodes is read back from its own body as the same message, whoever's verdict counts.

use vumi_message::{Compat, DecodeOptions, Kind, Message, Stamp, Timestamp};

pub(super) fn decode(octets: &[u8]) {
    let stamp = Stamp::new("0f1e2d3c4b5a69788796a5b4c3d2e1f0", Timestamp::default());
    for compat in [Compat::Lenient, Compat::Vumi, Compat::Vumi2] {
        let options = DecodeOptions::default().compat(compat).stamp(stamp.clone());
        for kind in [Kind::User, Kind::Event, Kind::Status, Kind::Failure] {
            match Message::decode(kind, octets, &options) {
                Ok(message) => {
                    let body = message.to_vec();
                    let again = Message::decode(kind, &body, &options);
                    assert_eq!(again.as_ref(), Ok(&message), "{compat:?} reads its own body otherwise");
                    assert_eq!(again.map(|message| message.to_vec()), Ok(body));
                }
                Err(error) => assert!(error.to_string().len() < 1000, "{error}"),
            }
        }
    }
}
