use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::sleep;
use tokio_util::task::TaskTracker;

use super::Report;
use super::answer::{Answer, What};
use crate::message::{Invalid, References, Sms};
use crate::pdu::{CancelSm, DataSm, DeliverSm, DeliverSmResp, QuerySm, QuerySmResp, ReplaceSm, SubmitMulti, SubmitSm};
use crate::profile::Profile;
use crate::receipt::Receipt;
use crate::server::{Account, BindRequest, Closed, DeliverError, Link, Registry, Request, Service};
use crate::types::{COctetString, CommandStatus, EsmClass, MessageState, Password, ShortMessage};

/// A message that was submitted to a [`Smsc`](super::Smsc).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Submitted {
    /// The link that it came on.
    pub link: Arc<Link>,
    /// The message.
    pub pdu: SubmitSm,
    /// The id that it was taken under, or is to be; none if it was refused.
    pub id: Option<COctetString<65>>,
}

/// The id of a message, and whose it is: who asks for another account's finds nothing.
type Owned = (COctetString<16>, COctetString<65>);

/// Decides on messages.
type Decide = Box<dyn Fn(&SubmitSm) -> Answer + Send + Sync>;

/// What a message centre in a test does, and what it has seen.
pub(super) struct Script {
    state: Mutex<State>,
    pub(super) tasks: TaskTracker,
    bound: mpsc::Sender<Arc<Link>>,
    submitted: mpsc::Sender<Submitted>,
}

#[derive(Default)]
struct State {
    /// Known accounts; none if any may bind.
    accounts: Option<HashMap<COctetString<16>, Password>>,
    /// Every bind is refused with this.
    refusing: Option<CommandStatus>,
    decide: Option<Decide>,
    last_id: u64,
    /// States of messages by their accounts and ids.
    messages: HashMap<Owned, MessageState>,
    held: Vec<(Request<SubmitSm>, COctetString<65>, Answer)>,
    /// Never to be answered; kept so that they are not answered by being dropped.
    never: Vec<Request<SubmitSm>>,
    closed: Vec<Closed>,
    failed: Vec<String>,
    resends: Resends,
    /// How messages become PDUs.
    profile: Profile,
    /// The numbers of long ones; none before the first.
    references: Option<References>,
    /// How many deliveries were sent again.
    resent: usize,
    /// Messages beyond those that wait for the test.
    unheard: usize,
}

/// How often a delivery that got a temporary error is sent again, and how much later.
#[derive(Clone, Copy)]
struct Resends {
    times: u32,
    after: Duration,
}

/// For a minute in all, as long as a test waits for anything.
impl Default for Resends {
    fn default() -> Self {
        Self { times: 60, after: Duration::from_secs(1) }
    }
}

/// What a test hears of.
pub(super) struct Heard {
    pub(super) bound: mpsc::Receiver<Arc<Link>>,
    pub(super) submitted: mpsc::Receiver<Submitted>,
}

impl Script {
    pub(super) fn new() -> (Self, Heard) {
        let (bound, hears_bound) = mpsc::channel(HEARD);
        let (submitted, hears_submitted) = mpsc::channel(HEARD);
        let script = Self { state: Mutex::default(), tasks: TaskTracker::new(), bound, submitted };
        (script, Heard { bound: hears_bound, submitted: hears_submitted })
    }

    pub(super) fn add_account(&self, system_id: COctetString<16>, password: Password) {
        self.lock().accounts.get_or_insert_default().insert(system_id, password);
    }

    pub(super) fn refuse_binds(&self, status: Option<CommandStatus>) {
        self.lock().refusing = status;
    }

    pub(super) fn on_submit(&self, decide: Decide) {
        self.lock().decide = Some(decide);
    }

    pub(super) fn resend(&self, times: u32, after: Duration) {
        self.lock().resends = Resends { times, after };
    }

    pub(super) fn profile(&self, profile: Profile) {
        self.lock().profile = profile;
    }

