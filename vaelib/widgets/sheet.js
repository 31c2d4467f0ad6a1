/* Chapter 7. Two faces mixed, and two directions turned: the decoder's pictures lie ready on one sheet. */
/** The cell of the sheet nearest to where the sliders stand, and the length of its code. */
export function numbers({ lengths, mix, hair, skin }) {
  const place = (share, size) => Math.floor(share * (size - 1) + 0.5);
  const [column, high, across] = [place(mix, lengths.length), place(hair, lengths[0].length), place((skin + 1) / 2, lengths[0][0].length)];
  return { column, row: high * lengths[0][0].length + across, length: lengths[column][high][across] };
}

/** One cell of the sheet, `side` pixels wide, under its name: the sheet is moved behind a window. */
function face(area, { sheet, lengths }, cell, x, y, side, name) {
  const window = unique();
  const frame = { x, y, width: side, height: side };
  const [width, height] = [side * lengths.length, side * lengths[0].length * lengths[0][0].length];
  const moved = { x: x - side * cell.column, y: y - side * cell.row, width, height };
  area.add("clipPath", { id: window }, svg("rect", frame));
  area.add("image", { href: "data:image/webp;base64," + sheet, ...moved, preserveAspectRatio: "none", "clip-path": `url(#${window})` });
  area.add("rect", { ...frame, class: "rule" });
  area.text(x + side / 2, y - 8, name, "small", "middle");
}

/** Sizes of the small and the large pictures in a panel of this width. */
function layout(width) {
  const large = Math.min(0.46 * width, 260);
  return { large, small: Math.min((width - large) / 2 - 14, 150) };
}

function paintFaces(panel, { width }, v, n) {
  const { large, small } = layout(width);
  const area = plot(panel, { width, height: large + 24, left: 0, right: 0, top: 0, bottom: 0, x: [0, 1], y: [0, 1] });
  const [middle, low] = [(width - large) / 2, 22 + (large - small) / 2];
  face(area, v, numbers({ ...v, mix: 0, hair: 0, skin: 0 }), middle - small - 14, low, small, "face A");
  face(area, v, n, middle, 22, large, "mixed and changed");
  face(area, v, numbers({ ...v, mix: 1, hair: 0, skin: 0 }), middle + large + 14, low, small, "face B");
}

const FIGURE = {
  title: "Two faces mixed in the latent space, and two directions added to the mixture",
  sliders: [
    { key: "mix", role: "code: ", name: "from A to B", colour: "q", step: 0.125, digits: 2 },
    { key: "hair", role: "direction: ", name: "red hair", colour: "p", step: 0.5, digits: 1 },
    { key: "skin", role: "direction: ", name: "skin, deep to fair", colour: "p", step: 1, digits: 0 },
  ],
  buttons: [],
  ticks: [],
  panels: [
    {
      height: (width) => layout(width).large + 26,
      paint: paintFaces,
      label: (v) => `Three faces: A on the left, B on the right, and between them what the decoder paints ${say(100 * v.mix, 0)} per cent of the way from A to B, with ${say(v.hair, 1)} of the red-hair direction and ${say(v.skin, 0)} of the skin direction added.`,
    },
  ],
  sums: (v, n) => [sum([say(v.mix, 2), "of the way", "q"], "", [say(v.hair, 1), "of red", "p"], "", [say(v.skin, 0), "of skin", "p"], "", [say(n.length, 1), "length of the code"])],
  summary: (v, n) => `${say(100 * v.mix, 0)} per cent of the way from A to B, red hair ${say(v.hair, 1)}, skin ${say(v.skin, 0)}; the code has length ${say(n.length, 1)}.`,
};

export default { render: (context) => liveFigure(context, FIGURE) };
