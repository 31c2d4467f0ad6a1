/* Chapter 6. A plane of two latent numbers: the decoder, in 8-bit numbers, paints what lies under the pointer. */
const REACH = 3; // of the plane, in standard deviations of the prior

/** The stored codes: [z1, z2, label] of each. */
function points(codes) {
  const all = unpack(codes, Float32Array);
  return Array.from({ length: all.length / 3 }, (_, i) => all.subarray(3 * i, 3 * i + 3));
}

/** The picture at (z1, z2), each pixel the probability of white, and what can be said of the point. */
export function numbers({ z1, z2, codes, ...decoder }) {
  const pixels = decode(decoder, [z1, z2]).map((logit) => 1 / (1 + Math.exp(-logit)));
  const known = points(codes);
  const far = known.map(([x, y]) => Math.hypot(x - z1, y - z2));
  const distance = Math.min(...far);
  const log_prior = -LOG_2PI - (z1 ** 2 + z2 ** 2) / 2;
  return { pixels, ink: pixels.reduce((a, b) => a + b), log_prior, nearest: known[far.indexOf(distance)][2], distance };
}

/** Where the plane and the picture stand in a panel of this width. */
function layout(width) {
  const gap = 14;
  const plane = Math.min(0.58 * (width - gap), 380);
  return { plane, at: plane + gap, side: Math.min(width - plane - gap, 260) };
}

function paintPlane(panel, { width, height }, v, n) {
  const { plane, at, side } = layout(width);
  const area = plot(panel, { width: plane, height: plane, left: 0, right: 0, top: 0, bottom: 0, x: [-REACH, REACH], y: [-REACH, REACH] });
  area.bar(0.5, 0.5, plane - 1, plane - 1, "rule");
  for (const radius of [1, 2]) area.add("circle", { cx: area.X(0), cy: area.Y(0), r: (radius * plane) / (2 * REACH), class: "prior dotted" });
  for (const [x, y, label] of points(v.codes)) {
    if (Math.max(Math.abs(x), Math.abs(y)) < REACH - 0.1) area.add("text", { x: area.X(x).toFixed(1), y: (area.Y(y) + 4).toFixed(1), "text-anchor": "middle", class: "small numeral q" }, String(label));
  }
  area.line(area.X(v.z1), 0, area.X(v.z1), plane, "p thin faded");
  area.line(0, area.Y(v.z2), plane, area.Y(v.z2), "p thin faded");
  area.dot(area.X(v.z1), area.Y(v.z2), 9, "dot p");
  const image = { href: picture(n.pixels), x: at, y: 0, width: side, height: side, preserveAspectRatio: "none", style: "image-rendering: pixelated" };
  area.add("image", image);
  area.add("rect", { x: at, y: 0, width: side, height: side, class: "rule" });
}

/** A place in the panel (pixels) as a point of the plane; nothing beside it. */
function pointAt(x, y, { width }) {
  const { plane } = layout(width);
  if (x > plane || y > plane) return null;
  const place = (share) => Math.round((2 * share - 1) * REACH * 20) / 20 || 0; // the steps of the sliders
  return { z1: place(Math.max(0, x) / plane), z2: place(1 - Math.max(0, y) / plane) };
}

const FIGURE = {
  title: "A plane of two latent numbers, and the picture that the decoder paints at a point of it",
  sliders: [
    { key: "z1", role: "code: ", name: "z\u2081, left to right", colour: "p", step: 0.05, digits: 2 },
    { key: "z2", role: "code: ", name: "z\u2082, down to up", colour: "p", step: 0.05, digits: 2 },
  ],
  buttons: [{ name: "A draw from the prior", act: () => priorDraw() }],
  ticks: [],
  panels: [
    {
      height: (width) => Math.max(layout(width).plane, layout(width).side),
      paint: paintPlane,
      point: pointAt,
      label: (v, n) => `Left: the plane from \u22123 to 3 with ${points(v.codes).length} codes of test digits as numerals, and a point at (${say(v.z1, 2)}, ${say(v.z2, 2)}). Right: the picture decoded there. The nearest code belongs to a ${n.nearest}.`,
    },
  ],
  sums: (v, n) => [
    sum([say(v.z1, 2), "z\u2081", "p"], "", [say(v.z2, 2), "z\u2082", "p"]),
    sum([say(n.ink, 1), "white pixels expected"], "", [say(n.log_prior, 2), "log p(z), nats", "prior"], "", [String(n.nearest), "nearest code", "q"]),
  ],
  summary: (v, n) =>
    `At z ${say(v.z1, 2)}, ${say(v.z2, 2)} the picture has ${say(n.ink, 0)} white pixels; the nearest code, ${say(n.distance, 2)} away, belongs to a ${n.nearest}.`,
};

/** Two standard normal numbers (Box and Muller), to the sliders' step and inside the plane. */
function priorDraw() {
  const [radius, angle] = [Math.sqrt(-2 * Math.log(1 - Math.random())), 2 * Math.PI * Math.random()];
  const clip = (value) => Math.round(20 * Math.max(-REACH, Math.min(REACH, value))) / 20 || 0;
  return { z1: clip(radius * Math.cos(angle)), z2: clip(radius * Math.sin(angle)) };
}

export default { render: (context) => liveFigure(context, FIGURE) };
