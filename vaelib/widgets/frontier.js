/* Chapter 10. The water level of a linear VAE, its rate and distortion, and what twelve trained models make of six digits. */
const SIDE = 28; // pixels of a stored picture

/** Rate, distortion (both in nats) and number of kept directions of the linear VAE at this beta; the nearest trained model. */
export function numbers({ eigenvalues, total, betas, rates, distortions, power }) {
  const level = 2 ** power;
  const kept = eigenvalues.filter((one) => one > level);
  const far = betas.map((beta) => Math.abs(Math.log2(beta) - power));
  const nearest = far.indexOf(Math.min(...far));
  return {
    beta: level, // sigma is 1, so that beta is the water level
    kept: kept.length,
    rate: kept.reduce((nats, one) => nats + Math.log(one / level) / 2, 0),
    distortion: kept.reduce((left, one) => left - one + level, total) / 2,
    nearest,
    own_beta: betas[nearest],
    own_rate: rates[nearest],
    own_distortion: distortions[nearest],
  };
}

const FLOOR = Math.log10(0.01); // of the axis of variances

/** A bar for each direction: under water it is lost, and on this axis what rises above it is the rate. */
function paintSpectrum(panel, size, v, n) {
  const area = plot(panel, { ...size, left: 44, top: 20, x: [0.4, v.eigenvalues.length + 0.6], y: [FLOOR, 1] });
  const hatch = stripes(panel, "p");
  const [water, bottom] = [area.Y(Math.log10(n.beta)), area.Y(FLOOR)];
  for (const tick of [0.01, 0.1, 1, 10]) {
    area.line(44, area.Y(Math.log10(tick)), size.width - 6, area.Y(Math.log10(tick)), "rule");
    area.text(38, area.Y(Math.log10(tick)) + 4, String(tick), "small", "end");
  }
  const wide = 0.72 * (area.X(2) - area.X(1));
  v.eigenvalues.forEach((one, i) => {
    const [left, top] = [area.X(i + 1) - wide / 2, area.Y(Math.log10(one))];
    if (top < water) area.bar(left, top, wide, water - top, "solid q");
    area.bar(left, Math.max(top, water), wide, bottom - Math.max(top, water), "hatched bare", hatch);
  });
  area.line(44, water, size.width - 6, water, "posterior");
  area.text(size.width - 8, Math.max(water - 7, 30), `water level βσ² = ${say(n.beta, 3)}`, "halo strong posterior", "end");
  area.text(2, 12, "variance of the direction", "small");
  area.bottomAxis([1, 8, 16, 24, 32], "principal direction of MNIST");
}

/** The linear model's curve, with the tangent at this beta, and the trained models as dots. */
function paintFrontier(panel, size, v, n) {
  const end = Math.ceil(Math.max(numbers({ ...v, power: -6 }).rate, ...v.rates) / 10) * 10;
  const area = plot(panel, { ...size, left: 44, top: 20, x: [0, end], y: [0, 30] });
  for (const nats of [0, 10, 20, 30]) {
    area.line(44, area.Y(nats), size.width - 6, area.Y(nats), "rule");
    area.text(38, area.Y(nats) + 4, say(nats, 0), "small", "end");
  }
  area.text(2, 12, "distortion, nats", "small");
  area.bottomAxis(spaced(0, end, end / 10), "rate, nats");
  const along = spaced(-6, Math.log2(v.eigenvalues[0]), 120).map((power) => numbers({ ...v, power }));
  area.curve(along.map((at) => [at.rate, at.distortion]), "pca");
  const reach = Math.min(14, 9 / n.beta); // of the tangent, in nats of rate
  area.curve([-reach, reach].map((step) => [n.rate + step, n.distortion - n.beta * step]), "posterior dashed");
  v.betas.forEach((_, i) => area.dot(area.X(v.rates[i]), area.Y(v.distortions[i]), i === n.nearest ? 7 : 4, "dot q"));
  area.dot(area.X(n.rate), area.Y(n.distortion), 6, "dot posterior");
  area.text(area.X(n.rate) + 10, area.Y(n.distortion) - 10, `slope −β = ${say(-n.beta, 3)}`, "halo strong posterior");
  area.text(area.X(along[0].rate) - 4, area.Y(along[0].distortion) - 8, "linear", "halo strong pca", "end");
  area.text(area.X(v.rates[2]), area.Y(v.distortions[2]) + 17, "trained networks", "halo strong q", "middle");
}

