"""Records that come, go, and come back; ids that are given to other ground."""

from __future__ import annotations

from dataclasses import replace

from .start import add, draw_registers
from .world import Area, Due, Pair, Spare, World

# A sheet tells of withdrawn records by leaving them out.
_NIGHTS_AWAY = (1, 5)


def add_pair(world: World) -> None:
    """Let two operators report overlapping areas where nobody has reported any."""
    if world.spare:
        first, second = _new_pair(world, world.spare.pop())
        world.tell("added", first.ground_id, second.ground_id)


def withdraw_for_a_while(world: World) -> None:
    """Leave out a record that overlaps; some nights later it is back, under its own or another id."""
    pairs = _free_pairs(world)
    if pairs:
        gone = world.take(world.choose([*world.choose(pairs).grounds]))
        world.tell("withdrawn", gone.ground_id)
        world.due.append(Due(world.night + int(world.rng.integers(*_NIGHTS_AWAY)), "readded", (gone,)))


def readd(world: World, due: Due) -> bool:
    """Bring a record back as it was; its own id may have been given away meanwhile."""
    (area,) = due.areas
    if area.register in world.closed:
        return False
    taken = {other.source_id for other in world.areas.values() if other.register == area.register}
    own = area.source_id not in taken and world.rng.random() < 0.5
    world.put(area if own else replace(area, source_id=world.new_id(area.register)))
    world.tell("readded", area.ground_id, same_id=own)
    return True


def reuse_id(world: World) -> None:
    """Withdraw one record of a pair and give its id to an area elsewhere."""
    pairs = _free_pairs(world)
    if not pairs or not world.spare:
        return
    gone = world.take(world.choose([*world.choose(pairs).grounds]))
    fitting = [spare for spare in world.spare if spare.says == gone.kind]
    if not fitting:
        world.put(gone)
        return
    spare = world.choose(fitting)
    world.spare.remove(spare)
    when, polygon = spare.days[0], spare.polygons[0]
    new = add(world, gone.register, polygon, when, spare.box)
    world.put(replace(new, source_id=gone.source_id))
    world.tell("id_reused", gone.ground_id, new.ground_id, withdrawn=gone.ground_id, new=new.ground_id)


def reuse_ids_of_a_pair(world: World) -> None:
    """Withdraw both records of a pair and give both ids to an overlapping pair elsewhere."""
    pairs = [pair for pair in _free_pairs(world) if pair.first.kind == pair.second.kind]
    says = {spare.says for spare in world.spare}
    pairs = [pair for pair in pairs if pair.first.kind in says]
    if not pairs:
        return
    gone = [world.take(ground) for ground in world.choose(pairs).grounds]
    spare = next(spare for spare in world.spare if spare.says == gone[0].kind)
    world.spare.remove(spare)
    new = []
    for area, polygon, when in zip(gone, spare.polygons, spare.days, strict=True):
        added = add(world, area.register, polygon, when, spare.box)
        world.put(replace(added, source_id=area.source_id))
        new.append(added.ground_id)
    old = [area.ground_id for area in gone]
    world.tell("pair_ids_reused", *old, *new, withdrawn=old, new=new)


def _new_pair(world: World, spare: Spare) -> tuple[Area, Area]:
    registers = draw_registers(world.rng, [(0, spare.says), (1, spare.says)])
    first, second = (
        add(world, register, polygon, when, spare.box)
        for register, polygon, when in zip(registers, spare.polygons, spare.days, strict=True)
    )
    return first, second


def _free_pairs(world: World) -> list[Pair]:
    return [pair for pair in world.overlaps() if world.is_free(*pair.grounds)]
