//! What the fuzz targets assert, by target. The same functions replay the corpus in `cargo test`.

mod smpp;
mod smpp_text;
mod ssmi;
mod ussd;
mod vumi;

/// A check: panics if what it asserts does not hold for these octets.
pub type Target = fn(&[u8]);

/// Every target by its name, which is also the name of its corpus.
pub const TARGETS: &[(&str, Target)] = &[
    ("smpp_gsm", smpp_text::gsm),
    ("smpp_pdu", smpp::pdu),
    ("smpp_reassembly", smpp_text::reassembly),
    ("smpp_receipt", smpp_text::receipt),
    ("smpp_stream", smpp::stream),
    ("smpp_structured", smpp::structured),
    ("smpp_text", smpp_text::text),
    ("smpp_tlvs", smpp::tlvs),
    ("smpp_udh", smpp_text::udh),
    ("ssmi_request", ssmi::request),
    ("ssmi_response", ssmi::response),
    ("ssmi_stream", ssmi::stream),
    ("ussd_events", ussd::events),
    ("vumi_decode", vumi::decode),
];

/// Runs one target on these octets.
///
/// # Panics
///
/// The target does not exist, or what it asserts does not hold.
pub fn run(target: &str, octets: &[u8]) {
    let (_, check) = TARGETS.iter().find(|(name, _)| *name == target).expect("a target of this name");
    check(octets);
}
