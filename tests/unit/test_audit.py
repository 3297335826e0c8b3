"""The audit of what is installed finds what was not agreed on."""

import pytest
from audit import CONSTRAINTS, Installed, faults, is_allowed, pinned

PINS = {"numpy": "2.0", "psycopg": "3.3"}


def numpy(version="2.0", licence="BSD-3-Clause AND MIT", is_wheel=True, name="numpy"):
    return Installed(name, version, licence, is_wheel)


def test_what_is_pinned_is_fine():
    assert faults([numpy(), numpy(name="pip"), numpy("3.3", "LGPL-3.0-only", name="psycopg")], PINS) == []


@pytest.mark.parametrize(
    ("item", "word"),
    [
        (numpy("2.1"), "2.0 is pinned"),
        (numpy(name="left-pad"), "nobody pinned it"),
        (numpy(licence="MIT AND GPL-3.0"), "not on the list"),
        (numpy(licence=""), "not on the list"),
        (numpy(licence="Limited use"), "not on the list"),
        (numpy(licence="LGPL-3.0-only"), "not on the list"),
        (numpy(is_wheel=False), "wheel"),
    ],
)
def test_anything_else_is_told(item, word):
    (said,) = faults([item], PINS)
    assert word in said


def test_one_unknown_part_of_a_licence_is_enough():
    assert is_allowed("x", "Apache-2.0 OR BSD-2-Clause")
    assert not is_allowed("x", "Apache-2.0 AND SSPL-1.0")


def test_every_line_of_the_constraints_pins_one_version():
    pins = pinned(CONSTRAINTS.read_text(encoding="utf-8"))
    assert len(pins) > 20
    assert all(version[0].isdigit() and "*" not in version for version in pins.values())
