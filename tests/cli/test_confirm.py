"""What the diagnosis proposes is shown with its evidence, and applied only when a person confirms it."""

import json
import shlex

import pytest
import shapely
from conftest import call, read_layer, square, write_geojson

PEK = {"province": "Xieng Khouang"}


def turned(shape):
    return shapely.transform(shape, lambda points: points[:, ::-1])


@pytest.fixture
def delivery(tmp_path):
    """Return a delivery of ten good records and two whose axes are exchanged."""
    good = [({"hazard_id": f"H-{n}", **PEK}, square(103.30 + n / 100, 19.57)) for n in range(10)]
    bad = [({"hazard_id": f"S-{n}", **PEK}, turned(square(103.30 + n / 100, 19.60))) for n in range(2)]
    return write_geojson(tmp_path / "MAG_CHA.geojson", [*good, *bad])


@pytest.fixture
def kept(tmp_path):
    return tmp_path / "confirmed.jsonl"


def kept_areas(delivery, kept, tmp_path):
    done = call("compare", delivery, "-o", tmp_path / "out", "--confirmations", kept, "--json", "-q")
    return json.loads(done.out)["balance"]["kept"]


def test_the_evidence_and_the_command_are_shown(delivery):
    done = call("confirm", delivery)
    assert done.code == 0
    assert "AXES_SWAPPED: 2 of 12 records" in done.out
    assert f"geopipe confirm {delivery} --correction swap_axes" in done.out


def test_comparing_shows_the_command_too_and_changes_nothing(delivery, kept, tmp_path):
    done = call("compare", delivery, "-o", tmp_path / "out", "--confirmations", kept)
    assert f"geopipe confirm {delivery} --correction swap_axes" in done.err
    assert any(line.startswith("CONFIRM") and "swap_axes for 2 records" in line for line in done.lines)
    assert kept_areas(delivery, kept, tmp_path) == 10
    assert not kept.exists()


def test_a_confirmed_correction_is_applied_to_the_records_with_evidence_and_can_be_taken_back(
    delivery, kept, tmp_path
):
    told = ("--confirmations", kept, "--by", "Bounmy")
    done = call("confirm", delivery, "--correction", "swap_axes", *told, "--reference", "letter 7")
    assert "Confirmed: swap_axes for 2 record(s) of MAG_CHA.geojson" in done.out
    event = json.loads(kept.read_text(encoding="utf-8"))
    assert event["rows"] == [11, 12]
    assert event["reference"] == "letter 7"
    assert "outside Laos" in event["evidence"]
    assert kept_areas(delivery, kept, tmp_path) == 12
    assert call("confirm", delivery, "--revoke", *told).code == 0
    assert kept_areas(delivery, kept, tmp_path) == 10
    assert call("confirm", delivery, "--revoke", *told).code == 2


def test_without_evidence_the_records_must_be_named(delivery, kept, tmp_path):
    told = ("--confirmations", kept, "--by", "Bounmy")
    refused = call("confirm", delivery, "--correction", "crs=EPSG:32648", *told)
    assert refused.code == 2
    assert "no evidence for crs=EPSG:32648; it proposes swap_axes" in refused.err
    assert not kept.exists()
    assert call("confirm", delivery, "--correction", "swap_axes", "--rows", "11-12", *told).code == 0
    assert json.loads(kept.read_text())["evidence"] == "the records were named by hand"
    assert kept_areas(delivery, kept, tmp_path) == 12


def test_a_delivery_that_changed_by_a_byte_is_looked_at_anew(delivery, kept, tmp_path):
    call("confirm", delivery, "--correction", "swap_axes", "--confirmations", kept, "--by", "Bounmy")
    delivery.write_text(delivery.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    assert kept_areas(delivery, kept, tmp_path) == 10


def test_a_profile_is_confirmed_only_until_a_day(kept):
    told = ("--every", "mag", "--correction", "swap_axes", "--by", "Bounmy", "--confirmations", kept)
    assert call("confirm", *told).code == 2
    assert call("confirm", *told, "--until", "2001-01-01").code == 2
    assert call("confirm", *told, "--until", "2999-12-31").code == 0
    assert json.loads(kept.read_text())["profile"] == "mag"


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("--correction", "swap_axes"),
        ("--correction", "turn_around", "--by", "B"),
        ("--correction", "sign=z", "--by", "B"),
        ("--correction", "swap_axes", "--by", "B", "--rows", "a,b"),
    ],
)
def test_a_wrong_use_is_refused_and_writes_nothing(delivery, kept, arguments):
    named = (delivery,) if arguments else ()
    done = call("confirm", *named, *arguments, "--confirmations", kept)
    assert done.code == 2
    assert done.err.strip()
    assert not kept.exists()


