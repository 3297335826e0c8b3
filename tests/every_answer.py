"""Every command that can answer as JSON, on a demo with its register, in the order of a working day."""

import json
import shutil

import xlsxwriter
from conftest import (
    REPOSITORY,
    UTM_48N,
    call,
    read_layer,
    require_as_promised,
    square,
    write_geojson,
)

BY = ("--by", "Bounmy")
TARGETS = REPOSITORY / "configs" / "targets.yaml"
FIGURES = (
    "operator,month,province,kind,ha\nMAG,2026-01,Xieng Khouang,CLEARED,1.5\nMAG,2026-13,Nowhere,CHA,x\n"
)


class Day:
    """A folder in which commands are called; `answers` are those given as JSON, in order."""

    def __init__(self, folder):
        self.folder, self.answers = folder, []
        self.work, self.out = folder / "work", folder / "out"
        self.minutes = folder / "minutes.pdf"
        self.minutes.write_bytes(b"signed")

    def ask(self, *words, codes=(0, 4)):
        """Call a command with --json; keep and return what it answers."""
        ran = call(*words, "--json")
        assert ran.code in codes, (words, ran.code, ran.err)
        told = json.loads(ran.out)
        self.answers.append((words, told))
        return told

    def on(self, *words, **more):
        return self.ask(*words, "-w", self.work, **more)

    def run(self, day):
        text = f"deliveries: [{{path: in, assume_crs: '{UTM_48N}'}}]\nworkspace: work\noutput: out\n"
        text += f"today: {day}\n"
        (self.folder / "run.yaml").write_text(text, encoding="utf-8")
        return self.ask("run", self.folder / "run.yaml", "-q")


def whole_day(folder, demo):
    """Return what every command answers."""
    day = Day(folder)
    shutil.copytree(demo, folder / "in")
    _from_deliveries(day)
    _about_cases(day)
    _about_findings_and_figures(day)
    _outputs(day)
    _another_night(day)
    _unattended(day)
    _about_the_register(day)
    return day.answers


def _from_deliveries(day):
    demo, crs = day.folder / "in", ("--assume-crs", UTM_48N, "-q")
    for more in (("--size", "200"), ("--nights", "1", "--size", "200")):
        day.ask("demo", day.folder / f"demo{more[0]}", *more, "-q")
    day.ask("compare", demo, "-o", day.folder / "compared", *crs)
    day.ask("report", day.folder / "compared")
    day.on("ingest", demo, *crs)
    for stage in ("validate", "reproject", "locate", "check", "deduplicate", "history", "index", "overlaps"):
        day.on(stage, "-q")
    day.on("publish", "-o", day.folder / "published", "-q")
    record = read_layer(day.folder / "compared" / "geopipe.gpkg", "areas")[0]["record_id"]
    day.ask("query", day.folder / "compared", "--id", record)
    day.ask("query", day.folder / "compared", "--bbox", "100,13,108,23")
    smaller = write_geojson(
        day.folder / "later" / "MAG_CHA.geojson", [({"hazard_id": "M-1"}, square(side=0.001))]
    )
    larger = write_geojson(
        day.folder / "before" / "MAG_CHA.geojson",
        [({"hazard_id": "M-1"}, square()), ({"hazard_id": "M-2"}, square(east_by=0.01))],
    )
    day.ask("changes", larger, smaller, "-o", day.folder / "changed", "--snapshot", "-q")
    day.ask("checks")
    day.ask("policy", "show")
    day.ask("policy", "check", "default")
    day.ask("policy", "sensitivity", day.folder / "compared")


def _about_cases(day):
    day.run("2026-04-01")
    names = [case["number"] for case in day.on("cases", "list", "--open")["rows"]]
    held = ("--meeting", "TWG 1/2026", "--held-on", "2026-04-02")
    day.on("cases", "show", names[0])
    day.on("cases", "explain", names[0])
    day.on("cases", "send", *names[:2], "--due", "2026-04-20", *BY)
    day.on("cases", "acknowledge", names[0], "--operator", _operator(day, names[0]), *BY)
    day.on("cases", "assign", names[0], "--to", "Dr Lee", "--due", "2026-04-20", *BY)
    day.on("cases", "defer", names[1], "--cause", "rain", *BY)
    said = ("--answer", "agree", "--name", "Somchai", "--comment", "yes", "--said-on", "2026-04-02")
    day.on("cases", "position", names[0], "--operator", _operator(day, names[0]), *said, *BY)
    decision = (
        "--choice",
        "field_survey",
        "--level",
        "NRA",
        *held,
        "--responsible",
        "MAG",
        "--due",
        "2026-05-01",
    )
    for name in names[:2]:
        day.on("cases", "decide", name, *decision, *BY)
    day.on("cases", "confirm", names[0], *held, "--minutes", day.minutes, *BY)
    day.on("cases", "show", names[0])
    day.on("cases", "reopen", names[1], "--cause", "new facts", *BY)
    day.on("cases", "agenda", "--minutes-of-meeting", "60")
    day.on("cases", "export", "-o", day.folder / "cases.xlsx")
    day.on("cases", "import", day.folder / "cases.xlsx", *BY)
    day.on("minutes", "--meeting", "TWG 1/2026", "-o", day.folder / "minutes")
    day.ask("resolve", day.work, "-o", day.folder / "corrections")


