"""Ids change and nothing else: re-issued, slid along their column, exchanged, put right again."""

from __future__ import annotations

from .world import REGISTERS, Area, Due, World


def reorder_rows(world: World) -> None:
    """Deliver the rows of one register in another order."""
    register = _some_register(world)
    _shuffle(world, register)
    world.tell("rows_reordered", register=REGISTERS[register].file)


def reissue(world: World) -> None:
    """Give some records of one register new ids."""
    _reissue(world, _some_register(world), float(world.rng.uniform(0.05, 0.3)))


def slide(world: World) -> None:
    """Let the ids of some rows that follow each other slide along their column, as a cut and paste does."""
    free = _free_of(world, _some_register(world))
    if len(free) >= 3:
        length = int(world.rng.integers(3, min(9, len(free)) + 1))
        start = int(world.rng.integers(len(free) - length + 1))
        _slide(world, free[start : start + length], "ids_permuted")


def sort_id_column(world: World) -> None:
    """Sort the id column of a register apart from the rest of the sheet; a later night puts it right."""
    _sort_id_column(world, _some_register(world), world.night + int(world.rng.integers(1, 4)))


def restore_ids(world: World, due: Due) -> bool:
    """Give records the ids back that they had before, unless another record has got that id meanwhile."""
    before = {area.ground_id: area.source_id for area in due.areas}
    register = due.areas[0].register
    if register in world.closed:
        return False
    chosen, fitting = set(before), {ground for ground in before if world.is_free(ground)}
    while chosen != fitting:
        chosen = fitting
        rows = [area for area in world.areas.values() if area.register == register]
        used = {area.source_id for area in rows if area.ground_id not in chosen}
        fitting = {ground for ground in chosen if before[ground] not in used}
    if chosen:
        grounds = sorted(chosen)
        world.give_ids(grounds, [before[ground] for ground in grounds])
        world.tell("ids_restored", *grounds)
    return True


def exchange_pairs(world: World) -> None:
    """Let two overlapping pairs of the same registers exchange their ids."""
    by_registers: dict[tuple[int, int], list[tuple[Area, Area]]] = {}
    for pair in world.overlaps():
        one, other = sorted((pair.first, pair.second), key=lambda area: area.register)
        if one.register != other.register and world.is_free(*pair.grounds):
            by_registers.setdefault((one.register, other.register), []).append((one, other))
    options = [pairs for pairs in by_registers.values() if len(pairs) > 1]
    if not options:
        return
    pairs = world.choose(options)
    first, second = (pairs[int(row)] for row in world.rng.choice(len(pairs), 2, replace=False))
    grounds = [area.ground_id for area in (*first, *second)]
    if len(set(grounds)) == 4:
        world.give_ids(grounds, [area.source_id for area in (*second, *first)])
        world.tell("pairs_exchanged_ids", *grounds)


def change_all_ids(world: World) -> None:
    """Change ids, and nothing but ids, in every register: the night on which all cases must keep theirs."""
    ways = world.rng.permutation(len(REGISTERS))
    for register, way in enumerate(ways):
        if way % 4 == 0:
            _reissue(world, register, 1.0)
        elif way % 4 == 1:
            _slide(world, _free_of(world, register), "ids_permuted")
        elif way % 4 == 2:
            _sort_id_column(world, register, 0)
        else:
            _reissue(world, register, 0.5)
        _shuffle(world, register)


def _some_register(world: World) -> int:
    return int(world.choose([row for row in range(len(REGISTERS)) if row not in world.closed]))


def _free_of(world: World, register: int) -> list[Area]:
    return [area for area in world.free() if area.register == register]


def _shuffle(world: World, register: int) -> None:
    """Put the rows of a register into another order; the rows of the others keep theirs."""
    rows = [ground for ground, area in world.areas.items() if area.register == register]
    for number in world.rng.permutation(len(rows)):
        world.put(world.take(rows[number]))


def _reissue(world: World, register: int, share: float) -> None:
    free = _free_of(world, register)
    chosen = [area.ground_id for area in free if world.rng.random() < share]
    if chosen:
        world.give_ids(chosen, [world.new_id(register) for _ in chosen])
        world.tell("ids_reissued", *chosen)


def _slide(world: World, rows: list[Area], what: str) -> None:
    if len(rows) < 2:
        return
    ids = [area.source_id for area in rows]
    grounds = [area.ground_id for area in rows]
    world.give_ids(grounds, ids[1:] + ids[:1])
    world.tell(what, *grounds)


def _sort_id_column(world: World, register: int, right_again: int) -> None:
    """Sort the ids of a whole register; `right_again` is the night that undoes it, 0 for never."""
    rows = _free_of(world, register)
    if len(rows) < 2:
        return
    order = world.rng.permutation(len(rows))
    grounds = [rows[number].ground_id for number in order]
    world.give_ids(grounds, sorted(area.source_id for area in rows))
    world.tell("id_column_sorted", *grounds)
    if right_again:
        world.due.append(Due(right_again, "ids_restored", tuple(rows)))
