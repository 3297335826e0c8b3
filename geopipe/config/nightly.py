"""The nightly run's part of a configuration: its inbox, how long things are kept, who is told."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator

from geopipe.config.delivery import DeliveryOptions, path_from, profile_from
from geopipe.settings import Strict, did_you_mean

# Shorter, one would soon mean two files; with less than all of it, people can still type it.
HashStart = Annotated[str, Field(pattern="^[0-9a-f]{6,64}$")]


class InboxSpec(DeliveryOptions):
    """What is known of all that comes in one folder of the inbox."""

    every_days: int | None = Field(default=None, ge=1)
    """How often something is expected here; None: nobody is missed."""


class MailSpec(Strict):
    """Where the morning digest is mailed; the password stands in a file or in the environment, never here."""

    host: str
    port: int = Field(default=587, ge=1, le=65535)
    security: Literal["starttls", "ssl", "none"] = "starttls"
    sender: str
    to: tuple[str, ...] = Field(min_length=1)
    user: str | None = None
    password_file: Path | None = None
    password_env: str | None = None
    ca_file: Path | None = None
    """Certificates that are trusted beside those of the system: a mail server of one's own."""


class WebhookSpec(Strict):
    """An address that is told; it stands in a file or the environment: whoever knows it may write there."""

    url_file: Path | None = None
    url_env: str | None = None

    @model_validator(mode="after")
    def _one(self) -> WebhookSpec:
        if (self.url_file is None) == (self.url_env is None):
            raise ValueError("give url_file or url_env, one of them")
        return self


class NotifySpec(Strict):
    """Who is told in the morning, and how much."""

    detail: Literal["counts", "full"] = "counts"
    """`counts` leaves out every name of an operator, a file, a record or a case."""
    when: Literal["always", "needs_person"] = "always"
    mail: MailSpec | None = None
    webhook: WebhookSpec | None = None


class NightlySpec(Strict):
    """The nightly run: where deliveries are dropped, how long results are kept, who is told."""

    inbox: Path
    operators: dict[str, InboxSpec] = Field(min_length=1)
    """Folder in the inbox -> what is known of all that comes in it."""
    settle_seconds: float = Field(default=60.0, ge=0.0, le=3600.0)
    """A file is taken when it has not changed for so long."""
    keep_days: int = Field(default=30, ge=1)
    """How long a run's folder stays after a newer run has replaced it."""
    keep_received_days: int = Field(default=400, ge=1)
    """How long digests stay, and deliveries that are no longer in force."""
    set_aside: dict[HashStart, str] = Field(default_factory=dict)
    """Beginning of the hash of a received file that is not to be used -> why, and who says so."""
    belongs_to: dict[HashStart, str] = Field(default_factory=dict)
    """Beginning of the hash of a received file -> the folder whose it is, wherever it came."""
    notify: NotifySpec | None = None

    @model_validator(mode="after")
    def _known_folders(self) -> NightlySpec:
        for start, name in self.belongs_to.items():
            if name not in self.operators:
                near = did_you_mean(name, tuple(self.operators))
                raise ValueError(f"belongs_to.{start}: {name!r} is no folder of `operators`{near}")
        return self


def nightly_from(base: Path, nightly: NightlySpec | None) -> NightlySpec | None:
    """Return the nightly run's part with paths from the folder of the configuration."""
    if nightly is None:
        return None
    operators = {
        name: known.model_copy(update={"profile": profile_from(base, known.profile)})
        for name, known in nightly.operators.items()
    }
    told = nightly.notify
    if told is not None:
        told = told.model_copy(
            update={name: _files_from(base, getattr(told, name)) for name in ("mail", "webhook")}
        )
    return nightly.model_copy(
        update={"inbox": path_from(base, nightly.inbox), "operators": operators, "notify": told}
    )


def _files_from(base: Path, spec: Strict | None) -> Strict | None:
    """Return settings of which every path starts at a folder."""
    if spec is None:
        return None
    paths = {name: value for name, value in spec if isinstance(value, Path)}
    return spec.model_copy(update={name: path_from(base, path) for name, path in paths.items()})
