// Reads a list of texts, as JSON, and answers with one object for each: its HTML, its formulas, and what failed.
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
  let input = "";
  for await (const chunk of process.stdin.setEncoding("utf8")) input += chunk;
  const answers = JSON.parse(input).map(read);
  const known = new Map();
  for (const answer of answers) {
    answer.failures = answer.formulas.flatMap((formula) => {
      const key = JSON.stringify(formula);
      if (!known.has(key)) known.set(key, failure(formula, MathJax));
      return known.get(key);
    });
  }
  process.stdout.write(JSON.stringify(answers));
}

main().catch((error) => {
  process.stderr.write(`${error.stack ?? error}\n`);
  process.exit(1);
});
