/// Packs septets into octets, the first in the lowest bits (3GPP TS 23.038, section 6.1.2).
///
/// `header` is the number of octets of the user data header in front, its length octet included, or 0: after a header
/// comes fill up to the next septet, counted from the start of the header. Of an octet above 0x7F the lower seven bits
/// count.
///
/// Seven spare bits at the end would read as one more `@`, so a CR stands there; and a text that itself ends in a CR at
/// the end of an octet gets a second CR (section 6.1.2.3.1 there).
///
/// ```
/// use smpp::text::{pack, unpack};
///
/// assert_eq!(pack(b"hello", 0), [0xe8, 0x32, 0x9b, 0xfd, 0x06]);
/// assert_eq!(unpack(&[0xe8, 0x32, 0x9b, 0xfd, 0x06], 0), b"hello");
/// ```
pub fn pack(septets: &[u8], header: usize) -> Vec<u8> {
    if septets.is_empty() {
        return Vec::new();
    }
    let fill = fill_bits(header);
    let spare = |septets: usize| (8 - (septets * 7 + fill) % 8) % 8;
    let carriage_return = match spare(septets.len()) {
        7 => true,
        0 => septets.last() == Some(&CR),
        _ => false,
    };
    let mut octets = Vec::with_capacity(septets.len().saturating_add(1));
    let mut bits = 0u16;
    let mut held = fill;
    for septet in septets.iter().chain(carriage_return.then_some(&CR)) {
        bits |= u16::from(septet & 0x7f) << held;
        held += 7;
        if held >= 8 {
            let [low, high] = bits.to_le_bytes();
            octets.push(low);
            bits = u16::from(high);
            held -= 8;
        }
    }
    if held > 0 {
        let [low, _] = bits.to_le_bytes();
        octets.push(low);
    }
    octets
}

/// Takes packed septets apart, one an octet; `header` as in [`pack`]. Any octets will do.
///
/// The number of septets is that of all whole ones. A CR in the last of them is taken for padding, and dropped, if it
/// ends with the last octet; so a text of such a length that ends in a CR after which its sender wrote no second one
/// loses it.
pub fn unpack(octets: &[u8], header: usize) -> Vec<u8> {
    let fill = fill_bits(header);
    let mut septets = Vec::with_capacity(octets.len().saturating_mul(8) / 7);
    let mut bits = 0u16;
    let mut held = 0usize;
    let mut skip = fill;
    for octet in octets {
        bits |= u16::from(*octet) << held;
        held += 8;
        bits >>= skip;
        held -= skip;
        skip = 0;
        while held >= 7 {
            let [low, _] = bits.to_le_bytes();
            septets.push(low & 0x7f);
            bits >>= 7;
            held -= 7;
        }
    }
    if held == 0 && septets.last() == Some(&CR) {
        septets.pop();
    }
    septets
}

const CR: u8 = 0x0d;

/// Bits between a header and the first septet.
const fn fill_bits(header: usize) -> usize {
    (7 - header % 7 * 8 % 7) % 7
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn fill_completes_a_septet() {
        assert_eq!([0, 4, 6, 7, 8, 12, 13].map(fill_bits), [0, 3, 1, 0, 6, 2, 1]);
        for header in 0..300 {
            assert_eq!((header * 8 + fill_bits(header)) % 7, 0, "{header}");
        }
    }

    #[test]
    fn seven_spare_bits_hold_a_carriage_return() {
        assert_eq!(pack(b"1234567", 0), [0x31, 0xd9, 0x8c, 0x56, 0xb3, 0xdd, 0x1a]);
        assert_eq!(unpack(&[0x31, 0xd9, 0x8c, 0x56, 0xb3, 0xdd, 0x1a], 0), b"1234567");
        // Without it, the seven zero bits are an at sign.
        assert_eq!(unpack(&[0x31, 0xd9, 0x8c, 0x56, 0xb3, 0xdd, 0x00], 0), b"1234567\0");
    }

    #[test]
    fn a_carriage_return_of_the_text_is_doubled() {
        let octets = pack(b"1234567\r", 0);
        assert_eq!(octets, [0x31, 0xd9, 0x8c, 0x56, 0xb3, 0xdd, 0x1a, 0x0d]);
        assert_eq!(unpack(&octets, 0), b"1234567\r\r");
        assert_eq!(unpack(&pack(b"123456\r", 0), 0), b"123456\r");
    }

    #[test]
    fn text_after_a_header_begins_at_a_septet() {
        // The second part of a message, after a header of six octets: one fill bit.
        let octets = pack(b"ab", 6);
        assert_eq!(octets, [0xc2, 0x62]);
        assert_eq!(unpack(&octets, 6), b"ab");
    }

    proptest! {
        /// The naive model: a list of bits.
        #[test]
        fn as_a_list_of_bits(septets in prop::collection::vec(0u8..128, 0..60), header in 0usize..20) {
            let mut bits = vec![false; fill_bits(header)];
            let mut written = septets.clone();
            let used = bits.len() + septets.len() * 7;
            if !septets.is_empty() && (used % 8 == 1 || (used.is_multiple_of(8) && septets.last() == Some(&CR))) {
                written.push(CR);
            }
            bits.extend(written.iter().flat_map(|septet| (0..7).map(move |bit| septet >> bit & 1 == 1)));
            bits.truncate(if septets.is_empty() { 0 } else { bits.len() });
            let octets: Vec<u8> = bits
                .chunks(8)
                .map(|chunk| chunk.iter().rev().fold(0, |octet, bit| octet << 1 | u8::from(*bit)))
                .collect();
            prop_assert_eq!(pack(&septets, header), octets.clone());
            let mut expected = septets.clone();
            if used.is_multiple_of(8) && septets.last() == Some(&CR) {
                expected.push(CR);
            }
            prop_assert_eq!(unpack(&octets, header), expected);
        }

        #[test]
        fn any_octets_are_taken_apart(octets in prop::collection::vec(any::<u8>(), 0..60), header in any::<usize>()) {
            let septets = unpack(&octets, header);
            prop_assert!(septets.iter().all(|septet| *septet < 128));
            prop_assert!(septets.len() <= octets.len() * 8 / 7);
        }
    }
}
