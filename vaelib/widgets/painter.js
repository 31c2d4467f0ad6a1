/* A decoder in 8-bit numbers, and its pictures: what the planes of chapters 6 and 9 share. */
const unpacked = new Map(); // base64 text -> its numbers

/** The numbers behind a base64 text: Int8Array, or Float32Array (every device that shows pages is little-endian). */
function unpack(text, Numbers) {
  if (!unpacked.has(text)) unpacked.set(text, new Numbers(Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)).buffer));
  return unpacked.get(text);
}

/** The decoder's logits at z: linear layers with a ReLU between each two. */
function decode({ weights, layers }, z) {
  const all = unpack(weights, Int8Array);
  let [hidden, from] = [z, 0];
  layers.forEach(({ inputs, outputs, ...packed }, depth) => {
    const [scale, bias] = [packed.scale, packed.bias].map((text) => unpack(text, Float32Array));
    const next = new Array(outputs);
    for (let row = 0; row < outputs; row++, from += inputs) {
      let total = 0;
      for (let i = 0; i < inputs; i++) total += all[from + i] * hidden[i];
      next[row] = scale[row] * total + bias[row];
    }
    hidden = depth < layers.length - 1 ? next.map((value) => Math.max(0, value)) : next;
  });
  return hidden;
}

/** Grey pixels as an uncompressed picture (BMP) in an address: no canvas is needed. */
function picture(pixels) {
  const side = Math.round(Math.sqrt(pixels.length));
  const row = 4 * Math.ceil(side / 4);
  const start = 54 + 1024; // headers, then a palette of 256 greys
  const bytes = new Uint8Array(start + row * side);
  const view = new DataView(bytes.buffer);
  const put = (at, value) => view.setUint32(at, value, true);
  bytes.set([66, 77]);
  put(2, bytes.length), put(10, start), put(14, 40), put(18, side), put(22, side);
  view.setUint16(26, 1, true), view.setUint16(28, 8, true), put(46, 256);
  for (let grey = 0; grey < 256; grey++) put(54 + 4 * grey, grey * 0x010101);
  pixels.forEach((value, i) => {
    bytes[start + (side - 1 - Math.floor(i / side)) * row + (i % side)] = Math.round(255 * value); // rows from below
  });
  return "data:image/bmp;base64," + btoa(String.fromCharCode(...bytes));
}
