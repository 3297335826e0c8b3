"""References of decisions: the meeting that decided, and its signed minutes."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from geopipe.errors import ConfigError
from geopipe.register.case import Case, Reference
from geopipe.register.desk import Desk
from geopipe.register.papers import keep_paper


def paper(
    desk: Desk, meeting: str, held_on: dt.date | None, item: str, minutes: Path | None
) -> Reference | None:
    """Keep the reference of a decision; None where none was given. Call this within a transaction.

    Raises
    ------
    ConfigError
        When minutes, a day or an item is given and nobody says of which meeting.
    """
    if not (meeting.strip() or held_on or item.strip() or minutes):
        return None
    if not meeting.strip():
        raise ConfigError("nobody says which meeting or letter decided this", remedy="Give the meeting.")
    return keep_paper(desk.register, meeting, held_on, item, minutes, desk.by, desk.at)


def confirming_paper(
    desk: Desk, case: Case, meeting: str, held_on: dt.date | None, item: str, minutes: Path
) -> Reference:
    """Keep the signed minutes of a decision; what is not said again is as it was said with the decision."""
    said = case.decision.reference if case.decision else None
    if said is not None:
        meeting, held_on, item = meeting or said.meeting, held_on or said.held_on, item or said.item
    return keep_paper(desk.register, meeting, held_on, item, minutes, desk.by, desk.at)


@dataclass(frozen=True)
class Papers:
    """Files of signed minutes: of one meeting, or each with the name of its meeting."""

    files: Mapping[str, Path] = field(default_factory=dict)
    only: Path | None = None

    @classmethod
    def of(cls, texts: Sequence[str]) -> Papers:
        """Return the papers of --minutes FILE, or of --minutes MEETING=FILE, as often as there are meetings.

        Raises
        ------
        ConfigError
            When several files are given without the meetings that they are of.
        """
        if len(texts) == 1 and ("=" not in texts[0] or Path(texts[0]).exists()):
            return cls(only=Path(texts[0]))
        files = {}
        for text in texts:
            meeting, sign, file = text.partition("=")
            if not sign:
                raise ConfigError("of which meeting are these minutes", text, "Write --minutes MEETING=FILE.")
            files[meeting.strip()] = Path(file)
        return cls(files=files)

    def check(self, meetings: set[str]) -> None:
        """Refuse one file for several meetings, and a file for a meeting that no row names.

        Parameters
        ----------
        meetings : set of str
            Those that the rows name.
        """
        if self.only is not None and len(meetings) != 1:
            named = ", ".join(sorted(meetings)) or "no meeting"
            raise ConfigError(
                f"the rows name {named}, and one file of minutes is given", str(self.only),
                "Write --minutes MEETING=FILE for each meeting.",
            )  # fmt: skip
        if unknown := sorted(set(self.files) - meetings):
            raise ConfigError(f"no row names the meeting {unknown[0]!r}", remedy="Check its spelling.")

    def file_of(self, meeting: str) -> Path | None:
        """Return the signed minutes of a meeting."""
        return self.only or self.files.get(meeting)
