/* Draws the live figures (anywidgets) of a page without a kernel. A classic script: modules are refused on file://. */
(() => {
  const STATE = 'script[type="application/vnd.jupyter.widget-state+json"]';
  const VIEW = 'script[type="application/vnd.jupyter.widget-view+json"]';
  const modules = new Map(); // text of a module -> promise of it

  /** The stored state of a model, with its buffers put back where they were. */
  function restore({ state, buffers = [] }) {
    const values = structuredClone(state);
    for (const { path, data } of buffers) {
      const bytes = Uint8Array.from(atob(data), (character) => character.charCodeAt(0));
      const owner = path.slice(0, -1).reduce((at, key) => at[key], values);
      owner[path.at(-1)] = new DataView(bytes.buffer);
    }
    return values;
  }

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

  async function draw(script, models) {
    const place = document.createElement("div");
    script.after(place);
    try {
      const stored = models[JSON.parse(script.textContent).model_id];
      if (!stored?.state._esm) throw new Error("its script was not stored with the page");
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
      place.textContent = `This live figure could not be drawn: ${error.message}`;
    }
  }

  const scripts = [...document.querySelectorAll(STATE)];
  const models = Object.assign({}, ...scripts.map((script) => JSON.parse(script.textContent).state));
  document.querySelectorAll(VIEW).forEach((script) => draw(script, models));
})();
