// The keys. A part of tree.js (joined to it, so without imports). They work wherever the focus is within the frame, but
// text fields keep what is typed into them, and buttons keep Enter and Space. On the page outside, only keys that nothing
// else on a page uses.

const ASKS = { g: "good", x: "bad", e: "exclude", p: "promote", z: "undo" };
const FROM_PAGE = "nbiwof ";
const STEPS = {
  ArrowUp: (view, node) => node.parent,
  ArrowDown: (view, node) => (node.children.find((child) => child.path) ?? node.children[0])?.id,
  ArrowLeft: (view, node) => beside(view, node, -1),
  ArrowRight: (view, node) => beside(view, node, 1),
};

// The next sibling; where there is none, the next turn of the same row.
function beside(view, node, way) {
  const row = [...view.nodes.values()].filter((item) => item.node.level === node.level).map((item) => item.node.id);
  return row[row.indexOf(node.id) + way];
}

function next(view, wanted, way = 1) {
  const list = view.data.nodes.map((node) => view.all.get(node.id));
  const from = list.findIndex((node) => node.id === view.focus);
  const turned = way > 0 ? [...list.slice(from + 1), ...list.slice(0, from + 1)]
    : [...list.slice(0, Math.max(0, from)).reverse(), ...list.slice(Math.max(0, from)).reverse()];
  return turned.find(wanted)?.id;
}

const SEEKS = {
  i: [(node) => node.kind === "agent" && node.label === "ideal", 1],
  w: [(node) => node.won.length > 0, 1],
  n: [(node) => node.children.length > 1, 1],
  b: [(node) => node.children.length > 1, -1],
};

function key(view, event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
  const name = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  const target = event.composedPath()[0];
  if (target.matches("input, select")) inField(view, event, name, target);
  else if (!(target.matches("button") && (name === "Enter" || name === " ")) && act(view, name)) taken(event);
}

function taken(event) {
  event.preventDefault();
  event.stopPropagation();
}

// In the search field: Enter and Shift+Enter walk the matches, Esc goes back to the tree.
function inField(view, event, name, field) {
  const search = field === view.explorer?.field;
  if (name === "Enter" && search) toMatch(view, event.shiftKey ? -1 : 1);
  else if (name === "Escape") {
    if (search && field.value) { field.value = ""; note(view, { q: "" }); }
    focus(view, view.focus);
  } else return event.stopPropagation();
  return taken(event);
}

function keyFromPage(view, event) {
  if (event.target !== document.body || event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
  const name = event.key.toLowerCase();
  if (name.length === 1 && FROM_PAGE.includes(name) && act(view, name)) taken(event);
}

// Does what the key stands for; false where it stands for nothing.
function act(view, name) {
  const current = view.nodes.get(view.focus)?.node;
  if (STEPS[name] && current) focus(view, STEPS[name](view, current));
  else if (name === "Enter" && current) choose(view, current.id);
  else if (name === "f") fit(view);
  else if (name === "+" || name === "=") zoom(view, 1.25);
  else if (name === "-") zoom(view, 1 / 1.25);
  else if (SEEKS[name]) walk(view, next(view, ...SEEKS[name]));
  else if (name === "Escape") clear(view);
  else return view.explorer ? actExploring(view, name, current) : false;
  return true;
}

function actExploring(view, name, current) {
  if (name === " ") toggle(view);
  else if (name === "/") view.explorer.field.focus();
  else if (name === "o" && current) hoist(view, view.all.has(current.id) ? current.id : current.parent);
  else if (name === "c" && current) fold(view, view.all.has(current.id) ? current.id : current.parent);
  else if (ASKS[name]) ask(view, ASKS[name], current);
  else return false;
  return true;
}

// About the chosen turn; where the focus is on another, that one is chosen first: a person judges what they look at.
function ask(view, wish, current) {
  const node = current && view.all.has(current.id) ? current.id : view.selected;
  if (node === view.data.selected) return view.tell("ask", wish);
  view.wish = { node, wish };
  choose(view, node);
}

function walk(view, id) {
  if (id === undefined) return;
  bring(view, id);
  focus(view, id);
  choose(view, id);
}

function clear(view) {
  if (view.selected !== null || !view.explorer) choose(view, "");
  else if (view.step !== null) seek(view, null);
  else if (view.hoist) hoist(view, null);
}
