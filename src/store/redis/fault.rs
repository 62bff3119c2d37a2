//! Maps errors of the driver and of the server to [`StoreError`].

use redis::{ErrorKind, RedisError, ServerErrorKind};

use crate::store::StoreError;

const STORE: &str = "ephemeral store";

pub(super) fn unavailable(reason: &'static str) -> StoreError {
    StoreError::Unavailable { store: STORE, source: reason.into() }
}

/// Maps a failure to connect. Whatever the server answered (a wrong password, too many clients), it is unavailable.
pub(super) fn unreachable(error: RedisError) -> StoreError {
    StoreError::Unavailable { store: STORE, source: error.into() }
}

/// Builds [`StoreError::Broken`]: a bug, or a setting or an answer that this program cannot use.
pub(super) fn broken(reason: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> StoreError {
    StoreError::Broken { store: STORE, source: reason.into() }
}

/// Maps an error in answer to a command. It is either a bug of this program or a server that cannot serve at the moment
/// (gone, slow, out of memory, read-only, loading, in failover, cut off from its replicas, asking for a password).
/// `NOSCRIPT` is of the second kind: the script was flushed between its upload and its call, and nothing was executed.
pub(super) fn refused(error: RedisError) -> StoreError {
    if is_our_mistake(&error) { broken(error) } else { unreachable(error) }
}

fn is_our_mistake(error: &RedisError) -> bool {
    match error.kind() {
        ErrorKind::Server(kind) => matches!(
            kind,
            ServerErrorKind::ResponseError
                | ServerErrorKind::ExecAbort
                | ServerErrorKind::CrossSlot
                | ServerErrorKind::NotBusy
                | ServerErrorKind::NoSub
        ),
        ErrorKind::Extension => code_of(error).is_some_and(|code| code == "WRONGTYPE"),
        ErrorKind::UnexpectedReturnType
        | ErrorKind::InvalidClientConfig
        | ErrorKind::Client
        | ErrorKind::RESP3NotSupported => true,
        _ => false,
    }
}

fn code_of(error: &RedisError) -> Option<String> {
    let errors = error.clone().into_server_errors()?;
    errors.first().map(|(_, error)| error.code().to_owned())
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Failure {
    Answered,
    /// There was no answer in time; the connection may be intact.
    Silent,
    /// The connection is gone or unusable.
    Lost,
}

pub(super) fn failure(error: &RedisError) -> Failure {
    if error.is_timeout() {
        Failure::Silent
    } else if error.is_io_error() || error.is_unrecoverable_error() {
        Failure::Lost
    } else {
        Failure::Answered
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(line: &str) -> RedisError {
        let (code, detail) = line.split_once(' ').unwrap_or((line, ""));
        redis::make_extension_error(code.to_owned(), Some(detail.to_owned()))
    }

    #[test]
    fn a_server_that_cannot_serve_is_unavailable() {
        for line in
            ["OOM command not allowed", "NOREPLICAS Not enough", "NOAUTH Authentication", "BUSY Redis is", "MISCONF x"]
        {
            let error = answer(line);

            assert_eq!(failure(&error), Failure::Answered, "{line}");
            assert!(matches!(refused(error), StoreError::Unavailable { .. }), "{line}");
        }
        for kind in [
            ServerErrorKind::ReadOnly,
            ServerErrorKind::BusyLoading,
            ServerErrorKind::MasterDown,
            ServerErrorKind::ClusterDown,
            ServerErrorKind::TryAgain,
            ServerErrorKind::NoScript,
        ] {
            let error = RedisError::from((ErrorKind::Server(kind), "refused"));

            assert_eq!(failure(&error), Failure::Answered, "{kind:?}");
            assert!(matches!(refused(error), StoreError::Unavailable { .. }), "{kind:?}");
        }
    }

    #[test]
    fn a_wrong_type_or_a_script_error_is_our_mistake() {
        assert!(matches!(refused(answer("WRONGTYPE Operation against")), StoreError::Broken { .. }));
        let script = RedisError::from((ErrorKind::Server(ServerErrorKind::ResponseError), "user_script:1: attempt"));
        assert!(matches!(refused(script), StoreError::Broken { .. }));
    }

    #[test]
    fn a_slow_answer_is_silence_and_a_reset_is_a_loss() {
        let slow = RedisError::from(std::io::Error::from(std::io::ErrorKind::TimedOut));
        let reset = RedisError::from(std::io::Error::from(std::io::ErrorKind::ConnectionReset));

        assert_eq!(failure(&slow), Failure::Silent);
        assert_eq!(failure(&reset), Failure::Lost);
        assert!(matches!(refused(slow), StoreError::Unavailable { .. }));
        assert!(matches!(refused(reset), StoreError::Unavailable { .. }));
    }
}
