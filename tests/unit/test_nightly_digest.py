"""The digest: honest, at most a page, escaped; and who is told, how much, and never a secret."""

import http.server
import json
import socketserver
import threading
from pathlib import Path

import pytest
from pydantic import ValidationError

from geopipe.config import MailSpec, NotifySpec, WebhookSpec
from geopipe.nightly.digest import make_digest
from geopipe.nightly.notify import notify
from geopipe.nightly.telling import as_counts, as_html, as_json, as_text

SECRET = "correct-horse-battery"
NAMES = ("MAG", "XKH-2026-0042", "mag_cha.gpkg", "HALO")


def summary(**changes):
    deliveries = [
        {"file": "mag_cha.gpkg", "sha256": "a" * 64, "problems": [], "proposals": [],
         "balance": {"records_in": 5, "rejected": 1}},
    ]  # fmt: skip
    return {
        "balance": {"records_in": 5, "kept": 4, "kept_as_reference": 0, "duplicate": 0, "superseded": 0,
                    "rejected": 1},
        "deliveries": deliveries, "alarms": [], "unresolved_hazard": 0, "displaced_hazard": 0, "earlier": 0,
        "not_read": [], "returned": {"MAG": 1}, "cases": {"open": 3, "all": 3, "by_status": {"backlog": 3}},
        **changes,
    }  # fmt: skip


def inbox(**changes):
    nothing = (
        "strange",
        "missing_folders",
        "received",
        "again",
        "copies",
        "unknown_hashes",
        "failed",
        "waiting",
        "unread",
        "aside",
        "notes",
    )
    return {"path": "inbox", "problem": "", **{name: [] for name in nothing}, **changes}


def changes_with(**cases):
    told = {"opened": [], "finished": [], "reopened": [], "decided": [], "changed": [], **cases}
    return {"cases": told, "alarms": []}


def facts(**changes):
    return {
        "night": "2026-01-05-01", "run_id": "r", "day": "2026-01-05", "made_at": "2026-01-05T01:03+00:00",
        "seconds": 4.0, "exit_code": 0, "error": None, "died": "",
        "map": {"folder": "out/runs/run-1", "made_on": "2026-01-04", "is_new": False}, "inbox": inbox(),
        "overdue": [], "folders": {}, "gone": [], "summary": summary(), "changes": changes_with(),
        "errors": [], "warnings": [], **changes,
    }  # fmt: skip


RECEIVED = {
    "file": "mag_cha.gpkg",
    "folder": "mag",
    "records": 5,
    "returned": 1,
    "is_document": False,
    "problems": [],
}
ALARM = {"code": "HAZARD_VANISHED", "sentence": "Hazard is gone", "new": ["MAG:hazard:M-1"], "gone": [],
         "before": 0, "now": 1, "standing": 1}  # fmt: skip


def test_a_night_with_nothing_new_is_short():
    digest = make_digest(facts())
    assert digest.level == "calm"
    assert (
        digest.headline
        == "Nothing new came; 1 of 1 files of the map were read. The map of 2026-01-04 stands."
    )
    assert len(as_text(digest).splitlines()) < 30


def test_new_alarms_stand_first():
    digest = make_digest(facts(changes={**changes_with(), "alarms": [ALARM]}))
    assert digest.level == "attention"
    assert digest.sections[0].lines[0] == "NEW: Hazard is gone: 1: MAG M-1"
    assert digest.headline.startswith("1 NEW ALARM; ")


def test_an_alarm_that_nobody_has_answered_stands_though_the_run_does_not_find_it_again():
    standing = {**ALARM, "new": [], "standing": 4, "now": 0}
    digest = make_digest(facts(changes={**changes_with(), "alarms": [standing]}))
    assert "stands: Hazard is gone: 4" in digest.sections[0].lines


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"inbox": inbox(problem="/mnt (gone)")}, "the inbox could not be looked at"),
        ({"inbox": inbox(strange=["folder x"])}, "1 thing in the inbox could not be taken"),
        ({"inbox": inbox(failed=[{"file": "a", "folder": "mag", "why": "no"}])}, "1 thing in the inbox"),
        ({"summary": summary(deliveries=[{**summary()["deliveries"][0],
          "problems": [{"code": "X", "sentence": "x: damaged"}]}])}, "1 file could not be used"),
    ],
)  # fmt: skip
def test_what_was_not_read_is_in_the_headline_whatever_else_happened(wrong, said):
    digest = make_digest(facts(**wrong))
    assert digest.level == "not_all_read"
    assert digest.headline.startswith("NOT EVERYTHING WAS READ: ")
    assert said in digest.headline
    assert digest.needs_person