/** Two rows of the sheet of pictures, enlarged: the digits, and the nearest model's version of them. */
function paintDigits(panel, { width }, v, n) {
  const side = digitSide(width);
  const area = plot(panel, { width, height: 2 * side + 56, left: 0, right: 0, top: 0, bottom: 0, x: [0, 1], y: [0, 1] });
  const rows = [[0, "six test digits"], [n.nearest + 1, `the same through the network trained at β = ${Number(n.own_beta.toPrecision(3))}`]];
  rows.forEach(([row, name], i) => {
    const y = 20 + i * (side + 28);
    const window = unique();
    const frame = { x: 0, y, width: 6 * side, height: side };
    area.add("clipPath", { id: window }, svg("rect", frame));
    const moved = { x: 0, y: y - row * side, width: 6 * side, height: (v.betas.length + 1) * side };
    area.add("image", { href: "data:image/webp;base64," + v.sheet, ...moved, preserveAspectRatio: "none", "clip-path": `url(#${window})` });
    area.add("rect", { ...frame, class: "rule" });
    area.text(0, y - 7, name, i ? "small strong q" : "small");
  });
}
const digitSide = (width) => Math.min(width / 6, 3 * SIDE);

const FIGURE = {
  title: "Beta as a water level: what a linear model keeps, what it pays, and what trained networks show",
  sliders: [{ key: "power", role: "loss: ", name: "log₂ β", colour: "posterior", step: 0.05, digits: 2 }],
  buttons: [{ name: "The ELBO: β = 1", act: () => ({ power: 0 }) }],
  ticks: [],
  panels: [
    {
      height: 210,
      paint: paintSpectrum,
      label: (v, n) => `Bars: the variances of ${v.eigenvalues.length} principal directions, with a water level at ${say(n.beta, 3)}; ${n.kept} of them rise above it.`,
    },
    {
      height: 240,
      paint: paintFrontier,
      label: (v, n) => `Distortion against rate: the curve of the linear model, with the present point at rate ${say(n.rate, 1)} and distortion ${say(n.distortion, 1)} nats, and ${v.betas.length} trained networks below it.`,
    },
    {
      height: (width) => 2 * digitSide(width) + 54,
      paint: paintDigits,
      label: (v, n) => `Six test digits, and below them what the network trained at beta ${Number(n.own_beta.toPrecision(3))} makes of them.`,
    },
  ],
  sums: (v, n) => [
    sum([say(n.beta, 3), "β", "posterior"], "", [String(n.kept), "directions kept", "q"]),
    sum(["linear", "model", "pca"], "", [say(n.rate, 1), "rate, nats"], "", [say(n.distortion, 1), "distortion, nats"]),
    sum(["network", `β = ${Number(n.own_beta.toPrecision(3))}`, "q"], "", [say(n.own_rate, 1), "rate, nats"], "", [say(n.own_distortion, 1), "distortion, nats"]),
  ],
  summary: (v, n) =>
    `At beta ${say(n.beta, 3)} a linear model keeps ${n.kept} directions, with rate ${say(n.rate, 1)} and distortion ${say(n.distortion, 1)} nats; the network trained at ${Number(n.own_beta.toPrecision(3))} has ${say(n.own_rate, 1)} and ${say(n.own_distortion, 1)}.`,
};

export default { render: (context) => liveFigure(context, FIGURE) };
