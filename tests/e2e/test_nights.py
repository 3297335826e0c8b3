"""Night after night ids change and areas are redrawn: no case and no decision goes over to other ground."""

import dataclasses
from types import SimpleNamespace

import pytest
import shapely
from conftest import call
from nights import Truth, Watch

from geopipe.demo.nights import make_night_demo
from geopipe.policies import load_policy
from geopipe.register.register import Register
from geopipe.terms import CaseStatus


def watched(folder, nights, size, seed):
    """Run all nights with a meeting after each; return who has watched."""
    make_night_demo(folder, nights=nights, size=size, seed=seed)
    minutes = folder.parent / "minutes.pdf"
    minutes.write_bytes(b"%PDF signed")
    truth = Truth(folder)
    watch, policy = Watch(truth), load_policy()
    for told in truth.nights:
        night = told["night"]
        done = call("run", folder / told["folder"] / "run.yaml", "--quiet")
        assert done.code == (4 if told["unreadable"] else 0), done.err
        with Register.existing(folder / "work") as register:
            cases = register.cases()
            watch.look(night, cases)
            watch.look_at_outcomes(night, cases)
            watch.meet(night, register, policy, minutes)
    return watch


def show(watch):
    for name, count in sorted(watch.figures.items()):
        print(f"{count:8,}  {name}")
    print(*watch.told, sep="\n")


@dataclasses.dataclass(frozen=True)
class Invented:
    """As much of a case as the watch looks at."""

    case_id: str
    sighting: SimpleNamespace
    present: bool = True
    status: CaseStatus = CaseStatus.NEW
    decision: None = None


def a_perfect_register(truth, night):
    """A case for each overlap, by its two grounds, seen as the records are this night."""
    told = truth.nights[night - 1]

    def side(ground):
        about = truth.grounds[ground]
        drawn = about["polygons"]
        polygon = shapely.from_wkb(drawn[max((n for n in drawn if int(n) <= night), key=int)])
        words = {"operator": about["operator"], "kind": about["kind"], "name": ground}
        return SimpleNamespace(geometry=polygon, source_id=told["records"][ground], **words)

    return [
        Invented(
            "x".join(pair["grounds"]), SimpleNamespace(a=side(pair["grounds"][0]), b=side(pair["grounds"][1]))
        )
        for pair in told["pairs"]
    ]


def exchanged(cases, one, other):
    """Two cases each with what was seen of the other."""
    first, second = cases[one], cases[other]
    swapped = {
        one: dataclasses.replace(first, sighting=second.sighting),
        other: dataclasses.replace(second, sighting=first.sighting),
    }
    return [swapped.get(place, case) for place, case in enumerate(cases)]


def turned(cases, one):
    """One case with A and B exchanged."""
    seen = SimpleNamespace(a=cases[one].sighting.b, b=cases[one].sighting.a)
    return [*cases[:one], dataclasses.replace(cases[one], sighting=seen), *cases[one + 1 :]]


@pytest.mark.parametrize(
    ("wrong", "faults"),
    [
        (lambda cases: cases, set()),
        (lambda cases: exchanged(cases, 0, 5), {"case on other ground", "id not kept"}),
        (lambda cases: turned(cases, 0), {"A and B exchanged"}),
        (
            lambda cases: cases[1:],
            {"case lost", "overlap without case", "id not kept under pure reissue"},
        ),
        (
            lambda cases: [dataclasses.replace(cases[0], present=False), *cases[1:]],
            {"overlap without case", "case changed under pure reissue"},
        ),
        (
            lambda cases: [dataclasses.replace(cases[0], case_id="new"), *cases[1:]],
            {"case lost", "id not kept", "id not kept under pure reissue"},
        ),
    ],
)
def test_the_watch_sees_what_must_not_be(tmp_path, wrong, faults):
    make_night_demo(tmp_path / "demo", nights=2, size=200, seed=3)
    truth = Truth(tmp_path / "demo")
    watch = Watch(truth)
    watch.look(1, a_perfect_register(truth, 1))
    assert not watch.faults
    watch.look(2, wrong(a_perfect_register(truth, 2)))
    assert set(watch.faults) == faults


def test_six_nights_keep_every_case_and_decision_on_its_ground(tmp_path):
    watch = watched(tmp_path / "demo", nights=6, size=300, seed=3)
    show(watch)
    assert watch.figures["decisions"] >= 10
    assert watch.figures["case-nights of pure reissue"] > 50
    assert dict(watch.faults) == {}


@pytest.mark.slow
@pytest.mark.parametrize("seed", [42, 43])
def test_thirty_nights_keep_every_case_and_decision_on_its_ground(tmp_path, seed):
    watch = watched(tmp_path / "demo", nights=30, size=600, seed=seed)
    show(watch)
    assert watch.figures["decisions"] >= 60
    assert watch.figures["case-nights of pure reissue"] > 1000
    assert dict(watch.faults) == {}
