/* Chapter 12. A water line across a spectrum: which numbers of the code a linear VAE uses, and its ELBO along sigma^2. */

/** The largest ELBO of a linear VAE at this level, in nats, and how many directions it keeps. */
function atLevel({ total, dims }, room, level) {
  const kept = room.filter((one) => one > level);
  const sum = kept.reduce((all, one) => all + one, 0);
  const logs = kept.reduce((all, one) => all + Math.log(one), 0) + (dims - kept.length) * Math.log(level);
  return { elbo: -0.5 * (dims * LOG_2PI + logs + kept.length + (total - sum) / level), used: kept.length };
}

/** How many directions are used and how many are silent at sigma^2 = 2^power; the ELBO there, and at the best sigma^2. */
export function numbers({ eigenvalues, total, dims, power, latents }) {
  const room = eigenvalues.slice(0, latents);
  const level = 2 ** power;
  const { elbo, used } = atLevel({ total, dims }, room, level);
  const best = (total - room.reduce((all, one) => all + one, 0)) / (dims - room.length);
  const bestElbo = atLevel({ total, dims }, room, best).elbo;
  return { level, used, silent: room.length - used, elbo, best_level: best, best_elbo: bestElbo };
}

const FLOOR = Math.log10(0.01); // of the axis of variances

/** A bar for each direction: above the line it is used, below it is silent, and beyond the code it has no number. */
function paintBars(panel, size, v, n) {
  const area = plot(panel, { ...size, left: 44, top: 20, x: [0.4, v.eigenvalues.length + 0.6], y: [FLOOR, 1] });
  const hatch = stripes(panel, "p");
  for (const tick of [0.01, 0.1, 1, 10]) {
    area.line(44, area.Y(Math.log10(tick)), size.width - 6, area.Y(Math.log10(tick)), "rule");
    area.text(38, area.Y(Math.log10(tick)) + 4, String(tick), "small", "end");
  }
  const [wide, bottom] = [0.72 * (area.X(2) - area.X(1)), area.Y(FLOOR)];
  v.eigenvalues.forEach((one, i) => {
    const [left, top] = [area.X(i + 1) - wide / 2, Math.min(area.Y(Math.log10(one)), bottom)];
    const name = i >= v.latents ? "bare data thin" : one > n.level ? "solid q" : "hatched bare";
    area.bar(left, top, wide, bottom - top, name, hatch);
  });
  const water = area.Y(Math.log10(n.level));
  area.line(44, water, size.width - 6, water, "posterior");
  area.text(size.width - 8, Math.max(water - 7, 30), `σ² = ${say(n.level, 3)}`, "halo strong posterior", "end");
  area.text(2, 12, "variance of the direction", "small");
  area.bottomAxis([1, 8, 16, 24, 32], "principal direction");
}

/** The largest ELBO against sigma^2, with the present one and the best one. */
function paintElbo(panel, size, v, n) {
  const [low, high] = [-6, 2.6];
  const along = spaced(low, high, 140).map((power) => [power, numbers({ ...v, power }).elbo]);
  const floor = Math.min(...along.map(([, nats]) => nats));
  const area = plot(panel, { ...size, left: 62, top: 24, x: [low, high], y: [floor - 20, n.best_elbo + 60] });
  area.curve(along, "pca");
  area.bottomAxis([-6, -4, -2, 0, 2], "log₂ σ²");
  const best = Math.log2(n.best_level);
  if (best > low) area.line(area.X(best), area.Y(n.best_elbo), area.X(best), area.Y(floor - 20), "data dashed");
  if (best > low) area.text(area.X(best) + 6, area.Y(n.best_elbo) - 6, "learned σ²", "halo strong data");
  area.dot(area.X(v.power), area.Y(n.elbo), 6, "dot posterior");
  area.text(2, 12, "largest ELBO, nats", "small");
  for (const nats of [floor, n.best_elbo]) area.text(56, area.Y(nats) + 4, say(nats, 0), "small", "end");
}

const FIGURE = {
  title: "A water line across the spectrum: which numbers of the code are used, and which are silent",
  sliders: [
    { key: "power", role: "decoder: ", name: "log₂ σ²", colour: "posterior", step: 0.05, digits: 2 },
    { key: "latents", role: "code: ", name: "numbers L", colour: "q", step: 1, digits: 0 },
  ],
  buttons: [
    { name: "σ = 1", act: () => ({ power: 0 }) },
    { name: "Learn σ²", act: (v, n) => ({ power: Math.max(-6, Math.min(2.6, Math.log2(n.best_level))) }) },
  ],
  ticks: [],
  panels: [
    {
      height: 210,
      paint: paintBars,
      label: (v, n) => `Bars: the variances of ${v.eigenvalues.length} principal directions, with a water line at ${say(n.level, 3)}; of the ${v.latents} that the code has room for, ${n.used} rise above it.`,
    },
    {
      height: 200,
      paint: paintElbo,
      label: (v, n) => `The largest ELBO against sigma squared: now ${say(n.elbo, 1)} nats, at the learned sigma squared ${say(n.best_level, 3)} it is ${say(n.best_elbo, 1)}.`,
    },
  ],
  sums: (v, n) => [
    sum([say(n.level, 3), "σ²", "posterior"], "", [String(n.used), "used", "q"], "+", [String(n.silent), "silent", "p"]),
    sum([say(n.elbo, 1), "ELBO, nats"], "", [say(n.best_level, 3), "learned σ²"], "", [say(n.best_elbo, 1), "its ELBO"]),
  ],
  summary: (v, n) =>
    `At sigma squared ${say(n.level, 3)} a linear model uses ${n.used} of its ${v.latents} numbers and ${n.silent} are silent; the ELBO is ${say(n.elbo, 1)} nats, and ${say(n.best_elbo, 1)} where sigma is learned.`,
};

export default { render: (context) => liveFigure(context, FIGURE) };
