/* Shared by every live figure: style.js, this file and the figure's own file make one module. */
const LOG_2PI = Math.log(2 * Math.PI);
const SPEECH_DELAY = 500; // ms without a change before the summary is read out

/** The density of N(mu, exp(logvar)). */
function normalDensity(z, mu, logvar) {
  return Math.exp(-0.5 * (LOG_2PI + logvar + (z - mu) ** 2 / Math.exp(logvar)));
}

/** KL(N(mu, exp(logvar)) || N(0, 1)) in nats. */
function standardNormalKl(mu, logvar) {
  return 0.5 * (mu ** 2 + Math.expm1(logvar) - logvar); // expm1 keeps its digits near logvar = 0
}

/** A number with a true minus sign, and never minus zero. */
function say(value, digits = 3) {
  const text = value.toFixed(digits);
  return (Number(text) === 0 ? text.replace("-", "") : text).replace("-", "\u2212");
}

/** `count` + 1 evenly spaced numbers from low to high. */
function spaced(low, high, count = 160) {
  return Array.from({ length: count + 1 }, (_, i) => low + ((high - low) * i) / count);
}

function fill(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}
const html = (tag, attributes = {}, ...children) => fill(document.createElement(tag), attributes, children);
const svg = (tag, attributes = {}, ...children) =>
  fill(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);
const unique = () => "live-" + Math.random().toString(36).slice(2); // a page may hold a figure twice

/** A drawing area: `x` and `y` are the ranges of the data, the rest is in pixels. */
function plot(panel, { width, height, left = 6, right = 6, top = 8, bottom = 40, x, y }) {
  const X = (v) => left + ((v - x[0]) / (x[1] - x[0])) * (width - left - right);
  const Y = (v) => height - bottom - ((v - y[0]) / (y[1] - y[0])) * (height - top - bottom);
  const clip = unique();
  const box = { x: left, y: top - 3, width: width - left - right, height: height - top - bottom + 4 };
  panel.append(svg("clipPath", { id: clip }, svg("rect", box)));
  const add = (tag, attributes, ...children) => panel.appendChild(svg(tag, attributes, ...children));
  const path = (points) => points.map(([a, b], i) => `${i ? "L" : "M"}${X(a).toFixed(1)} ${Y(b).toFixed(1)}`).join("");
  const own = {
    X, Y, add,
    line: (x1, y1, x2, y2, name) => add("line", { x1, y1, x2, y2, class: name }),
    bar: (px, py, wide, high, name, style = "") =>
      add("rect", { x: px, y: py, width: Math.max(0, wide), height: Math.max(0, high), class: name, style }),
    dot: (px, py, r, name) => add("circle", { cx: px, cy: py, r, class: name }),
    curve: (points, name) => add("path", { d: path(points), class: name, "clip-path": `url(#${clip})` }),
    /** A density that leaves the axis where it is too small to be seen; `washed` colours the area below it. */
    density(mu, logvar, name, washed = "") {
      const points = spaced(...x, 400).map((z) => [z, normalDensity(z, mu, logvar)]).filter(([, high]) => high > 0.003);
      if (washed) own.curve([[points[0][0], y[0]], ...points, [points.at(-1)[0], y[0]]], washed);
      own.curve(points, name);
    },
    text(px, py, words, name = "", anchor = "start") {
      const room = words.length * 6.9; // pixels, about; keeps a label inside its panel
      const before = { start: 0, middle: room / 2, end: room }[anchor];
      const at = Math.max(before + 2, Math.min(px, width - (room - before) - 2));
      return add("text", { x: at.toFixed(1), y: py.toFixed(1), "text-anchor": anchor, class: name }, words);
    },
    bottomAxis(ticks, label, at = y[0]) {
      own.line(left, Y(at), width - right, Y(at), "axis");
      for (const tick of ticks) {
        own.line(X(tick), Y(at), X(tick), Y(at) + 4, "axis");
        own.text(X(tick), Y(at) + 17, say(tick, Number.isInteger(tick) ? 0 : 1), "small", "middle");
      }
      own.text((left + width - right) / 2, Y(at) + 33, label, "small", "middle");
    },
  };
  return own;
}

