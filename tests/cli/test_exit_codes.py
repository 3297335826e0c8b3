"""One exit code for each way a command can end, and which wins when several apply."""

import pytest
from conftest import REPOSITORY, UTM_48N, call, call_in_process, square, write_geojson

from geopipe import pipeline
from geopipe.errors import BusyError, ExitCode, GeopipeError, RegisterError


def test_0_when_all_data_were_compared(two_files, tmp_path):
    ran = call("compare", *two_files, "-o", tmp_path / "out")
    assert ran.code == ExitCode.DONE
    assert ran.err == ""
    assert "NOT ALL DATA COMPARED" not in ran.out


def test_1_for_a_fault_of_geopipe_itself(two_files, tmp_path, monkeypatch):
    def imbalance(*_):
        raise GeopipeError("the balance does not close: 3 records in, 2 accounted for")

    monkeypatch.setattr(pipeline, "summarise", imbalance)
    ran = call("compare", *two_files, "-o", tmp_path / "out")
    assert ran.code == ExitCode.BUG
    assert "the balance does not close" in ran.err


def test_1_for_an_interrupt(two_files, tmp_path, monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(pipeline, "summarise", interrupt)
    ran = call("compare", *two_files, "-o", tmp_path / "out")
    assert ran.code == ExitCode.BUG
    assert "interrupted" in ran.err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["compare"],
        ["comprae", "x"],
        ["compare", "x", "--no-such-option"],
        ["compare", "x", "--kind", "minefield"],
        ["compare", "x", "--fail-on", "anything"],
        ["query", "out", "--at", "nowhere"],
        ["query", "out"],
        ["run", "no-such-config.yaml"],
        ["report", "no-such-folder"],
        ["demo", "x", "--size", "3"],
    ],
    ids=" ".join,
)
def test_2_for_wrong_usage(arguments, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    ran = call(*arguments)
    assert ran.code == ExitCode.USAGE
    assert ran.out + ran.err != ""
    assert list(tmp_path.iterdir()) == []


def test_a_mistyped_command_gets_a_suggestion():
    ran = call("comprae", "a.shp", "b.shp")
    assert ran.code == ExitCode.USAGE
    assert "no command 'comprae'" in ran.err
    assert "Did you mean 'compare'?" in ran.err


def test_a_mistyped_option_gets_a_suggestion():
    ran = call("compare", "a.shp", "--assume-csr", UTM_48N)
    assert ran.code == ExitCode.USAGE
    assert "--assume-crs" in ran.err


def test_3_when_no_delivery_could_be_used(tmp_path):
    ran = call("compare", tmp_path / "nothing.shp", "-o", tmp_path / "out")
    assert ran.code == ExitCode.NO_SOURCE
    assert not (tmp_path / "out").exists()


def test_4_when_something_was_left_out(two_files, tmp_path):
    ran = call("compare", *two_files, tmp_path / "nothing.shp", "-o", tmp_path / "out")
    assert ran.code == ExitCode.PARTIAL


def test_rows_to_return_are_data_and_not_a_failure(two_files, tmp_path):
    third = write_geojson(tmp_path / "NPA_CHA.geojson", [({}, None), ({}, square(105.2))])
    ran = call("compare", *two_files, third, "-o", tmp_path / "out")
    assert ran.code == ExitCode.DONE
    assert ran.first_line == "NOT ALL DATA COMPARED: 1 of 4 records not compared"


@pytest.mark.parametrize(("level", "code"), [("alarm", 0), ("conflict", 5), ("check", 5), ("note", 5)])
def test_5_for_findings_as_severe_as_asked_for(two_files, tmp_path, level, code):
    ran = call("compare", *two_files, "-o", tmp_path / "out", "--fail-on", level)
    assert "double_registration 1" in ran.out
    assert ran.code == code
    assert (tmp_path / "out" / "geopipe.gpkg").is_file()


def test_findings_win_over_files_left_out(two_files, tmp_path):
    missing = tmp_path / "nothing.shp"
    ran = call("compare", *two_files, missing, "-o", tmp_path / "out", "--fail-on", "conflict")
    assert ran.code == ExitCode.FINDINGS
    ran = call("compare", *two_files, missing, "-o", tmp_path / "out", "--fail-on", "alarm")
    assert ran.code == ExitCode.PARTIAL


def test_no_usable_file_wins_over_findings(tmp_path):
    ran = call("compare", tmp_path / "nothing.shp", "-o", tmp_path / "out", "--fail-on", "note")
    assert ran.code == ExitCode.NO_SOURCE


@pytest.mark.parametrize(("error", "code"), [(RegisterError, 6), (BusyError, 75)])
def test_the_other_errors_have_codes_of_their_own(two_files, tmp_path, monkeypatch, error, code):
    def refuse(*_):
        raise error("this cannot be done now", "register.sqlite", "Try again.")

    monkeypatch.setattr(pipeline, "summarise", refuse)
    ran = call("compare", *two_files, "-o", tmp_path / "out")
    assert ran.code == code
    assert ran.err == "geopipe: register.sqlite: this cannot be done now. Try again.\n"


def test_codes_reach_the_shell(two_files, tmp_path):
    out = tmp_path / "out"
    assert call_in_process("compare", *two_files, "-o", out).code == 0
    assert call_in_process("compare", *two_files, "-o", out, "--fail-on", "check").code == 5
    assert call_in_process("compare", tmp_path / "nothing", "-o", out).code == 3
    assert call_in_process("compare", *two_files, tmp_path / "nothing", "-o", out).code == 4


def test_the_documents_name_the_same_codes():
    named = " ".join(call("--help").out.split())
    for code, word in (
        (0, "done"),
        (2, "wrong usage"),
        (3, "no usable file"),
        (4, "left out"),
        (5, "--fail-on"),
    ):
        assert f"{code} {word}" in named or (word in named and f"{code} " in named)
    readme = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    assert "Exit codes" in readme or not readme.strip()
