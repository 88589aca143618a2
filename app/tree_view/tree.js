// The one drawing of a conversation tree: dependency-free SVG, built once per mount, then only diffed.
//
// `data` comes from picture.py: { seq, height, selected, leads, aria, empty, goals, nodes, replay }, nodes in tree order,
// parents first. The explorer, which has `replay`, also gets { place: { lens, hoist, t, q, filter }, matches, tree, version,
// heard }: `tree` names the tree; data of the same version has the same turns; `heard` is the number of this view's last
// message that was carried out. A click chooses a turn, or, where `leads` says so, leads to the page that shows it. Text
// from models enters by textContent only. What the address says comes with `data`; what a person changes is told back:
// `place` by the explorer, else `chosen`; and `ask`.
//
// The parts are joined to this file, so they have no imports: shapes.js (meanings, lenses, legend), layout.js (where
// turns stand), camera.js (motion, zoom, map), explore.js (lenses, folding, hoisting, finding), replay.js, keys.js.

const mounts = new WeakMap();

export default function ({ data, parentElement, setTriggerValue, setStateValue }) {
  if (!mounts.has(parentElement)) mounts.set(parentElement, build(parentElement));
  const view = mounts.get(parentElement);
  view.tell = (name, value) => {
    if (!data?.leads) setTriggerValue(name, value);
    else if (name === "chosen") follow(`${data.leads}&node=${value.node}`);
  };
  view.stay = () => { if (data?.leads) setTriggerValue("moved", { n: Date.now() }); };
  view.keep = (place) => setStateValue("place", place);
  const all = data && whole(view, data);
  if (all) update(view, all);
}

// Where this view has said that it has a version of the tree, the server leaves out the turns; should that be wrong (a
// new mount of an old session), they are asked for.
function whole(view, data) {
  if (data.nodes) return data;
  if (data.version === view.data.version) return { ...view.data, ...data };
  view.keep({ ...data.place, node: data.selected ?? "", version: "", n: Date.now() });
  return null;
}

// ---------------------------------------------------------------- build: once per mount

function build(parent) {
  const world = svg("g", { class: "world" }, svg("g", { class: "edges" }), svg("g", { class: "nodes", role: "presentation" }));
  const canvas = svg("svg", { class: "canvas", role: "presentation" }, world);
  const root = html("div", { class: "tree", "data-testid": "josh-tree", role: "tree", tabindex: "0", "data-built": "1" }, canvas);
  const view = {
    root, canvas, world, frame: html("div", { class: "frame" }), card: html("div", { class: "card", "aria-hidden": "true" }),
    goals: html("div", { class: "goals", "data-testid": "goals", role: "list" }), empty: html("div", { class: "empty" }),
    legend: html("div", { class: "legend", "data-testid": "legend" }), zoomed: html("span", { class: "zoomed" }),
    tools: html("div", { class: "tools" }),
    data: { nodes: [] }, all: new Map(), nodes: new Map(), seen: null, focus: null, selected: null, asked: null,
    at: { x: 0, y: 0, k: 1 }, moved: false, motion: 0, explorer: null, lens: "label", hoist: null, folded: new Set(),
    foldedByHand: false, matched: null, filters: new Set(), step: null, moment: null, playing: 0, speed: 1, place: {},
    wish: null, noted: null, tell: () => {}, keep: () => {}, stay: () => {},
  };
  view.tools.append(view.zoomed, button("−", "Zoom out (-)", () => zoom(view, 1 / 1.25)),
    button("+", "Zoom in (+)", () => zoom(view, 1.25)), button("Fit", "Show the whole tree (F)", () => fit(view)));
  view.area = html("div", { class: "area" }, root, view.tools, view.empty);
  view.frame.append(view.goals, view.area, view.legend, view.card);
  parent.append(view.frame);
  listen(view);
  return view;
}

function button(text, title, act, attributes = {}) {
  const made = html("button", { type: "button", title, "aria-label": title, ...attributes });
  made.textContent = text;
  made.addEventListener("click", act);
  return made;
}

function listen(view) {
  const { canvas, root, frame } = view;
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
    held.dragging = true;
    hold(view);
    place(view, { ...view.at, x: held.from.x + dx, y: held.from.y + dy });
  });
  const release = () => { held = null; };
  canvas.addEventListener("pointerup", release);
  canvas.addEventListener("pointercancel", release);
  const under = (event) => event.target.closest("[data-id]")?.getAttribute("data-id");
  canvas.addEventListener("click", (event) => { if (under(event)) choose(view, under(event)); });
  canvas.addEventListener("dblclick", (event) => { if (view.all.has(under(event))) hoist(view, under(event)); });
  canvas.addEventListener("pointerover", (event) => tip(view, event.target.closest("[data-id]")));
  canvas.addEventListener("pointerleave", () => tip(view, null));
  frame.addEventListener("keydown", (event) => key(view, event));
  root.addEventListener("focusout", () => tip(view, null));
  new ResizeObserver(() => { if (!view.moved) fit(view, false); }).observe(canvas);
}