def test_a_file_that_a_person_has_set_aside_is_counted_among_those_of_the_map():
    gone = {"file": "halo.gpkg", "operator": "HALO", "sha256": "b" * 64}
    aside = {
        "file": "halo.gpkg",
        "folder": "halo",
        "day": "2026-01-02",
        "why": "by mistake",
        "sha256": "b" * 64,
        "hazard": {"known": False},
    }
    digest = make_digest(facts(summary=summary(not_read=[gone]), inbox=inbox(aside=[aside])))
    assert digest.level == "attention"
    assert "1 of 2 files of the map were read" in digest.headline
    told = make_digest(facts(summary=summary(not_read=[gone]), gone=[gone]))
    assert told.level == "not_all_read"
    assert told.headline.startswith("NOT EVERYTHING WAS READ: 1 earlier file of the map")


ASIDE = {"file": "halo.gpkg", "folder": "halo", "day": "2026-01-02", "why": "by mistake", "sha256": "b" * 64}
LEFT = {
    "known": True,
    "was_read": True,
    "areas": 3,
    "elsewhere": 3,
    "drawn": 0,
    "missing": 0,
    "missing_m2": 0.0,
}


@pytest.mark.parametrize(
    ("hazard", "said"),
    [
        ({"elsewhere": 1, "drawn": 2}, "2 of 3 hazard areas in it: in no delivery that is read, on the map"),
        ({"elsewhere": 1, "missing": 2, "missing_m2": 2e4}, "2 of 3 hazard areas in it: NOT ON THE MAP."),
        ({"was_read": False}, "It was never read: what it holds is not on the map."),
        ({"known": False}, "set aside: by mistake. It is not known if its hazard is on the map."),
    ],
)  # fmt: skip
def test_a_file_set_aside_whose_hazard_is_not_read_elsewhere_needs_a_person(hazard, said):
    digest = make_digest(facts(inbox=inbox(aside=[{**ASIDE, "hazard": {**LEFT, **hazard}}])))
    (line,) = digest.sections[1].lines
    assert said in line
    assert digest.level == "attention"


def test_hazard_that_is_not_on_the_map_stands_among_the_alarms_and_in_the_headline():
    missing = {**LEFT, "elsewhere": 1, "missing": 2, "missing_m2": 2e4}
    told = facts(inbox=inbox(aside=[{**ASIDE, "hazard": missing}]))
    digest = make_digest(told)
    assert digest.headline.startswith("2 HAZARD AREAS NOT ON THE MAP; ")
    assert digest.sections[0].lines[0] == (
        "NOT ON THE MAP: 2 of 3 hazard areas (2.00 ha) of halo.gpkg (halo, 2026-01-02), which is not read"
    )
    assert digest.counts["hazard_off_map"] == 2
    assert "       2  hazard areas of files not read that are not on the map" in as_counts(digest)
    assert "<li class=new>NOT ON THE MAP" in as_html(digest)
    never = make_digest(facts(inbox=inbox(aside=[{**ASIDE, "hazard": {"known": True, "was_read": False}}])))
    assert never.sections[0].lines[0].endswith("was never read; nobody knows what hazard it holds")


def test_a_file_set_aside_of_which_all_hazard_is_read_elsewhere_needs_nobody():
    for hazard in (LEFT, {**LEFT, "areas": 0, "elsewhere": 0}):
        digest = make_digest(facts(inbox=inbox(aside=[{**ASIDE, "hazard": hazard}])))
        assert digest.level == "calm"
        assert "is set aside: by mistake. " in as_text(digest)


