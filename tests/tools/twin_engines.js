// Reads a list of texts a line, as JSON, and answers with a line: of each text its HTML, its formulas, and what failed.
const readline = require("node:readline");
const [marked, katex, mathjax] = process.argv.slice(2);
const { Marked } = require(marked);
const { renderToString } = require(katex);

// Code first: a dollar in it starts no formula. Then displays, then formulas in a line.
const PARTS = /(^```[^]*?^```|(`+)(?!`)[^]*?[^`]\2(?!`))|\$\$([^]*?)\$\$|\$((?:\\.|[^$\\])+?)\$/gm;

function read(text) {
  const formulas = [];
  const bare = text.replace(PARTS, (all, code, ticks, display, line) => {
    if (code) return code;
    formulas.push({ tex: display ?? line, display: display !== undefined });
    return `@@${formulas.length - 1}@@`;
  });
  return { html: new Marked({ gfm: true }).parse(bare), formulas };
}

function failure({ tex, display }, MathJax) {
  const found = [];
  try {
    renderToString(tex, { displayMode: display, throwOnError: true, strict: "error" });
  } catch (error) {
    found.push(`KaTeX: ${error.message}`);
  }
  const drawn = MathJax.startup.adaptor.outerHTML(MathJax.tex2svg(tex, { display }));
  if (drawn.includes("merror")) found.push(`MathJax: ${/data-mjx-error="([^"]*)"/.exec(drawn)?.[1]}: ${tex}`);
  return found;
}

async function main() {
  const MathJax = await require(`${mathjax}/node-main.js`).init({
    loader: { load: ["input/tex-full", "output/svg"], paths: { mathjax }, versionWarnings: false },
    tex: { packages: { "[-]": ["noundefined", "noerrors"] } },
  });
  const known = new Map();
  const checked = (formula) => {
    const key = JSON.stringify(formula);
    if (!known.has(key)) known.set(key, failure(formula, MathJax));
    return known.get(key);
  };
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const answers = JSON.parse(line).map(read);
    for (const answer of answers) answer.failures = answer.formulas.flatMap(checked);
    process.stdout.write(JSON.stringify(answers) + "\n");
  }
}

main().catch((error) => {
  process.stderr.write(`${error.stack ?? error}\n`);
  process.exit(1);
});
