// What the browser tests ask of a page; added to every page before its own scripts.
(() => {
  const name = (node) => node.outerHTML.slice(0, 120);
  const shown = (node) => node.checkVisibility();
  const all = (selector) => [...document.querySelectorAll(selector)];
  const boxes = (overflow) => ["auto", "scroll", "hidden", "clip"].includes(overflow);

  /** The box around a node that scrolls or cuts it, if any. */
  function cutBy(node) {
    for (let box = node.parentElement; box && box !== document.body; box = box.parentElement)
      if (boxes(getComputedStyle(box).overflowX)) return box;
    return null;
  }

  const visited = []; // until the focus comes back to where it was
  const again = () => visited.includes(document.activeElement);
  document.addEventListener("focusin", ({ target }) => (visited.closed ||= again()) || visited.push(target));

  window.probe = {
    said: () => ({
      lang: document.documentElement.lang,
      title: document.title,
      headings: all("h1").filter(shown).length,
      description: document.querySelector("meta[name=description]")?.content ?? "",
    }),
    /** Pictures and fonts that did not arrive. */
    missing: () => [
      ...[...document.images].filter((image) => image.complete && !image.naturalWidth).map(name),
      ...[...document.fonts].filter((font) => font.status === "error").map((font) => font.family),
    ],
    /** What reaches over the right edge of the window, code aside. */
    tooWide: () =>
      all("main *")
        .filter((node) => shown(node) && !node.closest("pre, .katex-mathml, svg, #pst-secondary-sidebar") && !cutBy(node))
        .filter((node) => node.getBoundingClientRect().right > innerWidth + 1)
        .map(name),
    /** What is wider than its box and no code. */
    scrolled: () =>
      all("main *")
        .filter((node) => shown(node) && !node.closest("pre, .highlight, svg, .katex, #pst-secondary-sidebar"))
        .filter((node) => boxes(getComputedStyle(node).overflowX) && node.clientWidth > 1 && node.scrollWidth > node.clientWidth + 1)
        .map(name),
    /** Where the focus went, and where it went backward in the page or upward in the text. */
    visits: () => visited.length,
    backward: () =>
      visited.slice(1).filter((node, i) => visited[i].compareDocumentPosition(node) & Node.DOCUMENT_POSITION_PRECEDING).map(name),
    upward() {
      const inside = visited.filter((node) => node.closest("article"));
      const bottom = (node) => node.getBoundingClientRect().bottom;
      return inside.slice(1).filter((node, i) => bottom(node) < bottom(inside[i]) - 60).map(name);
    },
    /**
     * Open every fold, and leave out what repeats: a piece of text with nothing but a class, in a place like that of
     * an earlier one, can break no rule that the earlier one keeps; nor can a row of a table or a line of a list of
     * links with the attributes of two earlier ones. An equation is a thousand elements, code a span a word.
     */
    thin() {
      scrollTo(0, 0); // where the sticky frame covers no link by half
      for (const fold of all("details")) fold.open = true;
      const equations = [...all("span.math"), ...all("div.math")];
      for (const math of equations.filter((node, i) => i && equations[i - 1].tagName === node.tagName)) math.textContent = "x";
      for (const math of all(".katex-html, .katex-mathml math")) math.textContent = math.textContent;
      for (const shape of all("svg :is(path, line, rect, circle, polyline)")) {
        if (!shape.matches("[role], [tabindex], [aria-label], [aria-hidden], [id]")) shape.remove();
      }
      const built = (node) =>
        [node.tagName, !node.textContent.trim(), ...[...node.attributes].map(({ name, value }) =>
          ["href", "id"].includes(name) ? name : `${name}=${value}`)].join(" ");
      const count = {};
      for (const row of all("main tbody tr, nav li")) {
        const kind = [row, ...row.querySelectorAll("*")].map(built).join("\n");
        count[kind] = (count[kind] || 0) + 1;
        if (count[kind] > 2) row.remove();  // two stay: stripes make every other row another colour
      }
      const seen = new Set();
      const bare = (node) => !node.children.length && [...node.attributes].every(({ name }) => name === "class");
      const inline = (node) => node.matches("span, em, strong, code") && !node.closest("summary, button, label");
      const free = (node) => node.matches("p") && !node.closest("td, th, li, dd, figure, summary");
      const place = (node) => (node.matches("main") ? "" : `${place(node.parentElement)} ${node.tagName}.${node.className}`);
      for (const round of [1, 2, 3, 4]) {  // what held nothing but repetitions is a piece of text next time
        for (const part of all("main :not(svg *)").filter((node) => bare(node) && (inline(node) || free(node)))) {
          const kind = place(part);
          if (seen.has(kind)) part.replaceWith(inline(part) ? part.textContent : "");
          else seen.add(kind);
        }
      }
    },
    /**
     * The characters that are drawn as the box which stands for one without a glyph. Letters of ASCII are taken to be
     * there; so is what a style sheet adds inside formulas and code, which is nothing.
     */
    glyphless() {
      const canvas = Object.assign(document.createElement("canvas"), { width: 32, height: 32 });
      const paint = canvas.getContext("2d", { willReadFrequently: true });
      const drawn = (letter, font) => {
        paint.clearRect(0, 0, 32, 32);
        paint.font = font;
        paint.fillText(letter, 6, 24);
        return String(paint.getImageData(0, 0, 32, 32).data);
      };
      const found = {};
      const note = (text, node, part) => {
        const letters = [...text].filter((letter) => letter > "~" && letter.trim());
        const { fontStyle, fontWeight, fontFamily } = letters.length ? getComputedStyle(node, part) : {};
        for (const letter of letters) {
          const font = `${fontStyle} ${fontWeight} 16px ${fontFamily}`;
          found[letter + font] ??= { letter, font, where: `${part ?? "text"} of ${name(node)}` };
        }
      };
      for (const fold of all("details")) fold.open = true;
      for (const node of all("body *:not(.katex-mathml *, svg *, script, style)")) {
        for (const { nodeType, data } of node.childNodes) if (nodeType === 3 && /[^ -~\s]/.test(data) && shown(node)) note(data, node);
        for (const part of node.closest(".katex, pre") ? [] : ["::before", "::after"]) {
          const { content, display } = getComputedStyle(node, part);
          if (content !== "none" && display !== "none" && shown(node)) note((content.match(/"[^"]*"/g) ?? []).join(""), node, part);
        }
      }
      const boxes = {};
      const box = (font) => (boxes[font] ??= ["\u0378", "\uf8fe"].map((none) => drawn(none, font)));
      return Object.values(found)
        .filter(({ letter, font }) => box(font).includes(drawn(letter, font)))
        .map(({ letter, where }) => `U+${letter.codePointAt(0).toString(16).toUpperCase()} in ${where}`);
    },
    /** Show the page light or dark. */
    turn: (theme) => Object.assign(document.documentElement.dataset, { theme, mode: theme }),
  };
})();
