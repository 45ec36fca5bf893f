// A map to walk on: points with names, columns to colour by, the row that is kept and its neighbours. Every text from outside goes in
// as text, never as HTML. A page calls atlas(data, paint): data as `Atlas.to_json`, paint(canvas, row) draws a row, over(row) gives more
// traces for the row that is kept, pinned(row) is told of it.
"use strict";
const element = (id) => document.getElementById(id);
const shown = (number) =>
  Number.isInteger(number) || Math.abs(number) >= 100
    ? Math.round(number).toLocaleString("en")
    : String(Number(number.toPrecision(3)));

function make(tag, attributes = {}, ...children) {
  const made = Object.assign(document.createElement(tag), attributes);
  made.append(...children);
  return made;
}

function atlas(data, paint, { over = () => [], pinned = () => {} } = {}) {
  const INK = "#1f2630", SOFT = "#5b6673";
  const MOST_MATCHES = 8, MOST_DRAWN_AS_SVG = 4000;
  const label = data.columns.find((column) => column.name === data.label);
  const state = { map: 0, column: 0, sizes: null, hidden: {}, pinned: null, before: [] };

  const paintAll = () => {
    for (const button of document.querySelectorAll(".drawing")) paint(button.firstElementChild, Number(button.dataset.row));
    if (state.pinned !== null) paint(element("portrait"), state.pinned);
  };

  // --- values ---------------------------------------------------------------------------------------------------------------
  function valueOf(column, row) {
    if (column.values) return column.values[row] === null ? column.missing : shown(column.values[row]);
    return column.codes[row] < 0 ? column.missing : column.groups[column.codes[row]];
  }

  // --- map ------------------------------------------------------------------------------------------------------------------
  const plot = element("plot");
  const narrow = plot ? Math.min(1, plot.clientWidth / 600) : 1;
  const size = Math.max(4.5, narrow * Math.min(10, 190 / Math.sqrt(data.ids.length)));
  const kind = data.ids.length > MOST_DRAWN_AS_SVG ? "scattergl" : "scatter";

  function trace(rows, marker, more = {}) {
    const map = data.maps[state.map];
    return {
      type: kind, mode: "markers", x: rows.map((row) => map.x[row]), y: rows.map((row) => map.y[row]), customdata: rows,
      marker: { size: sizesOf(rows), opacity: 0.88, line: { width: 0.7, color: "#ffffff" }, ...marker }, hoverinfo: "none", showlegend: false, ...more,
    };
  }

  // Areas from 10 to 100 square points, as the number of the row lies between the limits of the column.
  function sizesOf(rows) {
    const column = data.columns[state.sizes];
    if (!column) return size;
    const share = (row) => Math.min(1, Math.max(0, (column.values[row] - column.low) / (column.high - column.low)));
    return rows.map((row) => (column.values[row] === null ? 3 : 1.8 * Math.sqrt(10 + 90 * share(row))));
  }

  function traces() {
    const column = data.columns[state.column], every = data.ids.map((_, row) => row);
    if (!column) return [trace(every, { color: "#0b7285" })];
    if (column.values) {
      const known = every.filter((row) => column.values[row] !== null), others = every.filter((row) => column.values[row] === null);
      const scale = data.scale.map((colour, step) => [step / (data.scale.length - 1), colour]);
      const colours = { color: known.map((row) => column.values[row]), colorscale: scale, cmin: column.low, cmax: column.high };
      return [trace(others, { color: data.others }), trace(known, colours)];
    }
    const members = [[], ...column.groups.map(() => [])];
    every.forEach((row) => members[column.codes[row] + 1].push(row));
    const hidden = hiddenOf(column);
    return members.map((rows, at) => {
      const marker = at ? { color: column.colours[at - 1], symbol: column.symbols[at - 1] } : { color: data.others };
      return trace(rows, marker, { visible: !hidden.has(at - 1) });
    });
  }

  function rings() {
    if (state.pinned === null) return [];
    const ring = (rows, width, more) =>
      trace(rows, { size: size + more, symbol: "circle-open", opacity: 1, color: INK, line: { width, color: INK } }, { hoverinfo: "skip" });
    return [ring(data.neighbours.rows[state.pinned], 1.2, 5), ring([state.pinned], 2.6, 9)];
  }

  function drawMap() {
    if (!plot) return;
    const map = data.maps[state.map];
    const axis = (name, more) => ({
      title: { text: name, font: { size: 13 }, standoff: 6 }, zeroline: false, gridcolor: "#f0f2f4", linecolor: "#d5dade", mirror: true,
      tickfont: { size: 11 }, ...more,
    });
    const layout = {
      xaxis: axis(`${map.name} 1`), yaxis: axis(`${map.name} 2`, { scaleanchor: "x" }), uirevision: map.key, hovermode: "closest",
      dragmode: "zoom", margin: { l: 52, r: 8, t: 28, b: 44 }, paper_bgcolor: "#ffffff", plot_bgcolor: "#ffffff", hoverdistance: 12,
      font: { family: getComputedStyle(document.body).fontFamily, color: SOFT }, height: plot.clientHeight,
    };
    const config = {
      displaylogo: false, responsive: true, modeBarButtons: [["toImage"], ["zoom2d", "pan2d"], ["zoomIn2d", "zoomOut2d", "resetScale2d"]],
      toImageButtonOptions: { filename: `${map.key}-${data.columns[state.column]?.name ?? "map"}`, scale: 3 },
    };
    element("tip").hidden = true;
    Plotly.react(plot, [...traces(), ...(state.pinned === null ? [] : over(state.pinned, trace)), ...rings()], layout, config);
    element("map-note").textContent = map.note ? ` ${map.name} of these neurons: ${map.note}.` : "";
  }

  function listenToMap() {
    const tip = element("tip");
    const hide = () => (tip.hidden = true);
    plot.on("plotly_hover", ({ points, event }) => {
      const row = points[0].customdata;
      const column = data.columns[state.column], cluster = data.columns.find((one) => one.name === "cluster");
      const said = [...new Set([column, label, cluster])].filter(Boolean).map((one) => `${one.title}: ${valueOf(one, row)}`);
      tip.querySelector("strong").textContent = data.ids[row];
      tip.querySelector("p").textContent = said.join("\n");
      tip.hidden = false;
      tip.dataset.row = row;
      paint(tip.querySelector("canvas"), row);
      const { width, height } = tip.getBoundingClientRect();
      const right = event.clientX + 18 + width > window.innerWidth, low = event.clientY + 18 + height > window.innerHeight;
      tip.style.left = `${Math.max(6, right ? event.clientX - 18 - width : event.clientX + 18)}px`;
      tip.style.top = `${Math.max(6, low ? event.clientY - 18 - height : event.clientY + 18)}px`;
    });
    plot.on("plotly_unhover", hide);
    plot.on("plotly_relayout", hide);
    plot.on("plotly_click", ({ points }) => pin(points[0].customdata));
    window.addEventListener("scroll", hide, { passive: true });
  }

  // --- legend ---------------------------------------------------------------------------------------------------------------
  const hiddenOf = (column) => (state.hidden[column.name] ??= new Set());
  const SHAPES = {
    circle: '<circle cx="6" cy="6" r="5"/>', square: '<rect x="1.5" y="1.5" width="9" height="9"/>',
    diamond: '<path d="M6 0L12 6L6 12L0 6Z"/>', "triangle-up": '<path d="M6 .5L11.6 10.5L.4 10.5Z"/>',
  };

  function symbol(shape, colour) {
    const mark = make("span", { className: "symbol" });
    mark.innerHTML = `<svg viewBox="0 0 12 12" aria-hidden="true">${SHAPES[shape] ?? SHAPES.circle}</svg>`;
    mark.style.color = colour;
    return mark;
  }

  function drawLegend() {
    const list = element("legend"), note = element("legend-note"), column = data.columns[state.column];
    if (!list) return;
    list.replaceChildren();
    note.replaceChildren();
    if (!column) return;
    if (column.values) return drawScale(column, list, note);
    const hidden = hiddenOf(column), every = [...column.groups.keys(), ...(column.unknown ? [-1] : [])];
    const refresh = () => (drawMap(), drawLegend());
    const all = make("button", { type: "button", className: "quiet", textContent: "all" });
    const none = make("button", { type: "button", className: "quiet", textContent: "none" });
    all.onclick = () => (hidden.clear(), refresh());
    none.onclick = () => (every.forEach((code) => hidden.add(code)), refresh());
    const grey = column.colours.filter((colour) => colour === data.others).length;
    note.append(`${column.title}: click a group to hide or show it; `, all, ", ", none, ".", grey ? ` The ${grey} smallest groups share one grey.` : "");
    for (const code of every) {
      const name = code < 0 ? column.missing : column.groups[code], count = code < 0 ? column.unknown : column.counts[code];
      const mark = symbol(code < 0 ? "circle" : column.symbols[code], code < 0 ? data.others : column.colours[code]);
      const button = make("button", { type: "button" }, mark, `${name} `, make("span", { className: "count", textContent: count }));
      button.setAttribute("aria-pressed", String(!hidden.has(code)));
      button.onclick = () => (hidden.has(code) ? hidden.delete(code) : hidden.add(code), refresh(), element("legend").children[every.indexOf(code)].firstElementChild.focus());
      list.append(make("li", {}, button));
    }
  }

  function drawScale(column, list, note) {
    const ramp = make("span", { className: "ramp" });
    ramp.style.background = `linear-gradient(90deg, ${data.scale.join(", ")})`;
    list.append(make("li", { className: "scale" }, shown(column.low), ramp, shown(column.high)));
    if (column.unknown) list.append(make("li", {}, symbol("circle", data.others), `${column.missing} ${column.unknown}`));
    note.textContent = `${column.title}.` + (column.beyond ? ` ${column.beyond} ${data.row}s lie beyond these numbers and have the colour of the nearer end.` : "");
  }

  // --- the one that is kept, and its neighbours ----------------------------------------------------------------------------
  function pin(row, { scroll = false, back = false } = {}) {
    if (!back && state.pinned !== null && state.pinned !== row) state.before.push(state.pinned);
    state.pinned = row;
    element("pinned-name").textContent = data.ids[row];
    const said = [...data.columns.map((one) => [one.title, valueOf(one, row)]), ...data.told.map((one) => [one.title, one.texts[row]])];
    const facts = said.flatMap(([title, text]) => [make("dt", { textContent: title }), make("dd", { textContent: text })]);
    element("pinned-facts").replaceChildren(...facts);
    const last = state.before.at(-1);
    element("back").hidden = last === undefined;
    element("back").textContent = last === undefined ? "" : `back to ${data.ids[last]}`;
    drawNeighbours(row);
    drawMap();
    paint(element("portrait"), row);
    pinned(row);
    if (scroll) element("map").scrollIntoView({ behavior: "smooth" });
  }

  function drawNeighbours(row) {
    const near = data.neighbours.rows[row], distances = data.neighbours.distances[row];
    element("neighbour-note").textContent = neighbourSentence(row, near);
    element("gallery").replaceChildren(...near.map((other, at) => {
      const button = make("button", { type: "button", className: "drawing" }, make("canvas"));
      button.dataset.row = other;
      button.setAttribute("aria-label", `neighbour ${at + 1}: ${data.ids[other]}`);
      const card = make("li", {}, button, make("div", { className: "name", textContent: data.ids[other] }));
      if (label) card.append(verdict(row, other));
      card.append(make("div", { className: "note", textContent: `distance ${shown(distances[at])}` }));
      return card;
    }));
    for (const button of element("gallery").querySelectorAll(".drawing")) paint(button.firstElementChild, Number(button.dataset.row));
  }

  function verdict(row, other) {
    const mine = label.codes[row], its = label.codes[other], said = valueOf(label, other);
    if (mine < 0 || its < 0) return make("div", { className: "verdict", textContent: its < 0 ? `${label.title} not known` : said });
    const same = mine === its;
    const mark = make("span", { textContent: same ? "✓ " : "✗ ", ariaLabel: same ? "the same" : "another" });
    return make("div", { className: `verdict ${same ? "same" : "other"}`, title: same ? `the same ${label.title}` : `another ${label.title}` }, mark, said);
  }

  function neighbourSentence(row, near) {
    if (!near.length) return data.ids.length > 1 ? "Its nearest neighbours were not looked for." : "";
    const start = near.length > 1 ? `Of its ${near.length} nearest neighbours` : "Of its one neighbour";
    if (!label) return `${near.length > 1 ? `Its ${near.length} nearest neighbours` : "Its nearest neighbour"}, nearest first:`;
    const mine = label.codes[row];
    if (mine < 0) return `Its ${label.title} is not known. Its nearest neighbours, nearest first:`;
    const known = near.filter((other) => label.codes[other] >= 0), same = known.filter((other) => label.codes[other] === mine).length;
    const alone = label.counts[mine] === 1 ? ` It is the only ${data.row} that is ${label.groups[mine]}.` : "";
    return `${start}, ${same || "none"} ${same > 1 ? "have" : "has"} the same ${label.title}, ${label.groups[mine]}.${alone}`;
  }

  // --- controls -------------------------------------------------------------------------------------------------------------
  function prepareMaps() {
    data.maps.forEach((map, at) => {
      const button = make("button", { type: "button", textContent: map.name });
      button.setAttribute("aria-pressed", String(at === 0));
      button.onclick = () => {
        state.map = at;
        [...element("maps").children].forEach((one, k) => one.setAttribute("aria-pressed", String(k === at)));
        drawMap();
      };
      element("maps").append(button);
    });
    const colour = element("colour");
    if (colour) colour.onchange = () => ((state.column = Number(colour.value)), drawMap(), drawLegend());
    const sizes = element("size-by");
    if (sizes) sizes.onchange = () => ((state.sizes = sizes.value === "" ? null : Number(sizes.value)), drawMap());
  }

  function prepareSearch() {
    const find = element("find"), matches = element("matches");
    const search = () => {
      const wanted = find.value.trim().toLowerCase();
      const found = wanted ? data.ids.map((id, row) => row).filter((row) => data.ids[row].toLowerCase().includes(wanted)) : [];
      const rank = (row) => (data.ids[row].toLowerCase() === wanted ? 0 : data.ids[row].toLowerCase().startsWith(wanted) ? 1 : 2);
      found.sort((a, b) => rank(a) - rank(b));
      matches.hidden = !wanted;
      matches.replaceChildren(...found.slice(0, MOST_MATCHES).map((row) => {
        const button = make("button", { type: "button", textContent: data.ids[row] });
        button.onclick = () => (pin(row), (matches.hidden = true));
        return button;
      }));
      if (!found.length) matches.append(`No ${data.row} has this in its name.`);
      if (found.length > MOST_MATCHES) matches.append(`and ${found.length - MOST_MATCHES} more`);
      return found;
    };
    find.oninput = search;
    find.onkeydown = (event) => {
      if (event.key === "Escape") matches.hidden = true;
      if (event.key !== "Enter") return;
      const [row] = search();
      if (row !== undefined) (pin(row), (matches.hidden = true));
    };
    document.addEventListener("click", (event) => event.target.closest(".find") || (matches.hidden = true));
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest(".drawing");
    if (button) pin(Number(button.dataset.row), { scroll: !button.closest("#gallery") });
  });
  element("back").onclick = () => pin(state.before.pop(), { back: true });
  let waiting;
  window.addEventListener("resize", () => (clearTimeout(waiting), (waiting = setTimeout(paintAll, 120))));

  prepareMaps();
  prepareSearch();
  drawLegend();
  if (data.ids.length) pin(data.pinned);
  if (plot) listenToMap();
  paintAll();
  return { state, valueOf, pin, drawMap };
}
