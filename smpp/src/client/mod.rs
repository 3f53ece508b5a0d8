//! The ESME's end.
mod backoff;
mod pacer;
mod settings;
pub use self::backoff::ReconnectConfig;
pub use self::pacer::{Pacer, PacerConfig};
pub use self::settings::{InvalidSettings, LinkSettings, SettingsProblem};
