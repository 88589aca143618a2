// Motion, zoom, and the small map of a large tree. A part of tree.js (joined to it, so without imports).

const SCALE = { least: 0.12, most: 3, fit: 1.4, legible: 0.72 };
const MAPPED = 150; // more turns than these get a map

function calm() {
  return matchMedia("(prefers-reduced-motion: reduce)").matches;
}

function settle(view) {
  cancelAnimationFrame(view.motion);
  const items = [...view.nodes.values()];
  const from = items.map((item) => ({ ...item.now }));
  const still = items.every((item) => item.now.x === item.goal.x && item.now.y === item.goal.y);
  const began = performance.now();
  const span = still || calm() || items.length > 600 || document.hidden ? 0 : 320;
  const step = (time) => {
    const part = span ? Math.min(1, Math.max(0, time - began) / span) : 1;
    const eased = 1 - (1 - part) ** 3;
    items.forEach((item, i) => {
      item.now = { x: from[i].x + (item.goal.x - from[i].x) * eased, y: from[i].y + (item.goal.y - from[i].y) * eased };
      item.element.setAttribute("transform", `translate(${item.now.x.toFixed(1)} ${item.now.y.toFixed(1)})`);
    });
    for (const item of items) draw(item, view.nodes.get(item.node.parent));
    if (part < 1) view.motion = requestAnimationFrame(step);
  };
  step(began);
}

function draw(item, parent) {
  if (!parent) return item.edge.removeAttribute("d");
  const { x, y } = item.now, from = parent.now, middle = (from.y + y) / 2;
  item.edge.setAttribute("d", Math.abs(from.x - x) < 0.05 ? `M${from.x} ${from.y} V${y}`
    : `M${from.x} ${from.y} C${from.x} ${middle} ${x} ${middle} ${x} ${y}`);
}

function place(view, at) {
  view.at = at;
  view.world.setAttribute("transform", `translate(${at.x.toFixed(1)} ${at.y.toFixed(1)}) scale(${at.k.toFixed(3)})`);
  view.root.setAttribute("data-zoom", at.k.toFixed(3));
  view.zoomed.textContent = `${Math.round(at.k * 100)} %`;
  frameOnMap(view);
}

function zoom(view, factor, x = view.canvas.clientWidth / 2, y = view.canvas.clientHeight / 2) {
  const { at } = view;
  const k = Math.min(SCALE.most, Math.max(SCALE.least, at.k * factor));
  hold(view);
  place(view, { k, x: x - ((x - at.x) * k) / at.k, y: y - ((y - at.y) * k) / at.k });
}

// A person has taken the camera: it no longer fits by itself, and who follows the newest tree stays with this one.
function hold(view) {
  if (!view.moved) view.stay();
  view.moved = true;
}

// Asked for: the whole tree. By itself: as much as stays legible, from the top, the ideal path always in full.
function fit(view, asked = true) {
  if (asked) view.moved = false;
  const { clientWidth: width, clientHeight: height } = view.canvas;
  const spots = [...view.nodes.values()].map((item) => item.goal);
  if (!spots.length || !width) return place(view, { x: width / 2, y: 40, k: 1 });
  const [left, right] = [Math.min(...spots.map((s) => s.x)), Math.max(...spots.map((s) => s.x))];
  const bottom = Math.max(...spots.map((s) => s.y));
  const line = Math.max(0, ...[...view.nodes.values()].filter((item) => item.node.path).map((item) => item.goal.y));
  const scale = (down) => Math.min(width / (right - left + 90), height / (down + 64));
  const whole = scale(bottom);
  const first = asked ? whole : Math.max(whole, Math.min(SCALE.legible, scale(line)));
  const k = Math.min(SCALE.fit, Math.max(SCALE.least, first));
  const spare = Math.max(0, height - (bottom + 64) * k);
  place(view, { k, x: width / 2 - ((left + right) / 2) * k, y: 32 * k + Math.min(spare / 2, 40) });
}

function reveal(view, id) {
  const item = view.nodes.get(id);
  if (!item) return;
  const { at, canvas } = view;
  const x = item.goal.x * at.k + at.x, y = item.goal.y * at.k + at.y, edge = 30;
  const dx = Math.max(0, edge - x) - Math.max(0, x - canvas.clientWidth + edge);
  const dy = Math.max(0, edge - y) - Math.max(0, y - canvas.clientHeight + edge);
  if (dx || dy) place(view, { ...at, x: at.x + dx, y: at.y + dy });
}

// ---------------------------------------------------------------- the map

// One path of dots for each label, so that thousands of turns cost four elements.
function map(view) {
  if (!view.explorer) return;
  const box = view.explorer.map;
  box.hidden = view.nodes.size <= MAPPED;
  if (box.hidden) return;
  const items = [...view.nodes.values()];
  const [left, right] = items.reduce(([low, high], { goal }) => [Math.min(low, goal.x), Math.max(high, goal.x)], [0, 0]);
  const bottom = items.reduce((low, { goal }) => Math.max(low, goal.y), 0);
  const dots = {};
  for (const { node, goal } of items) (dots[node.path ? "ideal" : node.label || "off_path"] ??= []).push(`M${goal.x.toFixed(0)} ${goal.y}h.1`);
  const paths = ["off_path", "open", "partial", "negative", "ideal"].filter((label) => dots[label])
    .map((label) => svg("path", { class: `shape ${label}`, d: dots[label].join("") }));
  const frame = svg("rect", { class: "frame-on-map" });
  const picture = svg("svg", { viewBox: `${left - 40} -40 ${right - left + 80} ${bottom + 80}`, preserveAspectRatio: "none" }, ...paths, frame);
  box.replaceChildren(picture);
  view.mapped = { picture, frame, left: left - 40, wide: right - left + 80, high: bottom + 80 };
  frameOnMap(view);
}

function frameOnMap(view) {
  if (!view.mapped || view.explorer.map.hidden) return;
  const { at, canvas, mapped } = view;
  const shape = { x: -at.x / at.k, y: -at.y / at.k, width: canvas.clientWidth / at.k, height: canvas.clientHeight / at.k };
  for (const [name, value] of Object.entries(shape)) mapped.frame.setAttribute(name, value.toFixed(0));
}

function goOnMap(view, event) {
  if (!event.buttons) return;
  const box = view.mapped.picture.getBoundingClientRect();
  const x = view.mapped.left + ((event.clientX - box.left) / box.width) * view.mapped.wide;
  const y = -40 + ((event.clientY - box.top) / box.height) * view.mapped.high;
  hold(view);
  place(view, { ...view.at, x: view.canvas.clientWidth / 2 - x * view.at.k, y: view.canvas.clientHeight / 2 - y * view.at.k });
}
