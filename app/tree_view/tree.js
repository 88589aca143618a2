// The one drawing of a conversation tree: dependency-free SVG, built once per mount, then only diffed.
//
// `data` comes from picture.py: { seq, height, selected, leads, aria, goals: [{ number, name, arguments, node, exchange }],
// nodes: [{ id, parent, kind, label, path, level, stop, reached, won, aria, tip }] }, nodes in tree order, parents
// first. A click chooses a turn, or, where `leads` says so, leads to the page that shows it. Text from models enters
// by textContent only.
// Its parts are shapes.js and layout.js.

const SCALE = { least: 0.12, most: 3, fit: 1.4, legible: 0.72 };
const mounts = new WeakMap();

export default function ({ data, parentElement, setTriggerValue }) {
  if (!mounts.has(parentElement)) mounts.set(parentElement, build(parentElement));
  const view = mounts.get(parentElement);
  view.tell = (node) => data?.leads ? follow(`${data.leads}&node=${node}`) : setTriggerValue("chosen", { node });
  if (data) update(view, data);
}

// Goes there as Back and Forward do: by the address alone, one entry in the history.
function follow(address) {
  history.pushState(null, "", new URL(address, document.baseURI));
  dispatchEvent(new PopStateEvent("popstate"));
}

// ---------------------------------------------------------------- build: once per mount

function build(parent) {
  const world = svg("g", { class: "world" }, svg("g", { class: "edges" }), svg("g", { class: "nodes", role: "presentation" }));
  const canvas = svg("svg", { class: "canvas", role: "presentation" }, world);
  const card = html("div", { class: "card", "aria-hidden": "true" });
  const zoomed = html("span", { class: "zoomed" });
  const tools = html("div", { class: "tools" });
  const empty = html("div", { class: "empty" });
  const root = html("div", { class: "tree", "data-testid": "josh-tree", role: "tree", tabindex: "0" }, canvas);
  const goals = html("div", { class: "goals", "data-testid": "goals", role: "list" });
  const area = html("div", { class: "area" }, root, tools, empty);
  const frame = html("div", { class: "frame" }, goals, area, legend(), card);
  const view = {
    frame, goals, root, canvas, world, card, zoomed, empty, nodes: new Map(), data: { nodes: [] }, seen: null, focus: null,
    selected: null, asked: null, moved: false, at: { x: 0, y: 0, k: 1 }, motion: 0, tell: () => {},
  };
  for (const [sign, title, act] of [
    ["−", "Zoom out (-)", () => zoom(view, 1 / 1.25)],
    ["+", "Zoom in (+)", () => zoom(view, 1.25)],
    ["Fit", "Show the whole tree (F)", () => fit(view)],
  ]) {
    const button = html("button", { type: "button", title, "aria-label": title });
    button.textContent = sign;
    button.addEventListener("click", act);
    tools.append(button);
  }
  tools.prepend(zoomed);
  root.setAttribute("data-built", "1");
  parent.append(frame);
  listen(view);
  return view;
}

function listen(view) {
  const { canvas, root } = view;
  canvas.addEventListener("wheel", (event) => {
    event.preventDefault();
    const box = canvas.getBoundingClientRect();
    zoom(view, Math.exp(-event.deltaY * 0.0015), event.clientX - box.left, event.clientY - box.top);
  }, { passive: false });
  let held = null;
  canvas.addEventListener("pointerdown", (event) => {
    if (event.button === 0) held = { x: event.clientX, y: event.clientY, from: { ...view.at }, dragging: false };
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!held) return;
    const dx = event.clientX - held.x, dy = event.clientY - held.y;
    if (!held.dragging && Math.hypot(dx, dy) < 4) return;
    if (!held.dragging) canvas.setPointerCapture(event.pointerId);
    held.dragging = view.moved = true;
    place(view, { ...view.at, x: held.from.x + dx, y: held.from.y + dy });
  });
  const release = () => { held = null; };
  canvas.addEventListener("pointerup", release);
  canvas.addEventListener("pointercancel", release);
  canvas.addEventListener("click", (event) => {
    const element = event.target.closest("[data-id]");
    if (element) choose(view, element.getAttribute("data-id"));
  });
  canvas.addEventListener("pointerover", (event) => tip(view, event.target.closest("[data-id]")));
  canvas.addEventListener("pointerleave", () => tip(view, null));
  root.addEventListener("keydown", (event) => key(view, event));
  root.addEventListener("focusout", () => tip(view, null));
  new ResizeObserver(() => { if (!view.moved) fit(view, false); }).observe(canvas);
}