    /// A message as this message centre delivers it, in parts if it is long.
    pub(super) fn parts(&self, sms: &Sms) -> Result<Vec<DeliverSm>, Invalid> {
        let state = &mut *self.lock();
        let references = state.references.get_or_insert_with(|| References::new(1));
        let prepared = sms.prepare(&state.profile, references)?;
        Ok(prepared.parts.into_iter().map(delivered).collect())
    }

    /// Delivers, again as long as the answer is a temporary error and that is allowed. What fails is noted, as what it
    /// is.
    pub(super) async fn deliver(
        &self,
        registry: &Registry,
        account: &str,
        message: DeliverSm,
        what: &str,
    ) -> Result<DeliverSmResp, DeliverError> {
        let Resends { times, after } = self.lock().resends;
        let mut left = times;
        let delivered = loop {
            let delivered = registry.deliver(account, message.clone()).await;
            match &delivered {
                Err(DeliverError::Refused { status }) if status.is_temporary() && left > 0 => {}
                _ => break delivered,
            }
            left = left.saturating_sub(1);
            {
                let mut state = self.lock();
                state.resent = state.resent.saturating_add(1);
            }
            sleep(after).await;
        };
        if let Err(error) = &delivered {
            self.lock().failed.push(format!("{what}{error}"));
        }
        delivered
    }

    /// The connections that are over, and what went wrong; messages that the test did not hear of are not among it.
    pub(super) fn take(&self) -> Report {
        let mut state = self.lock();
        state.never.clear();
        Report {
            closed: std::mem::take(&mut state.closed),
            unexpected_submits: std::mem::take(&mut state.unheard),
            resent: std::mem::take(&mut state.resent),
            failed_deliveries: std::mem::take(&mut state.failed),
        }
    }

    /// Does something at once, or so much later.
    fn later(self: &Arc<Self>, delay: Duration, what: impl FnOnce(&Arc<Self>) + Send + 'static) {
        if delay.is_zero() {
            return what(self);
        }
        let script = Arc::clone(self);
        self.tasks.spawn(async move {
            sleep(delay).await;
            what(&script);
        });
    }

    fn accept(self: &Arc<Self>, submit: Request<SubmitSm>, id: COctetString<65>, answer: Answer) {
        self.later(answer.after, move |script| {
            let (link, pdu) = (Arc::clone(submit.link()), submit.pdu.clone());
            script.lock().messages.insert(owned(&link, &id), MessageState::ENROUTE);
            submit.accept(id.clone());
            for (state, delay) in answer.receipts {
                let receipt = receipt(&pdu, &id, state);
                let (script, link, id) = (Arc::clone(script), Arc::clone(&link), id.clone());
                script.clone().tasks.spawn(async move {
                    sleep(delay).await;
                    script.lock().messages.insert(owned(&link, &id), state);
                    let _ = script.deliver(link.registry(), link.account(), receipt, "receipt: ").await;
                });
            }
        });
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn next_id(&mut self) -> COctetString<65> {
        self.last_id = self.last_id.saturating_add(1);
        COctetString::from_valid(self.last_id.to_string().as_bytes())
    }
}

impl Service for Arc<Script> {
    async fn on_bind(&self, bind: BindRequest) -> Result<Account, CommandStatus> {
        let state = self.lock();
        if let Some(status) = state.refusing {
            return Err(status);
        }
        if let Some(accounts) = &state.accounts {
            let password = accounts.get(&bind.system_id).ok_or(CommandStatus::RINVSYSID)?;
            if !bind.has_password(password.expose().as_slice()) {
                return Err(CommandStatus::RINVPASWD);
            }
        }
        Ok(Account::new(bind.system_id.to_text()))
    }