@pytest.mark.parametrize(
    ("stands", "said"),
    [
        ({"how": "in_force"}, "it is read once, as mag's."),
        ({"how": "unread"}, "it could not be used."),
        ({"how": "aside", "why": "no good"}, "it is set aside (no good)."),
        ({"how": "replaced", "file": "b.gpkg", "day": "2026-01-03"}, "b.gpkg of 2026-01-03 replaced it in"),
        ({"how": "unknown"}, "the run failed before it was read."),
    ],
)  # fmt: skip
def test_a_file_that_came_in_two_folders_is_told_with_how_it_stands(stands, said):
    first = {"file": "a.gpkg", "folder": "mag", "day": "2026-01-01"}
    copy = {"file": "c.gpkg", "folder": "npa", "day": "2026-01-04", "sha256": "ab" * 32, "of": first}
    digest = make_digest(facts(inbox=inbox(copies=[{**copy, "is_new": False, "stands": stands}])))
    (line,) = digest.sections[1].lines
    assert line.startswith(
        "c.gpkg in folder npa (2026-01-04) is the file a.gpkg that came in mag on 2026-01-01: "
    )
    assert said in line.partition(" Whose is it? ")[0]
    assert line.endswith("write into belongs_to 'abababab': npa; if not, 'abababab': mag")


def test_of_a_copy_of_what_came_in_a_folder_of_nobody_only_the_known_folder_is_asked_about():
    first = {"file": "a.gpkg", "folder": "old", "day": "2026-01-01"}
    copy = {"file": "c.gpkg", "folder": "npa", "day": "2026-01-04", "sha256": "ab" * 32, "of": first}
    told = {**copy, "is_new": True, "stands": {"how": "nobodys"}}
    (line,) = make_digest(facts(inbox=inbox(copies=[told]))).sections[1].lines
    assert line.endswith("the configuration does not name old. Whose is it? If it is npa's, write into "
                         "belongs_to 'abababab': npa")  # fmt: skip


def test_older_bytes_that_are_set_aside_are_said_to_be_so_when_they_come_again():
    again = {
        **ASIDE,
        "is_new": True,
        "stands": {"how": "aside", "why": "no good"},
        "hazard": {"known": False},
    }
    (line,) = make_digest(facts(inbox=inbox(again=[again]))).sections[1].lines
    assert line == ("halo.gpkg (halo) is the delivery of 2026-01-02 again, which is set aside (no good). "
                    "If it counts now, take it out of set_aside.")  # fmt: skip


def test_a_failed_run_says_that_the_old_map_stands_and_what_to_do():
    error = {"sentence": "the disk is full", "advice": "Free some space."}
    digest = make_digest(facts(error=error, summary=None, changes=None, exit_code=2))
    assert digest.headline == "THE RUN FAILED. The map of 2026-01-04 stands."
    assert digest.sections[0].lines == (
        "not looked for: the run failed. The alarms of the night before stand.",
    )
    assert digest.sections[1].lines[:2] == ("THE RUN FAILED: the disk is full", "Free some space.")


def test_no_digest_ever_says_that_all_is_well():
    for told in (facts(), facts(changes=None), facts(error={"sentence": "x", "advice": "y"}, summary=None)):
        text = as_text(make_digest(told)).lower()
        assert not any(words in text for words in ("all well", "all is well", "no problem", "everything is"))
    assert "not thereby safe" in as_text(make_digest(facts()))


def test_cases_that_need_a_person_are_named():
    move = {"from": "decided", "to": "corrected_differently", "cases": ["XKH-2026-0042"]}
    counts = {"open": 1, "all": 1, "by_status": {"corrected_differently": 1}}
    told = facts(changes=changes_with(changed=[move]), summary=summary(cases=counts))
    person = make_digest(told).sections[1].lines
    assert person == ("cases corrected differently than decided: 1; new tonight 1: XKH-2026-0042",)


def test_the_text_is_never_longer_than_a_page_and_says_what_it_leaves_out():
    many = [{"file": f"a{n}.gpkg", "folder": "mag", "why": "its .shp has not come " * 4, "since": "x",
             "days": 3}
            for n in range(200)]  # fmt: skip
    box = inbox(waiting=many, strange=[f"folder {n}" for n in range(99)])
    errors = [
        {"operator": str(n), "outstanding": 1, "before": 0, "opened": 0, "corrected": 0} for n in range(50)
    ]
    digest = make_digest(facts(inbox=box, errors=errors))
    text = as_text(digest)
    assert len(text.splitlines()) <= 80
    assert max(map(len, text.splitlines())) <= 96
    assert text.count("more (digest.html)") == 3
    assert as_html(digest).count("<li") > 400


