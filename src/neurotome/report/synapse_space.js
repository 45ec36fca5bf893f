// The map in space: space(data, box, pick, shown) draws data.space, coloured by the choice of the element "space-colour".
"use strict";
function space(data, box, pick, shown) {
  const map = element("space-map"), colour = element("space-colour"), view = element("space-tip");
  map.append(...data.space.map((one, at) => make("option", { value: at, textContent: one.name })));

  function traces() {
    const places = data.space[Number(map.value)], column = data.columns[Number(colour.value)];
    const every = data.ids.map((_, row) => row);
    const size = Math.max(2.6, Math.min(6, 110 / Math.sqrt(data.ids.length)));
    const trace = (rows, marker, more) => ({
      type: "scatter3d", mode: "markers", customdata: rows, ...Object.fromEntries([..."xyz"].map((axis) => [axis, rows.map((row) => places[axis][row])])),
      text: rows.map((row) => data.ids[row]), hoverinfo: "text", marker: { size, opacity: 0.9, line: { width: 0.4, color: "#ffffff" }, ...marker }, ...more,
    });
    if (!column) return [trace(every, { color: "#0b7285" }, { showlegend: false })];
    if (column.values) {
      const scale = data.scale.map((tone, step) => [step / (data.scale.length - 1), tone]);
      const known = every.filter((row) => column.values[row] !== null), unknown = every.filter((row) => column.values[row] === null);
      const bar = { title: { text: column.title, side: "right" }, thickness: 12, len: 0.6 };
      const marks = { color: known.map((row) => column.values[row]), colorscale: scale, cmin: column.low, cmax: column.high, colorbar: bar };
      return [trace(unknown, { color: data.others }, { showlegend: false }), trace(known, marks, { showlegend: false })];
    }
    return column.groups.map((name, code) => {
      const rows = every.filter((row) => column.codes[row] === code);
      return trace(rows, { color: column.colours[code] }, { name: `${column.title} ${name}`, showlegend: true });
    });
  }

  function draw() {
    const name = data.space[Number(map.value)].name;
    const axis = (at) => ({ title: { text: `${name} ${at}`, font: { size: 12 } }, backgroundcolor: "#ffffff", gridcolor: "#e3e7eb", zeroline: false, tickfont: { size: 10 } });
    const layout = {
      margin: { l: 0, r: 0, t: 0, b: 0 }, height: box.clientHeight, uirevision: name, paper_bgcolor: "#ffffff", legend: { x: 0.01, y: 0.99, itemsizing: "constant", bgcolor: "rgba(255,255,255,0.8)" },
      font: { family: getComputedStyle(document.body).fontFamily, color: "#5b6673" },
      scene: { xaxis: axis(1), yaxis: axis(2), zaxis: axis(3), aspectmode: "cube", dragmode: "orbit" },
    };
    Plotly.react(box, traces(), layout, { displaylogo: false, responsive: true, modeBarButtons: [["toImage"], ["resetCameraDefault3d"]] });
  }

  draw();
  map.onchange = colour.onchange = draw;
  box.on("plotly_hover", ({ points }) => {
    if (!view || !shown?.has("slices")) return;
    view.hidden = false;
    view.querySelector("p").textContent = data.ids[points[0].customdata];
    shown.draw(view.querySelector("canvas"), "slices", points[0].customdata, 0);
  });
  box.on("plotly_click", ({ points }) => pick(points[0].customdata));
}
