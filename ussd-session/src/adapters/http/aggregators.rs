//! The aggregators whose requests and replies are documented or were recorded.

use super::table::{Code, Escape, Form, LAST_SEGMENT, Means, Notice, SEGMENT_BEFORE_LAST, Screen, Start, Table, When};

const JSON: &str = "application/json";
const UTF_8: &str = "text/plain; charset=utf-8";

/// What the recorded connectors of these aggregators answer is `text/plain`, whatever it holds, and so it is here.
impl Table {
    /// Africa's Talking. Whatever goes wrong, its answer begins with `CON` or `END`; all else ends the session with an
    /// error on the screen. The report that follows a session may be sent to the same address.
    pub const AFRICAS_TALKING: Self = Self {
        name: "Africa's Talking",
        form: Form::Body,
        id: Some("sessionId"),
        phone: "phoneNumber",
        code: Code::Parameter("serviceCode"),
        input: "text",
        path: true,
        start: Start::Unknown,
        required: &["sessionId", "phoneNumber", "serviceCode", "text"],
        key: None,
        notices: &[
            Notice { parameter: "status", when: When::Is(&["Success"]), means: Means::Nothing },
            Notice { parameter: "status", when: When::Is(&["Incomplete"]), means: Means::UserEnd },
            Notice { parameter: "status", when: When::Present, means: Means::Error(None) },
        ],
        prompt: Screen::plain("CON ", ""),
        last: Screen::plain("END ", ""),
        noted: Screen::fixed(""),
        refusal: Some(Screen::plain("END ", "")),
        unknown: None,
        escape: Escape::Plain,
    };

    /// Safaricom, directly. Known to send the first request twice.
    pub const SAFARICOM: Self = Self {
        name: "Safaricom",
        form: Form::Query,
        id: Some("SESSION_ID"),
        phone: "ORIG",
        code: Code::Parameter("DEST"),
        input: "USSD_PARAMS",
        required: &["ORIG", "DEST", "SESSION_ID", "USSD_PARAMS"],
        notices: &[],
        refusal: None,
        ..Self::AFRICAS_TALKING
    };

    /// Airtel (Comviva Flares). Its parameters `userid` and `password` are for the host to check.
    pub const AIRTEL: Self = Self {
        name: "Airtel",
        form: Form::Query,
        id: Some("SessionID"),
        phone: "MSISDN",
        code: Code::Input,
        input: "input",
        path: false,
        start: Start::Unknown,
        required: &["SessionID", "MSISDN", "input"],
        key: None,
        notices: &[Notice { parameter: "clean", when: When::Present, means: Means::Error(Some("error")) }],
        prompt: Screen::plain("", "").of_type(UTF_8).with(&[("Freeflow", "FC"), ("charge", "N"), ("amount", "0")]),
        last: Screen::plain("", "").of_type(UTF_8).with(&[("Freeflow", "FB"), ("charge", "N"), ("amount", "0")]),
        noted: Screen::fixed("").of_type(UTF_8),
        refusal: None,
        unknown: Some(Screen::fixed("Unknown Session").of_type(UTF_8)),
        escape: Escape::Plain,
    };

    /// Vodacom Messaging. Each prompt names the address for the answer
    /// ([`Aggregator::callback`](super::Aggregator::callback)).
    pub const VODACOM_MESSAGING: Self = Self {
        name: "Vodacom Messaging",
        id: Some("ussdSessionId"),
        phone: "msisdn",
        input: "request",
        required: &["request", "msisdn", "ussdSessionId"],
        notices: &[],
        prompt: Screen::plain(
            "<request>\n\t<headertext>",
            "</headertext>\n\t<options>\n\t\t<option command=\"1\" order=\"1\" callback=\"{callback}\" \
             display=\"False\" ></option>\n\t</options>\n</request>",
        ),
        last: Screen::plain("<request>\n\t<headertext>", "</headertext>\n</request>"),
        noted: Screen::fixed(""),
        unknown: None,
        escape: Escape::Xml,
        ..Self::AIRTEL
    };

    /// AAT, the same gateway: the code goes along in the callback, so that a request says by itself whether it is the
    /// first.
    pub const AAT: Self = Self { name: "AAT", start: Start::Absent("to_addr"), ..Self::VODACOM_MESSAGING };

