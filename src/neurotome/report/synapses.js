// The page of synapses: pictures that move, synapses of one neuron, the map in space, distributions. Comes after atlas.js.
(() => {
  const data = JSON.parse(element("data").textContent);
  const INK = "#1f2630", SOFT = "#5b6673";
  const shown = pictures(data.sheets), moving = shown.has("movie");
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  const lively = new Map();
  let clock = moving ? Math.floor(shown.frames("movie") / 2) : 0, map;

  // --- pictures -------------------------------------------------------------------------------------------------------------
  function paint(canvas, row) {
    if (!shown.has("slices")) return shown.draw(canvas, "slices", row, 0);
    const button = canvas.closest(".drawing");
    if (button ? button.matches(":hover") && moving : moving && !still) return (lively.set(canvas, row), move(canvas, row));
    lively.delete(canvas);
    shown.draw(canvas, moving && !button ? "movie" : "slices", row, moving && !button ? Math.floor(shown.frames("movie") / 2) : 0);
  }

  const move = (canvas, row) => shown.draw(canvas, "movie", row, clock % shown.frames("movie"));

  function turn() {
    clock += 1;
    for (const [canvas, row] of lively) {
      if (!canvas.isConnected) lively.delete(canvas);
      else if (canvas.offsetParent) move(canvas, row);
    }
  }

  function prepareMovement() {
    if (!moving) return;
    setInterval(turn, 1000 / data.perSecond);
    for (const kind of ["pointerover", "pointerout"])
      document.addEventListener(kind, (event) => {
        const button = event.target.closest?.(".drawing");
        if (button && !button.contains(event.relatedTarget)) setTimeout(() => paint(button.firstElementChild, Number(button.dataset.row)));
      });
  }

  // --- the synapse that is kept ---------------------------------------------------------------------------------------------
  function pinned(row) {
    for (const canvas of document.querySelectorAll("canvas[data-slice]")) shown.draw(canvas, "slices", row, Number(canvas.dataset.slice));
    const link = element("link");
    if (link) [link.hidden, link.href] = [!data.links[row], /^https?:/.test(data.links[row] ?? "") ? data.links[row] : "#"];
    const others = partners(row).length, note = element("partners");
    if (note) note.textContent = others ? `${others} other synapse${others > 1 ? "s" : ""} of the same presynaptic neuron ${others > 1 ? "are" : "is"} joined to it on the map.` : "";
  }

  const partners = (row) => (data.pre[row] ? data.ids.map((_, at) => at).filter((at) => at !== row && data.pre[at] === data.pre[row]) : []);

  // Lines to the synapses of the same neuron.
  function over(row, trace) {
    const others = partners(row);
    if (!others.length) return [];
    const made = trace(others.flatMap((other) => [row, other]), {});
    const broken = (values) => values.flatMap((value, place) => (place % 2 ? [value, null] : [value]));
    return [{ ...made, x: broken(made.x), y: broken(made.y), mode: "lines", line: { color: INK, width: 1.1, dash: "dot" }, hoverinfo: "skip", customdata: undefined }];
  }

  // --- distributions --------------------------------------------------------------------------------------------------------
  function prepareDistributions() {
    const box = element("distribution");
    if (!box) return;
    const [number, group, kind] = ["measure-number", "measure-group", "measure-kind"].map(element);
    const draw = () => drawSpread(box, data.columns[Number(number.value)], data.columns[Number(group.value)], kind.value);
    for (const choice of [number, group, kind]) choice.onchange = draw;
    whenSeen(box, draw);
  }

  function drawSpread(box, column, by, kind) {
    const axis = { zeroline: false, gridcolor: "#f0f2f4", linecolor: "#d5dade", mirror: true, tickfont: { size: 12 } };
    const named = { title: { text: column.title, font: { size: 13 }, standoff: 8 } };
    const upright = kind === "violin" || kind === "box";
    const traces = by.groups.map((name, code) => {
      const values = column.values.filter((value, row) => by.codes[row] === code && value !== null);
      return { ...TRACES[kind](values), name: `${by.title} ${name}`, showlegend: !upright, hoverinfo: upright ? "y" : "x+y" };
    });
    traces.forEach((trace, code) => paintTrace(trace, by.colours[code], upright));
    const layout = {
      margin: { l: 62, r: 10, t: 10, b: 46 }, paper_bgcolor: "#ffffff", plot_bgcolor: "#ffffff", height: box.clientHeight,
      font: { family: getComputedStyle(document.body).fontFamily, color: SOFT },
      xaxis: { ...axis, ...(upright ? {} : named) }, yaxis: { ...axis, ...(upright ? named : { title: { text: kind === "ecdf" ? "share of the synapses" : "share per bin (%)", font: { size: 13 } } }) },
      legend: { orientation: "h", y: 1.12 }, barmode: "overlay",
    };
    Plotly.react(box, traces, layout, { displaylogo: false, responsive: true, modeBarButtons: [["toImage"]] });
  }

  const TRACES = {
    violin: (values) => ({ type: "violin", y: values, box: { visible: true, width: 0.18 }, meanline: { visible: true }, points: values.length < 30 ? "all" : false, jitter: 0.3, pointpos: 0, spanmode: "hard" }),
    box: (values) => ({ type: "box", y: values, boxpoints: values.length < 200 ? "all" : "outliers", jitter: 0.4, pointpos: 0, boxmean: true }),
    histogram: (values) => ({ type: "histogram", x: values, histnorm: "percent", opacity: 0.55 }),
    ecdf: (values) => {
      const sorted = [...values].sort((a, b) => a - b);
      return { type: "scatter", mode: "lines", x: sorted, y: sorted.map((_, at) => (at + 1) / sorted.length), line: { shape: "hv", width: 2 } };
    },
  };

  function paintTrace(trace, colour, upright) {
    trace.marker = { color: colour, size: 4, opacity: 0.6 };
    trace.line = { ...trace.line, color: colour };
    if (upright) [trace.fillcolor, trace.line.width] = [`${colour}40`, 1.4];
  }

  function whenSeen(box, draw) {
    const seen = new IntersectionObserver((entries) => entries.some((one) => one.isIntersecting) && (draw(), seen.disconnect()));
    seen.observe(box);
  }

  // --- presynaptic neurons --------------------------------------------------------------------------------------------------
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-neuron]");
    if (!button) return;
    const row = data.pre.indexOf(button.dataset.neuron);
    if (row >= 0) map.pin(row, { scroll: true });
  });

  map = atlas(data, paint, { over, pinned });
  prepareMovement();
  prepareDistributions();
  const box = element("space");
  if (box) whenSeen(box, () => space(data, box, (row) => map.pin(row), shown));
})();
