//! TCP streams out of a capture file (pcap or pcapng).

use std::collections::BTreeMap;
use std::net::IpAddr;

use anyhow::{Context, Result, bail};
use etherparse::{NetSlice, SlicedPacket, TcpSlice, TransportSlice};
use pcap_parser::data::{PacketData, get_packetdata};
use pcap_parser::{Block, Linktype, PcapBlockOwned, PcapError, create_reader};

/// What one connection carried, in the order of its sequence numbers.
#[derive(Clone, Debug, Default)]
pub struct Connection {
    /// Octets to the server's port.
    pub client: Vec<u8>,
    /// Octets from the server's port.
    pub server: Vec<u8>,
    /// When the client's octets came.
    pub client_arrivals: Arrivals,
    /// When the server's octets came.
    pub server_arrivals: Arrivals,
}

/// With which packets the octets of a stream came.
#[derive(Clone, Debug, Default)]
pub struct Arrivals(Vec<(usize, usize)>);

impl Arrivals {
    /// Number of the packet, from 1, with which the first so many octets of the stream were all there: its place in
    /// the file, which is the frame number of other tools. 0 for octets that never came.
    pub fn packet(&self, octets: usize) -> usize {
        let at = self.0.partition_point(|(there, _)| *there < octets);
        self.0.get(at).map_or(0, |(_, packet)| *packet)
    }
}

/// Whether octets begin as a capture file does.
pub fn is_capture(octets: &[u8]) -> bool {
    const MAGIC: [[u8; 4]; 5] = [
        [0xd4, 0xc3, 0xb2, 0xa1],
        [0xa1, 0xb2, 0xc3, 0xd4],
        [0x4d, 0x3c, 0xb2, 0xa1],
        [0xa1, 0xb2, 0x3c, 0x4d],
        [0x0a, 0x0d, 0x0d, 0x0a],
    ];
    MAGIC.iter().any(|magic| octets.starts_with(magic))
}

/// The connections to and from a server's port, in the order in which they appear.
///
/// Segments are put into the order of their sequence numbers; what was sent twice counts once. A connection whose
/// beginning was not captured starts at the first segment seen. A gap ends its direction there, with an error.
pub fn connections(capture: &[u8], port: u16) -> Result<Vec<Connection>> {
    let mut flows = Flows::default();
    let mut linktypes = Vec::new();
    let mut reader =
        create_reader(65_536, capture).map_err(|error| anyhow::anyhow!("not a capture file: {error:?}"))?;
    loop {
        match reader.next() {
            Ok((consumed, block)) => {
                match block {
                    PcapBlockOwned::LegacyHeader(header) => linktypes = vec![header.network],
                    PcapBlockOwned::Legacy(packet) => {
                        let linktype = linktypes.first().copied().unwrap_or(Linktype::ETHERNET);
                        flows.packet(linktype, packet.data, packet.caplen, port)?;
                    }
                    PcapBlockOwned::NG(Block::SectionHeader(_)) => linktypes.clear(),
                    PcapBlockOwned::NG(Block::InterfaceDescription(interface)) => linktypes.push(interface.linktype),
                    PcapBlockOwned::NG(Block::EnhancedPacket(packet)) => {
                        let linktype = linktypes.get(packet.if_id as usize).copied().context("no such interface")?;
                        flows.packet(linktype, packet.data, packet.caplen, port)?;
                    }
                    PcapBlockOwned::NG(_) => {}
                }
                reader.consume(consumed);
            }
            Err(PcapError::Eof) => break,
            Err(PcapError::Incomplete(_)) => reader.refill().map_err(|error| anyhow::anyhow!("{error:?}"))?,
            Err(error) => bail!("the capture file is damaged: {error:?}"),
        }
    }
    flows.finish()
}

type Endpoint = (IpAddr, u16);

#[derive(Default)]
struct Flows {
    /// By client's and server's endpoint; a client's port that is used again begins another connection.
    current: BTreeMap<(Endpoint, Endpoint), usize>,
    all: Vec<[Direction; 2]>,
    /// Packets of any kind seen up to now.
    packets: usize,
}

/// One direction of a connection: its segments by their offset from the first octet, each with its packet's number.
#[derive(Default)]
struct Direction {
    first: Option<u32>,
    segments: BTreeMap<u32, (Vec<u8>, usize)>,
}

