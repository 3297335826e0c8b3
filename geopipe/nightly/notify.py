"""Telling people in the morning, by e-mail or webhook, only if the configuration asks for it.

What fails here is a warning and never stops a run. Passwords and addresses come from a file or from the
environment; they are never written anywhere, and are taken out of what others say about a failure.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import smtplib
import ssl
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from pathlib import Path

from geopipe.config import MailSpec, NotifySpec, WebhookSpec
from geopipe.errors import ConfigError
from geopipe.nightly.digest import Digest
from geopipe.nightly.telling import as_counts, as_html, as_text, subject

_SECONDS = 30.0
_HIDDEN = "(hidden)"
_LOCAL = ("localhost", "127.0.0.1", "::1")


def notify(spec: NotifySpec | None, digest: Digest, now: float) -> list[str]:
    """Tell whoever is to be told; return a sentence for each that could not be.

    Parameters
    ----------
    spec : NotifySpec or None
    digest : Digest
    now : float
        Seconds since 1970, for the date of the message.
    """
    if spec is None or (spec.when == "needs_person" and not digest.needs_person):
        return []
    ways: list[tuple[str, Callable[[], None]]] = []
    if (mail := spec.mail) is not None:
        ways.append((f"mail to {mail.host}", lambda: send_mail(mail, _message(spec, mail, digest, now))))
    if (hook := spec.webhook) is not None:
        ways.append(("webhook", lambda: send_webhook(hook, subject(digest), _body(spec, digest))))
    problems = []
    for name, send in ways:
        try:
            send()
        except Exception as error:  # nobody loses a night because a mail did not go out
            problems.append(f"{name}: nobody was told ({_without(_secrets(spec), _reason(error))})")
    return problems


def _body(spec: NotifySpec, digest: Digest) -> str:
    return as_text(digest) if spec.detail == "full" else as_counts(digest)


def _message(spec: NotifySpec, mail: MailSpec, digest: Digest, now: float) -> EmailMessage:
    """Return the mail: figures only, or the whole digest, as text and HTML."""
    message = EmailMessage()
    message["Subject"] = subject(digest)
    message["From"], message["To"] = mail.sender, ", ".join(mail.to)
    message["Date"], message["Message-ID"] = formatdate(now), make_msgid(domain="geopipe.invalid")
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(_body(spec, digest))
    if spec.detail == "full":
        message.add_alternative(as_html(digest), subtype="html")
    return message


def send_mail(mail: MailSpec, message: EmailMessage) -> None:
    """Send a mail; a password goes over an encrypted connection only.

    Raises
    ------
    ConfigError
        When the password is not where the configuration says, or would travel for everybody to read.
    OSError
        When the server cannot be reached or refuses.
    """
    password = secret_of(mail.password_file, mail.password_env, "the password of the mail server")
    if password and mail.security == "none" and mail.host not in _LOCAL:
        raise ConfigError("a password is not sent without encryption", remedy="Set security: starttls.")
    trusted = ssl.create_default_context()
    if mail.ca_file:
        trusted.load_verify_locations(mail.ca_file)
    with _server(mail, trusted) as server:
        if mail.security == "starttls":
            server.starttls(context=trusted)
        if mail.user and password:
            server.login(mail.user, password)
        server.send_message(message)


def _server(mail: MailSpec, trusted: ssl.SSLContext) -> smtplib.SMTP:
    if mail.security == "ssl":
        return smtplib.SMTP_SSL(mail.host, mail.port, timeout=_SECONDS, context=trusted)
    return smtplib.SMTP(mail.host, mail.port, timeout=_SECONDS)


def send_webhook(hook: WebhookSpec, title: str, body: str) -> None:
    """Post title and text as JSON to a web address; other services need apprise.

    Raises
    ------
    ConfigError
        When the address is not where the configuration says, or apprise is not installed.
    OSError
        When the address cannot be reached or refuses.
    """
    url = secret_of(hook.url_file, hook.url_env, "the address of the webhook")
    if not url.startswith(("http://", "https://")):
        _by_apprise(url, title, body)
        return
    told = json.dumps({"title": title, "text": body}, ensure_ascii=False).encode()
    headers = {"Content-Type": "application/json; charset=utf-8"}
    request = urllib.request.Request(url, told, headers)  # noqa: S310
    with urllib.request.build_opener(_NoRedirect).open(request, timeout=_SECONDS):
        pass


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Follows no redirect: what is told goes to the address that was given, or nowhere."""

    def redirect_request(self, *_: object) -> None:
        """Refuse."""


def _by_apprise(url: str, title: str, body: str) -> None:
    try:
        import apprise  # type: ignore[import-not-found, unused-ignore]
    except ImportError as error:
        raise ConfigError(
            "this service needs apprise", remedy='Install it: pip install "geopipe[notify]".'
        ) from error
    # It would name the address in warnings of its own.
    logging.getLogger("apprise").setLevel(logging.CRITICAL + 1)
    service = apprise.Apprise()
    if not service.add(url) or not service.notify(title=title, body=body):
        raise ConnectionError("apprise could not deliver it")


def secret_of(file: Path | None, variable: str | None, what: str) -> str:
    """Return a secret from a file, else from the environment; '' where neither is named.

    Raises
    ------
    ConfigError
        When it is not there.
    """
    if file is not None:
        try:
            return file.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"{what} cannot be read", str(file), "Does the file exist?") from error
    if variable is not None:
        if not os.environ.get(variable):
            raise ConfigError(f"{what} is missing: the variable {variable} is not set")
        return os.environ[variable]
    return ""


def _secrets(spec: NotifySpec) -> Iterator[str]:
    """Give the secrets that could stand in a message of somebody else."""
    places = []
    if spec.mail:
        places.append((spec.mail.password_file, spec.mail.password_env))
    if spec.webhook:
        places.append((spec.webhook.url_file, spec.webhook.url_env))
    for file, variable in places:
        with contextlib.suppress(ConfigError):
            secret = secret_of(file, variable, "")
            yield secret
            yield from (part for part in secret.split("/") if len(part) >= 6)


def _without(secrets: Iterator[str], text: str) -> str:
    for secret in sorted(filter(None, secrets), key=len, reverse=True):
        text = text.replace(secret, _HIDDEN)
    return text


def _reason(error: Exception) -> str:
    """Return why something failed, in one line."""
    if isinstance(error, smtplib.SMTPResponseException):
        said = error.smtp_error
        answer = said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)
        return f"the server answered {error.smtp_code} {answer}"
    lines: Sequence[str] = str(error).splitlines() or [type(error).__name__]
    return lines[0]
