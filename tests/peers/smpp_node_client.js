// An ESME made of the npm package smpp: PORT, then `transceiver`, `pair` for a transmitter and a receiver, or
// `unbound` for a transceiver that waits for the other end to unbind.
const smpp = require('smpp');
const [port, kind] = process.argv.slice(2);
const say = (line) => console.log(JSON.stringify(line));
const long = '0123456789'.repeat(20);
const parts = [long.slice(0, 120), long.slice(120)];
const delivered = [];
let waiting = null;

function arrived(session, pdu) {
  session.send(pdu.response());
  const message = pdu.short_message?.message ?? '';
  const payload = pdu.message_payload?.message ?? pdu.message_payload;
  // Only the default alphabet and UCS-2 are read as text.
  const text = payload ?? (pdu.data_coding === 3 && Buffer.isBuffer(message) ? message.toString('latin1') : message);
  delivered.push(pdu);
  const kind = pdu.command === 'data_sm' ? 'mo_data' : 'mo';
  const udh = pdu.short_message?.udh && Buffer.concat(pdu.short_message.udh);
  const header = udh && [udh.length, ...udh];
  const sar = pdu.sar_msg_ref_num === undefined ? undefined : [pdu.sar_msg_ref_num, pdu.sar_total_segments, pdu.sar_segment_seqnum];
  say({ step: pdu.esm_class & 4 ? 'receipt' : kind, text: String(text), coding: pdu.data_coding, header, sar, id: pdu.receipted_message_id, state: pdu.message_state });
  if (waiting) waiting();
}
const deliveries = (count) => new Promise((done) => {
  waiting = () => { if (delivered.length >= count) done(); };
  waiting();
});
const connect = () => new Promise((done) => {
  const session = smpp.connect({ host: '127.0.0.1', port }, () => done(session));
  session.on('deliver_sm', (pdu) => arrived(session, pdu));
  session.on('data_sm', (pdu) => arrived(session, pdu));
  session.on('enquire_link', (pdu) => session.send(pdu.response(), () => {}, () => session.emit('asked')));
  session.on('unbind', (pdu) => {
    session.send(pdu.response());
    session.close();
  });
  session.on('unknown', (pdu) => session.emit('nack', pdu));
  session.on('generic_nack', (pdu) => session.emit('nack', pdu));
  session.on('error', (error) => say({ step: 'error', error: String(error) }));
});
const ask = (session, command, fields) => new Promise((done) => session[command](fields, done));
async function step(name, session, command, fields, more = () => ({})) {
  const pdu = await ask(session, command, fields);
  say({ step: name, status: pdu.command_status, id: pdu.message_id, ...more(pdu) });
  return pdu;
}
const bind = (session, kind, password) => step(`bind_${kind}`, session, `bind_${kind}`,
  { system_id: 'kudu', password, interface_version: 0x34 }, (pdu) => ({ version: pdu.sc_interface_version }));
const unbind = async (session) => {
  const closed = new Promise((done) => session.once('close', done));
  await step('unbind', session, 'unbind', {});
  session.close();
  await closed;
};

(async () => {
  const wrong = await connect();
  const gone = new Promise((done) => wrong.once('close', done));
  await bind(wrong, 'transceiver', 'wrong');
  wrong.close();
  await gone;

  const tx = await connect();
  let rx = tx;
  if (kind === 'unbound') {
    const closed = new Promise((done) => tx.once('close', done));
    await bind(tx, 'transceiver', 'secret');
    await closed;
    return;
  }
  if (kind === 'pair') {
    await bind(tx, 'transmitter', 'secret');
    rx = await connect();
    await bind(rx, 'receiver', 'secret');
  } else {
    await bind(tx, 'transceiver', 'secret');
  }
  const submit = (name, fields) => step(name, tx, 'submit_sm',
    { source_addr: '31234', destination_addr: '1001', dest_addr_ton: 1, dest_addr_npi: 1, ...fields });
  await submit('gsm', { short_message: 'Hello @ \u00e9 {\u20ac}', data_coding: 0, registered_delivery: 1 });
  await deliveries(2);
  await submit('latin1', { short_message: { message: Buffer.from('caf\u00e9 \u00eb', 'latin1') }, data_coding: 3 });
  await submit('ucs2', { short_message: 'h\u00e9 \u{1f600}', data_coding: 8 });
  await deliveries(4);
  for (const [at, message] of parts.entries()) {
    await submit('udh', { esm_class: 0x40, short_message: { udh: Buffer.from([5, 0, 3, 42, 2, at + 1]), message } });
  }
  for (const [at, message] of parts.entries()) {
    await submit('sar', { short_message: message, sar_msg_ref_num: 7, sar_total_segments: 2, sar_segment_seqnum: at + 1 });
  }
  await submit('payload', { message_payload: long });
  await deliveries(9);
  await submit('throttled', { short_message: 'x', destination_addr: '1002' });
  await step('data', tx, 'data_sm', { source_addr: '31234', destination_addr: '1001', message_payload: long });
  await deliveries(10);
  const address = (destination_addr) => ({ dest_flag: 1, dest_addr_ton: 1, dest_addr_npi: 1, destination_addr });
  await step('multi', tx, 'submit_multi', { source_addr: '31234', dest_address: [address('27831234567'), address('bad')], short_message: 'all' },
    (pdu) => ({ failed: pdu.unsuccess_sme.map((one) => [one.destination_addr, one.error_status_code]) }));
  await step('query', tx, 'query_sm', { message_id: 'id-1', source_addr: '31234' }, (pdu) => ({ state: pdu.message_state }));
  await step('query_unknown', tx, 'query_sm', { message_id: 'nope', source_addr: '31234' });
  await step('cancel', tx, 'cancel_sm', { message_id: 'id-1', source_addr: '31234', destination_addr: '27831234567' });
  await step('replace', tx, 'replace_sm', { message_id: 'id-1', source_addr: '31234', short_message: 'other' });
  await step('enquire_link', tx, 'enquire_link', {});
  await new Promise((done) => tx.once('asked', done));
  say({ step: 'asked' });
  const nack = new Promise((done) => tx.once('generic_nack', done));
  tx.socket.write(Buffer.from('000000100000020100000000000003e7', 'hex'));
  const nacked = await nack;
  say({ step: 'unknown', status: nacked.command_status, number: nacked.sequence_number });
  await unbind(tx);
  if (rx !== tx) await unbind(rx);
})();
