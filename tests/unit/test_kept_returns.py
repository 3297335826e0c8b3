"""A file for a sender that would say the same again is copied; whatever is different is written anew."""

import datetime as dt

import pytest
from return_fixtures import CATALOGUE, asked, refused, two_operators

from geopipe.errors import OutputError
from geopipe.io.geopackage import file_hash
from geopipe.reports.returned import files, kept
from geopipe.reports.returned.files import write_returns
from geopipe.reports.returned.kept import KeptReturns
from geopipe.reports.returned.returns import Earlier, collect_returns

FIRST = refused(asked(two_operators(), 0), 3)


class Nights:
    """Runs one after the other, each with files for senders of its own."""

    def __init__(self, folder, monkeypatch):
        self.folder, self.kept, self.number = folder, folder / "kept", 0
        self.written = []
        monkeypatch.setattr(files, "write_layers", self._told(files.write_layers))

    def _told(self, write):
        def told(path, **more):
            self.written.append(path.stem)
            write(path, **more)

        return told

    def run(self, state, languages=("en", "lo"), **more):
        """Return which senders got a new GeoPackage, and the hash of each file by name."""
        self.number += 1
        self.written.clear()
        folder = self.folder / str(self.number)
        nights = KeptReturns(self.kept)
        write_returns(folder, collect_returns(state, CATALOGUE, **more), CATALOGUE, languages, nights)
        nights.forget_others()
        return sorted(self.written), {path.name: file_hash(path) for path in sorted(folder.iterdir())}


@pytest.fixture
def nights(tmp_path, monkeypatch):
    return Nights(tmp_path, monkeypatch)


def test_what_would_say_the_same_is_copied_and_is_the_same(nights):
    first = nights.run(FIRST)
    assert first[0] == ["MAG", "NPA"]
    assert nights.run(FIRST) == ([], first[1])


def test_only_the_sender_whose_lines_changed_gets_a_new_file(nights):
    before = nights.run(FIRST)[1]
    written, after = nights.run(asked(FIRST, 1))
    assert written == ["MAG"]
    assert [name for name in before if before[name] != after[name]] == ["MAG.gpkg", "MAG.xlsx"]


@pytest.mark.parametrize(
    "other",
    [
        {"trend": {"MAG": [Earlier(dt.date(2026, 1, 1), 3)], "NPA": [Earlier(dt.date(2026, 1, 1), 3)]}},
        {"languages": ("en",)},
    ],
    ids=["another trend", "another language"],
)
def test_another_cover_or_language_is_another_file(nights, other):
    nights.run(FIRST)
    assert nights.run(FIRST, **other)[0] == ["MAG", "NPA"]


def test_another_geopipe_writes_anew(nights, monkeypatch):
    nights.run(FIRST)
    monkeypatch.setattr(kept, "code_stamp", lambda: "another")
    assert nights.run(FIRST)[0] == ["MAG", "NPA"]


def test_a_kept_file_that_is_damaged_is_written_anew(nights):
    first = nights.run(FIRST)
    for path in nights.kept.iterdir():
        path.write_bytes(path.read_bytes()[:-1] + b"?")
    assert nights.run(FIRST) == first
    assert nights.run(FIRST) == ([], first[1])


def test_an_answer_written_into_a_published_file_does_not_come_back(nights):
    first = nights.run(FIRST)
    (nights.folder / "1" / "MAG.gpkg").write_bytes(b"answers")
    assert nights.run(FIRST) == ([], first[1])


def test_what_no_run_needs_any_more_is_removed(nights):
    nights.run(FIRST)
    nights.run(asked(FIRST, 1))
    assert len(list(nights.kept.iterdir())) == 4


def test_a_disk_that_refuses_is_told(nights):
    nights.kept.write_bytes(b"")  # a file where the folder should be
    with pytest.raises(OutputError, match="cannot be written"):
        nights.run(FIRST)
