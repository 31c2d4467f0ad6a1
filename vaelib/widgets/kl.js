/* Chapter 4. KL(N(mu, sigma^2) || N(0, 1)) as the sum of three terms and a constant. */

/** The terms of the KL, their sum, and a formula met in notes, which is not the KL; all in nats. */
export function numbers({ mu, logvar }) {
  return {
    mean_term: 0.5 * mu ** 2,
    variance_term: 0.5 * Math.exp(logvar),
    log_term: -0.5 * logvar,
    constant: -0.5,
    kl: standardNormalKl(mu, logvar),
    wrong: Math.exp(logvar) - (1 - logvar) + mu ** 2,
  };
}

function paintDensities(panel, size, v) {
  const area = plot(panel, { ...size, top: 24, x: [-5, 5], y: [0, 1.85] });
  area.bottomAxis([-4, -2, 0, 2, 4], "z");
  area.density(0, 0, "prior dotted");
  area.density(v.mu, v.logvar, "q", "solid wash q");
  const side = v.mu < 0 ? 1 : -1; // the prior's name stands on the side that q leaves free
  const name = ["prior N(0, 1)", "halo strong prior", side < 0 ? "end" : "start"];
  area.text(area.X(1.3 * side), area.Y(normalDensity(1.3, 0, 0)) - 8, ...name);
  area.text(area.X(v.mu), area.Y(normalDensity(0, 0, v.logvar)) - 8, "q = N(\u03bc, \u03c3\u00b2)", "halo strong q", "middle");
}

const ROWS = [
  ["\u03bc\u00b2 / 2", "mean_term"],
  ["\u03c3\u00b2 / 2", "variance_term"],
  ["\u2212 s / 2", "log_term"],
  ["\u2212 1 / 2", "constant"],
];
const ROW = 30; // pixels

/** Each bar starts where the one above it ends; the last row reaches from zero to where they led. */
function paintTerms(panel, size, v, n) {
  const area = plot(panel, { ...size, left: 92, right: 62, top: 4, bottom: 40, x: [0, 7], y: [0, 1] });
  const hatch = stripes(panel, "data");
  const floor = size.height - 40;
  for (const nats of [0, 1, 2, 3, 4, 5, 6, 7]) area.line(area.X(nats), 0, area.X(nats), floor, "rule");
  area.bottomAxis([0, 1, 2, 3, 4, 5, 6, 7], "nats");
  let reached = 0;
  ROWS.forEach(([name, key], i) => {
    const next = reached + n[key];
    paintTerm(area, { name, y: 4 + i * ROW, from: reached, to: next, value: n[key], width: size.width }, hatch);
    reached = next;
  });
  const y = 4 + ROWS.length * ROW + 4;
  area.line(0, y - 5, size.width, y - 5, "axis");
  area.text(84, y + 17, "KL", "strong q", "end");
  area.bar(area.X(0), y + 2, Math.max(1, area.X(n.kl) - area.X(0)), ROW - 9, "solid q");
  area.text(size.width - 4, y + 17, say(n.kl), "strong q", "end");
}

function paintTerm(area, { name, y, from, to, value, width }, hatch) {
  const [low, high] = [area.X(Math.min(from, to)), area.X(Math.max(from, to))];
  area.text(84, y + 17, name, "", "end");
  area.bar(low, y + 4, Math.max(1, high - low), ROW - 11, value < 0 ? "data thin hatched" : "solid data", hatch);
  area.line(area.X(to), y + 4, area.X(to), y + ROW + 4, "data thin");
  area.text(width - 4, y + 17, (value < 0 ? "" : "+") + say(value), "", "end");
}

/** How the note's formula compares with the KL: a verdict and its reason. */
function verdict({ kl, wrong }) {
  if (Math.abs(wrong - kl) < 5e-4) return ["= KL", "at this point"];
  return ["\u2260 KL", wrong < 0 ? "it is below zero" : `off by ${say(Math.abs(wrong - kl))}`];
}

const FIGURE = {
  title: "The three terms of the KL and its constant",
  sliders: [
    { key: "mu", role: "q: ", name: "mean \u03bc", colour: "q", step: 0.05 },
    { key: "logvar", role: "q: ", name: "log-variance s", colour: "q", step: 0.05 },
  ],
  buttons: [
    { name: "Go to (0, 0)", act: () => ({ mu: 0, logvar: 0 }) },
    { name: "Go to (0, \u22122)", act: () => ({ mu: 0, logvar: -2 }) },
  ],
  ticks: [{ key: "wrong", name: "beside it, the note's formula" }],
  panels: [
    {
      height: 175,
      paint: paintDensities,
      label: (v) => `Densities over z: the prior N(0, 1), and q with mean ${say(v.mu, 2)} and log-variance ${say(v.logvar, 2)}.`,
    },
    {
      height: 204,
      paint: paintTerms,
      label: (v, n) => `Bars that follow one another: ${say(n.mean_term)}, ${say(n.variance_term)}, ${say(n.log_term)} and ${say(n.constant)} end at the KL, ${say(n.kl)} nats.`,
    },
  ],
  sums: (v, n) =>
    v.wrong ? [sum([say(n.wrong), "e\u02e2 \u2212 (1 \u2212 s) + \u03bc\u00b2, s = log \u03c3\u00b2", "data"], "", verdict(n))] : [],
  summary: (v, n) =>
    `The KL is ${say(n.kl)} nats.` + (v.wrong ? ` The note's formula gives ${say(n.wrong)}: ${verdict(n).join(", ")}.` : ""),
};

export default { render: (context) => liveFigure(context, FIGURE) };
