//! Text that fits: properties 25 to 27, and what the scenarios say of limits.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test may stop")]

use proptest::prelude::*;
use ussd_session::{Alphabet, Fit, FitError, Overflow, Pager};

/// The default alphabet and its extension by code, as 3GPP TS 23.038 prints them.
const DEFAULT: &str = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\u{1b}ÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?\
    ¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";
const EXTENSION: &str = "\u{c}^{}\\[~]|€";

/// Units, the slow way: the text is written down.
fn naive_units(alphabet: Alphabet, text: &str) -> Option<usize> {
    let septets = |c: char| match (DEFAULT.contains(c) && c != '\u{1b}', EXTENSION.contains(c)) {
        (true, _) => Some(vec![c]),
        (_, true) => Some(vec!['\u{1b}', c]),
        _ => None,
    };
    match alphabet {
        Alphabet::Gsm7 => text.chars().map(septets).collect::<Option<Vec<_>>>().map(|all| all.concat().len()),
        Alphabet::Latin1 => {
            text.chars().map(|c| u8::try_from(u32::from(c)).ok()).collect::<Option<Vec<_>>>().map(|all| all.len())
        }
        Alphabet::Ucs2 => Some(text.encode_utf16().count()),
    }
}

fn limit(alphabet: Alphabet, (gsm7, ucs2): (u16, u16)) -> usize {
    usize::from(if alphabet == Alphabet::Gsm7 { gsm7 } else { ucs2 })
}

/// A page as a tester sees it.
#[derive(Clone, Debug, PartialEq)]
struct Shown {
    screen: String,
    body: String,
    range: std::ops::Range<usize>,
}

fn shown(pager: &Pager, fit: &Fit) -> Shown {
    let page = pager.page(fit);
    Shown { screen: page.to_string(), body: page.body().to_owned(), range: page.range() }
}

/// All pages, reached by the key for more.
fn pages(pager: &mut Pager, fit: &Fit, more: &str) -> Vec<Shown> {
    let mut pages = vec![shown(pager, fit)];
    while pager.turn(fit, more) {
        pages.push(shown(pager, fit));
        assert!(pages.len() < 10_000, "the pages have no end");
    }
    pages
}

fn text() -> impl Strategy<Value = String> {
    let character = prop_oneof![
        20 => prop::char::range('a', 'e'),
        4 => Just(' '),
        2 => Just('\n'),
        1 => Just('€'),
        1 => Just('\r'),
        1 => Just('é'),
    ];
    let wide = prop_oneof![Just('ሀ'), Just('😀'), Just('\u{301}'), Just('\u{200d}'), Just('ç')];
    let plain = prop::collection::vec(character.clone(), 0..600);
    let mixed = prop::collection::vec(prop_oneof![6 => character, 1 => wide], 0..300);
    prop_oneof![3 => plain, 1 => mixed].prop_map(|characters| characters.into_iter().collect())
}