def _operator(day, name):
    return day.on("cases", "show", name)["a"]["operator"]


def _about_findings_and_figures(day):
    found = [item for item in day.on("findings", "list")["rows"] if item["operator"] == "MAG"]
    day.on("findings", "accept", found[0]["finding_id"], "--reason", "known", *BY)
    day.on("findings", "send", "--operator", "MAG", *BY)
    day.on("findings", "list")
    day.on("stats", "errors", "--quarter", "2026-Q2")
    (day.folder / "figures.csv").write_text(FIGURES, encoding="utf-8")
    day.on("figures", "import", day.folder / "figures.csv", "--apply", *BY, codes=(0, 2, 4))
    day.on("figures", "compare", day.out, "--quarter", "2026-Q1")
    by_all = "province,district,operator,year,quarter,land_use"
    day.ask("stats", day.out, "--by", by_all, "--register", day.work, "--targets", TARGETS)
    quarter = ("2025-Q4", day.out, "--register", day.work)
    day.ask("stats", "freeze", *quarter, *BY, "--reference", "letter 7")
    day.ask("stats", "restated", *quarter)
    day.ask("ledger", day.work, "--expect", "HI,MAG", "--period", "2026-Q2")
    day.ask(
        "ledger", "nil", day.work, "--operator", "HI", "--period", "2026-Q2", *BY, "--reference", "letter"
    )
    day.ask("ledger", day.work)


def _outputs(day):
    for operator in ((), ("--operator", "MAG")):
        day.on("workbook", day.out, "-o", day.folder / "book.xlsx", *operator)
        day.on("feeds", day.out, "-o", day.folder / "exports", "--expect", "HI", *operator)
        day.on("plots", day.out, "-o", day.folder / "plots", *operator)
        day.on("page", day.out, "-o", day.folder / "report.html", *operator)
        held = ("--minutes-of-meeting", "60", "--meeting", "TWG 1")
        day.on("pack", day.out, "-o", day.folder / "pack.pdf", *held, *operator)
    day.ask("convert", day.out, "-o", day.folder / "converted", "--format", "geojson")
    day.on("edition", day.out, "-o", day.folder / "mag", "--operator", "MAG", "--format", "kml")
    day.ask("returns", day.out, "-o", day.folder / "returns", "-q")
    sample = day.folder / "sample"
    drawn = ("--count", "5", "--seed", "7", "--boxes", "2", "--box-size-m", "10", "--stratify", "operator")
    day.ask("sample", "draw", day.out, "-o", sample, *drawn)
    with xlsxwriter.Workbook(day.folder / "empty.xlsx") as book:
        book.add_worksheet("Inspection")
    day.ask("sample", "results", sample, sample / "sheet.xlsx", *BY, codes=(0, 4))
    day.ask("sample", "results", sample)


def _unattended(day):
    """A night from the inbox: what it leaves are answers, too."""
    write_geojson(day.folder / "inbox" / "mag" / "MAG_CHA.geojson", [({"hazard_id": "M-1"}, square())])
    path = day.folder / "nightly.yaml"
    operators = "{mag: {operator: MAG, kind: cha}}"
    path.write_text(
        f"workspace: w3\noutput: o3\nnightly: {{inbox: inbox, settle_seconds: 0, operators: {operators}}}\n",
        encoding="utf-8",
    )
    day.ask("run", path, "--nightly")
    day.ask("status", path)
    day.ask("install-schedule", "--print", "systemd", path)
    day.ask("nights", path)
    day.ask("doctor", path)
    day.ask("trace", "M-1", "-w", day.folder / "w3")
    day.ask("reproduce", "1", "-w", day.folder / "w3")
    for left in (day.folder / "o3").glob("nights/*/run.json"):
        told = json.loads(left.read_text(encoding="utf-8"))
        require_as_promised(told)
        day.answers.append((("run.json",), told))


def _another_night(day):
    """MAG sends less than before: what vanished is carried on."""
    vanished = [({"hazard_id": f"M-{n}"}, square(103.2 + 0.01 * n, 19.5)) for n in range(3)]
    config = (
        "deliveries: [{path: less, operator: MAG, kind: CHA, mode: snapshot}]\nworkspace: w2\noutput: o2\n"
    )
    nights = ((vanished, "2026-05-01"), (vanished[:1], "2026-05-02"))
    for number, (records, today) in enumerate(nights):
        write_geojson(day.folder / "less" / "MAG_CHA.geojson", records)
        path = day.folder / f"less{number}.yaml"
        path.write_text(f"{config}today: {today}\n", encoding="utf-8")
        day.ask("run", path, "-q")
    day.ask("hazard", "list", "-w", day.folder / "w2")
    day.run("2026-04-08")
    day.on("diff", "1")


def _about_the_register(day):
    day.ask("register", "check", day.work)
    day.ask("register", "backup", day.work, "-o", day.folder / "copy.sqlite")
    day.ask("register", "export", day.work, "-o", day.folder / "plain")
    office = ("--office", "XK", *BY)
    province = next(case["province"] for case in day.on("cases", "list")["rows"] if case["province"])
    day.ask("register", "extract", day.work, "--province", province, *office, "-o", day.folder / "x.sqlite")
    day.ask("register", "checkout", day.work, *office, "-o", day.folder / "xk.sqlite")
    day.ask("register", "merge", day.folder / "xk.sqlite", day.work)
