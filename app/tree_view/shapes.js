// How each meaning is drawn, and the legend that names it. A part of tree.js (joined to it, so without imports).
// One drawing per meaning: shape and sign carry it, hue only helps. A lens changes hues and adds its figure; the shapes
// stay, so every lens still says what the search made of a turn.

const NS = "http://www.w3.org/2000/svg";
const LEGEND = [
  ["ideal", "ideal path"],
  ["reward", "reward"],
  ["negative", "negative"],
  ["partial", "partial credit"],
  ["off_path", "pruned"],
  ["user", "user"],
  ["open", "open"],
  ["fault", "ended early"],
  ["override", "judged"],
];
const WORDS = { ideal: "ideal", negative: "negative", partial: "partial credit", off_path: "pruned", open: "open" };
const VERDICTS = {
  good: ["✓", "good"], bad: ["✕", "bad"], partial: ["◐", "partial"], exclude: ["–", "excluded"], promote: ["▲", "promoted"],
  demoted_by_person: ["▼", "off the ideal path by promotion"],
};

function svg(tag, attributes = {}, ...children) {
  return fill(document.createElementNS(NS, tag), attributes, children);
}

function html(tag, attributes = {}, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

function words(tag, text, attributes = {}) {
  const element = html(tag, attributes);
  element.textContent = text;
  return element;
}

// Goes there as Back and Forward do: by the address alone, one entry in the history.
function follow(address) {
  history.pushState(null, "", new URL(address, document.baseURI));
  dispatchEvent(new PopStateEvent("popstate"));
}

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
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
  group: () => [svg("rect", { x: -17, y: -8, width: 34, height: 16, rx: 8, class: "hollow" })],
};

function letter(text, dy, name = "letter", dx = 0) {
  const element = svg("text", { x: dx, y: dy, class: name, "text-anchor": "middle" });
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

// The label the search gave stays to be read: its first letter.
function overridden(was) {
  const marks = [svg("circle", { r: 13.5, class: "override" }), letter("✎", 15, "pencil", 13)];
  return was ? [...marks, letter(was === "off_path" ? "p" : was[0], 15, "was", -14)] : marks;
}

function face(node, lens) {
  const kind = node.kind === "agent" ? node.label : node.kind;
  const parts = [svg("g", { class: `shape ${kind}` }, ...SHAPES[kind]())];
  if (kind === "group") parts[0].append(letter(`+${node.count}`, 3.6));
  if (node.override && lens?.text !== VERDICTS[node.override][0]) parts.unshift(...overridden(node.was));
  node.won.forEach((number, i) => parts.push(star(String(number), 13 + 15 * i, -9)));
  if (node.stop !== "spoke") parts.push(warning(-11, -9));
  if (lens?.text) parts.push(letter(lens.text, 10, "value", 17));
  return parts;
}

// ---------------------------------------------------------------- lenses

const LENSES = ["label", "goals", "verdict", "cost"];

// What a lens says of a turn: one of five steps, or a verdict, and its figure. Null: nothing of its own.
function inLens(view, node) {
  if (view.lens === "label" || node.kind === "group") return null;
  if (view.lens === "verdict") return node.override ? { step: node.override, text: VERDICTS[node.override][0] } : { step: "none", text: "" };
  if (view.lens === "goals") return { step: steps(node.progress, view.data.goals.length), text: node.kind === "agent" ? String(node.progress) : "" };
  const [unit, most] = view.costs;
  const cost = node.cost[unit];
  return { step: cost ? steps(cost, most) : "none", text: cost ? short(cost) : "" };
}

function steps(value, most) {
  return most ? Math.round((4 * value) / most) : 0;
}

function short(count) {
  return count < 1000 ? String(count) : `${(count / 1000).toFixed(count < 10000 ? 1 : 0)}k`;
}

// Tokens where the models told them, else outputs: which, and the most that one turn took.
function costs(nodes) {
  const most = (unit) => nodes.reduce((found, node) => Math.max(found, node.cost[unit]), 0);
  return most(1) ? [1, most(1)] : [0, most(0)];
}

function legend(view) {
  const told = JSON.stringify([view.lens, view.data.goals.length, view.costs]);
  if (view.legended === told) return;
  view.legended = told;
  const entries = view.lens === "label" || !view.explorer ? labelLegend() : lensLegend(view);
  const keys = view.explorer
    ? "Keys: arrows move · Enter select · N B branch points · I ideal · W reward · C fold · O hoist · Space replay · F fit · / search · Esc clear"
    : "Keys: arrows move · Enter select · I next ideal · W next reward · F fit · Esc clear";
  view.legend.replaceChildren(...entries, words("span", keys, { class: "keys" }));
}

function labelLegend() {
  const drawn = { reward: () => [star("1", 0, 0)], fault: () => [warning(0, 1)], override: () => [svg("circle", { r: 10, class: "override" }), letter("✎", 4, "pencil")] };
  return LEGEND.map(([kind, word]) => entry(drawn[kind]?.() ?? [svg("g", { class: `shape ${kind}` }, ...SHAPES[kind]())], word, kind));
}

function lensLegend(view) {
  const swatch = (step) => [svg("g", { class: "node", "data-lens-step": step }, svg("g", { class: "shape" }, svg("circle", { r: 9, class: "solid" })))];
  if (view.lens === "verdict") {
    const entries = Object.entries(VERDICTS).map(([step, [sign, word]]) => entry(swatch(step), `${sign} ${word}`));
    return [...entries, entry(swatch("none"), "no verdict")];
  }
  const [unit, cost] = view.costs;
  const goals = view.lens === "goals";
  const most = goals ? view.data.goals.length : cost;
  const name = goals ? "goals reached up to the turn" : unit ? "tokens of the turn" : "model outputs of the turn";
  const values = [...new Set([0, 1, 2, 3, 4].map((step) => Math.round((step * most) / 4)))].filter((value) => goals || value);
  const entries = values.map((value) => entry(swatch(steps(value, most)), short(value)));
  return [words("span", name, { class: "entry" }), ...entries, ...(goals ? [] : [entry(swatch("none"), "none")])];
}

function entry(drawn, word, label = "") {
  const text = words("span", word);
  return html("span", { class: "entry", ...(label && { "data-label": label }) }, svg("svg", { viewBox: "-13 -13 26 26", "data-lens": "legend" }, ...drawn), text);
}
