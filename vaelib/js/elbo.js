/* Chapter 3. One machine, z ~ N(0, 1) and x | z ~ N(w z, sigma^2), one x, one q(z|x) = N(mu, exp(logvar)). */
const FLOOR = -12; // nats, the lower end of the axis

/** Every number of the figure, in nats, each by its own closed form: nothing is found as a difference. */
export function numbers({ x, sigma, w, mu, logvar }) {
  const variance = sigma ** 2;
  const evidence = w ** 2 + variance; // variance of x
  const posterior_mu = (w * x) / evidence;
  const posterior_logvar = Math.log(variance / evidence);
  const squared = (x - w * mu) ** 2 + w ** 2 * Math.exp(logvar);
  const log_likelihood = -0.5 * (LOG_2PI + Math.log(variance) + squared / variance);
  const kl = standardNormalKl(mu, logvar);
  const ratio = logvar - posterior_logvar;
  const shift = ((mu - posterior_mu) ** 2 * evidence) / variance;
  const gap = 0.5 * (shift + Math.expm1(ratio) - ratio);
  const log_px = -0.5 * (LOG_2PI + Math.log(evidence) + x ** 2 / evidence);
  return { log_likelihood, kl, elbo: log_likelihood - kl, gap, log_px, posterior_mu, posterior_logvar };
}

/** Two names beside two peaks, kept apart: the left one ends at its peak, the right one starts at its own. */
function namePeaks(area, peaks) {
  const [a, b] = [...peaks].sort((one, other) => one.z - other.z);
  const close = area.X(b.z) - area.X(a.z) < 120;
  const place = (peak, anchor, shift) =>
    area.text(area.X(peak.z) + (close ? shift : 0), area.Y(peak.height) - 8, peak.name, `halo strong ${peak.colour}`, close ? anchor : "middle");
  place(a, "end", -4);
  place(b, "start", 4);
}

function paintDensities(panel, size, v, n) {
  const peakOf = (logvar) => normalDensity(0, 0, logvar);
  const area = plot(panel, { ...size, top: 26, x: [-5, 5], y: [0, 2.35] });
  const points = (mu, logvar) => spaced(-5, 5, 300).map((z) => [z, normalDensity(z, mu, logvar)]);
  const q = points(v.mu, v.logvar);
  area.area(q, "wash q");
  area.bottomAxis([-4, -2, 0, 2, 4], "z, the hidden number");
  area.curve(points(0, 0), "prior dotted");
  area.curve(q, "q");
  area.curve(points(n.posterior_mu, n.posterior_logvar), "posterior dashed");
  area.text(area.X(-1.35), area.Y(normalDensity(-1.35, 0, 0)) - 8, "prior p(z)", "halo strong prior", "end");
  namePeaks(area, [
    { z: v.mu, height: peakOf(v.logvar), name: "q(z|x)", colour: "q" },
    { z: n.posterior_mu, height: peakOf(n.posterior_logvar), name: "true p(z|x)", colour: "posterior" },
  ]);
}

function paintBound(panel, size, v, n) {
  const left = 150;
  const area = plot(panel, { ...size, left, right: 10, top: 24, x: [0, 2.5], y: [FLOOR, 0] });
  const hatch = stripes(panel, "posterior");
  const at = { w: area.X(v.w), top: area.Y(n.log_px), bound: area.Y(Math.max(n.elbo, FLOOR)) };
  paintAxes(area, size, left);
  paintBar(area, at, n, hatch);
  paintCurves(area, at, v, n, hatch);
}

function paintAxes(area, size, left) {
  for (const nats of [0, -3, -6, -9, -12]) {
    area.line(34, area.Y(nats), size.width - 10, area.Y(nats), "rule");
    area.text(28, area.Y(nats) + 4, say(nats, 0), "small", "end");
  }
  area.text(2, 13, "nats", "small");
  area.bottomAxis([0, 0.5, 1, 1.5, 2, 2.5], "w, the weight of the decoder");
  area.line(left, area.Y(0), left, area.Y(FLOOR), "rule");
}

function paintBar(area, at, n, hatch) {
  area.bar(46, at.bound, 42, area.Y(FLOOR) - at.bound, "solid q");
  area.add("rect", { x: 46, y: at.top, width: 42, height: Math.max(0, at.bound - at.top), class: "hatched", style: hatch });
  const bound = Math.min(Math.max((at.bound + area.Y(FLOOR)) / 2, at.bound + 12), area.Y(FLOOR) - 4) + 4;
  const below = n.elbo < FLOOR;
  area.text(94, below ? area.Y(FLOOR) - 6 : bound, below ? "ELBO \u2193" : "ELBO", "strong q");
  if (at.bound - at.top > 9) area.text(94, (at.top + at.bound) / 2 + 5, "gap", "strong posterior");
}

function paintCurves(area, at, v, n, hatch) {
  const along = (read) => spaced(0, 2.5).map((w) => [w, read(w)]);
  area.curve(along((w) => numbers({ ...v, w }).elbo), "q");
  area.curve(along((w) => numbers({ ...v, w }).log_px), "p");
  area.line(46, at.top, at.w, at.top, "p thin");
  area.add("rect", { x: at.w - 4, y: at.top, width: 8, height: Math.max(0, at.bound - at.top), class: "hatched", style: hatch });
  if (n.elbo >= FLOOR) area.line(88, at.bound, at.w, at.bound, "q thin dashed"), area.dot(at.w, at.bound, 5.5, "dot q");
  area.dot(at.w, at.top, 5.5, "dot p");
  area.text(area.X(2.5) - 4, area.Y(-0.6), "log p(x)", "halo strong p", "end");
  area.text(area.X(0.05), area.Y(-11.2), "ELBO of this q", "halo strong q");
}

const FIGURE = {
  title: "ELBO plus gap is log p(x)",
  sliders: [
    { key: "mu", name: "encoder: mean of q,", symbol: "\u03bc", colour: "q", step: 0.05 },
    { key: "logvar", name: "encoder: log-variance of q,", symbol: "log \u03c3\u00b2", colour: "q", step: 0.05 },
    { key: "w", name: "decoder: weight of p,", symbol: "w", colour: "p", step: 0.05 },
  ],
  buttons: [
    {
      name: "Make q the posterior",
      act: (v) => ({ mu: numbers(v).posterior_mu, logvar: numbers(v).posterior_logvar }),
    },
  ],
  ticks: [],
  panels: [
    {
      height: 200,
      paint: paintDensities,
      label: (v, n) =>
        `Densities over z: the prior at 0, the true posterior at ${say(n.posterior_mu, 2)}, q at ${say(v.mu, 2)}.`,
    },
    {
      height: 250,
      paint: paintBound,
      label: (v, n) => `A bar: the ELBO at ${say(n.elbo, 2)} and on it the gap, up to the line log p(x) at ${say(n.log_px, 2)} nats. Beside it both as curves over w.`,
    },
  ],
  sums: (v, n) => [
    sum([say(n.log_likelihood), "reconstruction"], "\u2212", [say(n.kl), "KL to the prior"], "=", [say(n.elbo), "ELBO", "q"]),
    sum([say(n.elbo), "ELBO", "q"], "+", [say(n.gap), "gap", "posterior"], "=", [say(n.log_px), "log p(x)", "p"]),
  ],
  summary: (v, n) =>
    `Reconstruction ${say(n.log_likelihood)} minus KL ${say(n.kl)} is the ELBO, ${say(n.elbo)}. Plus the gap, ${say(n.gap)}, it is log p(x), ${say(n.log_px)} nats.`,
};

export default { render: (context) => liveFigure(context, FIGURE) };
