// Pictures of synapses: frames side by side in one picture each (Sheet.to_json), drawn on canvases. Comes before the page's script.
"use strict";
function pictures(sheets) {
  const kept = new Map(), unpacked = new Map(), boards = new Map();

  function picture(name, row) {
    const key = `${name} ${row}`;
    if (!kept.has(key)) {
      const made = new Image();
      made.src = sheets[name].uris[row];
      kept.set(key, made);
    }
    return kept.get(key);
  }

  // Grey values of all frames of a movie, unpacked once: hundreds of them play at a time, more pictures than a browser keeps unpacked.
  function levels(name, row, source) {
    const key = `${name} ${row}`;
    if (!unpacked.has(key)) {
      const board = Object.assign(document.createElement("canvas"), { width: source.naturalWidth, height: source.naturalHeight });
      const pen = board.getContext("2d", { willReadFrequently: true });
      pen.drawImage(source, 0, 0);
      const colours = pen.getImageData(0, 0, board.width, board.height).data;
      unpacked.set(key, { width: board.width, grey: Uint8Array.from({ length: colours.length / 4 }, (_, at) => colours[4 * at]) });
      kept.delete(key);
    }
    return unpacked.get(key);
  }

  // One frame of a movie, pixel by pixel; the style of the page enlarges it.
  function play(canvas, name, row, frame, source) {
    const { side, columns } = sheets[name], { width, grey } = levels(name, row, source);
    if (canvas.width !== side || canvas.height !== side) [canvas.width, canvas.height] = [side, side];
    if (!boards.has(side)) boards.set(side, new ImageData(side, side));
    const board = boards.get(side), pixels = new Uint32Array(board.data.buffer);
    const start = side * (width * Math.floor(frame / columns) + (frame % columns));
    for (let y = 0; y < side; y++) for (let x = 0; x < side; x++) pixels[y * side + x] = 0xff000000 | (grey[start + y * width + x] * 0x010101);
    canvas.getContext("2d", { willReadFrequently: true }).putImageData(board, 0, 0);
  }

  // Draws one frame so that it fills the canvas; a picture that is still being unpacked comes when it is ready.
  function draw(canvas, name, row, frame) {
    const sheet = sheets[name];
    canvas.dataset.shows = `${name} ${row} ${frame}`;
    if (!sheet?.moving || !sheet.uris[row]) return still(canvas, name, row, frame);
    if (unpacked.has(`${name} ${row}`)) return play(canvas, name, row, frame, null);
    whenReady(canvas, picture(name, row), (source) => play(canvas, name, row, frame, source));
  }

  function whenReady(canvas, source, put) {
    const wanted = canvas.dataset.shows;
    if (source.complete && source.naturalWidth) put(source);
    else source.addEventListener("load", () => canvas.dataset.shows === wanted && put(source), { once: true });
  }

  function still(canvas, name, row, frame) {
    const sheet = sheets[name], sharp = window.devicePixelRatio || 1;
    const width = Math.round(canvas.clientWidth * sharp), height = Math.round(canvas.clientHeight * sharp);
    if (!width || !height) return;
    if (canvas.width !== width || canvas.height !== height) [canvas.width, canvas.height] = [width, height];
    const pen = canvas.getContext("2d", { willReadFrequently: true });
    if (!sheet || !sheet.uris[row]) return nothing(pen, width, height, sharp);
    whenReady(canvas, picture(name, row), (source) => {
      const x = sheet.side * (frame % sheet.columns), y = sheet.side * Math.floor(frame / sheet.columns);
      pen.drawImage(source, x, y, sheet.side, sheet.side, 0, 0, width, height);
    });
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
