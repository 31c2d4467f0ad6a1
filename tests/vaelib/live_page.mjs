// A page small enough to read, for the scripts of the live figures: only what they touch.
// Reads one job as JSON from standard input and writes its result as JSON.
import { text } from "node:stream/consumers";

class Element {
  constructor(tag) {
    Object.assign(this, { tag, attributes: {}, children: [], listeners: {}, dataset: {}, clientWidth: 640, words: "" });
    this.classList = { add: (name) => (this.className = `${this.className} ${name}`.trim()) };
  }
  setAttribute(name, value) { this.attributes[name] = String(value); }
  getAttribute(name) { return this.attributes[name] ?? null; }
  get className() { return this.attributes.class ?? ""; }
  set className(value) { this.attributes.class = value; }
  get textContent() { return this.words + this.children.map((child) => child.textContent).join(""); }
  set textContent(value) { this.children = []; this.words = String(value); }
  append(...nodes) {
    for (const node of nodes) {
      const child = node instanceof Element ? node : Object.assign(new Element("#text"), { words: String(node) });
      child.parentElement = this;
      this.children.push(child);
    }
  }
  appendChild(node) { this.append(node); return node; }
  replaceChildren(...nodes) { this.children = []; this.append(...nodes); }
  after(node) { this.parentElement.append(node); }
  before(node) { this.after(node); }
  closest(selector) { return this.className.includes(selector.slice(1)) ? this : this.parentElement?.closest(selector); }
  addEventListener(event, listener) { (this.listeners[event] ??= []).push(listener); }
  fire(event, details) { this.listeners[event].forEach((listener) => listener(details)); }
  getBoundingClientRect() { return { left: 10, top: 20, width: this.clientWidth }; }
  setPointerCapture() {}
  all() { return this.children.flatMap((child) => [child, ...child.all()]); }
  find(test) { return this.all().filter(test); }
}

const body = new Element("body");
const nothing = class { observe() {} disconnect() {} };
Object.assign(globalThis, {
  document: {
    body,
    documentElement: new Element("html"),
    createElement: (tag) => new Element(tag),
    createElementNS: (space, tag) => new Element(tag),
    querySelectorAll: (selector) => body.find((node) => node.tag === "script" && selector.includes(node.attributes.type)),
  },
  matchMedia: () => ({ matches: false, addEventListener() {}, removeEventListener() {} }),
  getComputedStyle: () => ({ backgroundColor: "rgb(255, 255, 255)" }),
  requestAnimationFrame: () => 0,
  setTimeout: (act) => act(), // no test waits
  ResizeObserver: nothing,
  MutationObserver: nothing,
  Blob: class { constructor(parts) { this.text = parts.join(""); } },
});
const address = (source) => "data:text/javascript;base64," + Buffer.from(source).toString("base64");
URL.createObjectURL = (blob) => address(blob.text); // Node cannot import from a blob
URL.revokeObjectURL = () => {};

/** What a reader can see or hear in a figure. */
function seen(root) {
  const text = (name) => root.find((node) => node.className === name).map((node) => node.textContent);
  const every = (tag) => root.find((node) => node.tag === tag);
  return {
    terms: every("b").map((node) => node.textContent),
    outputs: every("output").map((node) => node.textContent),
    spoken: text("spoken"),
    labels: every("svg").map((node) => node.attributes["aria-label"]),
    named: every("input").filter((node) => node.attributes.type === "range").map((input) =>
      every("label").find((label) => label.attributes.for === input.attributes.id)?.textContent),
    ids: root.all().map((node) => node.attributes.id).filter(Boolean),
    sizes: root.all().flatMap((node) => ["width", "height", "r"].map((key) => Number(node.attributes[key] ?? 0))),
    markup: JSON.stringify(root.all().map((node) => [node.attributes, node.words])),
  };
}

/** Do as a reader does: point into a panel, move a slider, press a button, tick a box. */
function act(root, [kind, name, value]) {
  if (kind === "point") {
    const { event, x, y, ...details } = { pointerType: "mouse", buttons: 0, pointerId: 1, ...value };
    const panel = root.find((node) => node.className === name)[0];
    return panel.fire(event, { clientX: 10 + x, clientY: 20 + y, ...details });
  }
  const named = (tag) => root.find((node) => node.tag === tag && node.textContent.includes(name))[0];
  if (kind === "press") return named("button").fire("click");
  const label = named("label");
  const wanted = (node) => node.tag === "input" && (node.parentElement === label || node.attributes.id === label.attributes.for);
  const input = root.find(wanted)[0];
  if (kind === "move") return Object.assign(input, { value: String(value) }).fire("input");
  return Object.assign(input, { checked: value }).fire("change");
}

/** The page of a book: state, and for each view a place with its picture; then the host script. */
async function page({ host, state, views, actions, texts }) {
  const script = (type, words) => Object.assign(new Element("script"), { attributes: { type }, words });
  const stored = texts ?? [JSON.stringify({ state })]; // texts: as they stand in a page, which need not be JSON
  for (const words of stored) body.append(script("application/vnd.jupyter.widget-state+json", words));
  const places = views.map((view) => {
    const place = new Element("div");
    place.className = "live-place";
    place.append(script("application/vnd.jupyter.widget-view+json", view.text ?? JSON.stringify({ model_id: view })));
    body.append(place);
    return place;
  });
  await import(address(host));
  await new Promise((done) => setImmediate(() => setImmediate(done)));
  const figures = places.map((place) => {
    const start = seen(place);
    const states = (actions ?? []).map((action) => (act(place, action), seen(place)));
    return { place: place.className, text: place.textContent, states: [start, ...states] };
  });
  return texts ? { figures, polluted: Object.keys(Object.getOwnPropertyDescriptors(Object.prototype)) } : figures;
}

const job = JSON.parse(await text(process.stdin));
const jobs = {
  numbers: async ({ module, cases }) => cases.map((await import(address(module))).numbers),
  page,
};
console.log(JSON.stringify(await jobs[job.kind](job)));
