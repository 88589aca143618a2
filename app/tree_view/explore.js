// The explorer's own: lenses, folding, hoisting, finding. A part of tree.js (joined to it, so without imports).
// What it changes is kept in the address: `note` tells it, and `explored` heeds what the address says when that changes.

const PLACE = ["lens", "hoist", "t", "q", "filter"];
const MANY = 2000; // turns; more than these start with what was pruned folded

function explorer(view) {
  const lens = html("div", { class: "lenses", role: "group", "aria-label": "Lens" }, ...LENSES.map((name) =>
    button(name[0].toUpperCase() + name.slice(1), `Colour by ${name}`, () => { look(view, name); }, { "data-testid": `lens-${name}` })));
  const pruned = button("", "Fold or unfold what was pruned", () => foldPruned(view), { "data-testid": "collapse" });
  const field = html("input", { type: "search", placeholder: "Find words", "aria-label": "Find in messages, calls and results", "data-testid": "find" });
  const count = html("span", { class: "count", role: "status", "data-testid": "matches" });
  const chips = html("div", { class: "chips", hidden: "" });
  const filter = button("Filter", "Filter by label, tool or fault", () => {
    chips.hidden = !chips.hidden;
    filter.setAttribute("aria-expanded", String(!chips.hidden));
  }, { "data-testid": "filter", "aria-expanded": "false" });
  const back = button("‹", "Previous match", () => toMatch(view, -1)), on = button("›", "Next match", () => toMatch(view, 1));
  const finder = html("div", { class: "finder" }, field, back, on, count, filter);
  const crumbs = html("nav", { class: "crumbs", "aria-label": "Hoisted subtree", "data-testid": "hoisted" });
  const map = html("div", { class: "map", "data-testid": "minimap", hidden: "" });
  view.explorer = { lens, pruned, field, count, chips, filter, back, on, crumbs, map, bar: replayBar(view) };
  for (const name of ["pointerdown", "pointermove"]) map.addEventListener(name, (event) => goOnMap(view, event));
  let wait = 0;
  field.addEventListener("input", () => {
    clearTimeout(wait);
    wait = setTimeout(() => note(view, { q: field.value.trim() }), 300);
  });
  view.area.before(html("div", { class: "bar" }, lens, pruned, finder), chips);
  view.area.append(crumbs, map);
  view.legend.before(view.explorer.bar.box);
  document.addEventListener("keydown", function fromPage(event) {
    if (!view.frame.isConnected) document.removeEventListener("keydown", fromPage);
    else keyFromPage(view, event);
  });
}

// Tells the address, in one message for what changes together. All of it each time, with a number of its own, which only
// grows, also over a new mount: a message that overtakes another loses nothing.
function note(view, changes) {
  view.notes = (view.notes ?? Date.now()) + 1;
  view.noted = { ...(view.noted ?? { ...view.place, node: view.data.selected ?? "" }), ...changes };
  Object.assign(view.noted, { n: view.notes, version: view.data.version });
  view.until = Date.now() + 4000;
  clearTimeout(view.noting);
  view.noting = setTimeout(() => view.noted && view.keep(view.noted), 20);
}

// What the address says, where that is news. While a message of this view's own is on its way, the address is behind; once
// it was heard the address is right, and other than the message where somebody went Back since. What it only repeats is
// no news, for the view may be further by now.
function explored(view, data) {
  const { place = {} } = data, { noted } = view, said = (of, name) => of[name] ?? "";
  const now = { ...place, node: data.selected }, heard = noted && data.heard >= noted.n;
  const echo = heard && ["node", ...PLACE].every((name) => said(now, name) === said(noted, name));
  if (heard || (noted && Date.now() > view.until)) view.noted = view.asked = null;
  const before = noted ?? view.place; // what the view stands at
  const news = (name) => !view.noted && !echo && said(place, name) !== said(before, name);
  view.costs = costs(data.nodes);
  if (news("lens")) view.lens = LENSES.includes(place.lens) ? place.lens : "label";
  if (news("hoist")) view.hoist = view.all.get(place.hoist)?.children.length ? place.hoist : null;
  if (news("q") && view.frame.getRootNode().activeElement !== view.explorer.field) view.explorer.field.value = place.q ?? "";
  if (news("filter")) view.filters = new Set((place.filter ?? "").split(",").filter(Boolean));
  if (data.nodes.length > MANY && !view.foldedByHand) view.folded = new Set(prunable(view).map((node) => node.id));
  match(view);
  filterChips(view);
  remember(view, news("t") ? place.t : undefined);
  view.place = place;
  toolbar(view);
}

