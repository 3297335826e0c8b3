"""Hold the cases of a register against the truth about simulated nights: which case is on which ground.

The ground of a record is told by its polygon alone, never by an id: an id is what the nights play with.
"""

import datetime as dt
import json
from collections import Counter
from dataclasses import dataclass

import shapely

from geopipe.register.desk import Desk
from geopipe.register.papers import keep_paper
from geopipe.terms import CaseStatus, Choice

# A decision about a whole is no decision about a piece of it: a case that goes on with a piece must say so.
_NOT_AS_DECIDED = frozenset(
    {
        CaseStatus.NEEDS_REVIEW,
        CaseStatus.CORRECTED_DIFFERENTLY,
        CaseStatus.SPLIT,
        CaseStatus.MERGED,
        CaseStatus.NOT_OBSERVED,
        CaseStatus.FINISHED,
        CaseStatus.CORRECTED,
    }
)
# What coordinates lose on their way into a file and back, as a share of the area.
SAME_POLYGON = 1e-6


class Truth:
    """`nights.json`, and the ground on which polygons lie."""

    def __init__(self, folder):
        self.told = json.loads((folder / "nights.json").read_text(encoding="utf-8"))
        self.grounds = self.told["grounds"]
        self.nights = self.told["nights"]
        drawn = [(g, int(n), wkb) for g, told in self.grounds.items() for n, wkb in told["polygons"].items()]
        self._drawn = [(ground, night) for ground, night, _ in drawn]
        self._polygons = shapely.from_wkb([wkb for *_, wkb in drawn])
        self._tree = shapely.STRtree(self._polygons)

    def ground_of(self, side, night):
        """The ground of a case's record: whose polygon, of this night or an earlier one, it has."""
        found = [
            (self._polygons[row].symmetric_difference(side.geometry).area, row)
            for row in self._tree.query(side.geometry)
            if self._drawn[row][1] <= night and self._says_the_same(self._drawn[row][0], side)
        ]
        assert found, f"nobody has ever delivered a record like {side.name}"
        difference_m2, row = min(found)
        assert difference_m2 <= SAME_POLYGON * side.geometry.area, f"{side.name} is not as it was delivered"
        return self._drawn[row][0]

    def _says_the_same(self, ground, side):
        told = self.grounds[ground]
        return (told["operator"], told["kind"]) == (side.operator, side.kind)

    def is_drawn_so(self, ground, night, polygon):
        """Whether a ground has this polygon on a night."""
        drawn = self.grounds[ground]["polygons"]
        wkb = drawn[max((n for n in drawn if int(n) <= night), key=int)]
        return shapely.from_wkb(wkb).symmetric_difference(polygon).area <= SAME_POLYGON * polygon.area

    def is_kin(self, one, other):
        """Whether two grounds are the same, or one came from the other by splits and merges."""
        return one in self._ancestors(other) or other in self._ancestors(one)

    def _ancestors(self, ground):
        return {ground}.union(*(self._ancestors(parent) for parent in self.grounds[ground]["parents"]))


@dataclass(frozen=True)
class Known:
    """What was true of a case when it was first seen, or when it was decided."""

    grounds: tuple
    night: int


