// Many trees small, one cell each: { height, note, chosen, cells: [{ id, href, name, state, stars, aria, parents,
// marks, won }] }, from saplings.py. A cell is two handfuls of SVG paths, one for each kind of edge, so that a hundred
// grow without a stutter; only cells whose data changed are drawn again. Every string is set by textContent.
//
// `loop`: the cell grows from its first turn again and again, unless the reader wants no motion.

const NS = "http://www.w3.org/2000/svg";
const KINDS = { u: "pruned", "-": "pruned", o: "open", n: "negative", p: "partial", i: "ideal" };
const ORDER = ["pruned", "open", "negative", "partial", "ideal"];
const STEP = 8, TICK = 110, REST = 26;
const mounts = new WeakMap();

export default function ({ data, parentElement, setTriggerValue }) {
  if (!mounts.has(parentElement)) mounts.set(parentElement, build(parentElement));
  const view = mounts.get(parentElement);
  view.tell = (id) => setTriggerValue("chosen", { id });
  if (data) update(view, data);
  return () => clearInterval(view.clock);
}

function build(parent) {
  const frame = document.createElement("div");
  const grid = document.createElement("div");
  const note = document.createElement("p");
  frame.className = "forest";
  frame.setAttribute("data-testid", "forest");
  grid.className = "grid";
  grid.setAttribute("role", "list");
  note.className = "note";
  frame.append(grid, note);
  parent.append(frame);
  return { frame, grid, note, cells: new Map(), clock: 0, tell: () => {} };
}

function update(view, data) {
  view.frame.style.height = data.height ? `${data.height}px` : "";
  view.frame.classList.toggle("single", Boolean(data.single));
  view.note.textContent = data.note;
  const cells = new Map();
  for (const given of data.cells) {
    const cell = view.cells.get(given.id) ?? add(view, given);
    const told = JSON.stringify(given);
    if (cell.told !== told) dress(cell, given);
    cell.told = told;
    if (data.chosen === given.id) cell.link.setAttribute("aria-current", "true");
    else cell.link.removeAttribute("aria-current");
    cells.set(given.id, cell);
  }
  const items = [...cells.values()].map((cell) => cell.item);
  if (items.length !== view.grid.children.length || items.some((item, i) => item !== view.grid.children[i])) {
    view.grid.replaceChildren(...items);
  }
  view.cells = cells;
  view.grid.setAttribute("data-count", cells.size);
  clearInterval(view.clock);
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  const only = [...cells.values()][0];
  if (data.loop && only && !calm) view.clock = replay(only);
}

function add(view, given) {
  const item = document.createElement("div");
  const link = document.createElement("a");
  const drawing = document.createElementNS(NS, "svg");
  const [name, facts] = ["name", "facts"].map((kind) => {
    const part = document.createElement("span");
    part.className = kind;
    return part;
  });
  item.setAttribute("role", "listitem");
  drawing.setAttribute("aria-hidden", "true");
  link.append(drawing, name, facts);
  item.append(link);
  const cell = { item, link, drawing, name, facts, given, told: "", paths: new Map() };
  for (const kind of [...ORDER, "star"]) {
    const path = document.createElementNS(NS, "path");
    path.setAttribute("class", kind);
    drawing.append(path);
    cell.paths.set(kind, path);
  }
  link.addEventListener("click", (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    if (cell.given.leads) go(cell.given.href);
    else view.tell(cell.given.id);
  });
  return cell;
}

// As Back and Forward do: by the address alone, one entry in the history.
function go(href) {
  history.pushState(null, "", new URL(href, document.baseURI));
  dispatchEvent(new PopStateEvent("popstate"));
}

function dress(cell, given) {
  cell.given = given;
  cell.link.href = given.href;
  cell.link.className = `cell ${given.state}`;
  cell.link.title = given.aria;
  cell.link.setAttribute("aria-label", given.aria);
  cell.link.setAttribute("data-testid", `sapling-${given.id}`);
  cell.link.setAttribute("data-state", given.state);
  cell.link.setAttribute("data-turns", given.marks.length);
  cell.name.textContent = given.name;
  cell.facts.textContent = given.stars;
  const { spots, wide, deep } = layout(given.parents);
  const margin = STEP * 0.8, least = STEP * (given.leads ? 14 : 5); // a tree of few turns is not blown up
  const across = Math.max(wide, least), down = Math.max(deep, least);
  const left = (wide - across) / 2 - margin;
  cell.drawing.setAttribute("viewBox", `${left} ${-margin} ${across + 2 * margin} ${down + 2 * margin}`);
  cell.spots = spots;
  draw(cell, given.marks.length);
}

// Leaves stand side by side in tree order; a parent over the middle of its children.
function layout(parents) {
  const children = parents.map(() => []);
  parents.forEach((parent, i) => { if (parent >= 0) children[parent].push(i); });
  const spots = parents.map((parent) => ({ x: 0, y: 0 }));
  parents.forEach((parent, i) => { spots[i].y = parent >= 0 ? spots[parent].y + STEP : 0; });
  let next = 0;
  const leaves = [];
  const visit = [...parents.keys()].filter((i) => parents[i] < 0).reverse();
  while (visit.length) {
    const i = visit.pop();
    if (children[i].length) visit.push(...children[i].toReversed());
    else leaves.push(i);
  }
  for (const i of leaves) { spots[i].x = next; next += STEP; }
  for (let i = parents.length - 1; i >= 0; i--) {
    const below = children[i];
    if (below.length) spots[i].x = (spots[below[0]].x + spots[below.at(-1)].x) / 2;
  }
  return { spots, wide: Math.max(STEP, next - STEP), deep: Math.max(STEP, ...spots.map((spot) => spot.y)) };
}

// The first `shown` nodes: tree order is not the order of growth, so the loop shows whole rows instead.
function draw(cell, shown, deepest = Infinity) {
  const { parents, marks, won } = cell.given;
  const drawn = new Map(ORDER.map((kind) => [kind, ""]));
  for (let i = 0; i < shown; i++) {
    const spot = cell.spots[i], from = cell.spots[parents[i]];
    if (spot.y > deepest) continue;
    const kind = KINDS[marks[i]];
    if (from) drawn.set(kind, `${drawn.get(kind)}M${from.x} ${from.y}L${spot.x} ${spot.y}`);
    else drawn.set(kind, `${drawn.get(kind)}M${spot.x} ${spot.y}h.01`);
  }
  for (const kind of ORDER) cell.paths.get(kind).setAttribute("d", drawn.get(kind));
  const stars = won.map((i) => cell.spots[i]).filter((spot) => spot.y <= deepest);
  cell.paths.get("star").setAttribute("d", stars.map(({ x, y }) => star(x, y)).join(""));
}

function star(x, y) {
  const points = Array.from({ length: 10 }, (_, i) => {
    const far = i % 2 ? 2.1 : 4.8, turn = (Math.PI * i) / 5 - Math.PI / 2;
    return `${(x + far * Math.cos(turn)).toFixed(1)} ${(y + far * Math.sin(turn)).toFixed(1)}`;
  });
  return `M${points.join("L")}Z`;
}

function replay(cell) {
  const rows = Math.max(...cell.spots.map((spot) => spot.y)) / STEP;
  let row = 0;
  const step = () => {
    row = (row + 1) % (rows + REST);
    draw(cell, cell.given.marks.length, Math.min(row, rows) * STEP);
  };
  return setInterval(() => { if (!document.hidden) step(); }, TICK);
}
