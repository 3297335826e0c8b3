"""Confirm a correction: what a person decides about the coordinates of a delivery, beside the evidence."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from geopipe.config import Config
from geopipe.coordinates.corrections import parse_correction
from geopipe.errors import ConfigError
from geopipe.io.confirmations import Confirmation, append_confirmation, load_confirmations
from geopipe.pipeline import read
from geopipe.policies import load_policy
from geopipe.profiles import load_profile
from geopipe.schema import Delivery, Proposal
from geopipe.settings import did_you_mean
from geopipe.steps import advance


@dataclass(frozen=True)
class Wish:
    """What a person typed.

    Without `rows` the correction is for the records for which the diagnosis finds evidence; with
    `everything` for all records, whatever the diagnosis finds.
    """

    correction: str
    by: str
    layer: str | None = None
    rows: tuple[int, ...] = ()
    everything: bool = False
    reference: str | None = None


def proposals_of(config: Config) -> list[tuple[Delivery, Proposal]]:
    """Return what the diagnosis proposes for the deliveries of a configuration, as they were delivered.

    Raises
    ------
    SourceError
        When nothing can be read.
    """
    return [(delivery, one) for delivery in _as_delivered(config) for one in delivery.proposals]


def confirm(config: Config, path: Path, wish: Wish, on: dt.date) -> list[Confirmation]:
    """Write the confirmation of one file into `path`, and return its events.

    Raises
    ------
    ConfigError
        When there is no evidence for the correction and the records are not named either.
    """
    correction = _canonical(wish.correction)
    deliveries = _as_delivered(config)
    if wish.rows or wish.everything:
        _require_meant(deliveries, wish)
        events = [_event(delivery, wish, correction, on) for delivery in deliveries]
    else:
        events = [
            _event(delivery, wish, correction, on, proposal)
            for delivery in deliveries
            for proposal in delivery.proposals
            if proposal.correction == correction and wish.layer in (None, proposal.layer)
        ]
    if not events:
        raise ConfigError(
            _no_evidence(deliveries, correction),
            str(config.deliveries[0].path),
            "If you are sure all the same, name the records: --rows 3,18 or --rows all.",
        )
    for event in events:
        append_confirmation(path, event)
    return events


def confirm_profile(profile: str, until: dt.date, path: Path, wish: Wish, on: dt.date) -> list[Confirmation]:
    """Write a confirmation for every delivery that is read with a profile, until a day."""
    if until < on:
        raise ConfigError(f"--until {until} is over already", remedy="Give a day to come.")
    event = Confirmation(
        profile=load_profile(profile).name,
        until=until,
        layer=wish.layer,
        correction=_canonical(wish.correction),
        by=wish.by,
        on=on,
        reference=wish.reference,
        evidence="for all deliveries of the profile",
    )
    append_confirmation(path, event)
    return [event]


def _require_meant(deliveries: Sequence[Delivery], wish: Wish) -> None:
    """Refuse named records that could be those of another file or layer, or that do not exist.

    Raises
    ------
    ConfigError
    """
    if wish.rows and len(deliveries) != 1:
        raise ConfigError("--rows is about one file, but there are several here", remedy="Name the file.")
    for delivery in deliveries:
        layers = {layer.layer: layer.records for layer in delivery.layers}
        if wish.layer is not None and wish.layer not in layers:
            raise ConfigError(
                f"there is no layer {wish.layer!r}{did_you_mean(wish.layer, tuple(layers))}", delivery.file
            )
        if wish.rows and wish.layer is None and len(layers) > 1:
            raise ConfigError(
                f"--rows is about one layer, but there are {', '.join(layers)}", delivery.file, "Add --layer."
            )
        most = layers[wish.layer] if wish.layer is not None else max(layers.values(), default=0)
        if wish.rows and not 1 <= wish.rows[0] <= wish.rows[-1] <= most:
            raise ConfigError(f"--rows: the layer has records 1 to {most:,}", delivery.file)


def revoke_profile(profile: str, path: Path, by: str, on: dt.date) -> list[Confirmation]:
    """Take back what was confirmed for all deliveries of a profile.

    Raises
    ------
    ConfigError
        When nothing was confirmed for it.
    """
    events = [event for event in load_confirmations(path) if event.profile == load_profile(profile).name]
    return _take_back(events, path, by, on, f"profile {profile}")


def revoke(config: Config, path: Path, by: str, on: dt.date) -> list[Confirmation]:
    """Take back what was confirmed for one file; later runs read it as it was delivered.

    Raises
    ------
    ConfigError
        When nothing was confirmed for it.
    """
    hashes = {delivery.content_hash for delivery in _as_delivered(config)}
    events = [event for event in load_confirmations(path) if event.content_hash in hashes]
    return _take_back(events, path, by, on, str(config.deliveries[0].path))


def _take_back(
    events: Sequence[Confirmation], path: Path, by: str, on: dt.date, where: str
) -> list[Confirmation]:
    if not events:
        raise ConfigError("nothing was confirmed here", where)
    taken_back = [event.model_copy(update={"revoked": True, "by": by, "on": on}) for event in events]
    for event in taken_back:
        append_confirmation(path, event)
    return taken_back


def _as_delivered(config: Config) -> tuple[Delivery, ...]:
    """Read and diagnose the deliveries with nothing confirmed."""
    bare = config.model_copy(update={"confirmations": None})
    return advance(read(bare), "validate", bare, load_policy(config.policy)).deliveries


def _canonical(correction: str) -> str:
    return ";".join(str(parse_correction(text)) for text in correction.split(";"))


def _event(
    delivery: Delivery, wish: Wish, correction: str, on: dt.date, proposal: Proposal | None = None
) -> Confirmation:
    return Confirmation(
        content_hash=delivery.content_hash,
        file=delivery.file,
        layer=proposal.layer if proposal else wish.layer,
        rows=proposal.rows if proposal else wish.rows or None,
        correction=correction,
        by=wish.by,
        on=on,
        reference=wish.reference,
        evidence=proposal.sentence if proposal else "the records were named by hand",
    )


def _no_evidence(deliveries: Sequence[Delivery], correction: str) -> str:
    """Say that the diagnosis does not propose this, and what it proposes instead."""
    others = sorted({p.correction for d in deliveries for p in d.proposals if p.correction})
    instead = f"; it proposes {' and '.join(others)}" if others else ""
    return f"the diagnosis finds no evidence for {correction}{instead}"