fn fits() -> impl Strategy<Value = (Fit, (u16, u16))> {
    let lines = prop::sample::select(vec!["", "Shop", "a€b"]);
    (50..=182_u16, 36..=80_u16, lines.clone(), lines).prop_map(|(gsm7, ucs2, header, footer)| {
        (Fit::default().gsm7(gsm7).ucs2(ucs2).header(header).footer(footer).more("98", "More"), (gsm7, ucs2))
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() })]

    /// Every screen is within the limit and can be written by itself; together the pages hold the whole text.
    #[test]
    fn p25_pages_fit_and_hold_the_whole_text(text in text(), (fit, limits) in fits()) {
        let mut pager = Pager::new(&fit, &text).unwrap();
        let alphabet = pager.alphabet();
        let mut end = 0;
        for page in pages(&mut pager, &fit, "98") {
            let units = naive_units(alphabet, &page.screen).expect("every page can be written");
            prop_assert!(units <= limit(alphabet, limits), "{units} {page:?}");
            prop_assert_eq!(&page.body, &pager.text()[page.range.clone()]);
            let between = &pager.text()[end..page.range.start];
            prop_assert!(between.chars().all(char::is_whitespace), "lost {between:?}");
            end = page.range.end;
        }
        prop_assert!(pager.text()[end..].chars().all(char::is_whitespace));
        let first = shown(&Pager::new(&fit, &text).unwrap(), &fit);
        prop_assert_eq!(pager.is_paged(), first.range != (0..pager.text().len()));
    }

    /// No page ends within a line, word or grapheme that a page could hold, and none is left shorter than need be.
    #[test]
    fn p26_nothing_is_cut_that_must_not_be(text in text(), (fit, limits) in fits()) {
        let mut pager = Pager::new(&fit, &text).unwrap();
        let (alphabet, mut all) = (pager.alphabet(), Vec::new());
        if pager.is_paged() {
            all = pages(&mut pager, &fit, "98");
        }
        let units = |text: &str| naive_units(alphabet, text).unwrap();
        let around = |page: &Shown| units(&page.screen) - units(&page.body);
        // What a page holds that has both keys; reckoned from a screen with one.
        let both = limit(alphabet, limits).saturating_sub(all.first().map_or(0, &around) + units("\n0.Back"));
        let whole = pager.text();
        for pair in all.windows(2) {
            let (page, end) = (&pair[0], pair[0].range.end);
            prop_assert!(!page.body.is_empty());
            // The units around the break, from the largest to the smallest kind.
            let start_of = |is_end: fn(char) -> bool| whole[..end].rfind(is_end).map_or(0, |at| at + whole[at..].chars().next().unwrap().len_utf8());
            let end_of = |is_end: fn(char) -> bool| whole[end..].find(is_end).map_or(whole.len(), |at| end + at);
            let line = &whole[start_of(|c| c == '\n')..end_of(|c| c == '\n')];
            let word = &whole[start_of(char::is_whitespace)..end_of(char::is_whitespace)];
            let at_line_end = end_of(|c| c == '\n') == end || whole[end..].starts_with("\r\n") || whole[end..end_of(|c| c == '\n')].chars().all(char::is_whitespace);
            let in_word = !whole[end..].starts_with(char::is_whitespace) && !page.body.ends_with(char::is_whitespace);
            if !at_line_end {
                prop_assert!(units(line.trim_end_matches('\r')) > both, "the line {line:?} is cut");
            }
            if in_word {
                prop_assert!(units(word) > both, "the word {word:?} is cut");
            }
            let mut lengths = unicode_segmentation::UnicodeSegmentation::grapheme_indices(whole, true);
            if let Some((_, cut)) = lengths.find(|(at, grapheme)| *at < end && end < at + grapheme.len()) {
                prop_assert!(units(cut) > both, "the grapheme {cut:?} is cut");
            }
            // The next grapheme, word or line did not fit where the page ended: one more of the smallest kind that
            // may be cut there would be too much.
            let free = limit(alphabet, limits) - units(&page.screen);
            let next_line = &whole[pair[1].range.start..][..whole[pair[1].range.start..].find('\n').unwrap_or(whole.len() - pair[1].range.start)];
            let next_line = next_line.trim_end_matches('\r');
            if at_line_end && units(next_line) <= both {
                prop_assert!(units(&whole[end..pair[1].range.start]) + units(next_line) > free, "{next_line:?} fits");
            }
        }
    }

    /// More then back shows the same page to the octet, and every option stands on one page, with its own number.
    #[test]
    fn p27_more_and_back(count in 1..60_usize, seed in any::<u64>(), (fit, _) in fits()) {
        let label = |n: usize| "xy z".repeat(1 + usize::from(seed >> (n % 50) & 1 == 1));
        let options: Vec<String> = (1..=count).map(|n| format!("{n}. {}", label(n))).collect();
        let mut pager = Pager::new(&fit, &format!("Choose\n{}", options.join("\n"))).unwrap();
        let mut there = vec![shown(&pager, &fit)];
        while pager.turn(&fit, "98") {
            there.push(shown(&pager, &fit));
        }
        let (back, mut again) = (there.clone(), vec![there.pop().unwrap()]);
        while pager.turn(&fit, "0") {
            again.push(shown(&pager, &fit));
        }
        again.reverse();
        prop_assert_eq!(&back, &again);
        for option in &options {
            let on: Vec<_> = back.iter().filter(|page| page.body.lines().any(|line| line == option)).collect();
            prop_assert_eq!(on.len(), 1, "{}", option);
        }
    }

    /// The fast count and the slow one agree on everything.
    #[test]
    fn units_as_written(text in "\\PC*") {
        for alphabet in [Alphabet::Gsm7, Alphabet::Latin1, Alphabet::Ucs2] {
            prop_assert_eq!(alphabet.units(&text).ok(), naive_units(alphabet, &text));
        }
    }
}