impl Flows {
    fn packet(&mut self, linktype: Linktype, data: &[u8], caplen: u32, port: u16) -> Result<()> {
        self.packets += 1;
        let sliced = match get_packetdata(data, linktype, caplen as usize) {
            Some(PacketData::L2(frame)) => SlicedPacket::from_ethernet(frame),
            Some(PacketData::L3(_, packet)) => SlicedPacket::from_ip(packet),
            _ if linktype == Linktype::LINUX_SLL => SlicedPacket::from_linux_sll(data),
            _ => bail!("link type {} is not supported", linktype.0),
        };
        let Ok(packet) = sliced else { return Ok(()) };
        let Some(TransportSlice::Tcp(tcp)) = packet.transport else { return Ok(()) };
        let addresses: (IpAddr, IpAddr) = match packet.net {
            Some(NetSlice::Ipv4(ip)) => (ip.header().source_addr().into(), ip.header().destination_addr().into()),
            Some(NetSlice::Ipv6(ip)) => (ip.header().source_addr().into(), ip.header().destination_addr().into()),
            _ => return Ok(()),
        };
        let (source, destination) = ((addresses.0, tcp.source_port()), (addresses.1, tcp.destination_port()));
        if destination.1 == port {
            self.segment((source, destination), 0, &tcp);
        } else if source.1 == port {
            self.segment((destination, source), 1, &tcp);
        }
        Ok(())
    }

    fn segment(&mut self, key: (Endpoint, Endpoint), direction: usize, tcp: &TcpSlice<'_>) {
        let opens = tcp.syn() && !tcp.ack();
        let known = self.current.get(&key).copied().filter(|&index| {
            let first = self.all[index][direction].first;
            !opens || first == Some(tcp.sequence_number().wrapping_add(1)) || first.is_none()
        });
        let index = known.unwrap_or_else(|| {
            self.all.push(Default::default());
            self.current.insert(key, self.all.len() - 1);
            self.all.len() - 1
        });
        let flow = &mut self.all[index][direction];
        let sequence = tcp.sequence_number().wrapping_add(u32::from(tcp.syn()));
        let offset = sequence.wrapping_sub(*flow.first.get_or_insert(sequence));
        if !tcp.payload().is_empty() && offset < u32::MAX / 2 {
            let (segment, packet) = flow.segments.entry(offset).or_default();
            if segment.len() < tcp.payload().len() {
                (*segment, *packet) = (tcp.payload().to_vec(), self.packets);
            }
        }
    }

    fn finish(self) -> Result<Vec<Connection>> {
        let octets = |direction: &Direction| -> Result<(Vec<u8>, Arrivals)> {
            let (mut octets, mut arrivals, mut latest) = (Vec::new(), Vec::new(), 0);
            for (offset, (segment, packet)) in &direction.segments {
                let fresh = octets.len().checked_sub(*offset as usize);
                let fresh = fresh.with_context(|| format!("octets {} to {offset} were not captured", octets.len()))?;
                let fresh = segment.get(fresh..).unwrap_or_default();
                if !fresh.is_empty() {
                    octets.extend_from_slice(fresh);
                    latest = latest.max(*packet);
                    arrivals.push((octets.len(), latest));
                }
            }
            Ok((octets, Arrivals(arrivals)))
        };
        let connection = |[client, server]: &[Direction; 2]| {
            let ((client, client_arrivals), (server, server_arrivals)) = (octets(client)?, octets(server)?);
            Ok(Connection { client, server, client_arrivals, server_arrivals })
        };
        self.all.iter().map(connection).collect()
    }
}

#[cfg(test)]
mod tests {
    use etherparse::PacketBuilder;

    use super::*;

    /// A capture of packets between port 4000 and 5000: from the client?, sequence number, syn?, payload.
    fn capture(packets: &[(bool, u32, bool, &str)]) -> Vec<u8> {
        let mut file = [0xa1b2_c3d4u32, 0x0004_0002, 0, 0, 65_536, 1].map(u32::to_le_bytes).concat();
        for packet in frames(packets) {
            let length = u32::try_from(packet.len()).unwrap();
            file.extend([0, 0, length, length].map(u32::to_le_bytes).concat());
            file.extend(packet);
        }
        file
    }

