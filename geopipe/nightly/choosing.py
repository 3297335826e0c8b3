"""Which of the filed deliveries a night reads: what is in force, what is new, and what could not be read.

A whole register that is new replaces the one before it: both in one run would be taken for one register in
two files, and nothing could be said to have vanished. What a new file holds is known only once it was read;
it is read here, and kept for the run.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from geopipe.config import Config, DeliverySpec
from geopipe.errors import ConfigError, GeopipeError, SourceError
from geopipe.io.ledgers.inforce import SNAPSHOT, Group
from geopipe.io.ledgers.ledger import Ledger
from geopipe.io.ledgers.received import received
from geopipe.nightly.filing import Receipt, with_comings
from geopipe.preparation.kept import Kept
from geopipe.preparation.together import prepare_deliveries


@dataclass(frozen=True)
class Content:
    """What is known of the content of a filed delivery: its registers, and if it is the whole of them."""

    groups: frozenset[Group] = frozenset()
    is_snapshot: bool = False


@dataclass(frozen=True)
class Tonight:
    """What a night reads: receipts, the newest first. `unread` of them hold nothing that can be used.

    `set_aside` are left out because a person says so; `replaced` says of each that is left out because of a
    later one (by hash) which one is read instead.
    """

    reads: tuple[Receipt, ...] = ()
    unread: tuple[Receipt, ...] = ()
    set_aside: tuple[Receipt, ...] = ()
    replaced: Mapping[str, Receipt] = field(default_factory=dict)


def as_belongs(receipt: Receipt, belongs_to: Mapping[str, str]) -> Receipt:
    """Return a receipt under the folder whose it is, where a person has said so.

    Parameters
    ----------
    receipt : Receipt
    belongs_to : mapping of str to str
        Beginning of a hash -> the folder whose the delivery is, wherever it came.

    Returns
    -------
    Receipt
        As it came in that folder; where it never did, as it came in the other one.
    """
    folder = next((name for start, name in belongs_to.items() if receipt.sha256.startswith(start)), "")
    if folder in ("", receipt.folder):
        return receipt
    here = [item for item in receipt.again if item.folder == folder]
    if here:
        came = min(here, key=lambda item: item.number)
        receipt = replace(receipt, received_at=came.at, day=came.day, number=came.number)
    return with_comings(replace(receipt, folder=folder), receipt.again)


def choose(receipts: Sequence[Receipt], contents: Mapping[str, Content], aside: Collection[str]) -> Tonight:
    """Say which filed deliveries are read.

    Parameters
    ----------
    receipts : sequence of Receipt
    contents : mapping of hash to Content
        What each holds, the new ones among them.
    aside : collection of str
        Beginnings of hashes that a person has set aside.

    Returns
    -------
    Tonight
        A delivery is read until another one of the same folder replaces it: of a whole register, one that
        came later and holds the same registers whole; of what could not be used, one of the same name.
    """
    own, dropped = without_aside(receipts, aside)
    later_of = {item.sha256: _later(item, own, contents) for item in own}
    reads = [item for item in own if later_of[item.sha256] is None]
    replaced = {item.sha256: _instead(item, later_of) for item in own if item not in reads}
    unread = [item for item in reads if not _content(contents, item).groups]
    # A file that cannot be used must not take the name of the one that stays in force.
    good = [item for item in reads if item not in unread]
    return Tonight(
        (*_newest_first(good), *_newest_first(unread)), _newest_first(unread), tuple(dropped), replaced
    )


def without_aside(receipts: Sequence[Receipt], aside: Collection[str]) -> tuple[list[Receipt], list[Receipt]]:
    """Return the deliveries that may be read, and those that a person has set aside by their hash."""
    own = [item for item in receipts if item.is_delivery]
    dropped = [item for item in own if any(item.sha256.startswith(start) for start in aside)]
    return [item for item in own if item not in dropped], dropped


def _later(item: Receipt, own: Sequence[Receipt], contents: Mapping[str, Content]) -> Receipt | None:
    """Return the newest delivery that takes the place of one, None where it stays."""
    found = (later for later in own if _replaces(later, item, contents))
    return max(found, key=lambda later: later.last_number, default=None)


def _instead(item: Receipt, later_of: Mapping[str, Receipt | None]) -> Receipt:
    """Return the delivery that is read instead of one: what replaced it may be replaced itself."""
    while (later := later_of[item.sha256]) is not None:
        item = later
    return item


def _newest_first(receipts: Iterable[Receipt]) -> tuple[Receipt, ...]:
    return tuple(sorted(receipts, key=lambda item: (-item.number, item.sha256)))


def _content(contents: Mapping[str, Content], item: Receipt) -> Content:
    return contents.get(item.sha256, Content())


def _replaces(later: Receipt, item: Receipt, contents: Mapping[str, Content]) -> bool:
    """Say whether a delivery takes the place of an earlier one: only one of the same folder can.

    Files that came in one night are one coming: neither of them replaces the other. Numbers tell which night
    was later: a clock that ran ahead once must not keep an old register in force for ever.
    """
    if later.folder != item.folder:
        return False
    held, held_later = _content(contents, item), _content(contents, later)
    if not held.groups:
        # What came before, and comes again after a file that was broken, replaces it.
        return _came_last(later, item) and same_name(later.name, item.name)
    return _came_after(later, item) and held_later.is_snapshot and held.groups <= held_later.groups


def _came_after(later: Receipt, item: Receipt) -> bool:
    return later.number > item.number and later.received_at != item.received_at


def _came_last(later: Receipt, item: Receipt) -> bool:
    return later.last_number > item.last_number and later.last_at != item.last_at


def same_name(one: str, other: str) -> bool:
    """Say whether two names are the same but for dates, numbers, copies and the format."""
    return _pattern(one) == _pattern(other)


def _pattern(name: str) -> str:
    stem = Path(name.lower().removesuffix(".gz")).stem
    return re.sub(r"\W+|_+", " ", re.sub(r"\d+|\bcopy\b|\bnew\b", " ", re.sub(r"_", " ", stem))).strip()


def contents_of(
    ledger: Ledger, receipts: Sequence[Receipt], specs: Mapping[str, DeliverySpec], config: Config, kept: Kept
) -> dict[str, Content]:
    """Return what filed deliveries hold: from the ledger, and of new ones by reading them.

    Parameters
    ----------
    ledger : Ledger
    receipts : sequence of Receipt
    specs : mapping of hash to DeliverySpec
        How each is read.
    config : Config
        What the run is told beside.
    kept : Kept
        Where what was read is kept for the run.
    """
    contents = {
        content: known
        for content, operator, known in _known(ledger)
        # Read as another operator's, it was in that one's registers: what it holds now must be seen.
        if content not in specs or specs[content].operator in (None, operator)
    }
    new = [item for item in receipts if item.is_delivery and item.sha256 not in contents]
    if new:
        told = config.model_copy(update={"deliveries": tuple(specs[item.sha256] for item in new)})
        contents |= _read(told, kept)
    return contents


def _known(ledger: Ledger) -> Iterable[tuple[str, str, Content]]:
    """Yield each content that was read, the operator as whose it was read last, and what it held."""
    held: dict[str, set[Group]] = {}
    for key, *names in ledger.ask("SELECT key, operator, register, role FROM holdings"):
        held.setdefault(key, set()).add(Group(*names))
    last = {
        content: (operator, Content(frozenset(held.get(key, ())), mode == SNAPSHOT))
        for key, content, operator, mode in ledger.ask(
            "SELECT key, content_hash, operator, mode FROM readings ORDER BY number"
        )
    }
    for content, (operator, known) in last.items():
        yield content, operator, known


def _read(config: Config, kept: Kept) -> dict[str, Content]:
    try:
        state = prepare_deliveries(config, kept).state
    except SourceError:
        return {}  # none of them can be used; the run will say why
    except ConfigError as error:
        raise _about_inbox(error) from error
    return {
        item.delivery.content_hash: Content(frozenset(item.groups), item.mode == SNAPSHOT)
        for item in received(state)
    }


def _about_inbox(error: GeopipeError) -> GeopipeError:
    return ConfigError(error.what, error.where or "nightly.operators", error.remedy)