#[test]
fn every_character_of_the_alphabet_counts() {
    for character in (0..=0x10_FFFF).filter_map(char::from_u32) {
        let naive = naive_units(Alphabet::Gsm7, character.encode_utf8(&mut [0; 4]));
        assert_eq!(Alphabet::Gsm7.units_of(character), naive, "{character:?}");
    }
}

#[test]
fn n20_limits_to_the_unit() {
    let fit = Fit::default();
    let all = |text: &str| pages(&mut Pager::new(&fit, text).unwrap(), &fit, "98");
    // 183 septets: two pages, and none ends in an escape.
    let euro_over = format!("{}€", "a".repeat(181));
    let two = all(&euro_over);
    assert_eq!(two.len(), 2);
    assert_eq!(two.iter().map(|page| page.body.as_str()).collect::<String>(), euro_over);
    // 182 septets that end in one: one page.
    assert_eq!(all(&format!("{}€", "a".repeat(180))).len(), 1);
    assert_eq!(fit.measure(&format!("{}€", "a".repeat(180))).unwrap().units, 182);
    // 79 units and a pair of surrogates: the pair stays together.
    let emoji = format!("{}😀", "ሀ".repeat(79));
    let two = all(&emoji);
    assert_eq!(two.len(), 2);
    assert!(two[1].body.ends_with('😀'));
    let replaced = Fit::default().beyond_bmp('?');
    let pager = Pager::new(&replaced, &emoji).unwrap();
    assert_eq!((pager.is_paged(), pager.page(&replaced).units()), (false, 80));
    // A letter and its accent are one septet.
    assert_eq!(fit.measure("e\u{301}").unwrap().units, 1);
    // What fits is sent as it is, to the last octet.
    for text in ["1234567", "1234567\r", " a \n"] {
        assert_eq!(all(text)[0].screen, text);
    }
}

#[test]
fn s16_one_character_too_many_in_ucs2() {
    let text = "ሀ".repeat(81);
    let fit = Fit::default();
    let two = pages(&mut Pager::new(&fit, &text).unwrap(), &fit, "98");
    assert_eq!(two.len(), 2);
    assert!(two[0].screen.chars().count() <= 80);
    let refuse = Fit::default().overflow(Overflow::Refuse);
    assert_eq!(Pager::new(&refuse, &text), Err(FitError::TooLong { limit: 80 }));
    let cut = Fit::default().overflow(Overflow::Cut);
    let mut pager = Pager::new(&cut, &text).unwrap();
    assert_eq!(pager.page(&cut).to_string(), "ሀ".repeat(80));
    assert!(!pager.turn(&cut, "98"));
}

#[test]
fn keys_of_the_text_come_first() {
    let fit = Fit::default().gsm7(30);
    let mut pager = Pager::new(&fit, "0. Home\n98. Other\nand a text that goes on and on").unwrap();
    assert_eq!(pager.page(&fit).to_string(), "0. Home\n98. Other\nand\n988.More");
    assert!(!pager.turn(&fit, "98"), "an option of the application");
    assert!(!pager.turn(&fit, "0"));
    assert!(pager.turn(&fit, " 988 "));
    assert_eq!(pager.page(&fit).to_string(), "a text that\n988.More\n00.Back");
    assert!(pager.turn(&fit, "988"));
    assert_eq!(pager.page(&fit).to_string(), "goes on and on\n00.Back");
    assert!(!pager.turn(&fit, "988"));
    let same = Fit::default().gsm7(30).more("0", "More").back("0", "Back");
    let mut pager = Pager::new(&same, "one two three four five six seven eight nine ten").unwrap();
    assert!(pager.turn(&same, "0"));
    assert!(pager.page(&same).to_string().ends_with("0.More\n00.Back"));
}

#[test]
fn room_is_left_for_what_stands_around() {
    let fit = Fit::default().gsm7(20).prefix("CON ").header("Shop").footer("T&C");
    // 20 less 4 for the prefix, 5 for the header, 4 for the footer.
    let pager = Pager::new(&fit, "1234567").unwrap();
    assert_eq!((pager.page(&fit).to_string().as_str(), pager.page(&fit).units()), ("Shop\n1234567\nT&C", 20));
    assert_eq!(Pager::new(&fit, "12345678"), Err(FitError::NoRoom), "none is left for the keys");
    assert_eq!(Pager::new(&Fit::default(), &"a".repeat(70_000)), Err(FitError::Endless { octets: 70_000 }));
}
