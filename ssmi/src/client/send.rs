use tokio::sync::oneshot;

use super::host::Follow;
use super::{Client, Error, Submission};
use crate::command::{
    ImsiLookup, ImsiLookupReply, SendBinarySms, SendExtendedUssdMessage, SendMmsMessage, SendSms, SendUssdMessage,
    SendWapPushMessage,
};
use crate::session::{Ticket, Unanswered};
use crate::types::{Coding, GenFields, Octets, Pid, UssdType};

/// What a client asks of the gateway, one method a command.
impl Client {
    /// Sends text to a phone in a USSD session: [`Response`](UssdType::Response) to go on, [`End`](UssdType::End) to
    /// close, [`Redirect`](UssdType::Redirect) to hand the session to the service whose code is the text,
    /// [`Initiate`](UssdType::Initiate) to open one.
    ///
    /// # Errors
    ///
    /// It was not sent.
    pub async fn send_ussd(&self, msisdn: impl Into<Octets>, ussd_type: UssdType, text: &str) -> Result<Ticket, Error> {
        let message = self.text(text)?;
        self.request(SendUssdMessage { msisdn: number(msisdn), ussd_type, message }).await
    }

    /// [`send_ussd`](Self::send_ussd) with genfields: those received are the ones to send.
    ///
    /// # Errors
    ///
    /// It was not sent.
    pub async fn send_extended_ussd(
        &self,
        msisdn: impl Into<Octets>,
        ussd_type: UssdType,
        genfields: GenFields,
        text: &str,
    ) -> Result<Ticket, Error> {
        let message = self.text(text)?;
        self.request(SendExtendedUssdMessage { msisdn: number(msisdn), ussd_type, genfields, message }).await
    }

    /// Sends a text SMS. `validity` is in minutes; 0 is the gateway's default, a week.
    ///
    /// # Errors
    ///
    /// It was not sent.
    pub async fn send_sms(&self, msisdn: impl Into<Octets>, validity: u32, text: &str) -> Result<Submission, Error> {
        let message = self.text(text)?;
        self.submit(SendSms { validity: minutes(validity), msisdn: number(msisdn), message }).await
    }

    /// Sends a binary SMS: user data, with its header if it has one, at most 140 octets for one SMS. `validity` as in
    /// [`send_sms`](Self::send_sms).
    ///
    /// # Errors
    ///
    /// It was not sent.
    pub async fn send_binary_sms(
        &self,
        msisdn: impl Into<Octets>,
        validity: u32,
        pid: Pid,
        coding: Coding,
        payload: &[u8],
    ) -> Result<Submission, Error> {
        let sms = SendBinarySms::with_payload(number(msisdn), payload);
        self.submit(SendBinarySms { validity: minutes(validity), pid, coding, ..sms }).await
    }

    /// Sends a link to a phone, with the text to show; the gateway builds the message. No comma in the text.
    ///
    /// # Errors
    ///
    /// It was not sent.
    pub async fn send_wap_push(
        &self,
        msisdn: impl Into<Octets>,
        subject: &str,
        url: impl Into<Octets>,
    ) -> Result<Submission, Error> {
        let subject = self.text(subject)?;
        self.submit(SendWapPushMessage { msisdn: number(msisdn), subject, url: url.into() }).await
    }

    /// Sends an MMS of one file, at most some 8,000 octets. No comma in subject and name.
    ///
    /// # Errors
    ///
    /// It was not sent.
    pub async fn send_mms(
        &self,
        msisdn: impl Into<Octets>,
        subject: &str,
        name: impl Into<Octets>,
        content: &[u8],
    ) -> Result<Submission, Error> {
        let subject = self.text(subject)?;
        self.submit(SendMmsMessage::with_content(number(msisdn), subject, name, content)).await
    }

    /// Asks for the SIM card of a number. How a miss looks is not known; expect empty fields.
    ///
    /// # Errors
    ///
    /// It was not sent, or not answered within
    /// [`lookup_timeout`](crate::session::ClientConfig#structfield.lookup_timeout).
    pub async fn imsi_lookup(&self, msisdn: impl Into<Octets>) -> Result<ImsiLookupReply, Error> {
        self.look_up(ImsiLookup { msisdn: number(msisdn), ..ImsiLookup::default() }).await
    }

    /// Asks for the number of a SIM card.
    ///
    /// # Errors
    ///
    /// As [`imsi_lookup`](Self::imsi_lookup).
    pub async fn msisdn_lookup(&self, imsi: impl Into<Octets>) -> Result<ImsiLookupReply, Error> {
        self.look_up(ImsiLookup { imsi: imsi.into(), ..ImsiLookup::default() }).await
    }

    async fn look_up(&self, lookup: ImsiLookup) -> Result<ImsiLookupReply, Error> {
        let mut reply = oneshot::channel().1;
        self.send(lookup.into(), || {
            let (sender, receiver) = oneshot::channel();
            reply = receiver;
            Follow::Lookup(sender)
        })
        .await?;
        Ok(reply.await.unwrap_or(Err(Unanswered::Closed))?)
    }

    /// Text as octets, its line ends as the gateway has them.
    fn text(&self, text: &str) -> Result<Octets, Error> {
        Ok(self.shared.encoding.encode_lines(text)?)
    }
}

fn number(msisdn: impl Into<Octets>) -> Octets {
    let msisdn = msisdn.into();
    match msisdn.as_slice().strip_prefix(b"+") {
        Some(digits) => digits.to_vec().into(),
        None => msisdn,
    }
}

fn minutes(validity: u32) -> Octets {
    validity.to_string().into()
}