    async fn on_submit(&self, submit: Request<SubmitSm>) {
        let mut state = self.lock();
        let answer = state.decide.as_ref().map(|decide| decide(&submit.pdu)).unwrap_or_default();
        let id = match &answer.what {
            What::Accept(Some(id)) => Some(id.clone()),
            What::Accept(None) | What::Hold(_) => Some(state.next_id()),
            What::Refuse(_) | What::Never | What::CutLink => None,
        };
        let link = Arc::clone(submit.link());
        let heard =
            self.submitted.try_send(Submitted { link: Arc::clone(&link), pdu: submit.pdu.clone(), id: id.clone() });
        state.unheard = state.unheard.saturating_add(usize::from(heard.is_err()));
        match (answer.what.clone(), id) {
            (What::Refuse(status), _) => self.later(answer.after, move |_| submit.refuse(status)),
            (What::Never, _) => state.never.push(submit),
            (What::CutLink, _) => self.later(answer.after, move |_| {
                link.registry().disconnect(link.connection());
                drop(submit);
            }),
            (What::Hold(messages), Some(id)) => {
                state.held.push((submit, id, answer));
                if state.held.len() >= messages {
                    let held = std::mem::take(&mut state.held);
                    drop(state);
                    for (submit, id, answer) in held.into_iter().rev() {
                        self.accept(submit, id, answer);
                    }
                }
            }
            (_, Some(id)) => {
                drop(state);
                self.accept(submit, id, answer);
            }
            (_, None) => {}
        }
    }

    async fn on_multi(&self, multi: Request<SubmitMulti>) {
        let id = self.lock().next_id();
        multi.accept(id);
    }

    async fn on_data(&self, data: Request<DataSm>) {
        let id = self.lock().next_id();
        data.accept(id);
    }

    async fn on_query(&self, query: Request<QuerySm>) {
        let state = self.lock().messages.get(&owned(query.link(), &query.pdu.message_id)).copied();
        let message_id = query.pdu.message_id.clone();
        match state {
            Some(message_state) => query.respond(QuerySmResp { message_id, message_state, ..Default::default() }),
            None => query.refuse(CommandStatus::RQUERYFAIL),
        }
    }

    async fn on_cancel(&self, cancel: Request<CancelSm>) {
        match self.lock().messages.get_mut(&owned(cancel.link(), &cancel.pdu.message_id)) {
            Some(state) if !state.is_final() => *state = MessageState::DELETED,
            _ => return cancel.refuse(CommandStatus::RCANCELFAIL),
        }
        cancel.accept();
    }

    async fn on_replace(&self, replace: Request<ReplaceSm>) {
        let message = owned(replace.link(), &replace.pdu.message_id);
        let known = self.lock().messages.get(&message).is_some_and(|state| !state.is_final());
        match known {
            true => replace.accept(),
            false => replace.refuse(CommandStatus::RREPLACEFAIL),
        }
    }

    fn on_bound(&self, link: &Arc<Link>) {
        // A test that does not listen does not care.
        let _ = self.bound.try_send(Arc::clone(link));
    }

    fn on_closed(&self, closed: &Closed) {
        self.lock().closed.push(closed.clone());
    }
}

/// What is submitted by one end, as it is delivered to the other.
fn delivered(part: SubmitSm) -> DeliverSm {
    DeliverSm {
        service_type: part.service_type,
        source: part.source,
        destination: part.destination,
        esm_class: part.esm_class,
        protocol_id: part.protocol_id,
        priority_flag: part.priority_flag,
        registered_delivery: part.registered_delivery,
        data_coding: part.data_coding,
        short_message: part.short_message,
        tlvs: part.tlvs,
        ..Default::default()
    }
}

fn owned(link: &Link, id: &COctetString<65>) -> Owned {
    (link.system_id().clone(), id.clone())
}

/// A delivery receipt of a message, as text and as TLVs.
fn receipt(message: &SubmitSm, id: &COctetString<65>, state: MessageState) -> DeliverSm {
    let receipt = Receipt { id: Some(id.to_text().into_owned()), state: Some(state), ..Default::default() };
    DeliverSm {
        source: message.destination.clone(),
        destination: message.source.clone(),
        esm_class: EsmClass::DELIVERY_RECEIPT,
        short_message: ShortMessage::new(receipt.to_text()).unwrap_or_default(),
        tlvs: receipt.to_tlvs().unwrap_or_default(),
        ..Default::default()
    }
}

/// How many binds and how many messages wait for the test.
const HEARD: usize = 10_000;
