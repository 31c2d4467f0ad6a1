/* Chapter 5. z = mu + sigma eps with the noise eps drawn once: the same dots slide. */
const NUDGE = 0.5; // how far the arrows move mu and sigma
const REACH = [-7.5, 7.5]; // of the axis: no dot leaves it

/** The dots, their mean and standard deviation, and how the chosen one answers to mu and to sigma. */
export function numbers({ eps, mu, logvar, draw, wrong }) {
  const sigma = Math.exp(0.5 * logvar);
  const scale = wrong ? sigma ** 2 : sigma; // the slip: noise times the variance
  const z = eps.map((e) => mu + scale * e);
  const mean = z.reduce((a, b) => a + b) / z.length;
  const sd = Math.sqrt(z.reduce((a, b) => a + (b - mean) ** 2, 0) / z.length);
  const chosen = eps[draw - 1];
  return { z, mean, sd, sigma, scale, eps: chosen, chosen: z[draw - 1], dz_dmu: 1, dz_dsigma: wrong ? 2 * sigma * chosen : chosen };
}

/** A height for each dot inside its band, the same for every position of the sliders. */
const jitter = (i) => 18 * ((Math.abs(Math.sin(i * 12.9898)) * 43758.5453) % 1) - 9;

function paintDots(panel, size, v, n) {
  const area = plot(panel, { ...size, top: 176, bottom: 40, left: 8, right: 8, x: REACH, y: [0, 1.15] });
  const r = size.width < 500 ? 2 : 2.6;
  const [noise, dots] = [36, 146]; // heights of the two bands
  for (const z of [-6, -4, -2, 0, 2, 4, 6]) area.line(area.X(z), noise - 12, area.X(z), area.Y(0), "rule");
  v.eps.forEach((e, i) => area.line(area.X(e), noise + 16, area.X(n.z[i]), dots - 14, "data faint"));
  v.eps.forEach((e, i) => {
    area.add("circle", { cx: area.X(e), cy: noise + jitter(i), r, class: "solid data grain" });
    area.add("circle", { cx: area.X(n.z[i]), cy: dots + jitter(i), r, class: "solid q grain" });
  });
  area.text(8, 14, "noise \u03b5, drawn once", "strong");
  area.text(v.mu < 0 ? size.width - 110 : 8, dots - 22, v.wrong ? "z = \u03bc + \u03c3\u00b2 \u03b5" : "z = \u03bc + \u03c3 \u03b5", "halo strong q");
  area.line(area.X(n.eps), noise, area.X(n.chosen), dots, "data");
  area.dot(area.X(n.eps), noise, 6, "dot data");
  area.dot(area.X(n.chosen), dots, 6, "dot data");
  paintHistogram(area, v, n);
}

/** Bins of half a unit of noise, carried along by mu and sigma: their shape is frozen too. */
function paintHistogram(area, v, n) {
  for (let edge = -4; edge < 4; edge += 0.5) {
    const inside = v.eps.filter((e) => e >= edge && e < edge + 0.5).length;
    const high = inside / (v.eps.length * 0.5 * n.scale);
    const [a, b] = [area.X(v.mu + edge * n.scale), area.X(v.mu + (edge + 0.5) * n.scale)];
    if (inside) area.bar(a, area.Y(Math.min(high, 1.15)), b - a - 1, area.Y(0) - area.Y(Math.min(high, 1.15)), "solid wash q");
  }
  area.bottomAxis([-6, -4, -2, 0, 2, 4, 6], "z");
  area.density(v.mu, v.logvar, "q");
  const top = normalDensity(0, 0, v.logvar);
  area.text(area.X(v.mu + 0.9 * n.sigma) + 6, area.Y(top * 0.67), "N(\u03bc, \u03c3\u00b2)", "halo strong q");
}

/** Two arrows: where the chosen dot goes if mu, or sigma, grows by the nudge. */
function paintNudges(panel, size, v, n) {
  const area = plot(panel, { ...size, left: 8, right: 8, bottom: 0, top: 0, x: REACH, y: [0, 1] });
  const rows = [
    ["\u03bc", n.dz_dmu, 16],
    ["\u03c3", n.dz_dsigma, 44],
  ];
  for (const [name, slope, y] of rows) {
    const from = area.X(n.chosen);
    const to = Math.max(3, Math.min(area.X(n.chosen + NUDGE * slope), size.width - 3));
    const head = Math.sign(to - from) * Math.min(6, Math.abs(to - from));
    area.line(from, y, to, y, "data");
    area.add("path", { d: `M${to - head} ${y - 5}L${to} ${y}L${to - head} ${y + 5}`, class: "data" });
    area.dot(from, y, 4, "dot data");
    const left = n.chosen > 0;
    area.text(left ? 8 : size.width - 8, y + 4, `${name} + ${say(NUDGE, 1)}: z ${slope < 0 ? "\u2212" : "+"} ${say(Math.abs(NUDGE * slope), 2)}`, "data", left ? "start" : "end");
  }
}

const FIGURE = {
  title: "Frozen noise: the same dots slide when mu and sigma move",
  sliders: [
    { key: "mu", role: "q: ", name: "mean \u03bc", colour: "q", step: 0.05 },
    { key: "logvar", role: "q: ", name: "log-variance", colour: "q", step: 0.05 },
    { key: "draw", role: "follow: ", name: "draw number", colour: "data", step: 1, digits: 0 },
  ],
  buttons: [],
  ticks: [{ key: "wrong", name: "the slip z = \u03bc + \u03c3\u00b2 \u03b5" }],
  panels: [
    {
      height: 312,
      paint: paintDots,
      label: (v, n) => `${v.eps.length} dots of noise, and below them the same dots moved to mean ${say(n.mean, 2)} and standard deviation ${say(n.sd, 2)}, with the density of N(mu, sigma squared).`,
    },
    {
      height: 60,
      paint: paintNudges,
      label: (v, n) => `The followed dot moves by ${say(NUDGE * n.dz_dmu, 2)} if mu grows by a half, and by ${say(NUDGE * n.dz_dsigma, 2)} if sigma does.`,
    },
  ],
  sums: (v, n) => [
    sum([say(v.mu), "\u03bc", "q"], "+", [say(n.scale), v.wrong ? "\u03c3\u00b2" : "\u03c3", "q"], "\u00d7", [say(n.eps), "its \u03b5"], "=", [say(n.chosen), "its z", "data"]),
    sum([say(n.dz_dmu), "dz/d\u03bc", "data"], "", [say(n.dz_dsigma), v.wrong ? "dz/d\u03c3 = 2\u03c3\u03b5" : "dz/d\u03c3 = \u03b5", "data"]),
    sum([say(n.sd), "spread of the dots"], "", [say(n.sigma), "\u03c3", "q"]),
  ],
  summary: (v, n) =>
    `The followed draw has noise ${say(n.eps)} and z ${say(n.chosen)}; dz by d mu is 1, dz by d sigma is ${say(n.dz_dsigma)}. The dots have standard deviation ${say(n.sd)}, sigma is ${say(n.sigma)}.`,
};

export default { render: (context) => liveFigure(context, FIGURE) };
