"""The deliveries of a run, found again by their hashes; rules and confirmations as they were."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from pathlib import Path

from geopipe.config import DeliverySpec
from geopipe.errors import ConfigError
from geopipe.io.confirmations import Confirmation
from geopipe.io.contents import content_hash
from geopipe.io.geopackage import file_hash
from geopipe.io.sources import find_sources
from geopipe.io.store import write_text
from geopipe.nightly.filing import RECEIVED, hash_of, place_of
from geopipe.policies import load_policy, policy_hash
from geopipe.register.register import Register
from geopipe.reproducing.wanted import Wanted


def specs_then(wanted: Wanted, workspace: Path) -> tuple[DeliverySpec, ...]:
    """Return the deliveries of a run where they can be had now: the same bytes, in the same order.

    Raises
    ------
    ConfigError
        When some are nowhere; it names them.
    """
    needed = set(wanted.sha256)
    specs: list[DeliverySpec] = []
    found: set[str] = set()
    for spec in wanted.config.deliveries:
        here, hashes = _here(spec, needed)
        specs += here
        found |= hashes
    for sha256 in [name for name in dict.fromkeys(wanted.sha256) if name not in found]:
        path = _filed(workspace, sha256)
        if path is not None:
            specs.append(_like(wanted.config.deliveries, path))
            found.add(sha256)
    missing = [
        item for item in wanted.summary["deliveries"] if item["sha256"] and item["sha256"] not in found
    ]
    if missing:
        named = ", ".join(f"{item['file']} ({item['sha256'][:16]})" for item in missing)
        remedy = (
            "Put the files with exactly these bytes back where they were; geopipe ledger says when they came."
        )
        raise ConfigError(f"deliveries of this run are not there: {named}", wanted.name, remedy)
    return tuple(specs)


def _here(spec: DeliverySpec, needed: set[str]) -> tuple[list[DeliverySpec], set[str]]:
    """Return a delivery as it can be named now, and which of the needed hashes it holds.

    What has been added to a folder since is left out.
    """
    hashes, paths, is_same = set(), [], True
    for source in find_sources([spec.path]):
        name = "" if source.problem else content_hash(source)
        if name in needed:
            hashes.add(name)
            paths.append(source.path)
        elif not source.problem:
            is_same = False
    if is_same:
        return [spec], hashes
    return [spec.model_copy(update={"path": path}) for path in paths], hashes


def _filed(workspace: Path, sha256: str) -> Path | None:
    """Return a filed delivery of a hash, if its bytes are still those."""
    place = place_of(workspace / RECEIVED, sha256)
    for path in sorted(place.iterdir()) if place.is_dir() else ():
        if path.name[0] != "." and hash_of(path) == sha256:
            return path
    return None


def _like(specs: Sequence[DeliverySpec], path: Path) -> DeliverySpec:
    """Return a delivery that was found elsewhere, read as the one of its name was."""
    named = next((spec for spec in specs if spec.path.name == path.name), None)
    return named.model_copy(update={"path": path}) if named else DeliverySpec(path=path)


def policy_then(register: Register, wanted: Wanted, folder: Path) -> Path | None:
    """Return the policy of a run: the file that was named, if it says the same, else what the register keeps.

    Raises
    ------
    ConfigError
        When neither says what it said then.
    """
    hash_then, path = wanted.summary["policy"]["hash"], wanted.config.policy
    if (path is None or path.is_file()) and policy_hash(load_policy(path)) == hash_then:
        return path
    rows = register.ask("SELECT content FROM policies WHERE policy_hash = ?", hash_then)
    kept = folder / "policy.yaml"
    if rows:
        write_text(kept, str(rows[0][0]))
        if policy_hash(load_policy(kept)) == hash_then:
            return kept
    raise ConfigError("the policy of this run is not there", str(path or "the default"), "Restore the file.")


def confirmations_then(wanted: Wanted, folder: Path) -> Path | None:
    """Return a file of the confirmations that had been made by then: the first ones of the file of now."""
    path, size = wanted.config.confirmations, wanted.confirmations_bytes
    if path is None or not path.exists():
        return path
    kept = folder / "confirmations.jsonl"
    if size is None:
        text = "".join(_lines_until(path, wanted.day))
    else:
        text = path.read_bytes()[:size].decode("utf-8")
    write_text(kept, text)
    return kept


def _lines_until(path: Path, day: dt.date) -> Iterator[str]:
    """Yield what was confirmed by the end of a day."""
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.strip() and Confirmation.model_validate_json(line).on <= day:
            yield f"{line}\n"


def changed_since(wanted: Wanted) -> list[str]:
    """Return the files of settings that are not as they were."""
    return [
        name
        for name, sha256 in wanted.settings.items()
        if not Path(name).is_file() or file_hash(Path(name)) != sha256
    ]
