// The list: what is chosen, in which order, on the screen and on paper.

const PAGE = 100;
const MOST_PRINTED = 1000;
const record = (letter, row) => text(cases[letter + "_operator"][row]) + " " + text(cases[letter + "_id"][row]);
const cells = {
  name: (row) => text(cases.name[row]),
  severity: (row) => severityName.get(text(cases.severity[row])) || text(cases.severity[row]),
  about: (row) => text(cases.about[row]),
  status: (row) => text(cases.status[row]),
  a: (row) => record("a", row),
  b: (row) => record("b", row),
  m2: (row) => number(cases.m2[row], 1),
  width: (row) => number(cases.width[row], 2),
  province: (row) => text(cases.province[row]),
  district: (row) => text(cases.district[row]),
  first: (row) => text(cases.first[row]),
};
const severityOrder = new Map(data.severities.map(([code], at) => [code, at]));
const sortValue = {
  ...cells,
  severity: (row) => severityOrder.get(text(cases.severity[row])),
  m2: (row) => cases.m2[row],
  width: (row) => (cases.width[row] === null ? Infinity : cases.width[row]),
};
const haystacks = Array.from(Array(count).keys()).map((row) =>
  [...Object.keys(cells).filter((key) => key in cases || key === "a" || key === "b").map((key) => cells[key](row)), text(cases.finding[row])].join(" ").toLowerCase(),
);
let chosen = [];
let shownRows = PAGE;
let sorted = { key: "", down: false };

const FILTERS = {
  severity: { of: (row) => [cells.severity(row)] },
  status: { of: (row) => [cells.status(row)] },
  operator: { of: (row) => [text(cases.a_operator[row]), text(cases.b_operator[row])] },
  province: { of: (row) => [cells.province(row)] },
};
const ALL = "";
const ALL_OPEN = "open";

function fillFilters() {
  for (const [key, filter] of Object.entries(FILTERS)) {
    const select = find("by-" + key);
    if (key === "status" && !data.register) {
      select.parentElement.remove();
      continue;
    }
    const counts = new Map();
    for (let row = 0; row < count; row += 1) for (const name of new Set(filter.of(row))) counts.set(name, (counts.get(name) || 0) + 1);
    select.append(make("option", { value: ALL }, said.all));
    if (key === "status") select.append(make("option", { value: ALL_OPEN, selected: true }, said.allOpen));
    const names = [...counts.keys()].filter(Boolean);
    if (key !== "severity") names.sort();
    else names.sort((one, other) => [...severityName.values()].indexOf(one) - [...severityName.values()].indexOf(other));
    // "=" keeps a value that is called like one of ours apart.
    for (const name of names) select.append(make("option", { value: "=" + name }, name + " (" + number(counts.get(name), 0) + ")"));
    select.addEventListener("change", choose);
  }
  find("search").addEventListener("input", choose);
}

function fits(row) {
  for (const [key, filter] of Object.entries(FILTERS)) {
    const select = find("by-" + key);
    const wanted = select ? select.value : ALL;
    if (wanted === ALL_OPEN && !cases.open[row]) return false;
    if (wanted.startsWith("=") && !filter.of(row).includes(wanted.slice(1))) return false;
  }
  return find("search").value.toLowerCase().split(/\s+/).every((word) => haystacks[row].includes(word));
}

function choose() {
  chosen = Array.from(Array(count).keys()).filter(fits);
  if (sorted.key) {
    const value = sortValue[sorted.key];
    const sign = sorted.down ? -1 : 1;
    chosen.sort((one, other) => {
      const [a, b] = [value(one), value(other)];
      return (a < b ? -1 : a > b ? 1 : 0) * sign || one - other;
    });
  }
  shownRows = PAGE;
  list();
}

function list() {
  const rows = chosen.slice(0, shownRows).map(tableRow);
  const body = find("list").tBodies[0];
  body.replaceChildren(...rows);
  if (!rows.length) body.append(make("tr", {}, make("td", { colspan: data.columns.length }, said.noHit)));
  find("count").textContent = filled(said.shown, { shown: number(chosen.length, 0), all: number(count, 0) });
  find("more").hidden = chosen.length <= shownRows;
}

// A word that is longer than a column may be broken anywhere; others stay whole.
function long(cell) {
  return cell.split(/\s/).some((word) => word.length > 28) ? "long" : null;
}

function tableRow(row) {
  const made = make("tr", { tabindex: "0", "data-row": row, class: "level-" + text(cases.severity[row]) });
  data.columns.forEach(([key], at) => {
    const shown = cells[key](row);
    const kind = { m2: "number", width: "number", first: "day" }[key] || long(shown);
    const cell = make(at ? "td" : "th", { class: kind, scope: at ? null : "row" }, shown);
    if (key === "a" || key === "b") cell.append(make("small", {}, text(cases[key + "_kind"][row])));
    made.append(cell);
  });
  return made;
}

function head() {
  const headings = data.columns.map(([key, name]) => {
    const button = make("button", { type: "button" }, name);
    const heading = make("th", { scope: "col", class: "of-" + key, "data-name": name }, button);
    button.addEventListener("click", () => {
      sorted = { key, down: sorted.key === key && !sorted.down };
      find("list").querySelectorAll("th[aria-sort]").forEach((other) => other.removeAttribute("aria-sort"));
      heading.setAttribute("aria-sort", sorted.down ? "descending" : "ascending");
      choose();
    });
    return heading;
  });
  find("list").tHead.append(make("tr", {}, headings));
}

function startList() {
  head();
  fillFilters();
  const rowOf = (event) => event.target.closest("tr[data-row]");
  find("list").addEventListener("click", (event) => {
    const row = rowOf(event);
    if (row) openCase(Number(row.dataset.row), row);
  });
  find("list").addEventListener("keydown", (event) => {
    const row = rowOf(event);
    if (!row) return;
    const to = { ArrowDown: row.nextElementSibling, ArrowUp: row.previousElementSibling }[event.key];
    if (event.key === "Enter" || event.key === " ") openCase(Number(row.dataset.row), row);
    else if (to) to.focus();
    else return;
    event.preventDefault();
  });
  find("more").addEventListener("click", () => {
    const first = shownRows;
    shownRows += 2 * PAGE;
    list();
    const row = find("list").tBodies[0].rows[first];
    if (row) row.focus();
  });
  choose();
}

window.addEventListener("beforeprint", () => {
  const rows = chosen.slice(0, MOST_PRINTED).map(tableRow);
  const body = find("list").tBodies[0];
  body.replaceChildren(...rows);
  if (chosen.length > MOST_PRINTED) {
    const left = filled(said.notPrinted, { number: number(chosen.length - MOST_PRINTED, 0) });
    body.append(make("tr", {}, make("td", { colspan: data.columns.length }, left)));
  }
});
window.addEventListener("afterprint", list);