class Watch:
    """Looks at the cases night after night; `faults` counts what must not be, `told` says where."""

    def __init__(self, truth):
        self.truth = truth
        self.born, self.decided, self.case_of = {}, {}, {}
        self.before = {}
        self.faults, self.told, self.figures = Counter(), [], Counter()

    def fault(self, kind, night, text):
        self.faults[kind] += 1
        self.told.append(f"night {night}: {kind}: {text}")

    def look(self, night, cases):
        """Hold the cases after the run of a night against what is true that night."""
        told = self.truth.nights[night - 1]
        now = {case.case_id: self._sides(case, night) for case in cases}
        self._forget_what_was_split_or_merged(told)
        self._none_is_lost(night, cases)
        self._none_is_on_other_ground(night, now)
        self._decisions_stay(night, cases, now)
        self._each_pair_has_its_case(told, cases, now)
        self._what_is_present_is_there(told, cases, now)
        if told["pure_reissue"] or told["unchanged"]:
            self._nothing_has_changed(night, cases)
        self.before = {case.case_id: (case.present, case.status) for case in cases}
        self.figures["case-nights"] += len(cases)
        self.figures["cases"] = len(cases)

    def _sides(self, case, night):
        sides = case.sighting.a, case.sighting.b
        return tuple(self.truth.ground_of(side, night) for side in sides)

    def _forget_what_was_split_or_merged(self, told):
        """Ground that comes back when a split is undone may go on in whichever case its pieces had."""
        ended = {ground for what in told["happened"] for ground in what.get("parents", ())}
        self.case_of = {pair: case for pair, case in self.case_of.items() if not ended & set(pair)}

    def _none_is_lost(self, night, cases):
        for lost in self.before.keys() - {case.case_id for case in cases}:
            self.fault("case lost", night, lost)

    def _none_is_on_other_ground(self, night, now):
        for case_id, (a, b) in now.items():
            born = self.born.setdefault(case_id, Known((a, b), night))
            if self._same_pair(born.grounds, (a, b)):
                continue
            exchanged = self._same_pair(born.grounds, (b, a))
            kind = "A and B exchanged" if exchanged else "case on other ground"
            self.fault(kind, night, f"{case_id}: {born} is now {a}, {b}")

    def _same_pair(self, before, now):
        """A is still A, and B still B; at most split or merged."""
        return all(self.truth.is_kin(one, other) for one, other in zip(before, now, strict=True))

    def _decisions_stay(self, night, cases, now):
        by_id = {case.case_id: case for case in cases}
        for case_id, (decision, known) in self.decided.items():
            self.figures["decision-nights"] += 1
            in_force = by_id[case_id].decision if case_id in by_id else None
            if in_force is None or in_force.decision_id != decision.decision_id:
                self.fault("decision lost", night, case_id)
            elif not self._same_pair(known.grounds, now[case_id]):
                self.fault("decision on other ground", night, f"{case_id}: {known} is now {now[case_id]}")
            elif now[case_id] != known.grounds and by_id[case_id].status not in _NOT_AS_DECIDED:
                self.fault("decision passed on to a piece", night, f"{case_id}: {known} is {now[case_id]}")
        for case in cases:
            if case.decision is not None and case.case_id not in self.decided:
                self.fault("decision from nowhere", night, case.case_id)

    def _each_pair_has_its_case(self, told, cases, now):
        """A pair of ground has one case, and always the same one, while nobody splits or merges it."""
        present = {}
        for case in cases:
            if case.present:
                present.setdefault(tuple(sorted(now[case.case_id])), []).append(case)
        for pair in told["pairs"]:
            grounds = tuple(pair["grounds"])
            if pair["expected_release"]:
                continue
            self.figures["pair-nights"] += 1
            found = [case for case in present.get(grounds, []) if self._is_of_tonight(told, case, now)]
            if not found:
                self.fault("overlap without case", told["night"], grounds)
                continue
            if len(found) > 1:
                self.fault("two cases for one overlap", told["night"], grounds)
            known = self.case_of.setdefault(grounds, found[0].case_id)
            if known != found[0].case_id:
                self.fault("id not kept", told["night"], f"{grounds}: {known} is now {found[0].case_id}")

    def _is_of_tonight(self, told, case, now):
        """Whether a case is seen with both records as they were delivered tonight, under tonight's ids."""
        sides = (case.sighting.a, case.sighting.b)
        return all(
            told["records"].get(ground) == side.source_id
            and self.truth.is_drawn_so(ground, told["night"], side.geometry)
            for ground, side in zip(now[case.case_id], sides, strict=True)
        )

    def _what_is_present_is_there(self, told, cases, now):
        """Tonight's two records overlap if their case says so; an old outline on the map may overlap, too."""
        pairs = {tuple(pair["grounds"]) for pair in told["pairs"]}
        for case in cases:
            grounds = tuple(sorted(now[case.case_id]))
            if case.present and self._is_of_tonight(told, case, now) and grounds not in pairs:
                self.fault("case without overlap", told["night"], f"{case.case_id}: {grounds}")

    def _nothing_has_changed(self, night, cases):
        same = {case.case_id: (case.present, case.status) for case in cases}
        decided = {case_id for case_id, (_, known) in self.decided.items() if known.night == night - 1}
        for case_id in same.keys() | self.before.keys():
            new, old = same.get(case_id), self.before.get(case_id)
            if new is None or old is None:
                self.fault("id not kept under pure reissue", night, case_id)
            elif new[0] != old[0] or (new[1] != old[1] and case_id not in decided):
                self.fault("case changed under pure reissue", night, f"{case_id}: {old} is now {new}")
        self.figures["case-nights of pure reissue"] += len(same)

    # The meeting.

    def meet(self, night, register, policy, minutes):
        """Write down what the meeting of a night decides, on the cases as they stand."""
        told = self.truth.nights[night - 1]
        at = dt.datetime.fromisoformat(f"{told['day']}T18:00:00+00:00")
        desk = Desk(register, "TWG", at)
        with register.transaction():
            day = dt.date.fromisoformat(told["day"])
            signed = keep_paper(register, "TWG", day, "1", minutes, "TWG", at)
            unsigned = keep_paper(register, "TWG", day, "2", None, "TWG", at)
        for wanted in told["decisions"]:
            case_id = self.case_of.get(tuple(wanted["grounds"]))
            if case_id is None:
                self.fault("nothing to decide on", night, wanted["grounds"])
                continue
            case = register.cases([case_id])[0]
            grounds = self._sides(case, night)
            decision = desk.decide(
                case, choice_of(wanted, grounds), "NRA", policy, signed if wanted["confirmed"] else unsigned,
                shrinks_hazard=True, grows_released=True,
            )  # fmt: skip
            assert decision.confirmed == wanted["confirmed"]
            self.decided[case_id] = decision, Known(grounds, night)
            self.before[case_id] = self.before[case_id][0], register.cases([case_id])[0].status
            self.figures["decisions"] += 1

    def look_at_outcomes(self, night, cases):
        """Count what became of decisions that operators have carried out tonight, or not as decided."""
        by_id = {case.case_id: case for case in cases}
        for made in self.truth.nights[: night - 1]:
            for wanted in made["decisions"]:
                done = wanted["carried_out"]
                if not done or done["night"] != night:
                    continue
                case = by_id.get(self.case_of.get(tuple(wanted["grounds"])))
                status = case.status.value if case else "no case"
                as_decided = "as decided" if done["as_decided"] else "not as decided"
                signed = "signed" if wanted["confirmed"] else "unsigned"
                self.figures[f"{wanted['choice']} {as_decided} {signed}: {status}"] += 1
                self.told.append(
                    f"night {night}: {wanted['grounds']} {wanted['choice']} {as_decided}: {status}"
                )
                wrong = (CaseStatus.FINISHED, CaseStatus.CORRECTED)
                if case and not done["as_decided"] and case.status in wrong:
                    self.fault("finished though not as decided", night, case.case_id)


def choice_of(wanted, grounds):
    """The choice of a meeting for a case whose A and B lie on these grounds."""
    if wanted["who"] is None:
        return Choice(wanted["choice"])
    by_a = wanted["who"] == grounds[0]
    if wanted["choice"] == "corrects":
        return Choice.A_CORRECTS if by_a else Choice.B_CORRECTS
    return Choice.WITHDRAW_A if by_a else Choice.WITHDRAW_B