def test_html_escapes_what_others_wrote_and_needs_nothing_beside_it():
    evil = '<script>alert(1)</script>"&.gpkg'
    digest = make_digest(facts(inbox=inbox(received=[{**RECEIVED, "file": evil}])))
    html = as_html(digest)
    assert "<script" not in html
    assert "&lt;script&gt;alert(1)" in html
    assert "default-src 'none'" in html
    assert "http:" not in html
    assert "src=" not in html.replace("style-src", "").replace("default-src", "")


def test_json_holds_the_lines_and_the_facts():
    told = json.loads(as_json(make_digest(facts()), facts()))
    assert told["level"] == "calm"
    assert told["facts"]["night"] == "2026-01-05-01"


def eventful():
    move = {"from": "new", "to": "needs_review", "cases": ["XKH-2026-0042"]}
    return make_digest(
        facts(
            inbox=inbox(received=[RECEIVED]),
            overdue=[{"operator": "HALO", "folder": "halo", "last_day": "", "days": None, "every_days": 3}],
            changes={**changes_with(changed=[move], opened=["XKH-2026-0042"]), "alarms": [ALARM]},
        )
    )


def test_counts_hold_no_name_of_anybody():
    text = as_counts(eventful())
    assert not any(name in text for name in NAMES)
    assert "1  new alarms" in text
    assert "1  deliveries received" in text
    assert all(name in as_text(eventful()) for name in NAMES)


# Who is told.


class _Mails(socketserver.StreamRequestHandler):
    """A mail server that takes what it is sent, and refuses a password that it does not know."""

    def handle(self):
        def say(line):
            self.wfile.write(line.encode() + b"\r\n")

        say("220 here")
        data = None
        for raw in self.rfile:
            line = raw.decode().rstrip("\r\n")
            if data is not None:
                if line == ".":
                    self.server.mails.append("\n".join(data))
                    data = None
                    say("250 taken")
                else:
                    data.append(line)
            elif line.upper().startswith("EHLO"):
                say("250-here")
                say("250 AUTH PLAIN")
            elif line.upper().startswith("AUTH"):
                self.server.logins.append(line)
                say(self.server.answer.format(line=line))
            elif line.upper() == "DATA":
                data = []
                say("354 go on")
            elif line.upper() == "QUIT":
                say("221 bye")
                return
            else:
                say("250 yes")


@pytest.fixture
def mail_server():
    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), _Mails)
    server.daemon_threads, server.mails, server.logins = True, [], []
    server.answer = "235 welcome"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def mail(server, **more):
    return MailSpec(host="127.0.0.1", port=server.server_address[1], security="none", sender="g@example.org",
                    to=("t@example.org",), **more)  # fmt: skip


def test_a_mail_holds_figures_only_unless_the_whole_is_asked_for(mail_server):
    assert notify(NotifySpec(mail=mail(mail_server)), eventful(), 0.0) == []
    assert notify(NotifySpec(mail=mail(mail_server), detail="full"), eventful(), 0.0) == []
    counts, full = mail_server.mails
    assert "Subject: geopipe, night 2026-01-05-01: please look, 1 new alarms" in counts
    assert not any(name in counts for name in NAMES)
    assert "NEW: Hazard is gone" in full
    assert "text/html" in full


def test_nobody_is_told_without_being_asked_for(mail_server):
    assert notify(None, eventful(), 0.0) == []
    calm = make_digest(facts())
    assert notify(NotifySpec(mail=mail(mail_server), when="needs_person"), calm, 0.0) == []
    assert mail_server.mails == []


def test_a_password_comes_from_a_file_or_the_environment_and_stays_there(mail_server, tmp_path, monkeypatch):
    (tmp_path / "password").write_text(SECRET + "\n", encoding="utf-8")
    monkeypatch.setenv("GEOPIPE_TEST_PASSWORD", SECRET)
    for place in ({"password_file": tmp_path / "password"}, {"password_env": "GEOPIPE_TEST_PASSWORD"}):
        spec = mail(mail_server, user="me", **place)
        assert notify(NotifySpec(mail=spec), eventful(), 0.0) == []
        assert SECRET not in spec.model_dump_json()
    assert len(mail_server.logins) == 2