    /// The same as pcapng, octet by octet from its specification: a section, two interfaces of which the second is used,
    /// and an enhanced packet block each; numbers of either byte order.
    fn capture_ng(packets: &[(bool, u32, bool, &str)], number: fn(u32) -> [u8; 4]) -> Vec<u8> {
        let block = |kind: u32, body: &[u8]| {
            let length = number(u32::try_from(body.len().next_multiple_of(4) + 12).unwrap());
            let padding = vec![0; body.len().next_multiple_of(4) - body.len()];
            [&number(kind)[..], &length, body, &padding, &length].concat()
        };
        let halves = |upper: u16, lower: u16| match number(1) {
            [1, ..] => [upper.to_le_bytes(), lower.to_le_bytes()].concat(),
            _ => [upper.to_be_bytes(), lower.to_be_bytes()].concat(),
        };
        let [raw, ethernet] = [101, 1].map(|linktype| [&halves(linktype, 0)[..], &number(65_536)].concat());
        let section = [&number(0x1a2b_3c4d)[..], &halves(1, 0), &[0xff; 8]].concat();
        let mut file = [block(0x0a0d_0d0a, &section), block(1, &raw), block(1, &ethernet)].concat();
        for packet in frames(packets) {
            let length = u32::try_from(packet.len()).unwrap();
            let head = [1, 0, 0, length, length].map(number).concat();
            file.extend(block(6, &[head, packet].concat()));
        }
        file
    }

    fn frames(packets: &[(bool, u32, bool, &str)]) -> Vec<Vec<u8>> {
        let frame = |(from_client, sequence, syn, payload): &(bool, u32, bool, &str)| {
            let (source, destination) = if *from_client { (4000, 5000) } else { (5000, 4000) };
            let ip = PacketBuilder::ethernet2([0; 6], [0; 6]).ipv4([127, 0, 0, 1], [127, 0, 0, 1], 64);
            let mut tcp = ip.tcp(source, destination, *sequence, 1024);
            if *syn {
                tcp = tcp.syn();
            }
            if !from_client {
                tcp = tcp.ack(1);
            }
            let mut packet = Vec::new();
            tcp.write(&mut packet, payload.as_bytes()).unwrap();
            packet
        };
        packets.iter().map(frame).collect()
    }

    fn text(octets: &[u8]) -> &str {
        str::from_utf8(octets).unwrap()
    }

    #[test]
    fn segments_are_put_in_order_and_count_once() {
        let file = capture(&[
            (true, 99, true, ""),
            (false, 199, true, ""),
            (true, 103, false, "def"),
            (true, 100, false, "abc"),
            (true, 100, false, "abcd"),
            (false, 200, false, "ok"),
        ]);
        let connections = connections(&file, 5000).unwrap();
        assert_eq!(connections.len(), 1);
        assert_eq!((text(&connections[0].client), text(&connections[0].server)), ("abcdef", "ok"));
        // A packet that was late holds up what came before it.
        let arrivals = &connections[0].client_arrivals;
        assert_eq!([1, 3, 4, 6, 7].map(|octets| arrivals.packet(octets)), [5, 5, 5, 5, 0]);
        assert_eq!(connections[0].server_arrivals.packet(2), 6);
    }

    #[test]
    fn pcapng_of_either_byte_order() {
        let packets =
            [(true, 99, true, ""), (false, 199, true, ""), (true, 100, false, "abcde"), (false, 200, false, "ok")];
        for number in [u32::to_le_bytes, u32::to_be_bytes] {
            let file = capture_ng(&packets, number);
            assert!(is_capture(&file));
            let connections = connections(&file, 5000).unwrap();
            assert_eq!(connections.len(), 1);
            assert_eq!((text(&connections[0].client), text(&connections[0].server)), ("abcde", "ok"));
        }
    }

    #[test]
    fn a_port_used_again_is_another_connection() {
        let file =
            capture(&[(true, 9, true, ""), (true, 10, false, "a"), (true, 500, true, ""), (true, 501, false, "b")]);
        let connections = connections(&file, 5000).unwrap();
        let clients: Vec<_> = connections.iter().map(|connection| text(&connection.client)).collect();
        assert_eq!(clients, ["a", "b"]);
    }

    #[test]
    fn sequence_numbers_wrap() {
        let file = capture(&[(true, u32::MAX - 1, true, ""), (true, u32::MAX, false, "ab"), (true, 1, false, "c")]);
        assert_eq!(text(&connections(&file, 5000).unwrap()[0].client), "abc");
    }

    #[test]
    fn a_gap_is_an_error() {
        let file = capture(&[(true, 9, true, ""), (true, 12, false, "c")]);
        assert_eq!(connections(&file, 5000).unwrap_err().to_string(), "octets 0 to 2 were not captured");
    }

    #[test]
    fn what_is_no_capture_is_refused() {
        assert!(!is_capture(b"SSMI,3\r"));
        assert!(connections(b"SSMI,3\r", 5000).is_err());
    }
}
