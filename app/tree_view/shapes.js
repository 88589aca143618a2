// How each meaning is drawn, and the legend that names it. A part of tree.js (joined to it, so without imports).

const NS = "http://www.w3.org/2000/svg";
const LEGEND = [
  ["ideal", "ideal path"],
  ["reward", "reward"],
  ["negative", "negative"],
  ["partial", "partial credit"],
  ["off_path", "pruned"],
  ["user", "user turn"],
  ["open", "open"],
  ["fault", "ended early"],
];

function svg(tag, attributes = {}, ...children) {
  return fill(document.createElementNS(NS, tag), attributes, children);
}

function html(tag, attributes = {}, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  for (const child of children) element.append(child);
  return element;
}

function points(count, radius, inner, turn = -Math.PI / 2) {
  const list = [];
  for (let i = 0; i < count * (inner ? 2 : 1); i++) {
    const r = inner && i % 2 ? inner : radius;
    const angle = turn + (i * Math.PI) / (inner ? count : count / 2);
    list.push(`${(r * Math.cos(angle)).toFixed(1)},${(r * Math.sin(angle)).toFixed(1)}`);
  }
  return list.join(" ");
}

// One drawing per meaning: shape and sign carry it, hue only helps.
const SHAPES = {
  ideal: () => [svg("circle", { r: 10, class: "solid" }), svg("path", { d: "M-4.5 .3 L-1.3 3.6 L4.8 -3.4", class: "sign" })],
  negative: () => [
    svg("polygon", { points: points(4, 11.5), class: "solid" }),
    svg("path", { d: "M-3.2 -3.2 L3.2 3.2 M3.2 -3.2 L-3.2 3.2", class: "sign" }),
  ],
  partial: () => [
    svg("polygon", { points: "0,-10.5 10.5,8 -10.5,8", class: "hollow" }),
    svg("polygon", { points: "0,-10.5 0,8 -10.5,8", class: "solid" }),
  ],
  off_path: () => [svg("rect", { x: -5, y: -5, width: 10, height: 10, class: "hollow" }), svg("circle", { r: 1.2, class: "solid" })],
  open: () => [svg("circle", { r: 9, class: "hollow dotted" })],
  user: () => [svg("rect", { x: -11, y: -7.5, width: 22, height: 15, rx: 5, class: "hollow" }), letter("U", 3.8)],
};

function letter(text, dy, name = "letter") {
  const element = svg("text", { y: dy, class: name, "text-anchor": "middle" });
  element.textContent = text;
  return element;
}

function star(numbers, x, y) {
  const badge = svg("g", { class: "reward", transform: `translate(${x} ${y})` });
  badge.append(svg("polygon", { points: points(5, 11.5, 5.6) }), letter(numbers, 3.3));
  return badge;
}

function warning(x, y) {
  return svg("g", { class: "fault", transform: `translate(${x} ${y})` },
    svg("polygon", { points: "0,-7.5 7.5,5.5 -7.5,5.5" }), letter("!", 4.4));
}

function face(node) {
  const kind = node.kind === "user" ? "user" : node.label;
  const parts = [svg("g", { class: `shape ${kind}` }, ...SHAPES[kind]())];
  node.won.forEach((number, i) => parts.push(star(String(number), 13 + 15 * i, -9)));
  if (node.stop !== "spoke") parts.push(warning(-11, -9));
  return parts;
}

function legend() {
  const list = html("div", { class: "legend", "data-testid": "legend" });
  for (const [kind, word] of LEGEND) {
    const drawn = kind === "reward" ? [star("1", 0, 0)] : kind === "fault" ? [warning(0, 1)]
      : [svg("g", { class: `shape ${kind}` }, ...SHAPES[kind]())];
    const text = html("span");
    text.textContent = word;
    list.append(html("span", { class: "entry" }, svg("svg", { viewBox: "-13 -13 26 26" }, ...drawn), text));
  }
  const keys = html("span", { class: "keys" });
  keys.textContent = "Keys: arrows move · Enter select · I next ideal · W next reward · F fit · Esc clear";
  list.append(keys);
  return list;
}
