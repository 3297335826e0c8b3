"""What the digest says of deliveries not read: whose they are, which one counts, where their hazard is."""

from __future__ import annotations

from collections.abc import Iterator

from geopipe.nightly.wording import Facts, count_of, hectares

# So much of a hash is enough for people to name a file by.
_START = 8


def hazard_off_the_map(facts: Facts) -> Iterator[str]:
    """Tell hazard that no hazard area of the map covers, because a delivery is not read."""
    for item in _not_read(facts):
        hazard, whose = item["hazard"], f"{item['file']} ({item['folder']}, {item['day']})"
        if hazard["known"] and not hazard["was_read"]:
            yield f"NOT ON THE MAP: {whose} was never read; nobody knows what hazard it holds"
        elif hazard["known"] and hazard["missing"]:
            missing = f"{_of(hazard['missing'], hazard['areas'])}{hectares(hazard['missing_m2'])}"
            yield f"NOT ON THE MAP: {missing} of {whose}, which is not read"


def areas_off_the_map(facts: Facts) -> int:
    """Return how many hazard areas of deliveries that are not read are not on the map."""
    return sum(item["hazard"].get("missing", 0) for item in _not_read(facts))


def _not_read(facts: Facts) -> list[Facts]:
    """Return the deliveries that are not read, each once, and are asked about."""
    inbox = facts["inbox"]
    older = (item for item in inbox["again"] if item["stands"]["how"] == "replaced")
    return list({item["sha256"]: item for item in (*older, *inbox["aside"])}.values())


def whose_and_which(facts: Facts) -> Iterator[str]:
    """Tell what only a person can say of filed deliveries: whose they are, and which one counts."""
    inbox = facts["inbox"]
    for item in inbox["copies"]:
        yield _whose(item)
    for item in inbox["again"]:
        if said := _which(item):
            yield said
    for item in inbox["aside"]:
        if not _is_settled(item):
            yield _aside(item)
    for item in inbox["unknown_hashes"]:
        yield _unknown(item)


def settled_aside(facts: Facts) -> Iterator[str]:
    """Tell what is set aside and leaves no question open."""
    for item in facts["inbox"]["aside"]:
        if _is_settled(item):
            yield _aside(item)


def _is_settled(item: Facts) -> bool:
    """Say whether all hazard of a delivery that is set aside is in others that are read."""
    hazard = item["hazard"]
    return bool(hazard["known"] and hazard["was_read"] and hazard["areas"] == hazard["elsewhere"])


def _whose(item: Facts) -> str:
    """Ask whose a file is that came in the folders of two operators."""
    first, start = item["of"], item["sha256"][:_START]
    other = f"; if not, '{start}': {first['folder']}" if item["stands"]["how"] != "nobodys" else ""
    return (
        f"{item['file']} in folder {item['folder']} ({item['day']}) is the file {first['file']} that came in "
        f"{first['folder']} on {first['day']}: {_as_what(item)}. Whose is it? If it is {item['folder']}'s, "
        f"write into belongs_to '{start}': {item['folder']}{other}"
    )


def _as_what(item: Facts) -> str:
    """Say how a file that came in two folders is read."""
    stands, folder = item["stands"], item["of"]["folder"]
    told = {
        "in_force": f"it is read once, as {folder}'s",
        "unread": "it could not be used",
        "aside": f"it is set aside ({stands.get('why')})",
        "replaced": f"it is not read, {stands.get('file')} of {stands.get('day')} replaced it in {folder}",
        "nobodys": f"it is not read, the configuration does not name {folder}",
    }
    return told.get(stands["how"], "the run failed before it was read")


def _which(item: Facts) -> str:
    """Ask which delivery counts where an older one came again; '' where that is in force."""
    stands, start = item["stands"], item["stands"].get("sha256", "")[:_START]
    again = f"{item['file']} ({item['folder']}) is the delivery of {item['day']} again"
    if stands["how"] == "replaced":
        return (
            f"{again}; {stands['file']} of {stands['day']} came after it and stays in force. Ask which one "
            f"counts: if the older one, write '{start}' into set_aside. {_of_hazard(item['hazard'])}"
        )
    if not item["is_new"]:
        return ""
    if stands["how"] == "aside":
        return f"{again}, which is set aside ({stands['why']}). If it counts now, take it out of set_aside."
    if stands["how"] == "unknown":
        return f"{again}; the run failed before it was known if it is in force."
    return ""


def _aside(item: Facts) -> str:
    told = f"{item['file']} ({item['folder']}, {item['day']}) is set aside: {item['why'].rstrip('.')}"
    return f"{told}. {_of_hazard(item['hazard'])}"


def _of_hazard(hazard: Facts) -> str:
    """Say what of the hazard in a delivery that is not read is on the map."""
    if not hazard["known"]:
        return "It is not known if its hazard is on the map."
    if not hazard["was_read"]:
        return "It was never read: what it holds is not on the map."
    if not hazard["areas"]:
        return "It holds no hazard."
    said = []
    if hazard["missing"]:
        said.append(f"{_of(hazard['missing'], hazard['areas'])} in it: NOT ON THE MAP")
    if hazard["drawn"]:
        areas = _of(hazard["drawn"], hazard["areas"])
        said.append(f"{areas} in it: in no delivery that is read, on the map until somebody decides")
    if not said:
        return f"All its hazard ({count_of(hazard['areas'], 'area')}) is in deliveries that are read."
    return "; ".join(said) + "."


def _of(some: int, every: int) -> str:
    return f"{some:,} of {count_of(every, 'hazard area')}"


def _unknown(item: Facts) -> str:
    """Tell a hash in the configuration that means no file, or several."""
    start = f"{item['setting']} names '{item['start']}'"
    if item["count"]:
        return f"{start}: {item['count']} filed deliveries begin so, and it holds for all. Write more of it."
    return f"{start}: no filed delivery begins so, and it changes nothing. Correct the configuration."