function toolbar(view) {
  for (const [i, each] of [...view.explorer.lens.children].entries()) each.setAttribute("aria-pressed", String(LENSES[i] === view.lens));
  const found = prunable(view), folded = found.length && found.every((node) => view.folded.has(node.id));
  const hidden = found.reduce((sum, node) => sum + size(node), 0);
  view.explorer.pruned.textContent = folded ? "Unfold pruned" : `Fold pruned (+${hidden})`;
  view.explorer.pruned.disabled = !hidden;
  crumbs(view);
  legend(view);
}

function look(view, lens) {
  view.lens = lens;
  note(view, { lens: lens === "label" ? "" : lens });
  toolbar(view);
  redress(view);
}

// ---------------------------------------------------------------- what is shown: folded and hoisted subtrees

function shown(view) {
  const copy = (node) => ({ ...node, children: view.folded.has(node.id) && node.children.length ? [group(view, node)] : node.children });
  const roots = (view.hoist ? [view.all.get(view.hoist)] : [...view.all.values()].filter((node) => !view.all.has(node.parent))).map(copy);
  const stack = [...roots];
  while (stack.length) {
    const node = stack.pop();
    node.children = node.children.map((child) => child.kind === "group" ? child : copy(child));
    for (const child of node.children) if (child.kind !== "group") stack.push(child);
  }
  return roots;
}

function group(view, node) {
  const inside = below(node);
  const aria = `${inside.length} turn${inside.length === 1 ? "" : "s"} folded below turn ${node.id}`;
  return {
    id: `${node.id}+`, parent: node.id, kind: "group", label: "", level: node.level + 1, stop: "spoke", path: false, reached: [],
    won: [], override: "", was: null, count: inside.length, at: node.children[0].at, aria, tip: [aria, "Click or Enter unfolds them."],
    children: [],
  };
}

function below(node) {
  const found = [], stack = [...node.children];
  while (stack.length) {
    const each = stack.pop();
    found.push(each);
    stack.push(...each.children);
  }
  return found;
}

function size(node) {
  return below(node).length;
}

// The topmost agent turns that the search cut, with something below them.
function prunable(view) {
  const found = [], stack = [...view.all.values()].filter((node) => !view.all.has(node.parent));
  while (stack.length) {
    const node = stack.pop();
    const cut = node.kind === "agent" && !node.path && node.label !== "open" && node.children.length;
    if (cut && below(node).every((each) => !each.path && each.label !== "open")) found.push(node);
    else stack.push(...node.children);
  }
  return found;
}

function fold(view, id, on = !view.folded.has(id)) {
  const node = view.all.get(id);
  if (!node?.children.length) return;
  view.foldedByHand = true;
  if (on) view.folded.add(id);
  else view.folded.delete(id);
  redraw(view);
  toolbar(view);
  focus(view, on ? id : node.children[0].id);
}

function foldPruned(view) {
  const found = prunable(view).map((node) => node.id);
  const on = found.some((id) => !view.folded.has(id));
  view.foldedByHand = true;
  view.folded = on ? new Set([...view.folded, ...found]) : new Set();
  redraw(view);
  toolbar(view);
  if (!view.nodes.has(view.focus)) rove(view, view.data.nodes[0].id);
}

// The subtree of a turn alone; null, or the turn that stands on top already: all again.
function hoist(view, id) {
  const to = id === view.hoist || !view.all.get(id)?.children.length ? null : id;
  if (!view.explorer || to === view.hoist) return;
  view.hoist = to;
  view.folded.delete(to);
  note(view, { hoist: to ?? "" });
  redraw(view);
  toolbar(view);
  fit(view, false);
  if (!view.nodes.has(view.focus)) rove(view, to ?? view.data.nodes[0].id);
}

