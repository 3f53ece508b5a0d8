//! What is shown on a screen or typed on a phone.

use std::fmt;

/// A text for the screen, or from the keys.
///
/// `Debug` never prints it, only its length, and of a secret not even that; [`Text::as_str`] is how one asks for it.
///
/// ```
/// use ussd_session::Text;
///
/// let prompt = Text::public("Your PIN?").expecting_secret(); // the next answer is a secret
/// assert_eq!(format!("{prompt:?} {:?}", Text::secret("4321")), "Text(9 chars) Text(secret)");
/// ```
#[derive(Clone, Copy, Default, Eq, PartialEq)]
pub struct Text<'a> {
    text: &'a str,
    secret: bool,
    expects_secret: bool,
}

impl<'a> Text<'a> {
    /// A text that may be stored and logged by who asks for it.
    #[must_use]
    pub const fn public(text: &'a str) -> Self {
        Self { text, secret: false, expects_secret: false }
    }

    /// A text that is to be kept out of every log and store: a PIN, a balance.
    #[must_use]
    pub const fn secret(text: &'a str) -> Self {
        Self { text, secret: true, expects_secret: false }
    }

    /// The same text as a prompt whose answer will be a secret.
    #[must_use]
    pub const fn expecting_secret(self) -> Self {
        self.asking_for_secret(true)
    }

    /// The same text, as a prompt whose answer will be a secret or not.
    pub(crate) const fn asking_for_secret(mut self, secret: bool) -> Self {
        self.expects_secret = secret;
        self
    }

    /// The text itself.
    #[must_use]
    pub const fn as_str(&self) -> &'a str {
        self.text
    }

    /// True if the text is not to be logged or stored.
    #[must_use]
    pub const fn is_secret(&self) -> bool {
        self.secret
    }

    /// True if the answer to this prompt is a secret.
    #[must_use]
    pub const fn expects_secret(&self) -> bool {
        self.expects_secret
    }

    /// Another text of the same kind.
    pub(crate) const fn with(self, text: &str) -> Text<'_> {
        Text { text, secret: self.secret, expects_secret: self.expects_secret }
    }

    pub(crate) const fn marked(self, secret: bool) -> Self {
        Self { text: self.text, secret: self.secret || secret, expects_secret: self.expects_secret }
    }
}

impl<'a> From<&'a str> for Text<'a> {
    fn from(text: &'a str) -> Self {
        Self::public(text)
    }
}

impl fmt::Debug for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.secret { f.write_str("Text(secret)") } else { write!(f, "Text({} chars)", self.text.chars().count()) }
    }
}
