"""What a meeting decides of the pairs of a night, and what the operators then do: as decided, or not."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import shapely

from .world import Due, Pair, World, pairs_of

_CHOICES = ("corrects", "withdraw", "accept", "both_valid", "field_survey", "return_to_operator")
_CHANCES = (0.45, 0.15, 0.2, 0.1, 0.05, 0.05)
_AS_DECIDED, _THE_OTHER_ONE = 0.6, 0.2
# A correction that takes more than this share of a record is no correction of a border.
_MOST_CUT = 0.8


def meet(world: World) -> list[dict[str, Any]]:
    """Decide on some overlaps of tonight that nobody has decided on, and plan what the operators do.

    Returns
    -------
    list of dict
        `grounds` of the pair, `choice`, `who` corrects or withdraws (a ground, or None), whether it is
        `confirmed`, and `carried_out`: the night, and whether it was done as decided; None until then.
    """
    pairs = pairs_to_decide(world)
    most = max(2, len(pairs) // 40)
    chosen = world.rng.permutation(len(pairs))[:most]
    return [_decide(world, pairs[int(number)]) for number in sorted(chosen)]


def pairs_to_decide(world: World) -> list[Pair]:
    """Return tonight's pairs without a decision, apart from the expected course of things."""
    pairs = pairs_of(world.arriving())
    return [pair for pair in pairs if not pair.expected_release and pair.grounds not in world.decided]


def correct_undecided(world: World) -> None:
    """Cut a record along another one's border although nobody has decided that."""
    pairs = [pair for pair in pairs_to_decide(world) if world.is_free(*pair.grounds)]
    for number in world.rng.permutation(len(pairs)):
        first, second = world.rng.permutation(pairs[int(number)].grounds)
        if _cut(world, str(first), str(second)):
            world.tell("corrected_without_decision", str(first), str(second))
            return


def withdraw_for_good(world: World) -> None:
    """Withdraw one of two overlapping records although nobody has decided that."""
    pairs = [pair for pair in pairs_to_decide(world) if world.is_free(*pair.grounds)]
    if pairs:
        gone = world.choose([*world.choose(pairs).grounds])
        world.take(gone)
        world.tell("withdrawn_for_good", gone)


def carry_out(world: World, due: Due) -> bool:
    """Let the operator do what was decided, or the wrong one do it; a record that is gone ends the matter."""
    if not all(ground in world.areas for ground in due.grounds):
        return True
    if not world.is_free(*due.grounds):
        return False
    who, partner = due.grounds
    if due.what == "withdrawn_as_decided":
        world.take(who)
    elif not _cut(world, who, partner):
        return True
    due.decision["carried_out"] = {"night": world.night, "who": who, "as_decided": who == due.decision["who"]}
    world.tell(due.what, who, partner)
    return True


def _decide(world: World, pair: Pair) -> dict[str, Any]:
    choice = str(world.rng.choice(_CHOICES, p=_CHANCES))
    who, partner = (str(ground) for ground in world.rng.permutation(pair.grounds))
    if choice == "corrects" and _rest(world, who, partner) is None:
        who, partner = partner, who
        if _rest(world, who, partner) is None:
            choice = "accept"
    acts = choice in ("corrects", "withdraw")
    world.decided.add(pair.grounds)
    decision = {
        "grounds": [*pair.grounds],
        "choice": choice,
        "who": who if acts else None,
        "confirmed": bool(world.rng.random() < 0.8),
        "carried_out": None,
    }
    chance, night = world.rng.random(), world.night + int(world.rng.integers(1, 5))
    if acts and chance < _AS_DECIDED + _THE_OTHER_ONE:
        grounds = (who, partner) if chance < _AS_DECIDED else (partner, who)
        what = "corrected" if choice == "corrects" else "withdrawn_as_decided"
        world.due.append(Due(night, what, grounds=grounds, decision=decision))
    return decision


def _rest(world: World, ground: str, partner: str) -> shapely.Polygon | None:
    """Return what is left of a record that is cut along the other's border; None if that is no polygon."""
    whole = world.areas[ground].polygon
    left = shapely.difference(whole, world.areas[partner].polygon)
    if not isinstance(left, shapely.Polygon) or not left.is_valid or left.interiors:
        return None
    return left if left.area >= (1 - _MOST_CUT) * whole.area else None


def _cut(world: World, ground: str, partner: str) -> bool:
    """Cut a record along the other's border; say whether that was possible."""
    left = _rest(world, ground, partner)
    if left is None:
        return False
    world.put(replace(world.areas[ground], polygon=left, informed=world.day))
    return True
