"""The register for notebooks: cases, what is proposed, and what people decide."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from geopipe.casework.casefile import CaseFile
from geopipe.casework.choosing import by_urgency
from geopipe.casework.explaining import explain
from geopipe.casework.outcomes import outcomes
from geopipe.casework.papers import confirming_paper, paper
from geopipe.casework.proposal import Proposal, propose
from geopipe.casework.rules import policy_in_force
from geopipe.face.frames import dataframe, of_frame
from geopipe.face.maps import SmallMap, draw
from geopipe.periods import day_here
from geopipe.policies import Policy
from geopipe.register import case as registered
from geopipe.register import register as registers
from geopipe.register.casefiles import decisions_of
from geopipe.register.desk import Desk
from geopipe.register.table import case_table
from geopipe.reports.layers import working_crs_wkt
from geopipe.terms import Choice

if TYPE_CHECKING:
    import geopandas
    import pandas as pd


@dataclass(frozen=True)
class CasePage:
    """All that the register knows of one case. Printed, it is what `geopipe cases show` shows."""

    case: registered.Case
    decisions: tuple[registered.Decision, ...]
    policy: Policy

    @property
    def proposal(self) -> Proposal:
        """What geopipe proposes, and why. It is never carried out by itself."""
        return propose(self.case, self.policy)

    @property
    def choices(self) -> pd.DataFrame:
        """What each choice does: hectares that A and B would lose and gain; empty where nobody can know.

        `not_safe` names what those who decide must say that they know: `shrinks_hazard`, `grows_released`.
        """
        rows = []
        for outcome in outcomes(self.case):
            flags = ", ".join(danger.flag for danger in outcome.dangers)
            rows.append({**asdict(outcome), "choice": outcome.choice.value, "not_safe": flags})
        return dataframe(rows).drop(columns="dangers").set_index("choice")

    @property
    def ground(self) -> geopandas.GeoDataFrame:
        """Record A, record B and the ground that they share (working CRS, m)."""
        import geopandas

        seen = self.case.sighting
        return geopandas.GeoDataFrame(
            {
                "record": [seen.a.name, seen.b.name, "both"],
                "kind": [seen.a.columns["kind"], seen.b.columns["kind"], ""],
            },
            index=["A", "B", "shared"],
            geometry=[seen.a.geometry, seen.b.geometry, seen.geometry],
            crs=working_crs_wkt(seen.working_crs),
        )

    @property
    def map(self) -> SmallMap:
        """Both records and the ground that they share, as a small map."""
        ground, area_m2 = self.ground, self.case.sighting.columns["area_m2"]
        a, b, shared = ground.geometry
        caption = f"{self.case.name}: A {ground.record['A']}, B {ground.record['B']}, {area_m2:,.1f} m2"
        return draw(caption, ground.kind[:2], (a, b), shared, (), self.case.sighting.working_crs)

    def explain(self) -> str:
        """Explain the case in short sentences."""
        return "\n".join(explain(self.case, self.proposal, self.policy.sentences))

    def __str__(self) -> str:
        today = day_here(dt.datetime.now(dt.UTC))
        file = CaseFile(self.case, self.decisions, self.proposal, self.policy.sentences, today)
        return "\n".join(file.lines())


@dataclass(frozen=True)
class Register:
    """The register of a workspace. It is open only as long as a question or an act takes.

    Examples
    --------
    >>> register = Register.open("work")  # doctest: +SKIP
    >>> print(register.case("XKH-2026-0042"))  # doctest: +SKIP
    """

    workspace: Path

    @classmethod
    def open(cls, workspace: str | Path) -> Register:
        """Open the register that `geopipe run` keeps in a workspace.

        Raises
        ------
        RegisterError
            When there is none, or it is damaged.
        """
        found = cls(Path(workspace))
        with found.file():
            return found

    def file(self) -> registers.Register:
        """Return the open file; use it in a `with` statement."""
        return registers.Register.existing(self.workspace)

    @property
    def cases(self) -> geopandas.GeoDataFrame:
        """All cases, alarms first, then the largest, with the shared ground (working CRS, m2)."""
        with self.file() as register:
            runs, cases = register.runs(), by_urgency(register.cases())
        crs = runs[-1]["working_crs"]
        return of_frame(case_table(cases, crs), crs)

    def case(self, name: str) -> CasePage:
        """Return a case by its number, its id, or the beginning of its id.

        Raises
        ------
        ConfigError
            When there is none of that name, or several.
        """
        with self.file() as register:
            case = register.case(name)
            return CasePage(case, tuple(decisions_of(register, case.case_id)), policy_in_force(register))

    def decide(
        self,
        name: str,
        choice: str,
        *,
        level: str,
        by: str,
        meeting: str = "",
        held_on: dt.date | None = None,
        item: str = "",
        minutes: Path | None = None,
        **more: Any,
    ) -> CasePage:
        """Write down a decision: confirmed with the signed minutes, else provisional, which has no effect.

        Parameters
        ----------
        name : str
            The case.
        choice : str
            What was decided, such as `b_corrects`.
        level, by : str
            Who decided (a level of the policy, such as TWG), and who writes it down.
        meeting, held_on, item : str, date, str
            Where the decision stands.
        minutes : Path, optional
            The signed minutes; a copy is kept.
        **more
            `shrinks_hazard`, `grows_released`, `responsible`, `due`, `note`, `line_wgs84`.

        Returns
        -------
        CasePage
            The case as it is now.

        Raises
        ------
        ConfigError
            When this level may not decide this, or ground would change to the unsafe side and nobody has said
            that this is meant.
        """
        wanted = Choice(choice)

        def act(desk: Desk, case: registered.Case) -> None:
            reference = paper(desk, meeting, held_on, item, minutes)
            desk.decide(case, wanted, level, policy_in_force(desk.register), reference, **more)

        return self._do(name, by, act)

    def confirm(self, name: str, *, minutes: str | Path, by: str) -> CasePage:
        """Confirm a provisional decision by its signed minutes, of which a copy is kept."""

        def act(desk: Desk, case: registered.Case) -> None:
            desk.confirm(case, confirming_paper(desk, case, "", None, "", Path(minutes)))

        return self._do(name, by, act)

    def _do(self, name: str, by: str, act: Callable[[Desk, registered.Case], None]) -> CasePage:
        with self.file() as register, register.transaction():
            act(Desk(register, by, dt.datetime.now(dt.UTC)), register.case(name))
        return self.case(name)
