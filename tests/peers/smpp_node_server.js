// A message centre made of the npm package smpp. Prints its port, then what it is sent; ends with its standard input.
const smpp = require('smpp');
const say = (line) => console.log(JSON.stringify(line));
const receivers = new Set();
let count = 0;
const text = (pdu) => String(pdu.message_payload && (pdu.message_payload.message ?? pdu.message_payload) || pdu.short_message?.message || '');

function submitted(session, pdu) {
  if (pdu.destination_addr === '1002') {
    return session.send(pdu.response({ command_status: smpp.ESME_RTHROTTLED }));
  }
  const id = `id-${count += 1}`;
  session.send(pdu.response({ message_id: id }));
  const [to] = [session, ...receivers].filter((one) => receivers.has(one));
  if (!to) return;
  const address = { source_addr: pdu.destination_addr, destination_addr: pdu.source_addr };
  if (pdu.destination_addr === '1001') {
    // A header is read as its elements, and written with its length before them.
    const elements = pdu.short_message.udh && Buffer.concat(pdu.short_message.udh);
    const udh = elements && Buffer.concat([Buffer.from([elements.length]), elements]);
    const message = pdu.short_message.message ?? '';
    const back = { ...address, esm_class: pdu.esm_class, data_coding: pdu.data_coding, short_message: udh ? { udh, message } : message };
    for (const name of ['sar_msg_ref_num', 'sar_total_segments', 'sar_segment_seqnum']) {
      if (pdu[name] !== undefined) back[name] = pdu[name];
    }
    if (pdu.message_payload !== undefined) back.message_payload = text(pdu);
    to.deliver_sm(back);
  }
  if (pdu.registered_delivery & 1) {
    const message = `id:${id} sub:001 dlvrd:001 submit date:2609170800 done date:2609170801 stat:DELIVRD err:000 text:x`;
    to.deliver_sm({ ...address, esm_class: 4, short_message: message, receipted_message_id: id, message_state: 2 });
  }
}

const server = smpp.createServer((session) => {
  let name = '';
  const bind = (kind) => (pdu) => {
    const known = pdu.password === 'secret';
    say({ step: `bind_${kind}`, system_id: pdu.system_id, version: pdu.interface_version, ok: known });
    name = pdu.system_id;
    if (known && kind !== 'transmitter') receivers.add(session);
    session.send(pdu.response(known ? { system_id: 'node', sc_interface_version: 0x34 } : { command_status: smpp.ESME_RINVPASWD }));
    if (known && name === 'leave') {
      session.enquire_link({}, (asked) => {
        say({ step: 'enquire_link_resp', status: asked.command_status });
        session.unbind({}, (left) => {
          say({ step: 'unbind_resp', status: left.command_status });
          session.close();
        });
      });
    }
    if (known && name === 'odd') session.socket.write(Buffer.from('000000100000020100000000000003e7', 'hex'));
  };
  for (const kind of ['transmitter', 'receiver', 'transceiver']) session.on(`bind_${kind}`, bind(kind));
  const reports = {
    submit_sm: submitted,
    data_sm: (session, pdu) => {
      session.send(pdu.response({ message_id: `id-${count += 1}` }));
      const [to] = [session, ...receivers].filter((one) => receivers.has(one));
      if (pdu.destination_addr === '1001') to?.data_sm({ source_addr: '1001', destination_addr: pdu.source_addr, message_payload: text(pdu) });
    },
    data_sm_resp: () => {},
    submit_multi: (session, pdu) => session.send(pdu.response({
      message_id: `id-${count += 1}`,
      unsuccess_sme: [{ dest_addr_ton: 1, dest_addr_npi: 1, destination_addr: 'bad', error_status_code: 11 }],
    })),
    query_sm: (session, pdu) => session.send(pdu.response(pdu.message_id === 'nope' ? { command_status: 0x67 } : { message_id: pdu.message_id, message_state: 2 })),
    cancel_sm: (session, pdu) => session.send(pdu.response()),
    replace_sm: (session, pdu) => session.send(pdu.response()),
    enquire_link: (session, pdu) => session.send(pdu.response()),
    deliver_sm_resp: () => {},
    generic_nack: () => {},
    unbind: (session, pdu) => {
      session.send(pdu.response());
      session.close();
    },
  };
  for (const [command, answer] of Object.entries(reports)) {
    session.on(command, (pdu) => {
      say({ step: command, status: pdu.command_status, to: pdu.destination_addr, coding: pdu.data_coding, class: pdu.esm_class, text: text(pdu), id: pdu.message_id });
      answer(session, pdu);
    });
  }
  session.on('unknown', (pdu) => session.send(new smpp.PDU('generic_nack', { sequence_number: pdu.sequence_number, command_status: 3 })));
  session.on('close', () => receivers.delete(session));
  session.on('error', (error) => say({ step: 'error', error: String(error) }));
});
server.listen(0, '127.0.0.1', () => say({ step: 'listening', port: server.address().port }));
process.stdin.on('end', () => process.exit()).resume();
