/* The search page: asks MiniSearch for sections, shows where the words stand, and marks them.

   BOOK (entries.js) holds the sections and groups of words that mean the same; Stemmer is Sphinx's, in language_data.js. */
(function () {
  const GREEK = new Map(Object.entries({ α: "alpha", β: "beta", γ: "gamma", δ: "delta", ε: "epsilon", ϵ: "epsilon", η: "eta", θ: "theta", λ: "lambda",
    μ: "mu", ν: "nu", π: "pi", ρ: "rho", σ: "sigma", τ: "tau", φ: "phi", ϕ: "phi", χ: "chi", ψ: "psi", ω: "omega", Σ: "sigma" }));
  const WORD = /\p{N}+\.\p{N}+(?:e-?\p{N}+)?|[\p{L}\p{N}]+/gu; // a number with its point; letters and digits
  const SHOWN = 12; // sections
  const WINDOW = 34; // words of a snippet
  const TITLED = 4, EXACT = 12; // how much a section gains whose title holds the whole question, or is it
  const ASIDE = /book\/(?:reference|changelog|errata|bibliography|results|teachers)\.html/; // pages that explain nothing
  const LESS = 0.3; // their part

  const spelled = (word) =>
    word
      .toLowerCase()
      .replace(/^grey/, "gray")
      .replace(/isation(s?)$/, "ization$1")
      .replace(/(.{3})is(e[sd]?|ing)$/, "$1iz$2")
      .replace(/(.{3})our(s|ed|ing|al)?$/, "$1or$2")
      .replace(/tre$/, "ter")
      .replace(/lling$|lled$/, (end) => end.slice(1));

  /** What a word is found by: Greek letters by name, American spelling, without its ending; a number as it is. */
  function term(word, stemmer) {
    const plain = (GREEK.get(word) ?? word).normalize("NFKD").replace(/\p{M}/gu, "");
    const small = spelled(plain);
    return /\d/.test(small) || small.length < 3 ? small : stemmer.stemWord(small);
  }
  const words = (text) => text.normalize("NFC").match(WORD) ?? [];
  const FILL = new Set("a an and are as at be by do does for from how i if s in into is it many much my of on or that the then to what when which why will with".split(" "));

  function engine({ sections, synonyms }, MiniSearch, Stemmer) {
    const stemmer = new Stemmer();
    const known = new Map();
    const processTerm = (word) => {
      if (!known.has(word)) known.set(word, term(word, stemmer));
      return known.get(word);
    };
    const line = (text) => ` ${words(text).map(processTerm).filter((one) => !FILL.has(one)).join(" ")} `;
    const index = new MiniSearch({
      idField: "url",
      fields: ["title", "text", "names", "page"],
      tokenize: words,
      processTerm,
      searchOptions: {
        boost: { title: 8, page: 1.5, names: 0.4 },
        prefix: (one, i, all) => i === all.length - 1 && one.length > 3 && !/\d/.test(one),
        fuzzy: (one) => (/\d/.test(one) || one.length < 5 ? false : one.length < 8 ? 1 : 2),
        weights: { fuzzy: 0.2, prefix: 0.4 },
      },
    });
    index.addAll(sections);
    const lines = new Map(sections.map((one) => [one.url, { title: line(one.title), of: one }]));
    const groups = synonyms.map((group) => group.map(line));

    /** The question, and the same question in the other words that mean the same. */
    function ways(question) {
      const asked = line(question);
      const found = groups.flatMap((group) =>
        group.filter((one) => asked.includes(one)).flatMap((one) => group.filter((other) => other !== one).map((other) => asked.replace(one, other))));
      return [...new Set([asked, ...found])].map((way) => way.trim()).filter(Boolean);
    }

    /** Sections that hold every word of one of the ways; where there is none, that hold some. Best first. */
    return function search(question) {
      const asked = ways(question);
      const ask = (combineWith) => {
        const best = new Map();
        asked.forEach((way, i) => {
          for (const hit of index.search(way, { combineWith, tokenize: (text) => text.split(" "), processTerm: (one) => one })) {
            const { title, of } = lines.get(hit.id);
            let score = hit.score * (i ? 0.8 : 1) * (ASIDE.test(hit.id) ? LESS : 1);
            if (title.includes(` ${way} `)) score *= title.trim() === way ? EXACT : TITLED;
            if (!(best.get(hit.id)?.score >= score)) best.set(hit.id, { ...of, score, matched: new Set(hit.terms) });
          }
        });
        return [...best.values()].sort((a, b) => b.score - a.score);
      };
      const all = ask("AND");
      return (all.length ? all : ask("OR")).map((hit) => {
        const found = words(`${hit.title} ${hit.text}`).filter((word) => hit.matched.has(processTerm(word)));
        return { ...hit, found: [...new Set(found.map((word) => word.toLowerCase()))], pieces: snippet(hit, processTerm) };
      });
    };
  }

  /** The words around the most matches, as [text, whether it is marked]. */
  function snippet({ text, matched }, processTerm) {
    const parts = [...text.matchAll(WORD)].map((word) => ({ at: word.index, end: word.index + word[0].length, hit: matched.has(processTerm(word[0])) }));
    const different = (from) => new Set(parts.slice(from, from + WINDOW).flatMap((part) => (part.hit ? [processTerm(text.slice(part.at, part.end))] : []))).size;
    let start = 0;
    let most = 0;
    parts.forEach((part, i) => {
      if (!part.hit) return;
      const from = Math.max(0, Math.min(i - 6, parts.length - WINDOW));
      const count = different(from);
      if (count > most) [start, most] = [from, count];
    });
    const shown = parts.slice(start, start + WINDOW);
    if (!shown.length) return [];
    const pieces = start ? [["… ", false]] : [];
    let at = shown[0].at;
    for (const part of shown.filter((one) => one.hit)) {
      pieces.push([text.slice(at, part.at), false], [text.slice(part.at, part.end), true]);
      at = part.end;
    }
    const end = start + WINDOW < parts.length ? shown.at(-1).end : text.length;
    pieces.push([text.slice(at, end) + (end < text.length ? " …" : ""), false]);
    return pieces.filter(([words]) => words);
  }

  function make(name, content, attributes = {}) {
    const element = Object.assign(document.createElement(name), attributes);
    element.append(...[content].flat());
    return element;
  }

  /** The page that a hit leads to marks the words, as after Sphinx's own search: a script of Sphinx reads them there. */
  function remember({ found }) {
    localStorage.setItem("sphinx_highlight_terms", found.join(" "));
  }

  function show(question, search) {
    const place = document.getElementById("search-results");
    const hits = search(question);
    const count = hits.length ? `${hits.length} section${hits.length > 1 ? "s" : ""} for “${question}”` : `Nothing found for “${question}”`;
    const help = hits.length ? [] : [make("p", "Try another word for it, or fewer words. Formulas are found by their names: beta, log sigma, 0.00025.")];
    const rows = hits.slice(0, SHOWN).map((hit) =>
      make("li", [
        make("a", hit.title, { href: hit.url, onclick: () => remember(hit) }),
        make("span", hit.page === hit.title ? "" : ` · ${hit.page}`, { className: "hit-page" }),
        make("p", hit.pieces.map(([words, marked]) => (marked ? make("mark", words) : words))),
      ]));
    place.replaceChildren(make("p", count, { className: "hit-count", role: "status" }), ...help, make("ol", rows, { className: "hits" }));
  }

  if (typeof module === "object") {
    module.exports = { engine };
    return;
  }
  document.addEventListener("DOMContentLoaded", () => {
    const question = (new URLSearchParams(location.search).get("q") ?? "").trim();
    for (const input of document.querySelectorAll("input[name=q]")) input.value = question;
    if (question) show(question, engine(BOOK, MiniSearch, Stemmer));
  });
})();
