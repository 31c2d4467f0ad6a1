/* Chapter 11. From the mean code to a draw of the code and of the pixels, with the power that each scale keeps. */
/** The step where the slider stands: its column on the sheet, error, fine power in per cent of the data's, spectrum. */
export function numbers({ half, side, count, data, spectra, errors, way, face, neighbours }) {
  const step = Math.floor(way * half + 0.5);
  const place = neighbours && step > half ? step + half : step;
  const fine = (power) => power.reduce((sum, one, i) => (i < side / 8 ? sum : sum + count[i] * one), 0);
  return {
    column: place + 1,
    error: errors[place][Math.round(face) - 1],
    fine: (100 * fine(spectra[place])) / fine(data),
    power: spectra[place],
  };
}

/** What is decoded at this place of the way, in words. */
function stage({ way, neighbours }) {
  if (way === 0) return "mean code";
  if (way < 1) return "between mean and drawn code";
  if (way === 1) return "drawn code";
  return `drawn code, ${way === 2 ? "drawn pixels" : "some noise"}${neighbours ? ", scale by scale" : ""}`;
}

/** One cell of the sheet, `wide` pixels wide, under its name: the sheet is moved behind a window. */
function face(area, v, column, x, wide, name, colour) {
  const window = unique();
  const frame = { x, y: 22, width: wide, height: wide };
  const moved = { x: x - wide * column, y: 22 - wide * (Math.round(v.face) - 1) };
  const size = { width: wide * (v.spectra.length + 1), height: wide * v.errors[0].length };
  area.add("clipPath", { id: window }, svg("rect", frame));
  area.add("image", { href: "data:image/webp;base64," + v.sheet, ...moved, ...size, preserveAspectRatio: "none", "clip-path": `url(#${window})` });
  area.add("rect", { ...frame, class: "rule" });
  area.text(x + wide / 2, 14, name, colour, "middle");
}
const tile = (width) => Math.min((width - 16) / 2, 256);

function paintFaces(panel, { width }, v, n) {
  const wide = tile(width);
  const area = plot(panel, { width, height: wide + 26, left: 0, right: 0, top: 0, bottom: 0, x: [0, 1], y: [0, 1] });
  const left = (width - 2 * wide - 16) / 2;
  face(area, v, 0, left, wide, "the picture", "small");
  face(area, v, n.column, left + wide + 16, wide, stage(v), "small strong p");
}

/** The share of the data's power against frequency: the mean code, and the present step; 1 is the data. */
function paintSpectrum(panel, size, v, n) {
  const last = v.side / 2;
  const shares = (power) => spaced(1, last, last - 1).map((f) => [Math.log2(f), power[f] / v.data[f]]);
  const high = Math.min(2, Math.max(1.1, ...v.spectra.flatMap((power) => shares(power).map(([, share]) => share))));
  const area = plot(panel, { ...size, left: 40, top: 24, right: 10, x: [0, Math.log2(last)], y: [0, high] });
  for (const share of [0, 0.5, 1]) {
    area.line(40, area.Y(share), size.width - 10, area.Y(share), share === 1 ? "data" : "rule");
    area.text(34, area.Y(share) + 4, say(share, 1), "small", "end");
  }
  for (let f = 1; f <= last; f *= 2) area.text(area.X(Math.log2(f)), size.height - 22, String(f), "small", "middle");
  area.text(size.width / 2, size.height - 5, "cycles per picture", "small", "middle");
  area.text(2, 12, "power, as a share of the data's", "small");
  const fine = area.X(Math.log2(v.side / 8));
  area.line(fine, area.Y(0), fine, area.Y(high), "rule dashed");
  area.text(fine + 5, area.Y(0) - 8, "finer than 8 pixels", "small");
  area.text(46, area.Y(1) - 7, "data", "halo strong data");
  area.curve(shares(v.spectra[0]), "q dashed");
  area.curve(shares(n.power), "p");
  const end = area.Y(Math.min(high, v.spectra[0][last] / v.data[last]));
  area.text(area.X(Math.log2(last)), Math.min(end + 18, area.Y(0) - 8), "mean code", "halo strong q", "end");
  area.text(area.X(0) + 6, area.Y(n.power[1] / v.data[1]) + 18, "decoded", "halo strong p");
}

const FIGURE = {
  title: "From the mean code to a draw: a face, what is decoded, and the power at every scale",
  sliders: [
    { key: "way", role: "decode: ", name: "from mean to draw", colour: "p", step: 0.25, digits: 2 },
    { key: "face", role: "picture: ", name: "number", colour: "data", step: 1, digits: 0 },
  ],
  buttons: [
    { name: "Mean code", act: () => ({ way: 0 }) },
    { name: "Drawn code", act: () => ({ way: 1 }) },
    { name: "Drawn pixels", act: () => ({ way: 2 }) },
  ],
  ticks: [{ key: "neighbours", name: "noise that knows its neighbours" }],
  panels: [
    {
      height: (width) => tile(width) + 28,
      paint: paintFaces,
      label: (v) => `Two faces: the picture that was encoded, and what is decoded from it: ${stage(v)}.`,
    },
    {
      height: 250,
      paint: paintSpectrum,
      label: (v, n) => `The share of the data's power against cycles per picture: that of the mean code falls towards fine detail; the present step has ${say(n.fine, 1)} per cent of the power of the data in details finer than eight pixels.`,
    },
  ],
  sums: (v, n) => [
    sum([say(n.fine, 1), "% of fine power", "p"], "", [say(n.error, 4), "squared error a pixel"]),
  ],
  summary: (v, n) =>
    `Decoded from the ${stage(v)}: ${say(n.fine, 1)} per cent of the fine power of the data, and a squared error of ${say(n.error, 4)} a pixel.`,
};

export default { render: (context) => liveFigure(context, FIGURE) };
