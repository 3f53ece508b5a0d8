//! The code that was dialled.

use std::fmt;

/// A dialled code, for example `*384*1234*3*1#`.
///
/// ```
/// use ussd_session::Dialled;
///
/// let dialled = Dialled::new("*384*1234*3*1#");
/// let shortcut: Vec<&str> = dialled.tail("*384*1234#").unwrap().collect();
/// assert_eq!(shortcut, ["3", "1"]); // the application decides what they mean
/// assert!(dialled.tail("*384*12#").is_none());
/// ```
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Dialled<'a>(&'a str);

impl<'a> Dialled<'a> {
    /// The code as dialled.
    #[must_use]
    pub const fn new(code: &'a str) -> Self {
        Self(code)
    }

    /// The code as dialled.
    #[must_use]
    pub const fn as_str(self) -> &'a str {
        self.0
    }

    /// What was dialled beyond a service's own code, part by part; none if it is another service.
    pub fn tail(self, service: &str) -> Option<impl Iterator<Item = &'a str> + use<'a>> {
        let rest = self.0.trim_end_matches('#').strip_prefix(service.trim_end_matches('#'))?;
        (rest.is_empty() || rest.starts_with('*')).then(|| rest.split('*').skip(1))
    }
}

impl fmt::Display for Dialled<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.0)
    }
}
