/* Chapter 9. Particles on their way from noise to codes: where they are at a time, and what is decoded there. */
const REACH = 4; // of the plane, in standard deviations of the noise
const PARTICLES = 120;
const SHOWN = 8;

/** Pairs of numbers behind a base64 text. */
function pairs(text) {
  const all = unpack(text, Float32Array);
  return Array.from({ length: all.length / 2 }, (_, i) => [all[2 * i], all[2 * i + 1]]);
}
const painted = (decoder, z) => decode(decoder, z).map((logit) => 1 / (1 + Math.exp(-logit)));
const apart = ([a, b], [c, d]) => Math.hypot(a - c, b - d);

/** All particles at the time t, on straight lines between the stored times; what is decoded at the chosen and at eight. */
export function numbers({ t, draw, paths, codes, ...decoder }) {
  const known = pairs(paths);
  const steps = known.length / PARTICLES - 1;
  const before = Math.min(Math.floor(t * steps), steps - 1);
  const z = known.slice(before * PARTICLES, (before + 1) * PARTICLES).map((at, i) => {
    const next = known[(before + 1) * PARTICLES + i];
    return at.map((from, axis) => from + (t * steps - before) * (next[axis] - from));
  });
  const crowd = pairs(codes);
  const far = z.map((one) => Math.min(...crowd.map((code) => apart(one, code))));
  const own = z[draw - 1];
  return {
    z1: own[0],
    z2: own[1],
    moved: apart(own, known[draw - 1]),
    near: far.reduce((a, b) => a + b) / PARTICLES,
    pixels: painted(decoder, own),
    shown: z.slice(0, SHOWN).map((one) => painted(decoder, one)),
    z,
  };
}

/** Where the plane and the picture stand in a panel of this width. */
function layout(width) {
  const gap = 14;
  const plane = Math.min(0.6 * (width - gap), 400);
  return { plane, at: plane + gap, side: Math.min(width - plane - gap, 240) };
}

function paintPlane(panel, { width }, v, n) {
  const { plane, at, side } = layout(width);
  const area = plot(panel, { width: plane, height: plane, left: 0, right: 0, top: 0, bottom: 0, x: [-REACH, REACH], y: [-REACH, REACH] });
  const inside = ([x, y]) => Math.max(Math.abs(x), Math.abs(y)) < REACH - 0.05;
  area.bar(0.5, 0.5, plane - 1, plane - 1, "rule");
  for (const [x, y] of pairs(v.codes).filter(inside)) area.dot(area.X(x).toFixed(1), area.Y(y).toFixed(1), 2, "solid q faded");
  for (const [x, y] of n.z.filter(inside)) area.dot(area.X(x).toFixed(1), area.Y(y).toFixed(1), 3.5, "dot prior");
  const way = pairs(v.paths).filter((_, i) => i % PARTICLES === v.draw - 1);
  area.curve(way, "p thin");
  area.dot(area.X(n.z1), area.Y(n.z2), 8, "dot p");
  area.text(6, 16, "codes", "halo strong q");
  area.text(6, 33, "particles", "halo strong prior");
  area.add("image", { href: picture(n.pixels), x: at, y: 0, width: side, height: side, preserveAspectRatio: "none", style: "image-rendering: pixelated" });
  area.add("rect", { x: at, y: 0, width: side, height: side, class: "rule" });
  area.text(at, side + 18, `particle ${v.draw}`, "strong p");
}

/** The first particles, side by side. */
function paintShown(panel, { width }, v, n) {
  const side = tile(width);
  const area = plot(panel, { width, height: side + 22, left: 0, right: 0, top: 0, bottom: 0, x: [0, 1], y: [0, 1] });
  area.text(0, 12, "particles 1 to 8, decoded", "small");
  n.shown.forEach((pixels, i) => {
    const frame = { x: i * (side + 4), y: 20, width: side, height: side };
    area.add("image", { href: picture(pixels), ...frame, preserveAspectRatio: "none", style: "image-rendering: pixelated" });
  });
}
const tile = (width) => Math.min((width - 4 * (SHOWN - 1)) / SHOWN, 84);

const FIGURE = {
  title: "Particles that flow from noise to codes in the plane, and what the decoder makes of them on the way",
  sliders: [
    { key: "t", role: "flow: ", name: "time t", colour: "prior", step: 0.01, digits: 2 },
    { key: "draw", role: "particle: ", name: "draw number", colour: "p", step: 1, digits: 0 },
  ],
  buttons: [
    { name: "Noise: t = 0", act: () => ({ t: 0 }) },
    { name: "Codes: t = 1", act: () => ({ t: 1 }) },
  ],
  ticks: [],
  panels: [
    {
      height: (width) => Math.max(layout(width).plane, layout(width).side + 24),
      paint: paintPlane,
      label: (v, n) => `Left: the plane from \u2212${REACH} to ${REACH} with codes of test digits as small dots, and ${PARTICLES} particles at time ${say(v.t, 2)}. Particle ${v.draw} is at (${say(n.z1, 2)}, ${say(n.z2, 2)}). Right: the picture decoded there.`,
    },
    {
      height: (width) => tile(width) + 24,
      paint: paintShown,
      label: (v) => `Eight pictures: particles 1 to 8, decoded at time ${say(v.t, 2)}.`,
    },
  ],
  sums: (v, n) => [
    sum([say(n.z1, 2), "z\u2081", "p"], "", [say(n.z2, 2), "z\u2082", "p"], "", [say(n.moved, 2), "from its noise", "p"]),
    sum([say(n.near, 3), "mean distance to a code", "prior"]),
  ],
  summary: (v, n) =>
    `At time ${say(v.t, 2)} particle ${v.draw} is at ${say(n.z1, 2)}, ${say(n.z2, 2)}; on average a particle is ${say(n.near, 3)} from the nearest code.`,
};

export default { render: (context) => liveFigure(context, FIGURE) };
