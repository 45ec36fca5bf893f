// Synapses as tiles at their places on a map: nothing overlaps, tiles can be moved, hidden, filtered, enlarged and played.
"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const element = (id) => document.getElementById(id);
  const MOST_SHIFT = 75, STEP = 5, LEFT_OUT = 2.2, MOST_AT_FIRST = 120;
  const shown = pictures(data.sheets), frames = shown.frames("tiles"), moving = "largest" in data;
  const field = element("field"), tip = element("tip");
  const state = { size: 50, count: 0, map: 0, spread: 1, frame: moving ? Math.floor(frames / 2) : 0, own: false, playing: false, even: false, moved: new Map(), hidden: new Set() };
  const off = data.groups.map(() => new Set());
  const tiles = new Map();

  const fill = (select, names) => select.append(...names.map((textContent, value) => Object.assign(document.createElement("option"), { value, textContent })));

  // --- where tiles lie ------------------------------------------------------------------------------------------------------
  // Away from a place in rings, so that the first free one is the nearest.
  const RINGS = [];
  for (let y = -MOST_SHIFT; y <= MOST_SHIFT; y += STEP) for (let x = -MOST_SHIFT; x <= MOST_SHIFT; x += STEP) if (Math.hypot(x, y) <= MOST_SHIFT) RINGS.push([x, y]);
  RINGS.sort((a, b) => Math.hypot(...a) - Math.hypot(...b));

  function chosen() {
    const passes = (row) => !state.hidden.has(row) && data.groups.every((group, at) => !off[at].has(group.codes[row]));
    return data.order.filter(passes).slice(0, state.count);
  }

  function layout() {
    const map = data.maps[state.map], size = state.size, pad = size / 2 + 8;
    const width = Math.max(field.parentElement.clientWidth - 2, 300) * state.spread, height = Math.max(field.parentElement.clientHeight - 2, 300) * state.spread;
    const side = Math.min(width, height * 1.35), taken = new Grid(size);
    field.style.width = `${width}px`;
    field.style.height = `${height}px`;
    const places = new Map();
    const rows = chosen(), [across, down] = state.even ? [ranks(rows, map.x), ranks(rows, map.y)] : [map.x, map.y];
    const target = (row) => [width / 2 + (across[row] - 0.5) * ((state.even ? width : side) - 2 * pad), height / 2 + (down[row] - 0.5) * (height - 2 * pad)];
    for (const row of rows) if (state.moved.has(row)) places.set(row, state.moved.get(row)), taken.add(...state.moved.get(row));
    for (const row of rows) {
      if (places.has(row)) continue;
      const [x, y] = target(row);
      const free = RINGS.find(([dx, dy]) => inside(x + dx, y + dy, width, height, size) && taken.free(x + dx, y + dy));
      const place = free ? [x + free[0], y + free[1]] : null;
      if (place) taken.add(...place);
      places.set(row, place ?? { at: [x, y] });
    }
    return places;
  }

  // Who comes before whom stays, how far apart they are does not.
  function ranks(rows, values) {
    const sorted = [...rows].sort((a, b) => values[a] - values[b]), found = [];
    sorted.forEach((row, at) => (found[row] = sorted.length > 1 ? at / (sorted.length - 1) : 0.5));
    return found;
  }

  const inside = (x, y, width, height, size) => x >= size / 2 && y >= size / 2 && x <= width - size / 2 && y <= height - size / 2;

  class Grid {
    constructor(size) { this.size = size; this.cells = new Map(); }
    key(x, y) { return `${Math.floor(x / this.size)} ${Math.floor(y / this.size)}`; }
    add(x, y) { const key = this.key(x, y); this.cells.set(key, [...(this.cells.get(key) ?? []), [x, y]]); }
    free(x, y) {
      for (let dy = -1; dy <= 1; dy++) for (let dx = -1; dx <= 1; dx++)
        for (const [a, b] of this.cells.get(this.key(x + dx * this.size, y + dy * this.size)) ?? [])
          if (Math.abs(a - x) < this.size && Math.abs(b - y) < this.size) return false;
      return true;
    }
  }

  // --- tiles ----------------------------------------------------------------------------------------------------------------
  function colourOf(row) {
    const group = data.groups[Number(element("colour").value)];
    return group ? group.colours[group.codes[row]] ?? data.others : "#0b7285";
  }

  function tile(row) {
    if (tiles.has(row)) return tiles.get(row);
    const made = document.createElement("div"), canvas = document.createElement("canvas"), hide = document.createElement("button");
    made.className = "tile";
    made.tabIndex = 0;
    made.dataset.row = row;
    made.setAttribute("aria-label", data.ids[row]);
    Object.assign(hide, { type: "button", className: "hide", textContent: "×", title: "hide" });
    made.append(canvas, hide);
    tiles.set(row, made);
    return made;
  }

  function place() {
    const places = layout(), dots = [], placed = [];
    for (const [row, at] of places) {
      if (!Array.isArray(at)) { dots.push([row, at.at]); continue; }
      const made = tile(row), size = state.size;
      Object.assign(made.style, { left: `${at[0] - size / 2}px`, top: `${at[1] - size / 2}px`, width: `${size}px`, height: `${size}px`, borderColor: colourOf(row) });
      placed.push(made);
    }
    field.replaceChildren(...dots.map(([row, at]) => dot(row, at)), ...placed);
    const count = (n) => `${n} synapse${n === 1 ? "" : "s"}`;
    const hidden = state.hidden.size ? `; ${state.hidden.size} hidden` : "";
    element("said").textContent = `${count(placed.length)} shown of ${data.ids.length}${dots.length ? `; ${dots.length} more find no room within ${MOST_SHIFT} pixels and are dots: show fewer, make them smaller or spread the map` : ""}${hidden}.`;
    look();
  }

  function dot(row, [x, y]) {
    const made = document.createElement("i");
    made.className = "dot";
    made.title = data.ids[row];
    Object.assign(made.style, { left: `${x - LEFT_OUT}px`, top: `${y - LEFT_OUT}px`, background: colourOf(row) });
    return made;
  }

  const frameOf = (row) => (state.own && data.largest[row] >= 0 ? data.largest[row] : state.frame);

  // Which tiles are in sight changes when they are placed and on scrolling, not from frame to frame.
  let inSight = [];
  function look() {
    const box = field.parentElement.getBoundingClientRect();
    inSight = [...field.querySelectorAll(".tile")].filter((made) => {
      const at = made.getBoundingClientRect();
      return at.bottom >= box.top && at.top <= box.bottom && at.right >= box.left && at.left <= box.right;
    });
    drawAll();
  }

  function drawAll() {
    for (const made of inSight) shown.draw(made.firstElementChild, "tiles", Number(made.dataset.row), frameOf(Number(made.dataset.row)));
    if (moving) element("frame-said").textContent = state.own ? "each at its largest cleft" : `section ${data.sheets.tiles.frames[state.frame]}`;
  }

  // --- hover, drag, hide, click ---------------------------------------------------------------------------------------------
  let dragged = null;
  field.addEventListener("pointerdown", (event) => {
    const made = event.target.closest(".tile");
    if (!made || event.target.closest(".hide") || event.button) return;
    dragged = { made, row: Number(made.dataset.row), x: event.clientX, y: event.clientY, left: parseFloat(made.style.left), top: parseFloat(made.style.top), moved: false };
    made.setPointerCapture(event.pointerId);
  });
  field.addEventListener("pointermove", (event) => {
    if (!dragged) return;
    const dx = event.clientX - dragged.x, dy = event.clientY - dragged.y;
    if (!dragged.moved && Math.hypot(dx, dy) < 4) return;
    dragged.moved = true;
    dragged.made.classList.add("dragged");
    Object.assign(dragged.made.style, { left: `${dragged.left + dx}px`, top: `${dragged.top + dy}px` });
  });
  field.addEventListener("pointerup", () => {
    if (!dragged) return;
    const { made, row, moved } = dragged;
    made.classList.remove("dragged");
    if (moved) state.moved.set(row, [parseFloat(made.style.left) + state.size / 2, parseFloat(made.style.top) + state.size / 2]);
    else follow(row);
    dragged = null;
  });
  field.addEventListener("pointercancel", () => (dragged = null));
  field.addEventListener("click", (event) => {
    const hide = event.target.closest(".hide");
    if (hide) (state.hidden.add(Number(hide.parentElement.dataset.row)), (tip.hidden = true), place());
  });
  field.addEventListener("keydown", (event) => {
    const made = event.target.closest(".tile");
    if (made && event.key === "Enter") follow(Number(made.dataset.row));
    if (made && (event.key === "Delete" || event.key === "Backspace")) (state.hidden.add(Number(made.dataset.row)), place());
  });

  function follow(row) {
    const link = data.links[row];
    if (/^https?:/.test(link ?? "")) window.open(link, "_blank", "noopener");
    else tell(row, true);
  }

  function tell(row, kept) {
    const said = data.groups.map((group) => `${group.title}: ${group.codes[row] < 0 ? group.missing : group.groups[group.codes[row]]}`);
    tip.querySelector("strong").textContent = data.ids[row];
    tip.querySelector("p").textContent = said.join("\n") + (data.links[row] ? "\nclick: open it" : "");
    tip.dataset.row = row;
    tip.dataset.kept = kept ? "yes" : "";
    tip.hidden = false;
    shown.draw(tip.querySelector("canvas"), "tiles", row, frameOf(row));
  }

  field.addEventListener("pointerover", (event) => {
    const made = event.target.closest(".tile");
    if (!made || dragged) return;
    tell(Number(made.dataset.row), false);
    const at = made.getBoundingClientRect(), box = tip.getBoundingClientRect();
    const right = at.right + 10 + box.width < window.innerWidth ? at.right + 10 : at.left - 10 - box.width;
    Object.assign(tip.style, { left: `${Math.max(6, right)}px`, top: `${Math.max(6, Math.min(at.top, window.innerHeight - box.height - 6))}px` });
  });
  field.addEventListener("pointerout", (event) => event.relatedTarget?.closest?.(".tile") || tip.dataset.kept || (tip.hidden = true));

  // --- controls -------------------------------------------------------------------------------------------------------------
  function filters() {
    data.groups.forEach((group, at) => {
      const list = Object.assign(document.createElement("span"), { className: "filter" });
      element("filters").append(list);
      list.append(`${group.title}: `);
      const each = [...group.groups.keys(), ...(group.unknown ? [-1] : [])];
      const boxes = each.map((code) => {
        const label = document.createElement("label"), box = document.createElement("input"), chip = document.createElement("span");
        Object.assign(box, { type: "checkbox", checked: true, onchange: () => (box.checked ? off[at].delete(code) : off[at].add(code), place()) });
        chip.className = "chip";
        chip.style.background = group.colours[code] ?? data.others;
        label.append(box, chip, `${code < 0 ? group.missing : group.groups[code]} `);
        return label;
      });
      const all = (wanted) => () => (boxes.forEach((label, k) => ((label.firstElementChild.checked = wanted), wanted ? off[at].delete(each[k]) : off[at].add(each[k]))), place());
      const button = (text, wanted) => Object.assign(document.createElement("button"), { type: "button", className: "quiet", textContent: text, onclick: all(wanted) });
      list.append(button("all", true), " ", button("none", false), ...boxes);
    });
  }

  function reset() {
    Object.assign(state, { size: 50, spread: 1, even: false, own: false, frame: moving ? Math.floor(frames / 2) : 0 });
    state.moved.clear();
    state.hidden.clear();
    off.forEach((set) => set.clear());
    document.querySelectorAll(".filters input").forEach((box) => (box.checked = true));
    state.count = fitting();
    for (const [id, value] of [["size", 50], ["spread", 1], ["count", state.count], ["places", "map"], ["frame", state.frame]]) if (element(id)) element(id).value = value;
    play(false);
    place();
  }

  // As many as find room on the map as it opens, so that the first look shows no crowd.
  function fitting() {
    const tried = [MOST_AT_FIRST, 90, 70, 50, 40, 30, 20, 10].map((count) => Math.min(count, data.ids.length));
    return tried.find((count) => {
      state.count = count;
      const places = [...layout().values()];
      return places.filter((at) => !Array.isArray(at)).length <= 0.05 * places.length;
    }) ?? tried.at(-1);
  }

  let timer = null;
  function play(wanted) {
    if (!moving) return;
    state.playing = wanted;
    element("play").textContent = wanted ? "pause" : "play";
    element("play").setAttribute("aria-pressed", String(wanted));
    clearInterval(timer);
    timer = wanted ? setInterval(() => goTo((state.frame + 1) % frames), 1000 / data.perSecond) : null;
  }

  function goTo(frame) {
    [state.frame, state.own] = [frame, false];
    element("frame").value = frame;
    drawAll();
    if (!tip.hidden) shown.draw(tip.querySelector("canvas"), "tiles", Number(tip.dataset.row), frameOf(Number(tip.dataset.row)));
  }

  element("size").oninput = (event) => ((state.size = Number(event.target.value)), state.moved.clear(), place());
  element("count").oninput = (event) => ((state.count = Math.max(0, Math.min(data.ids.length, Number(event.target.value)))), place());
  element("spread").onchange = (event) => ((state.spread = Number(event.target.value)), state.moved.clear(), place());
  element("colour").onchange = place;
  element("map").onchange = (event) => ((state.map = Number(event.target.value)), state.moved.clear(), place());
  element("places").onchange = (event) => ((state.even = event.target.value === "even"), state.moved.clear(), place());
  element("reset").onclick = reset;
  if (moving) {
    element("play").onclick = () => play(!state.playing);
    element("frame").oninput = (event) => (play(false), goTo(Number(event.target.value)));
    element("largest").onclick = () => (play(false), (state.own = true), drawAll());
  } else {
    element("which").onchange = (event) => goToPicture(Number(event.target.value));
  }

  function goToPicture(frame) {
    state.frame = frame;
    drawAll();
  }

  field.parentElement.addEventListener("scroll", look, { passive: true });
  document.addEventListener("scroll", () => tip.dataset.kept || (tip.hidden = true), { passive: true });
  document.addEventListener("pointerdown", (event) => event.target.closest(".tile") || event.target.closest("#tip") || ((tip.hidden = true), (tip.dataset.kept = "")));
  let waiting;
  window.addEventListener("resize", () => (clearTimeout(waiting), (waiting = setTimeout(place, 150))));
  fill(element("colour"), data.groups.map((group) => group.title));
  if (moving) element("frame").max = frames - 1;
  else fill(element("which"), data.sheets.tiles.frames);
  filters();
  reset();
})();
