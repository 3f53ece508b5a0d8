//! A message centre of ours that keeps a few rules, and says what it was asked.
//!
//! It knows the account `kudu` with the password `secret`. What is sent to 1002 is throttled; what is sent to 1001
//! comes back as a message of the mobile, in the same form; what is sent to 1003 is followed by messages of the mobile in
//! forms that the peer cannot send: ISO-8859-1, sar TLVs and message_payload; where a receipt is asked for, it follows. Identifiers are
//! `id-1` and so on; `nope` is none, and `bad` is no recipient. A link that is quiet is asked whether it is still there.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use smpp::pdu::{
    CancelSm, DataSm, DeliverSm, QuerySm, QuerySmResp, ReplaceSm, SubmitMulti, SubmitMultiResp, SubmitSm, UnsuccessSme,
    UnsuccessSmes,
};
use smpp::receipt::Receipt;
use smpp::server::{Account, BindRequest, Closed, Config, Link, Request, Server, Service};
use smpp::session::{self, Counters};
use smpp::text::{Body, Codings, LongMessages, Outcome, Part, Reassembler, Segment, TextOptions};
use smpp::types::{Address, COctetString, CommandStatus, EsmClass, MessageState, ShortMessage};
use tokio::sync::mpsc;

/// The rules, and where its reports go.
pub(crate) struct Centre {
    reports: mpsc::UnboundedSender<Value>,
    parts: Mutex<Reassembler<()>>,
    count: AtomicU32,
    started: Instant,
}

/// A message centre on a port of its own; what it reports; the port.
pub(crate) async fn centre() -> (Server<Centre>, mpsc::UnboundedReceiver<Value>, String) {
    let (reports, received) = mpsc::unbounded_channel();
    #[expect(clippy::disallowed_methods, reason = "a test may look at the clock once")]
    let started = Instant::now();
    let service = Centre { reports, parts: Mutex::new(Reassembler::default()), count: AtomicU32::new(0), started };
    let session = session::Config::default().enquire_link(Some(Duration::from_millis(200)));
    let server = Server::new(service, Config::default().refusal_delay(Duration::ZERO).session(session));
    let port = server.listen("127.0.0.1:0").await.unwrap().port().to_string();
    (server, received, port)
}

impl Centre {
    fn report(&self, report: Value) {
        self.reports.send(report).unwrap();
    }

    fn id(&self) -> COctetString<65> {
        let id = self.count.fetch_add(1, Ordering::Relaxed) + 1;
        format!("id-{id}").parse().unwrap()
    }

    /// Reports a message when it is whole.
    fn taken(&self, step: &str, body: &Body, source: &[u8], destination: &[u8]) {
        let to = String::from_utf8_lossy(destination);
        let text = match Part::of(body, 1, source, destination, ()) {
            None => body.decode(&Codings::default()).unwrap().text.into_owned(),
            Some(part) => match self.parts.lock().unwrap().insert(part, self.started).outcome {
                Outcome::Complete(message) => message.decode(&Codings::default()).unwrap().text.into_owned(),
                Outcome::Stored => return,
                other => panic!("{other:?}"),
            },
        };
        self.report(json!({ "step": step, "to": to, "text": text }));
    }

    /// Delivers in the background, and reports what came of it.
    fn deliver(&self, link: &Link, message: DeliverSm) {
        let (registry, account) = (link.registry().clone(), link.account().to_owned());
        self.outcome(async move { registry.deliver(&account, message).await.is_ok() });
    }

    /// The same by data_sm.
    fn deliver_data(&self, link: &Link, message: DataSm) {
        let (registry, account) = (link.registry().clone(), link.account().to_owned());
        self.outcome(async move { registry.deliver_data(&account, message).await.is_ok() });
    }

    fn outcome(&self, delivered: impl Future<Output = bool> + Send + 'static) {
        let reports = self.reports.clone();
        tokio::spawn(async move {
            let ok = delivered.await;
            reports.send(json!({ "step": "delivered", "ok": ok })).unwrap();
        });
    }
}

impl Service for Centre {
    async fn on_bind(&self, bind: BindRequest) -> Result<Account, CommandStatus> {
        let right = bind.system_id == "kudu" && bind.has_password(b"secret");
        if right { Ok(Account::new("kudu")) } else { Err(CommandStatus::RINVPASWD) }
    }