/** Stripes in one of the book's colours; returns the style of what they fill. */
function stripes(panel, name) {
  const id = unique();
  const pattern = { id, width: 6, height: 6, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" };
  panel.append(svg("pattern", pattern, svg("line", { x1: 3, y1: 0, x2: 3, y2: 6, class: name })));
  return `--hatch: url(#${id})`;
}

/** An equation with its value above the name of each term: parts are signs, or [value, name, colour]. */
function sum(...parts) {
  const term = ([value, name, colour = ""]) =>
    html("span", { class: `term ${colour}` }, html("b", {}, value), html("small", {}, name));
  const draw = (part) => (Array.isArray(part) ? term(part) : html("span", { class: "sign" }, part));
  return html("div", { class: "sum" }, ...parts.map(draw));
}

function slider({ key, role, name, colour, step, digits = 3 }, [min, max], change) {
  const id = unique();
  const input = html("input", { type: "range", id, min, max, step });
  const output = html("output", { for: id });
  input.addEventListener("input", () => change({ [key]: Number(input.value) }));
  const node = html("div", { class: `slider ${colour}` });
  node.append(html("label", { for: id }, html("span", {}, role), name), output, input);
  const show = (values) => {
    input.value = values[key];
    output.textContent = say(values[key], digits);
    input.setAttribute("aria-valuetext", say(values[key], digits));
  };
  return { node, show };
}

function tick({ key, name }, change) {
  const input = html("input", { type: "checkbox" });
  input.addEventListener("change", () => change({ [key]: input.checked }));
  return { node: html("label", { class: "tick" }, input, name), show: (values) => (input.checked = values[key]) };
}

function button({ name, act }, all, change) {
  const node = html("button", { type: "button" }, name);
  node.addEventListener("click", () => change(act(all(), numbers(all()))));
  return { node, show: () => {} };
}

/** Whether the page around a node is dark: the theme that the page names, else its background, else the system. */
function isDark(node, system) {
  const { documentElement: page, body } = document;
  const lab = { true: "light", false: "dark" }[body.dataset.jpThemeLight];
  const named = page.dataset.theme ?? page.getAttribute("theme") ?? lab;
  if (named) return named === "dark";
  for (let at = node.parentElement; at; at = at.parentElement) {
    const [r, g, b, alpha = 1] = (getComputedStyle(at).backgroundColor.match(/[\d.]+/g) ?? [0, 0, 0, 0]).map(Number);
    if (alpha > 0.5) return 0.3 * r + 0.6 * g + 0.1 * b < 128;
  }
  return system.matches;
}

/** Light or dark as the page is; returns what ends it. */
function followTheme(root) {
  const system = matchMedia("(prefers-color-scheme: dark)");
  const apply = () => (root.dataset.mode = isDark(root, system) ? "dark" : "light");
  const watcher = new MutationObserver(apply);
  for (const node of [document.documentElement, document.body]) watcher.observe(node, { attributes: true });
  system.addEventListener("change", apply);
  requestAnimationFrame(apply); // by then the figure stands in its page
  apply();
  return () => (watcher.disconnect(), system.removeEventListener("change", apply));
}

/** A panel that a hovering mouse, a pen or a finger can point into. */
function followPointer(panel, pointed) {
  const tell = (event) => {
    const box = panel.getBoundingClientRect();
    pointed(event.clientX - box.left, event.clientY - box.top, { width: box.width });
  };
  panel.addEventListener("pointerdown", (event) => (panel.setPointerCapture(event.pointerId), tell(event)));
  panel.addEventListener("pointermove", (event) => (event.pointerType === "mouse" || event.buttons) && tell(event));
  panel.setAttribute("class", "pointed");
}

/** Build a figure from its description, in step with the model; returns what takes it down. */
function liveFigure({ model, el }, figure) {
  const start = model.get("values");
  const all = () => ({ ...model.get("fixed"), ...model.get("values") });
  const change = (part) => {
    model.set("values", { ...model.get("values"), ...part });
    model.save_changes();
  };
  const ranges = model.get("ranges");
  const sliders = figure.sliders.map((each) => slider(each, ranges[each.key], change));
  const again = { name: "Start again", act: () => start };
  const actions = [...figure.buttons, again].map((each) => button(each, all, change));
  const ticks = figure.ticks.map((each) => tick(each, change));
  const panels = figure.panels.map(() => svg("svg", { role: "img" }));
  figure.panels.forEach(({ point }, i) => point && followPointer(panels[i], (...at) => change(point(...at) ?? {})));
  const sums = html("div", { class: "sums" });
  const spoken = html("p", { class: "spoken", "aria-live": "polite" });
  const root = html("div", { class: "live-figure", role: "group", "aria-label": figure.title }, html("style", {}, STYLE));
  const nodes = (list) => list.map((each) => each.node);
  root.append(...panels, sums, html("div", { class: "sliders" }, ...nodes(sliders)));
  root.append(html("div", { class: "actions" }, ...nodes([...actions, ...ticks])), spoken);
  el.append(root);

  let timer;
  const draw = () => {
    const width = panels[0].clientWidth;
    if (!width) return; // not on the page yet: the observer calls again
    const values = all();
    const found = numbers(values);
    panels.forEach((panel, i) => {
      const { height: high, label, paint } = figure.panels[i];
      const height = typeof high === "function" ? high(width) : high;
      panel.replaceChildren();
      fill(panel, { viewBox: `0 0 ${width} ${height}`, height, "aria-label": label(values, found) }, []);
      paint(panel, { width, height }, values, found);
    });
    sums.replaceChildren(...figure.sums(values, found));
    for (const each of [...sliders, ...ticks]) each.show(values);
    clearTimeout(timer);
    timer = setTimeout(() => (spoken.textContent = figure.summary(values, found)), SPEECH_DELAY);
  };
  const observer = new ResizeObserver(draw);
  observer.observe(root);
  model.on("change:values", draw);
  const endTheme = followTheme(root);
  draw();
  return () => (observer.disconnect(), model.off("change:values", draw), endTheme(), clearTimeout(timer));
}
