// The script of the page: list, map and pages of cases. Texts from data become text nodes, never markup.
"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const { said, cases, layers, shapes, details } = data;
  const text = (number) => data.texts[number];
  const find = (id) => document.getElementById(id);
  const count = cases.name ? cases.name.length : 0;
  const severityName = new Map(data.severities);

  // ---- Small things -------------------------------------------------------------------------------------

  function make(name, attributes, ...children) {
    const element = document.createElement(name);
    for (const [key, value] of Object.entries(attributes || {})) {
      if (value === true) element.setAttribute(key, "");
      else if (value !== false && value !== null && value !== undefined) element.setAttribute(key, String(value));
    }
    for (const child of children.flat(Infinity)) {
      if (child !== null && child !== undefined) element.append(child); // a text becomes a text node
    }
    return element;
  }

  function number(value, decimals) {
    if (value === null) return "–";
    const [whole, part] = Math.abs(value).toFixed(decimals).split(".");
    const grouped = whole.replace(/\B(?=(\d{3})+$)/g, data.group);
    return (value < 0 ? "-" : "") + grouped + (part ? data.decimal + part : "");
  }

  function filled(sentence, values) {
    return sentence.replace(/\{(\w+)\}/g, (found, name) => (name in values ? values[name] : found));
  }

  function colour(name) {
    return getComputedStyle(document.documentElement).getPropertyValue("--" + name).trim();
  }

  // ---- Outlines: steps of 1e-7 degrees in letters, made to the unit square of the web mercator ------------

  const letterValue = new Map([...data.letters].map((letter, value) => [letter, value]));

  function worldX(lon) {
    return lon / 360 + 0.5;
  }

  function worldY(lat) {
    const radians = (lat * Math.PI) / 180;
    return 0.5 - Math.log(Math.tan(Math.PI / 4 + radians / 2)) / (2 * Math.PI);
  }

  function decode(code) {
    const rings = [];
    const box = [Infinity, Infinity, -Infinity, -Infinity];
    let x = 0;
    let y = 0;
    for (const part of code.split(",")) {
      const numbers = [];
      let value = 0;
      let factor = 1;
      for (const letter of part) {
        const bits = letterValue.get(letter);
        value += (bits % 32) * factor;
        factor *= 32;
        if (bits < 32) {
          numbers.push(value % 2 ? -(value + 1) / 2 : value / 2);
          value = 0;
          factor = 1;
        }
      }
      const ring = new Float64Array(numbers.length);
      for (let at = 0; at + 1 < numbers.length; at += 2) {
        x += numbers[at];
        y += numbers[at + 1];
        const east = worldX(x / data.steps);
        const south = worldY(y / data.steps);
        ring[at] = east;
        ring[at + 1] = south;
        box[0] = Math.min(box[0], east);
        box[1] = Math.min(box[1], south);
        box[2] = Math.max(box[2], east);
        box[3] = Math.max(box[3], south);
      }
      if (ring.length) rings.push(ring);
    }
    return { rings, box };
  }

  const decoded = (codes) => codes.map(decode);
  const drawn = {
    provinces: decoded(layers.provinces),
    districts: decoded(layers.districts),
    areas: decoded(layers.areas.shape),
    overlaps: decoded(shapes.shape),
    extra: decoded(shapes.extra.shape),
    gaps: decoded(layers.gaps.shape),
    unresolved: decoded(layers.unresolved.shape),
    points: decoded(layers.points.shape),
  };

  function isEmpty(shape) {
    return shape.rings.length === 0;
  }

  function holds(shape, x, y) {
    let inside = false;
    if (x < shape.box[0] || x > shape.box[2] || y < shape.box[1] || y > shape.box[3]) return false;
    for (const ring of shape.rings) {
      for (let at = 0, last = ring.length - 2; at < ring.length; last = at, at += 2) {
        const crosses = ring[at + 1] > y !== ring[last + 1] > y;
        if (crosses && x < ((ring[last] - ring[at]) * (y - ring[at + 1])) / (ring[last + 1] - ring[at + 1]) + ring[at]) {
          inside = !inside;
        }
      }
    }
    return inside;
  }

  // ---- Drawing: the same for the large map, the map of a case and the signs of the legend -----------------

  const DASHES = { solid: [], dash: [7, 4], dot: [2, 3] };
  const SMALLEST_PX = 2.5;
  const POINTS_LARGE_FROM = 256 * 2 ** 11; // on a map of the country they would hide the hazard

  function patternOf(ctx, shade, angle) {
    const size = 7;
    const tile = document.createElement("canvas");
    tile.width = tile.height = size;
    const pen = tile.getContext("2d");
    pen.strokeStyle = shade;
    pen.lineWidth = 1.4;
    pen.beginPath();
    pen.moveTo(0, size / 2);
    pen.lineTo(size, size / 2);
    pen.stroke();
    const pattern = ctx.createPattern(tile, "repeat");
    pattern.setTransform(new DOMMatrix().rotate(-angle));
    return pattern;
  }

  // A view says where the unit square lies on a canvas: pixels = unit * scale - left, - top.
  function paint(ctx, view, shape, look) {
    if (isEmpty(shape)) return;
    const [west, north, east, south] = shape.box;
    const left = west * view.scale - view.left;
    const right = east * view.scale - view.left;
    const top = north * view.scale - view.top;
    const bottom = south * view.scale - view.top;
    if (right < -20 || bottom < -20 || left > view.width + 20 || top > view.height + 20) return;
    if (Math.max(right - left, bottom - top) < SMALLEST_PX) {
      // However small, it is seen: a point is drawn where an outline would vanish.
      const half = (look.dot || SMALLEST_PX) / 2;
      ctx.fillStyle = look.line;
      ctx.fillRect((left + right) / 2 - half, (top + bottom) / 2 - half, half * 2, half * 2);
      return;
    }
    ctx.beginPath();
    let isArea = false;
    for (const ring of shape.rings) {
      const last = ring.length - 2;
      const isClosed = ring.length > 6 && ring[0] === ring[last] && ring[1] === ring[last + 1];
      for (let at = 0; at < ring.length; at += 2) {
        const x = ring[at] * view.scale - view.left;
        const y = ring[at + 1] * view.scale - view.top;
        if (at === 0) ctx.moveTo(x, y);
        else ctx.lineTo(x, y);
      }
      if (isClosed) ctx.closePath();
      isArea = isArea || isClosed;
    }
    if (look.fill && isArea) {
      ctx.globalAlpha = look.opacity;
      ctx.fillStyle = look.fill;
      ctx.fill("evenodd");
      ctx.globalAlpha = 1;
    }
    ctx.strokeStyle = look.line;
    ctx.lineWidth = look.width;
    ctx.setLineDash(DASHES[look.dash || "solid"]);
    ctx.stroke();
    ctx.setLineDash([]);
  }

  const kindLooks = layers.kinds.map((kind) => ({
    fill: kind.opacity ? kind.fill : null, opacity: kind.opacity, line: kind.line, dash: kind.dash, width: 1.2,
    dot: kind.group === "hazard" ? 3.5 : SMALLEST_PX,
  }));

  function looks(ctx) {
    return {
      border: { line: colour("border"), width: 0.7 },
      province: { line: colour("border"), width: 1.6 },
      gap: { line: colour("gap"), width: 2.2 },
      unresolved: { line: colour("unresolved"), width: 2.4, dash: "dash", dot: 5 },
      a: { line: colour("record-a"), width: 2.2 },
      b: { line: colour("record-b"), width: 2.2, dash: "dash" },
      overlap: (row) => {
        const shade = colour(text(cases.severity[row]));
        return { fill: patternOf(ctx, shade, shapes.hatch[row]), opacity: 1, line: shade, width: 1.4, dot: 3 };
      },
    };
  }

  function paintPoint(ctx, view, shape) {
    if (isEmpty(shape)) return;
    const x = shape.box[0] * view.scale - view.left;
    const y = shape.box[1] * view.scale - view.top;
    if (x < 0 || y < 0 || x > view.width || y > view.height) return;
    ctx.beginPath();
    ctx.arc(x, y, view.scale < POINTS_LARGE_FROM ? 2.5 : 4, 0, 2 * Math.PI);
    ctx.fillStyle = "#FFE800";
    ctx.fill();
    ctx.strokeStyle = "#000000";
    ctx.lineWidth = 1.2;
    ctx.stroke();
  }

  // Lower levels first: whatever is switched on, hazard lies above released land.
  const levelOf = (kind) => layers.kinds[kind].level;
  const areasByLevel = Array.from(drawn.areas.keys()).sort(
    (one, other) => levelOf(layers.areas.kind[one]) - levelOf(layers.areas.kind[other]) || one - other,
  );

  // `others` are records that the areas do not hold: { shape, kind }.
  function paintGround(ctx, view, isOn, others) {
    const look = looks(ctx);
    if (isOn("borders")) {
      for (const shape of drawn.districts) paint(ctx, view, shape, look.border);
      for (const shape of drawn.provinces) paint(ctx, view, shape, look.province);
    }
    const waiting = [...others].sort((one, other) => levelOf(other.kind) - levelOf(one.kind));
    for (const row of areasByLevel) {
      const kind = layers.areas.kind[row];
      while (waiting.length && levelOf(waiting[waiting.length - 1].kind) < levelOf(kind)) paintOther(ctx, view, waiting.pop());
      if (isOn("kind-" + layers.kinds[kind].code)) paint(ctx, view, drawn.areas[row], kindLooks[kind]);
    }
    while (waiting.length) paintOther(ctx, view, waiting.pop());
  }

  function paintOther(ctx, view, other) {
    paint(ctx, view, other.shape, kindLooks[other.kind]);
  }

  function paintAbove(ctx, view, isOn) {
    const look = looks(ctx);
    if (isOn("gaps")) for (const shape of drawn.gaps) paint(ctx, view, shape, look.gap);
    for (const shape of drawn.unresolved) paint(ctx, view, shape, look.unresolved);
    if (isOn("points")) for (const shape of drawn.points) paintPoint(ctx, view, shape);
  }

  function paintOverlaps(ctx, view, isOn) {
    const look = looks(ctx);
    const known = new Map();
    for (let row = count - 1; row >= 0; row -= 1) {
      const finding = text(cases.finding[row]);
      if (!isOn("finding-" + finding) || isEmpty(drawn.overlaps[row])) continue;
      const key = finding + " " + cases.severity[row];
      if (!known.has(key)) known.set(key, look.overlap(row));
      paint(ctx, view, drawn.overlaps[row], known.get(key));
    }
  }

  function sized(canvas, width, height) {
    const ratio = window.devicePixelRatio || 1;
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
    canvas.style.width = width + "px";
    canvas.style.height = height + "px";
    const ctx = canvas.getContext("2d");
    ctx.scale(ratio, ratio);
    return ctx;
  }

  // ---- The large map --------------------------------------------------------------------------------------

  const off = new Set();
  const isOn = (name) => !off.has(name);
  const AROUND = 0.25; // so much more is drawn on each side, for dragging
  let map = null;
  let redraw = () => {};

  const Ground = L.Layer.extend({
    onAdd(where) {
      this._canvas = L.DomUtil.create("canvas", "leaflet-layer", where.getPanes().overlayPane);
      where.on("moveend resize", this.draw, this);
      this.draw();
    },
    onRemove(where) {
      where.off("moveend resize", this.draw, this);
      this._canvas.remove();
    },
    draw() {
      const size = this._map.getSize();
      const corner = this._map.containerPointToLayerPoint(size.multiplyBy(-AROUND)).round();
      const width = size.x * (1 + 2 * AROUND);
      const height = size.y * (1 + 2 * AROUND);
      const ctx = sized(this._canvas, width, height);
      L.DomUtil.setPosition(this._canvas, corner);
      const origin = this._map.getPixelOrigin();
      const scale = 256 * 2 ** this._map.getZoom();
      const view = { scale, left: origin.x + corner.x, top: origin.y + corner.y, width, height };
      paintGround(ctx, view, isOn, []);
      paintOverlaps(ctx, view, isOn);
      paintAbove(ctx, view, isOn);
    },
  });

  function boundsOf(boxes) {
    const all = [Infinity, Infinity, -Infinity, -Infinity];
    for (const box of boxes) {
      all[0] = Math.min(all[0], box[0]);
      all[1] = Math.min(all[1], box[1]);
      all[2] = Math.max(all[2], box[2]);
      all[3] = Math.max(all[3], box[3]);
    }
    return all;
  }

  function latLngBounds(box) {
    const lat = (y) => (Math.atan(Math.sinh(Math.PI * (1 - 2 * y))) * 180) / Math.PI;
    return L.latLngBounds([lat(box[3]), (box[0] - 0.5) * 360], [lat(box[1]), (box[2] - 0.5) * 360]);
  }

  function startMap() {
    const place = find("canvas");
    place.setAttribute("role", "application");
    place.setAttribute("aria-label", document.querySelector("#map h2").textContent);
    map = L.map(place, {
      attributionControl: false, zoomAnimation: false, fadeAnimation: false, minZoom: 3, maxZoom: 22, zoomSnap: 0.5,
      wheelPxPerZoomLevel: 90,
    });
    L.control.scale({ imperial: false }).addTo(map);
    const boxes = [...drawn.areas, ...drawn.overlaps, ...drawn.unresolved].filter((shape) => !isEmpty(shape));
    const all = boxes.length ? boundsOf(boxes.map((shape) => shape.box)) : [0, 0, 1, 1];
    map.fitBounds(latLngBounds(all));
    const ground = new Ground().addTo(map);
    redraw = () => ground.draw();
    map.on("click", (event) => whatIsAt(event.latlng));
    legend();
  }

  function whatIsAt(where) {
    const x = worldX(where.lng);
    const y = worldY(where.lat);
    const near = 5 / (256 * 2 ** map.getZoom());
    const isNear = ({ box }) => box[0] - near <= x && x <= box[2] + near && box[1] - near <= y && y <= box[3] + near;
    const isTiny = ({ box }) => Math.max(box[2] - box[0], box[3] - box[1]) < 3 * near;
    const isHit = (shape) => !isEmpty(shape) && (holds(shape, x, y) || (isTiny(shape) && isNear(shape)));
    const rows = Array.from(Array(count).keys()).filter((row) => isOn("finding-" + text(cases.finding[row])));
    const hit = rows.filter((row) => isHit(drawn.overlaps[row]));
    if (hit.length) {
      openCase(hit[0], find("canvas"));
      return;
    }
    const lines = [];
    drawn.unresolved.forEach((shape, row) => {
      if (isHit(shape)) lines.push(said.unresolved + ": " + text(layers.unresolved.name[row]) + " (" + text(layers.unresolved.why[row]) + ")");
    });
    drawn.points.forEach((shape, row) => {
      if (!isEmpty(shape) && isNear(shape)) lines.push(said.point + ": " + text(layers.points.name[row]));
    });
    for (const row of [...areasByLevel].reverse()) if (isHit(drawn.areas[row])) lines.push(areaLine(row));
    find("hit").replaceChildren(...lines.slice(0, 8).map((line) => make("span", {}, line)));
  }

  function areaLine(row) {
    const areas = layers.areas;
    const parts = [text(areas.operator[row]), text(areas.id[row])];
    const more = [layers.kinds[areas.kind[row]].name, text(areas.status[row]), text(areas.day[row])];
    return parts.join(" ") + ": " + more.filter(Boolean).join(", ") + ", " + number(areas.m2[row], 0) + " m²";
  }

  function legend() {
    const used = new Set(layers.areas.kind);
    const line = (key, name, draw, isFixed) => {
      const sign = make("canvas", { "aria-hidden": "true" });
      const box = make("input", { type: "checkbox", checked: true, disabled: isFixed, "data-layer": key });
      box.addEventListener("change", () => {
        if (box.checked) off.delete(key);
        else off.add(key);
        redraw();
      });
      find("layers").append(make("label", {}, box, sign, name));
      draw(sized(sign, 26, 16));
    };
    const square = decodeSquare();
    const view = { scale: 1, left: 0, top: 0, width: 26, height: 16 };
    // Hazard cannot be switched off: a blank would read as safe.
    layers.kinds.forEach((kind, at) => {
      if (used.has(at)) line("kind-" + kind.code, kind.name, (ctx) => paint(ctx, view, square, kindLooks[at]), kind.group === "hazard");
    });
    if (drawn.unresolved.length) line("unresolved", said.unresolved, (ctx) => paint(ctx, view, square, looks(ctx).unresolved), true);
    for (const [finding, name] of data.findings) {
      const rows = Array.from(Array(count).keys()).filter((row) => text(cases.finding[row]) === finding);
      line("finding-" + finding, name + " (" + number(rows.length, 0) + ")", (ctx) => paint(ctx, view, square, looks(ctx).overlap(rows[0])), false);
    }
    if (drawn.gaps.length) line("gaps", said.gap, (ctx) => paint(ctx, view, square, looks(ctx).gap), false);
    if (drawn.points.length) line("points", said.point, (ctx) => paintPoint(ctx, view, { rings: [1], box: [13, 8, 13, 8] }), false);
  }

  function decodeSquare() {
    const ring = Float64Array.from([3, 2, 23, 2, 23, 14, 3, 14, 3, 2]);
    return { rings: [ring], box: [3, 2, 23, 14] };
  }

  // ---- The list -------------------------------------------------------------------------------------------

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

  // ---- The page of a case ---------------------------------------------------------------------------------

  const dialog = find("detail");
  let from = null;

  function openCase(row, opener) {
    if (opener) from = opener;
    dialog.replaceChildren(...casePage(row));
    if (!dialog.open) dialog.showModal();
    dialog.scrollTop = 0;
    drawCase(row, dialog.querySelector("canvas"));
    dialog.querySelector("button").focus();
  }

  function closeCase() {
    dialog.close();
  }

  dialog.addEventListener("close", () => {
    if (dialog.open) return; // the next case was opened before the browser told that this one is closed
    dialog.replaceChildren();
    if (from && from.isConnected) from.focus();
  });
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) closeCase(); // beside the page
  });

  function casePage(row) {
    const [question, place, facts, records, proposal, reasons, sections, choices] = details.of[row];
    const at = chosen.indexOf(row);
    const button = (name, action, isOff) => {
      const made = make("button", { type: "button", disabled: isOff }, name);
      made.addEventListener("click", action);
      return made;
    };
    const bar = make("div", { class: "bar" },
      button(said.close, closeCase, false),
      button(said.onMap, () => showOnMap(row), isEmpty(drawn.overlaps[row]) || !map),
      button(said.previous, () => openCase(chosen[at - 1]), at < 1),
      button(said.next, () => openCase(chosen[at + 1]), at < 0 || at + 1 >= chosen.length));
    const title = make("h2", { id: "detail-title" }, cells.name(row) + " ",
      make("span", { class: "badge level-" + text(cases.severity[row]) }, cells.severity(row)),
      data.register ? make("span", { class: "badge" }, cells.status(row)) : null);
    const lines = (numbers) => make("ul", {}, numbers.map((line) => make("li", {}, text(line))));
    return [
      bar, title,
      make("p", { class: "question" }, text(question)),
      make("p", {}, cells.about(row)),
      make("p", { class: "quiet" }, text(place)),
      make("div", { class: "two" },
        make("figure", {}, make("canvas", { role: "img", "aria-label": cells.name(row) }), caseLegend(row)),
        make("div", {}, make("h3", {}, said.facts),
          make("dl", { class: "facts" }, facts.map(([name, value]) => [make("dt", {}, text(name)), make("dd", {}, text(value))])))),
      make("h3", {}, said.records), recordTable(row, records),
      make("h3", {}, said.proposal), make("p", {}, make("strong", {}, text(proposal))), lines(reasons),
      make("h3", {}, said.choices), choices.length ? table(details.choices, choices) : make("p", {}, said.noChoices),
      sections.map(([name, told]) => [make("h3", {}, text(name)), lines(told)]),
      make("p", { class: "quiet" }, data.below),
    ].flat(Infinity);
  }

  function caseLegend(row) {
    const view = { scale: 1, left: 0, top: 0, width: 26, height: 16 };
    const signs = [
      [said.recordA, (ctx) => paint(ctx, view, decodeSquare(), looks(ctx).a)],
      [said.recordB, (ctx) => paint(ctx, view, decodeSquare(), looks(ctx).b)],
      [said.overlap, (ctx) => paint(ctx, view, decodeSquare(), looks(ctx).overlap(row))],
    ];
    const made = signs.map(([name, draw]) => {
      const sign = make("canvas", { "aria-hidden": "true", class: "sign" });
      draw(sized(sign, 26, 16));
      return make("span", {}, sign, name);
    });
    return make("figcaption", {}, made);
  }

  function recordTable(row, records) {
    const heads = ["a", "b"].map((letter) => letter.toUpperCase() + ": " + text(cases[letter + "_operator"][row]));
    const lines = details.records.map((name, at) => [text(name), text(records[0][at]), text(records[1][at])]);
    return scrolled(["", ...heads], lines);
  }

  function table(headings, rows) {
    return scrolled(headings.map(text), rows.map((row) => row.map(text)));
  }

  function scrolled(headings, rows) {
    const line = (row) => make("tr", {}, row.map((cell, at) => make(at ? "td" : "th", { scope: at ? null : "row", class: long(cell) }, cell)));
    return make("div", { class: "scroll", tabindex: "0" }, make("table", {},
      make("thead", {}, make("tr", {}, headings.map((name) => make("th", { scope: "col" }, name)))),
      make("tbody", {}, rows.map(line))));
  }

  function sideOf(row, side) {
    const place = shapes.sides[row][side];
    if (place >= 0) return { shape: drawn.areas[place], isOther: false };
    const at = -1 - place;
    return { shape: drawn.extra[at], kind: shapes.extra.kind[at], isOther: shapes.extra.filled[at] === 1 };
  }

  function drawCase(row, canvas) {
    const width = Math.max(240, Math.min(canvas.parentElement.clientWidth, 620));
    const height = Math.round(width * 0.72);
    const ctx = sized(canvas, width, height);
    const sides = [sideOf(row, 0), sideOf(row, 1)];
    const overlap = drawn.overlaps[row];
    const whole = boundsOf([...sides.map((side) => side.shape), overlap].filter((shape) => !isEmpty(shape)).map((shape) => shape.box));
    const view = framed(isEmpty(overlap) ? whole : overlap.box, whole, width, height);
    paintGround(ctx, view, () => true, sides.filter((side) => side.isOther));
    if (!isEmpty(overlap)) paint(ctx, view, overlap, looks(ctx).overlap(row));
    paint(ctx, view, sides[0].shape, looks(ctx).a);
    paint(ctx, view, sides[1].shape, looks(ctx).b);
    paintAbove(ctx, view, () => true);
    scaleBar(ctx, view, width, height, canvas);
  }

  const EARTH_M = 40075016.686;

  // Both records whole, unless their overlap would become a dot.
  function framed(heart, whole, width, height) {
    const size = (box) => Math.max(box[2] - box[0], box[3] - box[1], 1e-12);
    const metresPerUnit = EARTH_M / Math.cosh(Math.PI * (1 - heart[1] - heart[3]));
    const most = Math.max(12 * size(heart), 400 / metresPerUnit);
    const box = size(whole) > most ? [0, 1].flatMap((axis) => [(heart[axis] + heart[axis + 2] - most) / 2]).concat(
      [0, 1].map((axis) => (heart[axis] + heart[axis + 2] + most) / 2)) : whole;
    const least = 60 / metresPerUnit;
    const scale = 0.82 * Math.min(width / Math.max(box[2] - box[0], least), height / Math.max(box[3] - box[1], least));
    const left = ((box[0] + box[2]) / 2) * scale - width / 2;
    const top = ((box[1] + box[3]) / 2) * scale - height / 2;
    return { scale, left, top, width, height, metresPerPixel: metresPerUnit / scale };
  }

  function scaleBar(ctx, view, width, height) {
    const longest = (width / 3) * view.metresPerPixel;
    const magnitude = 10 ** Math.floor(Math.log10(longest));
    const metres = Math.max(...[1, 2, 5].filter((step) => step * magnitude <= longest)) * magnitude;
    const pixels = metres / view.metresPerPixel;
    ctx.fillStyle = colour("map");
    ctx.fillRect(6, height - 30, pixels + 16, 26);
    ctx.strokeStyle = ctx.fillStyle = colour("text");
    ctx.lineWidth = 2;
    ctx.beginPath();
    ctx.moveTo(14, height - 14);
    ctx.lineTo(14, height - 9);
    ctx.lineTo(14 + pixels, height - 9);
    ctx.lineTo(14 + pixels, height - 14);
    ctx.stroke();
    ctx.font = "12px sans-serif";
    ctx.fillText(number(metres, metres < 1 ? 1 : 0) + " m", 16, height - 17);
  }

  function showOnMap(row) {
    from = find("canvas");
    closeCase();
    off.delete("finding-" + text(cases.finding[row]));
    find("map").scrollIntoView();
    map.fitBounds(latLngBounds(drawn.overlaps[row].box).pad(1.5), { maxZoom: 19 });
  }

  // ---- Printing, light and dark, links ----------------------------------------------------------------------

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

  function startTheme() {
    const dark = window.matchMedia("(prefers-color-scheme: dark)");
    const root = document.documentElement;
    find("theme").addEventListener("click", () => {
      const isDark = root.dataset.theme ? root.dataset.theme === "dark" : dark.matches;
      root.dataset.theme = isDark ? "light" : "dark";
      redraw();
    });
    dark.addEventListener("change", () => redraw());
  }

  function openLinked() {
    const name = decodeURIComponent(location.hash).replace(/^#case=/, "");
    const row = Array.from(Array(count).keys()).find((at) => cells.name(at) === name);
    if (row !== undefined) openCase(row, null);
  }

  startList();
  startTheme();
  try {
    startMap();
  } catch (error) {
    find("hit").textContent = said.mapFailed;
    console.error(error);
  }
  window.addEventListener("hashchange", openLinked);
  openLinked();
  document.documentElement.dataset.ready = String(count);
})();