function crumbs(view) {
  const line = [];
  for (let each = view.all.get(view.hoist); each; each = view.all.get(each.parent)) line.unshift(each.id);
  const steps = line.slice(-4).map((id) => id === view.hoist ? words("span", `turn ${id}`)
    : button(id, `Hoist turn ${id}`, () => hoist(view, id)));
  const whole = button("Whole tree", "Back to the whole tree (O)", () => hoist(view, null));
  view.explorer.crumbs.replaceChildren(...(line.length ? [whole, ...steps].flatMap((step, i) => i ? [words("span", "▸"), step] : [step]) : []));
}

// Unfolds, and ends hoisting, where that hides the turn.
function bring(view, id, unhoist = true) {
  let hidden = false, inside = false;
  for (let each = view.all.get(id); each; each = view.all.get(each.parent)) {
    if (each.id === view.hoist) inside = true;
    if (each.id !== id && view.folded.delete(each.id)) hidden = view.foldedByHand = true;
  }
  if (view.hoist && !inside && unhoist) hoist(view, null);
  else if (hidden) redraw(view);
}

// ---------------------------------------------------------------- finding

function match(view) {
  const { data, filters } = view;
  const text = data.matches ? new Set(data.matches) : null;
  const kinds = { label: [], tool: [], fault: [] };
  for (const each of filters) kinds[each.split(":")[0]]?.push(each.slice(each.indexOf(":") + 1));
  const fits = (node) => (!text || text.has(node.id)) && (!kinds.fault.length || node.faults)
    && (!kinds.label.length || (node.kind === "agent" && kinds.label.includes(node.label)))
    && (!kinds.tool.length || kinds.tool.some((tool) => node.tools.includes(tool)));
  const list = text || filters.size ? data.nodes.filter(fits).map((node) => node.id) : null;
  view.found = list ?? [];
  view.matched = list && new Set(list);
  // A folded subtree with a match in it is a match.
  for (const id of list ?? []) {
    for (let each = view.all.get(id); each; each = view.all.get(each.parent)) view.matched.add(`${each.parent}+`);
  }
  count(view);
}

function count(view) {
  const { found, explorer } = view;
  const place = found.indexOf(view.selected) + 1;
  const all = `${found.length} match${found.length === 1 ? "" : "es"}`;
  explorer.count.textContent = !view.matched ? "" : place ? `${place} of ${all}` : all;
  for (const each of [explorer.back, explorer.on]) each.disabled = !found.length;
}

function toMatch(view, way) {
  const { found, data } = view;
  if (!found.length) return;
  const order = data.nodes.map((node) => node.id), from = order.indexOf(view.selected ?? "");
  const spots = found.map((id) => order.indexOf(id));
  const next = way > 0 ? spots.findIndex((spot) => spot > from) : spots.findLastIndex((spot) => spot < from);
  const id = found.at(next >= 0 ? next : way > 0 ? 0 : -1);
  bring(view, id);
  choose(view, id);
  count(view);
}

function filterChips(view) {
  const counts = new Map();
  const add = (key) => counts.set(key, (counts.get(key) ?? 0) + 1);
  for (const node of view.data.nodes) {
    if (node.kind === "agent") add(`label:${node.label}`);
    for (const tool of node.tools) add(`tool:${tool}`);
    if (node.faults) add("fault:any");
  }
  const named = Object.fromEntries(LEGEND);
  const names = [...counts.keys()].sort();
  const told = JSON.stringify([[...counts], [...view.filters]]);
  if (view.chipped === told) return;
  view.chipped = told;
  if (view.filters.size) view.explorer.chips.hidden = false;
  view.explorer.filter.textContent = view.filters.size ? `Filter (${view.filters.size})` : "Filter";
  view.explorer.chips.replaceChildren(...names.map((name) => {
    const [kind, what] = [name.split(":")[0], name.slice(name.indexOf(":") + 1)];
    const word = kind === "label" ? named[what] : kind === "tool" ? what : "⚠ faults";
    const chip = button(`${word} ${counts.get(name)}`, `Only turns with ${kind === "fault" ? "a fault" : `${kind} ${word}`}`, () => {
      if (!view.filters.delete(name)) view.filters.add(name);
      note(view, { filter: [...view.filters].join(",") });
      match(view);
      filterChips(view);
      redress(view);
      view.explorer.chips.children[names.indexOf(name)].focus();
    }, { class: `chip ${kind}`, "data-testid": `filter-${name}` });
    chip.setAttribute("aria-pressed", String(view.filters.has(name)));
    return chip;
  }));
}
