// Pictures of synapses: frames side by side in one picture each (Sheet.to_json), drawn on canvases. Comes before the page's script.
"use strict";
function pictures(sheets) {
  const kept = new Map();

  function picture(name, row) {
    const key = `${name} ${row}`;
    if (!kept.has(key)) {
      const made = new Image();
      made.src = sheets[name].uris[row];
      kept.set(key, made);
    }
    return kept.get(key);
  }

  // Draws one frame so that it fills the canvas; a picture that is still being unpacked comes when it is ready.
  function draw(canvas, name, row, frame) {
    const sheet = sheets[name], sharp = window.devicePixelRatio || 1;
    const width = Math.round(canvas.clientWidth * sharp), height = Math.round(canvas.clientHeight * sharp);
    if (!width || !height) return;
    if (canvas.width !== width || canvas.height !== height) [canvas.width, canvas.height] = [width, height];
    const pen = canvas.getContext("2d", { willReadFrequently: true }), wanted = `${name} ${row} ${frame}`;
    canvas.dataset.shows = wanted;
    if (!sheet || !sheet.uris[row]) return nothing(pen, width, height, sharp);
    const source = picture(name, row);
    const put = () => {
      if (canvas.dataset.shows !== wanted) return;
      const x = sheet.side * (frame % sheet.columns), y = sheet.side * Math.floor(frame / sheet.columns);
      pen.drawImage(source, x, y, sheet.side, sheet.side, 0, 0, width, height);
    };
    if (source.complete && source.naturalWidth) put();
    else source.addEventListener("load", put, { once: true });
  }

  function nothing(pen, width, height, sharp) {
    pen.fillStyle = "#e3e7eb";
    pen.fillRect(0, 0, width, height);
    if (width / sharp < 70) return;
    pen.fillStyle = "#5b6673";
    pen.font = `${11 * sharp}px sans-serif`;
    pen.textAlign = "center";
    pen.fillText("nothing is shown", width / 2, height / 2);
  }

  const frames = (name) => sheets[name]?.frames.length ?? 0;
  return { draw, frames, has: (name) => name in sheets };
}
