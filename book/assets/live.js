/* Draws the live figures (anywidgets) of a page without a kernel. A classic script: modules are refused on file://. */
(() => {
  const STATE = 'script[type="application/vnd.jupyter.widget-state+json"]';
  const VIEW = 'script[type="application/vnd.jupyter.widget-view+json"]';
  const modules = new Map(); // text of a module -> promise of it

  // Keys that would reach what all objects of the page share; no figure has them.
  const SHARED = new Set(["__proto__", "constructor", "prototype"]);
  // Python writes numbers that are not finite as bare words, which JSON does not know; Jupyter sends them as these texts.
  const WORDS = /"[^"\\]*(?:\\.[^"\\]*)*"|-?Infinity|NaN/g;
  const TEXTS = { NaN: '"nan"', Infinity: '"inf"', "-Infinity": '"-inf"' };

  function parse(text) {
    const known = text.replace(WORDS, (word) => (Object.hasOwn(TEXTS, word) ? TEXTS[word] : word));
    return JSON.parse(known, (key, value) => (SHARED.has(key) ? undefined : value)); // undefined: left out
  }

  /** All stored models by name. A script that cannot be read takes its own figures with it, and no others. */
  function collect(scripts) {
    const models = new Map(), problems = [];
    for (const script of scripts) {
      try {
        for (const [name, model] of Object.entries(parse(script.textContent).state)) models.set(name, model);
      } catch (error) {
        problems.push(said(error));
      }
    }
    return { models, problems };
  }

  /** The stored state of a model, with its buffers put back where they were. */
  function restore({ state, buffers }) {
    const values = Object.assign(Object.create(null), structuredClone(state));
    for (const { path, data } of buffers ?? []) {
      if (path.some((key) => SHARED.has(key))) continue;
      const bytes = Uint8Array.from(atob(data), (character) => character.charCodeAt(0));
      const owner = path.slice(0, -1).reduce((at, key) => at?.[key], values);
      if (!path.length || typeof owner !== "object" || !owner) throw new Error(`no place for its data: ${path.join(".")}`);
      owner[path.at(-1)] = new DataView(bytes.buffer);
    }
    return values;
  }

  const said = (error) => String(error?.message ?? error);

  /** What anywidget hands to a figure, less the kernel: save_changes and send have nobody to talk to. */
  function makeModel(values) {
    const listeners = new Map();
    const emit = (event) => [...(listeners.get(event) ?? [])].forEach((listener) => listener());
    return {
      get: (key) => values[key],
      set(key, value) {
        const changes = Object.entries(typeof key === "string" ? { [key]: value } : key);
        const changed = changes.filter(([name, next]) => values[name] !== next);
        for (const [name, next] of changed) values[name] = next;
        for (const [name] of changed) emit(`change:${name}`);
        if (changed.length) emit("change");
      },
      on: (event, listener) => listeners.set(event, [...(listeners.get(event) ?? []), listener]),
      off: (event, listener) =>
        listeners.set(event, (listeners.get(event) ?? []).filter((each) => listener && each !== listener)),
      save_changes() {},
      send() {},
    };
  }

  function load(text) {
    if (!modules.has(text)) {
      const address = URL.createObjectURL(new Blob([text], { type: "text/javascript" }));
      modules.set(text, import(address).finally(() => URL.revokeObjectURL(address)));
    }
    return modules.get(text);
  }

  async function draw(script, { models, problems }) {
    const place = document.createElement("div");
    script.after(place);
    try {
      const stored = models.get(parse(script.textContent).model_id);
      const problem = problems.length ? `the state of this page cannot be read (${problems[0]})` : "";
      if (!stored?.state?._esm) throw new Error(problem || "its script was not stored with the page");
      const values = restore(stored);
      const module = await load(values._esm);
      const widget = module.default ?? module;
      const model = makeModel(values);
      if (values._css) place.before(Object.assign(document.createElement("style"), { textContent: values._css }));
      const parts = typeof widget === "function" ? await widget() : widget;
      await parts.initialize?.({ model });
      await parts.render({ model, el: place });
      script.closest(".live-place")?.classList.add("live-drawn");
    } catch (error) {
      place.className = "live-error";
      place.textContent = `This live figure could not be drawn: ${said(error)}`;
    }
  }

  const stored = collect(document.querySelectorAll(STATE));
  document.querySelectorAll(VIEW).forEach((script) => draw(script, stored));
})();