    async fn on_submit(&self, submit: Request<SubmitSm>) {
        let message = submit.pdu.clone();
        if message.destination.addr == "1002" {
            return submit.refuse(CommandStatus::RTHROTTLED);
        }
        self.taken("submit", &message.body(), message.source.addr.as_slice(), message.destination.addr.as_slice());
        let (id, link) = (self.id(), Arc::clone(submit.link()));
        submit.accept(id.clone());
        let back = DeliverSm { source: message.destination, destination: message.source, ..DeliverSm::default() };
        if back.source.addr == "1001" {
            // With its header, sar TLVs or message_payload.
            let SubmitSm { short_message, data_coding, esm_class, tlvs, .. } = message;
            self.deliver(&link, DeliverSm { short_message, data_coding, esm_class, tlvs, ..back.clone() });
        }
        if back.source.addr == "1003" {
            for back in other_forms(&back) {
                self.deliver(&link, back);
            }
        }
        if message.registered_delivery.0 & 1 == 1 {
            let id = Some(id.to_text().into_owned());
            let receipt = Receipt { id, state: Some(MessageState::DELIVERED), ..Receipt::default() };
            let short_message = ShortMessage::new(receipt.to_text()).unwrap();
            let (tlvs, esm_class) = (receipt.to_tlvs().unwrap(), EsmClass::DELIVERY_RECEIPT);
            self.deliver(&link, DeliverSm { short_message, tlvs, esm_class, ..back });
        }
    }

    async fn on_multi(&self, multi: Request<SubmitMulti>) {
        let mut unsuccess_smes = UnsuccessSmes::default();
        for destination in multi.pdu.destinations.iter() {
            if let smpp::pdu::Destination::Sme(destination @ Address { .. }) = destination
                && destination.addr == "bad"
            {
                let error_status_code = CommandStatus::RINVDSTADR;
                unsuccess_smes.push(&UnsuccessSme { destination, error_status_code }).unwrap();
            }
        }
        let many = multi.pdu.destinations.len();
        self.report(
            json!({ "step": "multi", "to": many, "text": multi.pdu.body().decode(&Codings::default()).unwrap().text }),
        );
        let message_id = self.id();
        multi.respond(SubmitMultiResp { message_id, unsuccess_smes, ..SubmitMultiResp::default() });
    }

    async fn on_data(&self, data: Request<DataSm>) {
        let message = data.pdu.clone();
        self.taken("data", &message.body(), message.source.addr.as_slice(), message.destination.addr.as_slice());
        let link = Arc::clone(data.link());
        data.accept(self.id());
        if message.destination.addr == "1001" {
            let (source, destination) = (message.destination.clone(), message.source.clone());
            self.deliver_data(&link, DataSm { source, destination, ..message });
        }
    }

    async fn on_query(&self, query: Request<QuerySm>) {
        let message_id = query.pdu.message_id.clone();
        self.report(json!({ "step": "query", "id": message_id.to_text() }));
        match message_id == "nope" {
            true => query.refuse(CommandStatus::RQUERYFAIL),
            false => {
                let message_state = MessageState::DELIVERED;
                query.respond(QuerySmResp { message_id, message_state, ..QuerySmResp::default() });
            }
        }
    }

    async fn on_cancel(&self, cancel: Request<CancelSm>) {
        self.report(json!({ "step": "cancel", "id": cancel.pdu.message_id.to_text() }));
        cancel.accept();
    }

    async fn on_replace(&self, replace: Request<ReplaceSm>) {
        let text = replace.pdu.body().decode(&Codings::default()).unwrap().text.into_owned();
        self.report(json!({ "step": "replace", "id": replace.pdu.message_id.to_text(), "text": text }));
        replace.accept();
    }

    fn on_bound(&self, link: &Arc<Link>) {
        self.report(json!({ "step": "bound", "as": format!("{:?}", link.kind()) }));
    }

    fn on_closed(&self, closed: &Closed) {
        // The test may be over.
        let _ = self.reports.send(json!({ "step": "closed", "reason": format!("{:?}", closed.reason) }));
        let Counters { unexpected, duplicate, mismatched, bad, .. } = closed.counters;
        let strange = unexpected + duplicate + mismatched + bad;
        let _ = self.reports.send(json!({ "step": "counted", "strange": strange }));
    }
}

/// A message in ISO-8859-1, and a long one by sar TLVs and by message_payload.
fn other_forms(back: &DeliverSm) -> Vec<DeliverSm> {
    let long = "0123456789".repeat(20);
    let forms = [
        (TextOptions::default().with_latin1(true), "caf\u{e9} \u{eb}"),
        (TextOptions::default().with_long_messages(LongMessages::Sar), &*long),
        (TextOptions::default().with_long_messages(LongMessages::Payload), &*long),
    ];
    let mut messages = Vec::new();
    for (options, text) in forms {
        let composed = options.compose(text, 7).unwrap();
        let (data_coding, esm_class) = (composed.data_coding, composed.esm_class());
        messages.extend(composed.segments.into_iter().map(|segment| {
            let Segment { short_message, tlvs, .. } = segment;
            DeliverSm { data_coding, esm_class, short_message, tlvs, ..back.clone() }
        }));
    }
    messages
}
