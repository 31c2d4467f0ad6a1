/* The look of every live figure. The colours are those of vaelib/plots.py; the dark ones are their lighter twins. */
const ROOT_STYLE = `
.live-figure {
  --data: #333333; --q: #0072B2; --p: #BA4A00; --prior: #8A6D00; --posterior: #00785A; --pca: #A23B72;
  --soft: #5a5a5a; --line: #d9d9d9; --edge: #7a7a7a; --paper: #ffffff; --raised: #f4f5f6;
  box-sizing: border-box; max-width: 760px; padding: 4px 0; color: var(--data); background: var(--paper);
  font: 14px/1.35 system-ui, "Segoe UI", Roboto, Arial, sans-serif;
}
.live-figure[data-mode="dark"] {
  --data: #e4e4e4; --q: #6DB8E8; --p: #F2A36B; --prior: #DDBD55; --posterior: #5CC9A7; --pca: #E58DBB;
  --soft: #b3b3b3; --line: #3d434a; --edge: #8d949c; --paper: #14181e; --raised: #222831;
  color-scheme: dark; padding: 10px 12px; border-radius: 6px;
}`;

const PARTS_STYLE = `
* { box-sizing: border-box; }
.data { --own: var(--data); color: var(--own); }
.q { --own: var(--q); color: var(--own); }
.p { --own: var(--p); color: var(--own); }
.prior { --own: var(--prior); color: var(--own); }
.posterior { --own: var(--posterior); color: var(--own); }
.pca { --own: var(--pca); color: var(--own); }
svg { display: block; width: 100%; margin: 0; }
svg * { fill: none; stroke: currentColor; stroke-width: 2.2px; stroke-linecap: round; }
svg text { font-size: 13px; fill: currentColor; stroke: none; }
svg .small { font-size: 12px; color: var(--soft); }
svg .halo { paint-order: stroke; stroke: var(--paper); stroke-width: 4px; stroke-linejoin: round; }
svg .strong { font-weight: 600; }
svg .axis { stroke: var(--edge); stroke-width: 1px; }
svg .rule { stroke: var(--line); stroke-width: 1px; }
svg .thin { stroke-width: 1.3px; }
svg .faint { stroke-width: 1px; opacity: .12; }
svg .dashed { stroke-dasharray: 8 5; }
svg .dotted { stroke-dasharray: .1 5; stroke-width: 2.6px; }
svg .solid { fill: currentColor; stroke: none; }
svg .wash { opacity: .16; }
svg .grain { opacity: .55; }
svg .dot { fill: currentColor; stroke: var(--paper); stroke-width: 1.5px; }
svg .hatched { fill: var(--hatch); }
svg .faded { opacity: .45; }
svg .numeral { color: var(--own); opacity: .7; }
svg.pointed { touch-action: none; cursor: crosshair; user-select: none; }
svg .bare { stroke: none; }
svg .torn { fill: var(--paper); stroke: none; }
:is(.sums, .sum, .actions) { display: flex; flex-wrap: wrap; gap: 4px 40px; }
.sums { margin: 4px 0 8px; }
.sum { gap: 8px; }
.term { text-align: center; }
:is(b, output) { font-weight: 600; font-variant-numeric: tabular-nums; }
:is(b, .sign) { display: block; font-size: 16px; line-height: 1.4; }
small { font-size: 12px; color: var(--soft); }
.sliders { display: grid; grid-template-columns: repeat(auto-fit, minmax(190px, 1fr)); gap: 2px 24px; }
.slider { display: grid; grid-template-columns: 1fr auto; font-size: 13px; }
.slider label { margin: 0; font-weight: 600; white-space: nowrap; }
.slider span { font-weight: 400; color: var(--data); }
output { padding: 0; color: inherit; }
.slider input { grid-column: 1 / -1; width: 100%; height: 44px; margin: -2px 0 0; padding: 0; accent-color: var(--own); background: none; touch-action: pan-y; }
:focus-visible { outline: 3px solid var(--q); outline-offset: 2px; border-radius: 4px; box-shadow: none; }
input[type=range]:focus-visible { outline-offset: -4px; }
.actions { gap: 8px 10px; align-items: center; }
button { min-height: 44px; padding: 6px 12px; font: inherit; color: inherit; background: var(--raised); border: 1px solid var(--edge); border-radius: 6px; cursor: pointer; }
button:hover { border-color: currentColor; }
.tick { display: flex; gap: 8px; align-items: center; min-height: 44px; margin: 0; cursor: pointer; }
.tick input { width: 20px; height: 20px; margin: 0; accent-color: var(--p); }
.spoken { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }`;
const STYLE = ROOT_STYLE + PARTS_STYLE.replaceAll("\n", "\n.live-figure "); // a line is a rule