def test_a_file_without_doubt_says_so(tmp_path):
    path = write_geojson(tmp_path / "MAG_CHA.geojson", [({"hazard_id": "H-1", **PEK}, square(103.3, 19.57))])
    assert "nothing is proposed" in call("confirm", path).out


def test_rows_are_those_of_one_layer_of_one_file_and_exist(delivery, kept, tmp_path):
    told = ("--correction", "swap_axes", "--by", "B", "--confirmations", kept)
    assert "records 1 to 12" in call("confirm", delivery, *told, "--rows", "13").err
    assert "no layer 'x'" in call("confirm", delivery, *told, "--rows", "1", "--layer", "x").err
    write_geojson(tmp_path / "NPA_CHA.geojson", [({"hazard_id": "N-1"}, square(103.3, 19.6))])
    assert "several here" in call("confirm", tmp_path, *told, "--rows", "1").err
    assert not kept.exists()


def test_a_confirmation_for_a_profile_can_be_taken_back(kept):
    told = ("--every", "mag", "--by", "Bounmy", "--confirmations", kept)
    assert call("confirm", *told, "--revoke").code == 2
    assert call("confirm", *told, "--correction", "dms", "--until", "2999-12-31").code == 0
    assert "Taken back" in call("confirm", *told, "--revoke").out
    assert json.loads(kept.read_text().splitlines()[-1])["revoked"] is True


def test_each_operator_of_a_file_hears_of_its_own_records_only(tmp_path):
    def records(operator, count, east):
        return [
            (
                {"hazard_id": f"{operator}-{n}", "operator": operator, **PEK},
                turned(square(east + n / 100, 19.57)),
            )
            for n in range(count)
        ]

    path = write_geojson(
        tmp_path / "all_CHA.geojson", [*records("HALO", 3, 103.2), *records("MAG", 9, 103.3)]
    )
    call("compare", path, "-o", tmp_path / "out", "-q", "--confirmations", tmp_path / "none")
    told = [
        r for r in read_layer(tmp_path / "out" / "geopipe.gpkg", "findings") if r["code"] == "AXES_SWAPPED"
    ]
    assert {r["operator"] for r in told} == {"HALO", "MAG"}
    for row in told:
        own = 3 if row["operator"] == "HALO" else 9
        assert row["sentence"].startswith(f"{own} of your records")


def test_the_command_that_run_prints_works_as_it_stands(tmp_path):
    """Whatever the folder, the profile and the name: it is typed, and the next run is corrected."""
    good = [({"hazard_id": f"H-{n}", **PEK}, square(103.30 + n / 100, 19.57)) for n in range(10)]
    bad = [({"hazard_id": "S-1", **PEK}, turned(square(103.30, 19.60)))]
    write_geojson(tmp_path / "inbox" / "january" / "CHA.geojson", good)
    write_geojson(tmp_path / "inbox" / "march 2026" / "CHA.geojson", [*good[5:], *bad])
    config = tmp_path / "run.yaml"
    config.write_text(
        "deliveries:\n  - {path: inbox, profile: mag}\nworkspace: work\noutput: out\n", encoding="utf-8"
    )
    told = call("run", config).err
    (line,) = [line.strip() for line in told.splitlines() if "geopipe confirm" in line]
    words = shlex.split(line)
    assert words[2].endswith("march 2026/CHA.geojson")
    assert words[words.index("--profile") + 1] == "mag"
    assert call(*words[1:]).code == 0
    assert (tmp_path / "confirmations.jsonl").is_file()
    assert "geopipe confirm" not in call("run", config).err
