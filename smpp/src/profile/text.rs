use crate::session::config;
use crate::text::{Charset, Codings, Language, LongMessages, Packing, TextOptions};

config! {
    /// Alphabets and long messages of a link; see [`TextOptions`].
    #[cfg_attr(feature = "serde", derive(serde::Deserialize, serde::Serialize), serde(default, deny_unknown_fields))]
    TextProfile {
        /// What data_coding 0 is. The GSM alphabet.
        default_alphabet: Charset = Charset::Gsm7,
        /// How septets stand in user data. Unpacked.
        packing: Packing = Packing::Unpacked,
        /// What data_coding 5 is. ISO-2022-JP.
        jis: Charset = Charset::Iso2022Jp,
        /// How texts too long for one message are sent. Parts with a header and a reference of one octet.
        long_messages: LongMessages = LongMessages::Udh8,
        /// Octets of user data in one message, 40 to 140. 140.
        part_octets: u8 = 140,
        /// Most parts of one text. 255.
        max_parts: u8 = 255,
        /// National tables that may be chosen. None.
        languages: Vec<Language> = Vec::new(),
        /// Whether ISO-8859-1 (data_coding 3) may be chosen. No.
        latin1: bool = false,
        /// Whether characters may be replaced so that the default alphabet carries a text. No.
        transliteration: bool = false,
        /// Whether a text is never cut inside what a reader takes for one character. No.
        graphemes: bool = false,
    }
}

impl TextProfile {
    /// What data_coding means on the link.
    pub fn codings(&self) -> Codings {
        Codings::default().with_default_alphabet(self.default_alphabet).with_packing(self.packing).with_jis(self.jis)
    }

    /// How texts become messages on the link.
    pub fn options(&self) -> TextOptions {
        TextOptions::default()
            .with_codings(self.codings())
            .with_long_messages(self.long_messages)
            .with_part_octets(self.part_octets)
            .with_max_parts(self.max_parts)
            .with_languages(self.languages.clone())
            .with_latin1(self.latin1)
            .with_transliteration(self.transliteration)
            .with_graphemes(self.graphemes)
    }
}
