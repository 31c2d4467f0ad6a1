/* The look of every live figure. The colours are those of vaelib/plots.py; the dark ones are their lighter twins. */
const STYLE = `
.live-figure {
  --data: #333333; --q: #0072B2; --p: #BA4A00; --prior: #8A6D00; --posterior: #00785A;
  --soft: #5a5a5a; --line: #d5d5d5; --edge: #7a7a7a; --paper: #ffffff; --raised: #f4f5f6;
  container-type: inline-size; box-sizing: border-box; max-width: 760px; margin: 0; padding: 4px 0;
  color: var(--data); background: var(--paper);
  font: 14px/1.35 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif;
}
.live-figure[data-mode="dark"] {
  --data: #e4e4e4; --q: #6DB8E8; --p: #F2A36B; --prior: #DDBD55; --posterior: #5CC9A7;
  --soft: #b3b3b3; --line: #454a50; --edge: #8d949c; --paper: #14181e; --raised: #222831;
  color-scheme: dark; padding: 10px 12px; border-radius: 6px;
}
.live-figure *, .live-figure *::before { box-sizing: border-box; }
.live-figure svg { display: block; width: 100%; margin: 0; overflow: hidden; background: none; filter: none; }
.live-figure svg text { font-size: 13px; fill: var(--data); stroke: none; }
.live-figure svg .small { font-size: 12px; fill: var(--soft); }
.live-figure svg .halo { paint-order: stroke; stroke: var(--paper); stroke-width: 4px; stroke-linejoin: round; }
.live-figure svg .strong { font-weight: 600; }
.live-figure svg text.q { fill: var(--q); } .live-figure svg text.p { fill: var(--p); }
.live-figure svg text.prior { fill: var(--prior); } .live-figure svg text.posterior { fill: var(--posterior); }
.live-figure svg :is(path, line, circle, rect) { fill: none; stroke: none; stroke-width: 2.2px; stroke-linecap: round; }
.live-figure svg :is(path, line, circle, rect).q { stroke: var(--q); }
.live-figure svg :is(path, line, circle, rect).p { stroke: var(--p); }
.live-figure svg :is(path, line, circle, rect).prior { stroke: var(--prior); }
.live-figure svg :is(path, line, circle, rect).posterior { stroke: var(--posterior); }
.live-figure svg :is(path, line, circle, rect).data { stroke: var(--data); }
.live-figure svg .axis { stroke: var(--edge); stroke-width: 1px; }
.live-figure svg .rule { stroke: var(--line); stroke-width: 1px; }
.live-figure svg .thin { stroke-width: 1.3px; }
.live-figure svg .faint { stroke-width: 1px; opacity: .2; }
.live-figure svg .dashed { stroke-dasharray: 8 5; }
.live-figure svg .dotted { stroke-dasharray: .1 5; stroke-width: 2.6px; }
.live-figure svg .wash { stroke: none; opacity: .16; }
.live-figure svg .solid { stroke: none; }
.live-figure svg :is(.wash, .solid, .dot).q { fill: var(--q); } .live-figure svg :is(.wash, .solid, .dot).p { fill: var(--p); }
.live-figure svg :is(.solid, .dot).posterior { fill: var(--posterior); }
.live-figure svg :is(.solid, .dot).data { fill: var(--data); }
.live-figure svg .dot { stroke: var(--paper); stroke-width: 1.5px; }
.live-figure svg .grain { stroke: none; opacity: .55; }
.live-figure svg .hatched { fill: var(--hatch); }
.live-figure .sums { display: flex; flex-wrap: wrap; gap: 6px 28px; margin: 6px 0 10px; }
.live-figure .sum { display: flex; gap: 8px; align-items: flex-start; }
.live-figure .term { display: grid; justify-items: center; text-align: center; }
.live-figure .term b { font: 600 16px/1.4 inherit; font-size: 16px; font-variant-numeric: tabular-nums; white-space: nowrap; }
.live-figure .term small { font-size: 12px; line-height: 1.25; color: var(--soft); }
.live-figure .term.q b { color: var(--q); } .live-figure .term.p b { color: var(--p); }
.live-figure .term.posterior b { color: var(--posterior); }
.live-figure .sign { font-size: 16px; line-height: 1.4; color: var(--soft); }
.live-figure .sliders { display: grid; grid-template-columns: repeat(auto-fit, minmax(190px, 1fr)); gap: 2px 24px; }
.live-figure .slider { display: grid; grid-template-columns: 1fr auto; align-items: end; margin: 0; }
.live-figure .slider label { margin: 0; font-size: 14px; color: inherit; }
.live-figure .slider label i { font-style: normal; font-weight: 600; }
.live-figure .slider output { padding: 0; font-size: 14px; font-weight: 600; font-variant-numeric: tabular-nums; color: inherit; }
.live-figure .slider.q { --own: var(--q); } .live-figure .slider.p { --own: var(--p); } .live-figure .slider.data { --own: var(--data); }
.live-figure .slider label i, .live-figure .slider output { color: var(--own); }
.live-figure .slider input { grid-column: 1 / -1; width: 100%; height: 44px; margin: -6px 0 0; padding: 0; cursor: pointer;
  accent-color: var(--own); background: none; touch-action: pan-y; }
.live-figure .actions { display: flex; flex-wrap: wrap; gap: 8px 12px; align-items: center; }
.live-figure button { min-height: 44px; padding: 6px 14px; font: inherit; color: var(--data); background: var(--raised);
  border: 1px solid var(--edge); border-radius: 6px; cursor: pointer; }
.live-figure button:hover { border-color: var(--data); }
.live-figure .tick { display: inline-flex; gap: 8px; align-items: center; min-height: 44px; margin: 0; cursor: pointer; }
.live-figure .tick input { width: 20px; height: 20px; margin: 0; accent-color: var(--p); }
.live-figure :focus-visible { outline: 3px solid var(--q); outline-offset: 2px; border-radius: 4px; box-shadow: none; }
.live-figure .spoken { position: absolute; width: 1px; height: 1px; margin: -1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
`;