// ---------------------------------------------------------------- update: diffs only

function update(view, data) {
  const began = performance.now();
  const first = view.all.size === 0;
  const same = data.version && data.version === view.data.version;
  if (data.tree !== view.data.tree) forget(view);
  const hoisted = view.hoist;
  view.data = data;
  view.frame.style.height = `${data.height}px`;
  view.root.setAttribute("data-seq", data.seq);
  view.root.setAttribute("aria-label", data.aria);
  view.empty.textContent = data.nodes.length ? "" : data.empty;
  if (!same) {
    view.all = new Map(data.nodes.map((node) => [node.id, { ...node, children: [] }]));
    for (const node of view.all.values()) view.all.get(node.parent)?.children.push(node);
  }
  const ours = view.asked?.node === data.selected; // shown since the click; who has walked on is left where they are
  if (data.replay && !view.explorer) explorer(view);
  if (view.explorer) explored(view, data);
  if (!same || view.hoist !== hoisted) redraw(view);
  else redress(view);
  const waiting = view.asked !== null && Date.now() - view.asked.time < 4000;
  if (view.asked && (!waiting || ours)) view.asked = null;
  if (!view.asked && (view.seen !== data.selected || view.selected !== (data.selected || null))) {
    if (data.selected && !ours) bring(view, data.selected, !first);
    show(view, data.selected, !ours);
    if (ours) reveal(view, view.focus);
  }
  view.seen = data.selected;
  const { wish } = view;
  view.wish = null;
  if (wish && wish.node === data.selected) view.tell("ask", wish.wish);
  else if (wish && view.asked) view.wish = wish;
  if (!view.nodes.has(view.focus)) rove(view, view.selected ?? data.nodes[0]?.id ?? null);
  requestAnimationFrame(() => setTimeout(() => measured(began)));
}

// Another tree in the same place: nothing of what was done with the last one holds.
function forget(view) {
  Object.assign(view, { folded: new Set(), foldedByHand: false, filters: new Set(), hoist: null, moved: false, place: {}, noted: null });
  if (view.explorer) pause(view);
  view.step = view.moment = view.asked = view.wish = null;
  if (view.explorer) view.explorer.field.value = "";
}

// From the data's arrival to the frame that shows it, for whoever measures; of the last few.
function measured(began) {
  if (performance.getEntriesByName("josh-tree").length > 99) performance.clearMeasures("josh-tree");
  performance.measure("josh-tree", { start: began, end: performance.now() });
}

// The turns to draw, laid out: all but those outside the hoisted subtree and inside folded ones.
function redraw(view) {
  const roots = shown(view);
  const known = new Map();
  const fresh = [];
  const stack = [...roots].reverse();
  while (stack.length) {
    const node = stack.pop();
    const item = view.nodes.get(node.id) ?? add(view, node);
    if (!view.nodes.has(node.id)) fresh.push(item);
    item.node = node;
    known.set(node.id, item);
    for (let i = node.children.length - 1; i >= 0; i--) stack.push(node.children[i]);
  }
  for (const [id, item] of view.nodes) if (!known.has(id)) { item.element.remove(); item.edge.remove(); }
  view.nodes = known;
  layout(roots, known);
  for (const item of fresh) item.now = { ...(known.get(item.node.parent)?.now ?? item.goal) };
  redress(view);
  settle(view);
  if (!view.moved) fit(view, false);
  map(view);
  show(view, view.selected, false);
}

// What each turn looks like at the moment shown; nothing moves.
function redress(view) {
  for (const item of view.nodes.values()) dress(view, item);
  const seen = view.moment ? view.data.nodes.filter((node) => view.moment.seen(node)).length : view.data.nodes.length;
  view.root.setAttribute("data-count", seen);
  view.root.setAttribute("data-lens", view.lens);
  checklist(view, view.data.goals.map((goal) => view.moment && !view.moment.won.get(goal.node)?.includes(goal.number)
    ? { ...goal, node: null } : goal));
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
    const turn = reached && goal.node.length < 16 ? `, turn ${goal.node}` : "";
    const where = reached ? `exchange ${goal.exchange}${turn}` : "not reached";
    for (const [name, text] of [["sign", reached ? "★" : "☆"], ["name", `${goal.number} ${goal.name}`], ["where", where]]) {
      item.append(words("span", text, { class: name }));
    }
    if (reached) item.addEventListener("click", () => { bring(view, goal.node); choose(view, goal.node); });
    else item.setAttribute("aria-disabled", "true");
    return html("span", { role: "listitem" }, item);
  }));
}

