/// Where a session stands. Both ends use the same names.
///
/// ```text
///  client                                       server
///
///  new: LOGIN is sent                           new
///      |                                            |
///      v         NACK, deadline                     v          deadline
///  LoggingIn ---------------------.             LoggingIn <---------------.----------.
///      | ACK 1                    |                 | LOGIN               |          |
///      |                          |                 v                     | refuse,  |
///      |                          |             Deciding -----------------' if told  |
///      v                          |                 | accept: ACK 1         to stay  |
///    Open ------------------------|                 v                                |
///      | logout:    199, dead     |               Open ------------------------------|
///      | LOGOUT     peer          |                    LOGOUT, replaced (199), idle  |
///      v                          |                                                  |
///  LoggingOut --------------------|                                                  |
///             peer closes,        v                                                  v
///             deadline          Closed                                            Closed
/// ```
///
/// From every state, a line over the limit, the end of the stream, and `close` lead to `Closed`.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum State {
    /// Client: LOGIN was sent and is not answered. Server: LOGIN has not come.
    LoggingIn,
    /// Server: LOGIN has come, and the program has not said whether it is accepted.
    Deciding,
    /// Logged in.
    Open,
    /// Client: LOGOUT was sent, and the gateway has not closed.
    LoggingOut,
    /// Over.
    Closed,
}
