/* Chapter 3. One machine, z ~ N(0, 1) and x | z ~ N(w z, sigma^2), one x, one q(z|x) = N(mu, exp(logvar)). */

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

/** The names of two peaks, kept apart, and of the prior where it is free of both. */
function nameDensities(area, peaks) {
  const [a, b] = peaks.sort((one, other) => one.z - other.z);
  const close = area.X(b.z) - area.X(a.z) < 120; // then one name ends where the other starts
  const taken = [[a, "end", -1], [b, "start", 1]].map(([{ z, logvar, name, colour }, anchor, side]) => {
    const at = { x: area.X(z) + (close ? 4 * side : 0), y: area.Y(normalDensity(0, 0, logvar)) - 8 };
    area.text(at.x, at.y, name, `halo strong ${colour}`, close ? anchor : "middle");
    return { x: at.x + (close ? 40 * side : 0), y: at.y, room: 38 + 3.6 * name.length };
  });
  const spots = [-1.35, 1.35, 0].map((z) => [z, area.X(z) + 45 * Math.sign(z), area.Y(normalDensity(z, 0, 0)) - 8]);
  const free = ([, x, y]) => taken.every((at) => Math.abs(at.x - x) > at.room || Math.abs(at.y - y) > 15);
  const [, x, y] = spots.find(free) ?? spots[0];
  area.text(x, y, "prior p(z)", "halo strong prior", "middle");
}

function paintDensities(panel, size, v, n) {
  const area = plot(panel, { ...size, top: 22, x: [-5, 5], y: [0, 2.1] });
  area.bottomAxis([-4, -2, 0, 2, 4], "z, the hidden number");
  area.density(0, 0, "prior dotted");
  area.density(v.mu, v.logvar, "q", "solid wash q");
  area.density(n.posterior_mu, n.posterior_logvar, "posterior dashed");
  nameDensities(area, [
    { z: v.mu, logvar: v.logvar, name: "q(z|x)", colour: "q" },
    { z: n.posterior_mu, logvar: n.posterior_logvar, name: "true p(z|x)", colour: "posterior" },
  ]);
}

function paintBound(panel, size, v, n) {
  const left = 150;
  const step = Math.max(3, Math.ceil((2 - numbers({ ...v, w: 0 }).log_px) / 4)); // nats; log p(x) is least at w = 0
  const lowest = -4 * step;
  const area = plot(panel, { ...size, left, right: 10, top: 24, x: [0, 2.5], y: [lowest, 0] });
  const hatch = stripes(panel, "posterior");
  const shown = n.elbo > lowest;
  const at = { w: area.X(v.w), top: area.Y(n.log_px), bound: area.Y(Math.max(n.elbo, lowest)), floor: area.Y(lowest), shown };
  paintAxes(area, size, left, step);
  paintBar(area, at, hatch);
  paintCurves(area, at, v, hatch);
}

function paintAxes(area, size, left, step) {
  for (const nats of [0, 1, 2, 3, 4].map((i) => -i * step)) {
    area.line(34, area.Y(nats), size.width - 10, area.Y(nats), "rule");
    area.text(28, area.Y(nats) + 4, say(nats, 0), "small", "end");
  }
  area.text(2, 13, "nats", "small");
  area.bottomAxis([0, 0.5, 1, 1.5, 2, 2.5], "w, the weight of the decoder");
  area.line(left, area.Y(0), left, area.Y(-4 * step), "rule");
}

function paintBar(area, { top, bound, floor, shown }, hatch) {
  area.bar(46, bound, 42, floor - bound, "solid q");
  if (shown) area.add("path", { d: `M45 ${floor + 1}v-4l6-4 7 8 7-8 7 8 7-8 7 8 3-4v5Z`, class: "torn" }); // it goes on
  area.bar(46, top, 42, bound - top, "hatched bare", hatch);
  area.text(94, top - 6, "log p(x)", "halo strong p");
  if (bound - top > 9) area.text(94, (top + bound) / 2 + 5, "gap", "halo strong posterior");
  const middle = Math.min(Math.max((bound + floor) / 2, bound + 12), floor - 8) + 4;
  area.text(94, shown ? middle : floor - 5, shown ? "ELBO" : "ELBO \u2193", "halo strong q");
}

function paintCurves(area, { w, top, bound, floor, shown }, v, hatch) {
  const along = spaced(0, 2.5).map((at) => ({ at, ...numbers({ ...v, w: at }) }));
  const best = along.reduce((one, other) => (other.elbo > one.elbo ? other : one));
  area.curve(along.map(({ at, elbo }) => [at, elbo]), "q");
  area.curve(along.map(({ at, log_px }) => [at, log_px]), "p");
  area.line(46, top, w, top, "p thin");
  area.bar(w - 4, top, 8, bound - top, "hatched bare", hatch);
  area.text(area.X(2.5), area.Y(along.at(-1).log_px) - 12, "log p(x) at every w", "halo strong p", "end");
  const side = numbers({ ...v, w: best.at + 150 / (area.X(2.5) - area.X(0)) }).elbo; // the name fits below this
  const low = Math.min(Math.max(area.Y(best.elbo) + 22, area.Y(side) + 16), floor - 5);
  if (area.Y(best.elbo) < floor) area.text(Math.max(area.X(best.at), area.X(0) + 56), low, "ELBO of this q", "halo strong q", "middle");
  if (shown) area.line(88, bound, w, bound, "q thin dashed");
  if (shown) area.dot(w, bound, 5.5, "dot q");
  area.dot(w, top, 5.5, "dot p");
}

const FIGURE = {
  title: "ELBO plus gap is log p(x)",
  sliders: [
    { key: "mu", role: "encoder: ", name: "mean \u03bc", colour: "q", step: 0.05 },
    { key: "logvar", role: "encoder: ", name: "log-variance", colour: "q", step: 0.05 },
    { key: "w", role: "decoder: ", name: "weight w", colour: "p", step: 0.05 },
  ],
  buttons: [{ name: "Make q the posterior", act: (v, n) => ({ mu: n.posterior_mu, logvar: n.posterior_logvar }) }],
  ticks: [],
  panels: [
    {
      height: 178,
      paint: paintDensities,
      label: (v, n) =>
        `Densities over z: the prior at 0, the true posterior at ${say(n.posterior_mu, 2)}, q at ${say(v.mu, 2)}.`,
    },
    {
      height: 236,
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
