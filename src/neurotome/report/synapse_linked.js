// Two maps of the same synapses, one turning into the other: places between them follow the slider.
"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const element = (id) => document.getElementById(id);
  const shown = pictures(data.sheets), tip = element("tip");
  const [first, second, colour, slider, play] = ["first", "second", "colour", "share", "play"].map(element);
  const plots = [...document.querySelectorAll(".linked canvas")];
  let at = null, timer = null;

  const between = (share) => {
    const [a, b] = [data.maps[Number(first.value)], data.maps[Number(second.value)]];
    const mix = (axis) => a[axis].map((value, row) => value * (1 - share) + b[axis][row] * share);
    return { x: mix("x"), y: mix("y") };
  };
  const shares = () => [0, Number(slider.value) / 100, 1];
  const tone = (row) => {
    const group = data.groups[Number(colour.value)];
    return group ? group.colours[group.codes[row]] ?? data.others : "#0b7285";
  };

  function draw() {
    plots.forEach((canvas, which) => {
      const sharp = window.devicePixelRatio || 1, width = canvas.clientWidth, height = canvas.clientHeight, pad = 14;
      [canvas.width, canvas.height] = [width * sharp, height * sharp];
      const pen = canvas.getContext("2d"), places = between(shares()[which]);
      pen.scale(sharp, sharp);
      const point = (row) => [pad + places.x[row] * (width - 2 * pad), pad + places.y[row] * (height - 2 * pad)];
      const radius = Math.max(2.2, Math.min(5, 80 / Math.sqrt(data.ids.length)));
      pen.globalAlpha = 0.85;
      data.ids.forEach((_, row) => dot(pen, point(row), radius, tone(row)));
      pen.globalAlpha = 1;
      if (at !== null) ring(pen, point(at), radius + 4);
    });
  }

  function dot(pen, [x, y], radius, fill) {
    pen.beginPath();
    pen.arc(x, y, radius, 0, 7);
    pen.fillStyle = fill;
    pen.fill();
  }

  function ring(pen, [x, y], radius) {
    pen.beginPath();
    pen.arc(x, y, radius, 0, 7);
    [pen.strokeStyle, pen.lineWidth] = ["#1f2630", 2];
    pen.stroke();
  }

  function nearest(canvas, which, event) {
    const box = canvas.getBoundingClientRect(), places = between(shares()[which]), pad = 14;
    const x = (event.clientX - box.left - pad) / (box.width - 2 * pad), y = (event.clientY - box.top - pad) / (box.height - 2 * pad);
    const away = (row) => Math.hypot((places.x[row] - x) * box.width, (places.y[row] - y) * box.height);
    let best = null;
    data.ids.forEach((_, row) => away(row) < (best === null ? 14 : away(best)) && (best = row));
    return best;
  }

  plots.forEach((canvas, which) => {
    canvas.addEventListener("pointermove", (event) => {
      at = nearest(canvas, which, event);
      draw();
      tip.hidden = at === null;
      if (at === null) return;
      tip.querySelector("strong").textContent = data.ids[at];
      tip.querySelector("p").textContent = data.groups.map((group) => `${group.title}: ${group.groups[group.codes[at]] ?? group.missing}`).join("\n");
      if (shown.has("slices")) shown.draw(tip.querySelector("canvas"), "slices", at, 0);
      const box = tip.getBoundingClientRect();
      const left = event.clientX + 18 + box.width > window.innerWidth ? event.clientX - 18 - box.width : event.clientX + 18;
      Object.assign(tip.style, { left: `${Math.max(6, left)}px`, top: `${Math.max(6, Math.min(event.clientY + 14, window.innerHeight - box.height - 6))}px` });
    });
    canvas.addEventListener("pointerleave", () => ((at = null), (tip.hidden = true), draw()));
    canvas.addEventListener("click", () => at !== null && /^https?:/.test(data.links[at] ?? "") && window.open(data.links[at], "_blank", "noopener"));
  });

  function name() {
    const said = [data.maps[Number(first.value)].name, `${slider.value} % of the way`, data.maps[Number(second.value)].name];
    document.querySelectorAll(".linked figcaption").forEach((caption, which) => (caption.textContent = said[which]));
  }

  const refresh = () => (name(), legend(), draw());
  for (const one of [first, second, colour]) one.onchange = refresh;
  slider.oninput = refresh;
  play.onclick = () => {
    const going = timer === null;
    play.textContent = going ? "pause" : "play";
    clearInterval(timer);
    let way = 2;
    timer = going ? setInterval(() => {
      const next = Number(slider.value) + way;
      if (next >= 100 || next <= 0) way = -way;
      slider.value = Math.max(0, Math.min(100, next));
      refresh();
    }, 50) : null;
  };
  function legend() {
    const group = data.groups[Number(colour.value)];
    element("groups").replaceChildren(...(group?.groups ?? []).map((text, code) => {
      const item = document.createElement("li"), chip = Object.assign(document.createElement("span"), { className: "chip" });
      chip.style.background = group.colours[code];
      item.append(chip, text);
      return item;
    }));
  }

  window.addEventListener("resize", draw);
  colour.append(...data.groups.map((group, value) => Object.assign(document.createElement("option"), { value, textContent: group.title })));
  second.value = String(Math.min(1, data.maps.length - 1));
  refresh();
})();