    /// Infobip: `POST /session/ID/start`, `PUT /session/ID/response`, `PUT /session/ID/end`, `GET /session/ID/status`.
    /// Its first screen is always a prompt.
    pub const INFOBIP: Self = Self {
        name: "Infobip",
        form: Form::Json,
        id: Some(SEGMENT_BEFORE_LAST),
        phone: "msisdn",
        code: Code::Parameter("shortCode"),
        input: "text",
        path: false,
        start: Start::Is(LAST_SEGMENT, "start"),
        required: &[SEGMENT_BEFORE_LAST, "text"],
        key: None,
        notices: &[
            Notice {
                parameter: LAST_SEGMENT,
                when: When::Is(&["status"]),
                means: Means::Question(
                    Screen::fixed("{\"responseExitCode\": 200, \"responseMessage\": \"\", \"sessionActive\": true}"),
                    Screen::fixed("{\"responseExitCode\": 200, \"responseMessage\": \"\", \"sessionActive\": false}"),
                ),
            },
            Notice { parameter: "exitCode", when: When::IsNot(&["200"]), means: Means::Error(Some("exitCode")) },
            Notice { parameter: LAST_SEGMENT, when: When::Is(&["end"]), means: Means::UserEnd },
        ],
        prompt: Screen::plain(
            "{\"shouldClose\": false, \"responseExitCode\": 200, \"ussdMenu\": ",
            ", \"responseMessage\": \"\"}",
        ),
        last: Screen::plain(
            "{\"shouldClose\": true, \"responseExitCode\": 200, \"ussdMenu\": ",
            ", \"responseMessage\": \"\"}",
        ),
        noted: Screen::fixed("{\"responseExitCode\": 200, \"responseMessage\": \"\"}"),
        refusal: Some(Screen::plain("{\"responseExitCode\": 400, \"responseMessage\": ", "}")),
        unknown: Some(Screen::plain("{\"responseExitCode\": 400, \"responseMessage\": ", "}")),
        escape: Escape::Json,
    };

    /// Hubtel. `Sequence` tells a request that comes twice.
    pub const HUBTEL: Self = Self {
        name: "Hubtel",
        id: Some("SessionId"),
        phone: "Mobile",
        code: Code::Input,
        input: "Message",
        start: Start::Is("Type", "Initiation"),
        required: &["SessionId", "Mobile", "Type", "Message"],
        key: Some("Sequence"),
        notices: &[
            Notice { parameter: "Type", when: When::Is(&["Timeout"]), means: Means::Timeout },
            Notice { parameter: "Type", when: When::Is(&["Release"]), means: Means::UserEnd },
        ],
        prompt: Screen::plain("{\"Type\": \"Response\", \"Message\": ", "}").of_type(JSON),
        last: Screen::plain("{\"Type\": \"Release\", \"Message\": ", "}").of_type(JSON),
        noted: Screen::fixed("{\"Type\": \"Release\", \"Message\": \"\"}").of_type(JSON),
        refusal: Some(Screen::plain("{\"Type\": \"Release\", \"Message\": ", "}").of_type(JSON)),
        unknown: None,
        ..Self::INFOBIP
    };

    /// IMImobile: a session is known by its phone alone, and the last path segment names the code
    /// ([`Aggregator::code`](super::Aggregator::code)).
    pub const IMIMOBILE: Self = Self {
        name: "IMImobile",
        id: None,
        phone: "msisdn",
        code: Code::Named(LAST_SEGMENT),
        input: "msg",
        required: &[LAST_SEGMENT, "msisdn", "msg"],
        notices: &[Notice {
            parameter: "msg",
            when: When::Begins("Map Dialog User Abort User Reason"),
            means: Means::UserEnd,
        }],
        prompt: Screen::plain("", "").of_type(UTF_8).with(&[("X-USSD-SESSION", "1")]),
        last: Screen::plain("", "").of_type(UTF_8).with(&[("X-USSD-SESSION", "0")]),
        noted: Screen::fixed("Session Ended").of_type(UTF_8).with(&[("X-USSD-SESSION", "0")]),
        unknown: None,
        ..Self::AIRTEL
    };

    /// Dmark. `transactionTime` tells a request that comes twice; its `response` says nothing.
    pub const DMARK: Self = Self {
        name: "Dmark",
        id: Some("transactionId"),
        phone: "msisdn",
        code: Code::Parameter("ussdServiceCode"),
        input: "ussdRequestString",
        required: &["transactionId", "msisdn", "ussdServiceCode", "transactionTime", "ussdRequestString"],
        key: Some("transactionTime"),
        notices: &[],
        prompt: Screen::plain("{\"responseString\": ", ", \"action\": \"request\"}"),
        last: Screen::plain("{\"responseString\": ", ", \"action\": \"end\"}"),
        noted: Screen::fixed(""),
        unknown: None,
        escape: Escape::Json,
        ..Self::AIRTEL
    };

    /// Cellulant. A text cannot hold a vertical bar, which separates the fields of its answers.
    pub const CELLULANT: Self = Self {
        name: "Cellulant",
        id: Some("sessionID"),
        phone: "MSISDN",
        input: "INPUT",
        start: Start::Is("opCode", "BEG"),
        required: &["sessionID", "MSISDN", "INPUT", "opCode"],
        notices: &[
            Notice { parameter: "opCode", when: When::Is(&["ABO"]), means: Means::UserEnd },
            Notice { parameter: "ABORT", when: When::IsNot(&["0", "null", ""]), means: Means::UserEnd },
        ],
        prompt: Screen::plain("1|", "|null|null|null|null"),
        last: Screen::plain("1|", "|null|null|end|null"),
        noted: Screen::fixed(""),
        unknown: None,
        escape: Escape::Without('|'),
        ..Self::AIRTEL
    };
}