def test_a_server_that_repeats_the_password_gives_it_to_nobody(mail_server, tmp_path):
    (tmp_path / "password").write_text(SECRET, encoding="utf-8")
    mail_server.answer = f"535 the password {SECRET} is wrong"
    spec = NotifySpec(mail=mail(mail_server, user="me", password_file=tmp_path / "password"))
    (problem,) = notify(spec, eventful(), 0.0)
    assert "nobody was told (the server answered 535 the password (hidden) is wrong" in problem
    assert SECRET not in problem
    assert mail_server.mails == []


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (
            {"host": "mail.example.org", "password_env": "GEOPIPE_TEST_PASSWORD"},
            "not sent without encryption",
        ),
        ({"password_env": "GEOPIPE_TEST_NOTHING"}, "the variable GEOPIPE_TEST_NOTHING is not set"),
        ({"password_file": Path("nowhere")}, "the password of the mail server cannot be read"),
        ({"security": "starttls"}, "STARTTLS"),
    ],
)
def test_what_cannot_be_sent_is_a_warning(mail_server, monkeypatch, more, said):
    monkeypatch.setenv("GEOPIPE_TEST_PASSWORD", SECRET)
    spec = mail(mail_server, user="me").model_copy(update=more)
    (problem,) = notify(NotifySpec(mail=spec), eventful(), 0.0)
    assert said in problem
    assert SECRET not in problem
    assert mail_server.mails == mail_server.logins == []


class _Hook(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        self.server.got.append((self.path, self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(self.server.status)
        self.send_header("Location", "http://127.0.0.1:9/elsewhere")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        """Say nothing."""


@pytest.fixture
def hook():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Hook)
    server.got, server.status = [], 200
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def to_hook(server, tmp_path, monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    url = tmp_path / "url"
    url.write_text(f"http://127.0.0.1:{server.server_address[1]}/{SECRET}\n", encoding="utf-8")
    return NotifySpec(webhook=WebhookSpec(url_file=url))


def test_a_webhook_gets_title_and_figures(hook, tmp_path, monkeypatch):
    assert notify(to_hook(hook, tmp_path, monkeypatch), eventful(), 0.0) == []
    ((path, body),) = hook.got
    told = json.loads(body)
    assert path == f"/{SECRET}"
    assert told["title"].startswith("geopipe, night 2026-01-05-01")
    assert not any(name in told["text"] for name in NAMES)


@pytest.mark.parametrize(("status", "said"), [(500, "HTTP Error 500"), (302, "HTTP Error 302")])
def test_a_webhook_that_refuses_or_points_elsewhere_is_a_warning(hook, tmp_path, monkeypatch, status, said):
    hook.status = status
    (problem,) = notify(to_hook(hook, tmp_path, monkeypatch), eventful(), 0.0)
    assert said in problem
    assert SECRET not in problem
    assert len(hook.got) == 1


def test_an_address_of_another_service_needs_apprise(tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "apprise", None)
    (tmp_path / "url").write_text(f"tgram://{SECRET}/1", encoding="utf-8")
    spec = NotifySpec(webhook=WebhookSpec(url_file=tmp_path / "url"))
    (problem,) = notify(spec, eventful(), 0.0)
    assert 'pip install "geopipe[notify]"' in problem
    assert SECRET not in problem


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of apprise itself
def test_other_services_are_told_through_apprise(hook, tmp_path, monkeypatch):
    pytest.importorskip("apprise", reason="an extra of its own: geopipe[notify]")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    url = tmp_path / "url"
    url.write_text(f"json://127.0.0.1:{hook.server_address[1]}/{SECRET}", encoding="utf-8")
    spec = NotifySpec(webhook=WebhookSpec(url_file=url))
    assert notify(spec, eventful(), 0.0) == []
    ((path, body),) = hook.got
    assert path.strip("/") == SECRET
    assert not any(name in body.decode() for name in NAMES)
    hook.status = 500
    (problem,) = notify(spec, eventful(), 0.0)
    assert problem == "webhook: nobody was told (apprise could not deliver it)"


def test_an_address_in_the_configuration_itself_is_refused():
    with pytest.raises(ValidationError):
        WebhookSpec(url="http://example.org/secret")
    with pytest.raises(ValidationError, match="give url_file or url_env, one of them"):
        WebhookSpec()
    with pytest.raises(ValidationError):
        MailSpec(host="h", sender="s", to=("t",), password="secret")
