"""The one tree of errors. Each speaks to the person who can mend it: what, where, what to do."""

from __future__ import annotations


class CallCenterError(Exception):
    """An error with a machine-readable code and a sentence for a person.

    `code` is stable and dotted (`dialplan.prompt_missing`), `message` says what is wrong, `where` names the
    file, line and field, `mend` says what to do. `retryable` tells a caller whether the same call may succeed
    later without anybody's help.
    """

    def __init__(
        self,
        code: str,
        message: str,
        *,
        retryable: bool = False,
        where: str | None = None,
        mend: str | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.retryable = retryable
        self.where = where
        self.mend = mend

    def __str__(self) -> str:
        text = f"{self.where}: {self.message}" if self.where else self.message
        return f"{text} — {self.mend}" if self.mend else text


class ConfigError(CallCenterError):
    """A setting or a file that a person wrote is wrong."""


class TelephonyError(CallCenterError):
    """SIP, RTP or pjsua2."""


class DialplanError(CallCenterError):
    """A call script is wrong or cannot go on."""


class SpeechError(CallCenterError):
    """Transcription, understanding or synthesis."""


class StoreError(CallCenterError):
    """PostgreSQL, the journal or the recordings' store."""


class DomainError(CallCenterError):
    """A rule of the house forbids what was asked (`code` starts with the rule, as `r14.two_responsible`)."""


class AccessError(CallCenterError):
    """Somebody asked for what their role does not allow."""