// ---------------------------------------------------------------- update: diffs only

function update(view, data) {
  const { frame, root } = view;
  view.data = data;
  frame.style.height = `${data.height}px`;
  for (const [name, value] of [["count", data.nodes.length], ["seq", data.seq]]) root.setAttribute(`data-${name}`, value);
  root.setAttribute("aria-label", data.aria);
  checklist(view, data.goals);
  view.empty.textContent = data.nodes.length ? "" : data.empty;
  const byId = new Map(data.nodes.map((node) => [node.id, { ...node, children: [] }]));
  for (const node of byId.values()) byId.get(node.parent)?.children.push(node);
  const known = new Map();
  const fresh = [];
  for (const node of byId.values()) {
    const item = view.nodes.get(node.id) ?? add(view, node);
    if (!view.nodes.has(node.id)) fresh.push(item);
    dress(item, node, byId);
    known.set(node.id, item);
  }
  for (const [id, item] of view.nodes) if (!known.has(id)) { item.element.remove(); item.edge.remove(); }
  view.nodes = known;
  layout(data.nodes.filter((node) => !byId.has(node.parent)).map((node) => byId.get(node.id)), known);
  for (const item of fresh) item.now = { ...(known.get(item.node.parent)?.now ?? item.goal) };
  settle(view);
  if (!view.moved) fit(view, false);
  const waiting = view.asked !== null && Date.now() - view.asked.time < 4000;
  if (view.asked && (!waiting || view.asked.node === data.selected)) view.asked = null;
  if (!view.asked && view.seen !== data.selected) show(view, data.selected);
  view.seen = data.selected;
  if (!view.nodes.has(view.focus)) rove(view, view.selected ?? data.nodes[0]?.id ?? null);
}

function checklist(view, goals) {
  const told = JSON.stringify(goals);
  if (view.told === told) return;
  view.told = told;
  view.goals.replaceChildren(...goals.map((goal) => {
    const reached = goal.node !== null;
    const item = html("button", {
      type: "button", class: reached ? "goal reached" : "goal", title: goal.arguments, "data-testid": `goal-${goal.number}`,
    });
    const where = reached ? `exchange ${goal.exchange}, turn ${goal.node}` : "not reached";
    for (const [name, text] of [["sign", reached ? "★" : "☆"], ["name", `${goal.number} ${goal.name}`], ["where", where]]) {
      const part = html("span", { class: name });
      part.textContent = text;
      item.append(part);
    }
    if (reached) item.addEventListener("click", () => { choose(view, goal.node); });
    else item.setAttribute("aria-disabled", "true");
    return html("span", { role: "listitem" }, item);
  }));
}

function add(view, node) {
  const edge = svg("path");
  const element = svg("g", {
    class: "node", role: "treeitem", tabindex: "-1", "data-testid": `node-${node.id}`, "data-id": node.id,
    "data-kind": node.kind, "aria-selected": "false",
  });
  view.world.firstChild.append(edge);
  view.world.lastChild.append(element);
  return { element, edge, dressed: "", node, now: null, goal: { x: 0, y: 0 } };
}

function dress(item, node, byId) {
  const parent = byId.get(node.parent);
  item.node = node;
  const style = node.path ? "ideal" : node.kind === "agent" ? node.label : parent?.label === "partial" ? "partial" : "off_path";
  const dressed = JSON.stringify([node.label, node.won, node.stop, node.reached, node.aria, style]);
  if (dressed === item.dressed) return;
  item.dressed = dressed;
  const { element, edge } = item;
  element.setAttribute("data-label", node.label);
  element.setAttribute("data-goals", node.reached.join(" "));
  element.setAttribute("aria-label", node.aria);
  element.setAttribute("aria-level", node.level);
  element.replaceChildren(svg("circle", { r: 17, class: "hit" }), svg("circle", { r: 16, class: "ring" }), ...face(node));
  edge.setAttribute("class", `edge ${style}`);
}

// ---------------------------------------------------------------- motion and view

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
  if (!parent) return;
  const { x, y } = item.now, from = parent.now, middle = (from.y + y) / 2;
  item.edge.setAttribute("d", Math.abs(from.x - x) < 0.05 ? `M${from.x} ${from.y} V${y}`
    : `M${from.x} ${from.y} C${from.x} ${middle} ${x} ${middle} ${x} ${y}`);
}