function add(view, node) {
  const group = node.kind === "group";
  const edge = svg("path");
  const element = svg("g", {
    class: "node", role: "treeitem", tabindex: "-1", "data-testid": group ? `group-${node.parent}` : `node-${node.id}`,
    "data-id": node.id, "data-kind": node.kind, "aria-selected": "false",
  });
  view.world.firstChild.append(edge);
  view.world.lastChild.append(element);
  return { element, edge, dressed: "", node, now: null, goal: { x: 0, y: 0 }, walked: false };
}

function dress(view, item) {
  const node = view.moment ? view.moment.look(item.node) : item.node;
  const { element, edge } = item;
  const match = view.matched?.has(node.id) ?? null;
  const hidden = view.moment !== null && !view.moment.seen(node);
  const current = view.moment?.current === node.id;
  const folded = view.folded.has(node.id);
  const style = edgeStyle(view, node);
  const lens = inLens(view, node);
  const dressed = JSON.stringify([node.label, node.won, node.stop, node.reached, node.aria, node.override, node.was, style,
    lens, match, hidden, current, node.count, folded]);
  if (dressed === item.dressed) return;
  item.dressed = dressed;
  for (const [name, value] of Object.entries({
    "data-label": node.label, "data-goals": node.reached.join(" "), "data-override": node.override, "aria-label": node.aria,
    "aria-level": node.level, "data-lens-step": lens?.step ?? "", "data-match": match ? "true" : "",
  })) element.setAttribute(name, value);
  if (folded || node.kind === "group" || !node.children.length) element.removeAttribute("aria-expanded");
  if (node.kind !== "group" && (folded || node.children.length)) element.setAttribute("aria-expanded", String(!folded));
  const ring = svg("circle", { r: 16, class: "ring" });
  element.replaceChildren(svg("circle", { r: 17, class: "hit" }), ring, ...face(node, lens));
  edge.setAttribute("class", `edge ${style}`);
  edge.classList.toggle("walked", item.walked);
  for (const [name, on] of [["faded", match === false], ["unborn", hidden], ["current", current]]) {
    element.classList.toggle(name, on);
    edge.classList.toggle(name, on);
  }
}

function edgeStyle(view, node) {
  if (node.path) return "ideal";
  if (node.kind === "agent") return node.label;
  const parent = view.all.get(node.parent);
  return parent && (view.moment ? view.moment.look(parent) : parent).label === "partial" ? "partial" : "off_path";
}

// ---------------------------------------------------------------- selection and focus

function choose(view, id) {
  if (view.nodes.get(id)?.node.kind === "group") return fold(view, view.nodes.get(id).node.parent, false);
  view.asked = { node: id, time: Date.now() };
  show(view, id);
  if (view.explorer) note(view, { node: id });
  else view.tell("chosen", { node: id });
}

function show(view, id, moving = true) {
  view.selected = view.all.has(id) ? id : null;
  const lineage = new Set();
  for (let each = view.all.get(id); each; each = view.all.get(each.parent)) lineage.add(each.id);
  for (const [key, item] of view.nodes) {
    const on = String(key === view.selected);
    if (item.element.getAttribute("aria-selected") !== on) item.element.setAttribute("aria-selected", on);
    if (item.walked !== lineage.has(key)) item.edge.classList.toggle("walked", item.walked = lineage.has(key));
  }
  if (moving && view.nodes.has(view.selected)) { rove(view, id); reveal(view, id); }
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

function tip(view, element) {
  const item = element && view.nodes.get(element.getAttribute("data-id"));
  view.card.classList.toggle("shown", Boolean(item));
  if (!item) return;
  const { tip: lines } = view.moment ? view.moment.look(item.node) : item.node;
  view.card.replaceChildren(...lines.map((line) => words("div", line)));
  const box = view.frame.getBoundingClientRect(), spot = element.getBoundingClientRect();
  const right = spot.right - box.left + 8, wide = view.card.offsetWidth;
  view.card.style.left = `${right + wide > box.width ? Math.max(4, spot.left - box.left - wide - 8) : right}px`;
  view.card.style.top = `${Math.max(4, Math.min(spot.top - box.top, box.height - view.card.offsetHeight - 4))}px`;
}
