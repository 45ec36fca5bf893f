// The page of shapes: drawings for the map, and shapes in space. Reads the element "data"; comes after atlas.js.
(() => {
  const data = JSON.parse(element("data").textContent);
  const INK = "#1f2630", SOFT = "#5b6673";

  // --- drawings -------------------------------------------------------------------------------------------------------------
  const corners = new Uint16Array(Uint8Array.from(atob(data.drawings.data), (c) => c.charCodeAt(0)).buffer);

  function paint(canvas, row) {
    const width = canvas.clientWidth, height = canvas.clientHeight;
    if (!width || !height) return;
    const sharp = window.devicePixelRatio || 1;
    canvas.width = Math.round(width * sharp);
    canvas.height = Math.round(height * sharp);
    // Drawn by the processor: a page has dozens of these, and each on the graphics card would cost more than its few lines.
    const pen = canvas.getContext("2d", { willReadFrequently: true });
    pen.scale(sharp, sharp);
    const small = width < 100, foot = small ? 0 : 20, pad = small ? 4 : 10;
    const side = Math.min(width, height - foot) - 2 * pad, step = side / data.drawings.side;
    const left = (width - side) / 2, top = pad;
    const [first, last] = [data.drawings.offsets[row], data.drawings.offsets[row + 1]];
    pen.strokeStyle = pen.fillStyle = INK;
    pen.lineWidth = small ? 0.8 : width > 240 ? 1.3 : 1;
    pen.lineCap = pen.lineJoin = "round";
    pen.beginPath();
    for (let at = 4 * first; at < 4 * last; at += 4) {
      const [y0, x0, y1, x1] = corners.subarray(at, at + 4);
      if (x0 === x1 && y0 === y1) {
        const dot = last - first === 1 ? 5 : 1.6;
        pen.fillRect(left + x0 * step - dot / 2, top + y0 * step - dot / 2, dot, dot);
      } else {
        pen.moveTo(left + x0 * step, top + y0 * step);
        pen.lineTo(left + x1 * step, top + y1 * step);
      }
    }
    pen.stroke();
    pen.font = "11px " + getComputedStyle(document.body).fontFamily;
    pen.fillStyle = pen.strokeStyle = SOFT;
    if (first === last) {
      pen.textAlign = "center";
      pen.fillText("no drawing", width / 2, height / 2);
    } else if (!small && data.widths[row]) scaleBar(pen, data.widths[row] / side, width, height);
  }

  function scaleBar(pen, umPerPixel, width, height) {
    const most = (umPerPixel * width) / 3, power = 10 ** Math.floor(Math.log10(most));
    const length = Math.max(...[1, 2, 5].map((m) => m * power).filter((um) => um <= most * 1.0001));
    const text = length >= 1000 ? `${length / 1000} mm` : length >= 1 ? `${length} µm` : `${Number((length * 1000).toPrecision(3))} nm`;
    pen.fillRect(10, height - 9, length / umPerPixel, 2);
    pen.textAlign = "left";
    pen.fillText(text, 14 + length / umPerPixel, height - 5);
  }

  function prepareSpace() {
    const space = element("space");
    if (!space) return;
    const config = { displaylogo: false, responsive: true, modeBarButtons: [["toImage"], ["resetCameraDefault3d"]] };
    const examples = JSON.parse(element("figures").textContent), select = element("example");
    const draw = () => {
      const { data: traces, layout } = examples[Number(select.value)].figure;
      Plotly.react(space, traces, { ...layout, autosize: true, height: space.clientHeight }, config);
    };
    select.onchange = draw;
    // A scene in space is slow to prepare: only when somebody looks.
    const seen = new IntersectionObserver((entries) => entries.some((one) => one.isIntersecting) && (draw(), seen.disconnect()));
    seen.observe(space);
  }

  atlas(data, paint);
  prepareSpace();
})();