function place(view, at) {
  view.at = at;
  view.world.setAttribute("transform", `translate(${at.x.toFixed(1)} ${at.y.toFixed(1)}) scale(${at.k.toFixed(3)})`);
  view.root.setAttribute("data-zoom", at.k.toFixed(3));
  view.zoomed.textContent = `${Math.round(at.k * 100)} %`;
}

function zoom(view, factor, x = view.canvas.clientWidth / 2, y = view.canvas.clientHeight / 2) {
  const { at } = view;
  const k = Math.min(SCALE.most, Math.max(SCALE.least, at.k * factor));
  view.moved = true;
  place(view, { k, x: x - ((x - at.x) * k) / at.k, y: y - ((y - at.y) * k) / at.k });
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

// ---------------------------------------------------------------- selection, focus, keys

function choose(view, id) {
  view.asked = { node: id, time: Date.now() };
  show(view, id);
  view.tell(id);
}

function show(view, id) {
  view.selected = view.nodes.has(id) ? id : null;
  const lineage = new Set();
  for (let each = view.nodes.get(id); each; each = view.nodes.get(each.node.parent)) lineage.add(each.node.id);
  for (const [key, { element, edge }] of view.nodes) {
    element.setAttribute("aria-selected", String(key === view.selected));
    edge.classList.toggle("walked", lineage.has(key));
  }
  if (view.selected !== null) { rove(view, id); reveal(view, id); }
}

function rove(view, id) {
  view.nodes.get(view.focus)?.element.setAttribute("tabindex", "-1");
  view.focus = id;
  view.nodes.get(id)?.element.setAttribute("tabindex", "0");
  view.root.setAttribute("tabindex", view.nodes.has(id) ? "-1" : "0");
}

function focus(view, id) {
  const item = view.nodes.get(id);
  if (!item) return;
  rove(view, id);
  item.element.focus({ preventScroll: true });
  reveal(view, id);
  tip(view, item.element);
}

const STEPS = {
  ArrowUp: (view, node) => node.parent,
  ArrowDown: (view, node) => (node.children.find((child) => child.path) ?? node.children[0])?.id,
  ArrowLeft: (view, node) => beside(view, node, -1),
  ArrowRight: (view, node) => beside(view, node, 1),
};

// The next sibling; where there is none, the next turn of the same row.
function beside(view, node, way) {
  const row = view.data.nodes.filter((each) => each.level === node.level).map((each) => each.id);
  return row[row.indexOf(node.id) + way];
}

function next(view, wanted) {
  const list = view.data.nodes;
  const from = list.findIndex((node) => node.id === view.focus);
  const turned = [...list.slice(from + 1), ...list.slice(0, from + 1)];
  return turned.find(wanted)?.id;
}

function key(view, event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const current = view.nodes.get(view.focus)?.node;
  const name = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  if (STEPS[name] && current) focus(view, STEPS[name](view, current));
  else if ((name === "Enter" || name === " ") && current) choose(view, current.id);
  else if (name === "f") fit(view);
  else if (name === "+" || name === "=") zoom(view, 1.25);
  else if (name === "-") zoom(view, 1 / 1.25);
  else if (name === "i" || name === "w") {
    const id = next(view, name === "i" ? (node) => node.label === "ideal" : (node) => node.won.length > 0);
    if (id !== undefined) { focus(view, id); choose(view, id); }
  } else if (name === "Escape") choose(view, "");
  else return;
  event.preventDefault();
  event.stopPropagation();
}

function tip(view, element) {
  const item = element && view.nodes.get(element.getAttribute("data-id"));
  view.card.classList.toggle("shown", Boolean(item));
  if (!item) return;
  view.card.replaceChildren(...item.node.tip.map((line) => {
    const row = html("div");
    row.textContent = line;
    return row;
  }));
  const box = view.frame.getBoundingClientRect(), spot = element.getBoundingClientRect();
  const right = spot.right - box.left + 8, wide = view.card.offsetWidth;
  view.card.style.left = `${right + wide > box.width ? Math.max(4, spot.left - box.left - wide - 8) : right}px`;
  view.card.style.top = `${Math.max(4, Math.min(spot.top - box.top, box.height - view.card.offsetHeight - 4))}px`;
}
