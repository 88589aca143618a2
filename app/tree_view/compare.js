// The same scenario's trees of two or three runs, one under the other on one axis of exchanges. `data` comes from
// comparison.py: { height, said, parting, trees: [{ run, name, played, figures, leads, parts, nodes }], goals }. Turns that
// every tree has are grey; a flag stands where the conversations part. A turn leads to its own tree's page. Its parts are
// shapes.js and layout.js, joined to it. Text enters by textContent only.

const ROW = 27, LEFT = 24, TOP = 34, HEAD = 46;
const COLUMN = { least: 34, most: 58 };
let column = COLUMN.least; // of the drawing at hand, so that its exchanges fill the width
const boxes = new WeakMap();

export default function ({ data, parentElement }) {
  if (!boxes.has(parentElement)) {
    boxes.set(parentElement, html("div", { class: "compare", "data-testid": "compare" }));
    parentElement.append(boxes.get(parentElement));
  }
  const box = boxes.get(parentElement), told = JSON.stringify(data);
  if (!data || box.told === told) return;
  box.told = told;
  box.style.height = `${data.height}px`;
  const region = html("div", { class: "bands", tabindex: "0", role: "region", "aria-label": "Trees on one axis" });
  const meaning = words("span", "Grey: the same turn in every run. A turn leads to its own tree.", { class: "keys" });
  box.replaceChildren(
    words("div", data.said, { class: "said", role: "status", "data-testid": "parting" }),
    html("div", { class: "both" }, region,
      html("div", { class: "side" }, arrivals(data), html("div", { class: "legend" }, ...labelLegend(), meaning))),
  );
  region.append(bands(data, region.clientWidth));
}

function bands(data, room) {
  const levels = Math.max(1, ...data.trees.flatMap((tree) => tree.nodes.map((node) => node.level)));
  column = Math.max(COLUMN.least, Math.min(COLUMN.most, ((room || 800) - 60) / levels));
  const wide = LEFT + levels * column + 24;
  const parts = [];
  let top = TOP;
  for (const tree of data.trees) {
    const { band, high } = drawn(tree);
    band.setAttribute("transform", `translate(0 ${top})`);
    parts.push(band);
    top += high;
  }
  return svg("svg", { class: "axis", viewBox: `0 0 ${wide} ${top}`, width: wide, height: top, overflow: "visible" }, ...axis(levels, top), ...parts, ...flag(data, top));
}

function axis(levels, high) {
  const marks = [];
  for (let level = 1; level <= levels; level += 2) {
    const x = across(level) - column / 2;
    const name = letter(`exchange ${(level + 1) / 2}`, 14, "tick", across(level) + column / 2);
    marks.push(svg("line", { class: "rule", x1: x, x2: x, y1: 20, y2: high }), ...(levels < 40 || level % 10 === 1 ? [name] : []));
  }
  return marks;
}

function across(level) {
  return LEFT + (level - 0.5) * column;
}

function flag(data, high) {
  if (data.parting === null) return [];
  const x = across(data.parting) - column / 2;
  return [svg("line", { class: "parting", x1: x, x2: x, y1: 18, y2: high }), svg("path", { class: "flag", d: `M${x} 18 h12 l-4 5 l4 5 h-12 z` })];
}

function drawn(tree) {
  const byId = new Map(tree.nodes.map((node) => [node.id, { ...node, children: [] }]));
  for (const node of byId.values()) byId.get(node.parent)?.children.push(node);
  const items = new Map([...byId.values()].map((node) => [node.id, { node, goal: { x: 0, y: 0 } }]));
  layout([...byId.values()].filter((node) => !byId.has(node.parent)), items);
  const rows = [...items.values()].map((item) => item.goal.x / STEP.x);
  const least = Math.min(0, ...rows), most = Math.max(0, ...rows);
  const spot = (item) => [across(item.node.level), HEAD + (item.goal.x / STEP.x - least) * ROW];
  const edges = svg("g"), nodes = svg("g");
  for (const item of items.values()) {
    const [x, y] = spot(item), parent = items.get(item.node.parent);
    if (parent) edges.append(edge(item.node, spot(parent), [x, y]));
    nodes.append(turn(tree, item.node, x, y));
  }
  const band = svg("g", { "data-testid": `band-${tree.run}` }, head(tree), edges, nodes);
  return { band, high: HEAD + (most - least) * ROW + 26 };
}

function head(tree) {
  const link = svg("a", { href: tree.leads, class: "run", "data-testid": `open-${tree.run}` }, text(`Run ${tree.run}`, LEFT + 8, 14, "name"));
  lead(link, tree.leads);
  const rest = text(`${tree.name} · ${tree.played} · ${tree.figures}`, LEFT + 106, 14, "figures");
  return svg("g", {}, link, rest);
}

function text(said, x, y, name) {
  const element = svg("text", { x, y, class: name });
  element.textContent = said;
  return element;
}

function edge(node, [fromX, fromY], [x, y]) {
  const style = node.path ? "ideal" : node.kind === "agent" ? node.label : "off_path";
  const middle = (fromX + x) / 2;
  return svg("path", { class: `edge ${style}${node.shared ? " shared" : ""}`, d: `M${fromX} ${fromY} C${middle} ${fromY} ${middle} ${y} ${x} ${y}` });
}

function turn(tree, node, x, y) {
  const parts = tree.parts === node.id;
  const title = svg("title");
  title.textContent = node.tip.join("\n");
  const link = svg("a", {
    href: `${tree.leads}&node=${node.id}`, class: `turn${node.shared ? " shared" : ""}${parts ? " parts" : ""}`,
    transform: `translate(${x} ${y})`, "aria-label": node.aria, tabindex: node.path ? "0" : "-1",
    "data-testid": `${tree.run}-${node.id}`, "data-shared": String(node.shared),
  }, title, svg("circle", { r: 14, class: "ring" }), ...face(node, null));
  lead(link, `${tree.leads}&node=${node.id}`);
  return link;
}

function lead(link, address) {
  link.addEventListener("click", (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    follow(address);
  });
}

function arrivals(data) {
  const head = html("tr", {}, words("th", "Goal, won in exchange"), ...data.trees.map((tree) => words("th", tree.run)));
  const rows = data.goals.map((goal) => html("tr", {}, words("td", `${goal.number} ${goal.name}`),
    ...goal.exchanges.map((exchange) => words("td", exchange === null ? "not reached" : String(exchange)))));
  return html("table", { class: "arrivals", "data-testid": "arrivals" }, html("thead", {}, head), html("tbody", {}, ...rows));
}
