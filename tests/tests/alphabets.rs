//! Two crates count septets: `smpp` by the tables that it encodes with, `ussd-session`, which needs no more than the
//! count, by two sets of characters. They agree on every character.

use smpp::text::{Gsm7, transliterate};
use ussd_session::{Alphabet, Fit, Transliterate};

#[test]
fn septets_are_counted_alike() {
    for character in (0..=0x10_FFFF).filter_map(char::from_u32) {
        assert_eq!(Alphabet::Gsm7.units_of(character), Gsm7::DEFAULT.septets(character), "{character:?}");
    }
}

#[test]
fn marks_are_written_alike() {
    let fit = Fit::default().transliterate(Transliterate::Marks);
    for character in (0..=0xFFFF).filter_map(char::from_u32) {
        let text = character.to_string();
        if let Some(with) = transliterate(character) {
            let units = Gsm7::DEFAULT.encode(with).map(|septets| septets.len());
            let measure = fit.measure(&text).map(|measure| (measure.alphabet, measure.units));
            assert_eq!(measure, Ok((Alphabet::Gsm7, units.unwrap_or_default())), "{character:?}");
        }
    }
}
