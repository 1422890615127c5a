"""One mail by SMTP: encrypted on the way, its Message-ID the same on every try, so that none is read twice."""

from __future__ import annotations

import contextlib
import hashlib
import os
import smtplib
import ssl
from email.message import EmailMessage

from callcenter.config import MessageSettings
from callcenter.errors import CallCenterError, ConfigError


class MailError(CallCenterError):
    """A mail that could not be handed over; `retryable` unless the server refuses this address for good."""


def send(settings: MessageSettings, to: str, subject: str, text: str, key: str) -> None:
    """Hand one mail to the server. Blocks up to some `timeout_s`: run it in a thread. Raises MailError, ConfigError."""
    assert settings.mail_host is not None
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = settings.mail_from, to, subject
    message["Message-ID"] = f"<{hashlib.sha256(key.encode()).hexdigest()[:32]}@{settings.mail_from.rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(text)
    try:
        server = _connected(settings)
        try:
            if settings.mail_user:
                server.login(settings.mail_user, _password(settings))
            server.send_message(message)
            with contextlib.suppress(smtplib.SMTPException, OSError):
                server.quit()  # it has the mail, whatever it says to a goodbye
        finally:
            server.close()
    except smtplib.SMTPRecipientsRefused as error:
        code = max((status for status, _ in error.recipients.values()), default=550)
        raise MailError("mail.refused", f"the server refuses this address ({code})", retryable=code < 500) from error
    except smtplib.SMTPAuthenticationError as error:
        raise MailError(
            "mail.login", f"the mail server refuses the login ({error.smtp_code})", retryable=True,
            mend="check messages.mail_user and the variable that messages.mail_password_env names",
        ) from error  # fmt: skip
    except (smtplib.SMTPException, OSError) as error:
        name = type(error).__name__
        raise MailError("mail.server", f"the mail server did not take it: {name}", retryable=True) from error


def _connected(settings: MessageSettings) -> smtplib.SMTP:
    host, port = settings.mail_host or "", settings.mail_port
    if settings.mail_tls == "off" and host not in {"127.0.0.1", "::1", "localhost"}:
        raise ConfigError(
            "mail.plain", "mail would cross the network unencrypted", where="messages.mail_tls",
            mend='set it to "starttls" or "tls"',
        )  # fmt: skip
    context = ssl.create_default_context()
    if settings.mail_tls == "tls":
        return smtplib.SMTP_SSL(host, port, timeout=settings.timeout_s, context=context)
    server = smtplib.SMTP(host, port, timeout=settings.timeout_s)
    if settings.mail_tls == "starttls":
        try:
            server.starttls(context=context)
        except BaseException:
            server.close()
            raise
    return server


def _password(settings: MessageSettings) -> str:
    name = settings.mail_password_env or ""
    password = os.environ.get(name)
    if not password:
        raise ConfigError(
            "mail.password", "the mail server's password is not there", where="messages.mail_password_env",
            mend=f"set the environment variable {name or 'it names'}",
        )  # fmt: skip
    return password
