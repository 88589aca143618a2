// A tree in a file of its own: the explorer's drawing and the conversation beside it, put together without a server.
// `drawTree` and `drawTalk` are those components; what the address says elsewhere is held here.

const told = JSON.parse(document.getElementById("shared").textContent);
const [left, right] = ["tree", "talk"].map((name) => {
  const root = document.getElementById(name).attachShadow({ mode: "open" });
  const style = document.createElement("style");
  style.textContent = told.styles[name];
  root.append(style);
  return root;
});
const words = Object.fromEntries(
  Object.entries(told.turns).map(([id, turn]) => [id, JSON.stringify([turn.messages, turn.calls]).toLowerCase()]));
const state = { place: {}, selected: told.tree.selected };

function found(query) {
  const pieces = query.toLowerCase().split(/\s+/).filter(Boolean);
  return pieces.length ? Object.keys(words).filter((id) => pieces.every((piece) => words[id].includes(piece))) : null;
}

function lineage(id) {
  const parents = new Map(told.tree.nodes.map((node) => [node.id, node.parent]));
  const line = [];
  for (let at = id; at != null; at = parents.get(at)) line.unshift(at);
  return line;
}

function heard(name, value) {
  if (name === "chosen") state.selected = value.node || null;
  if (name === "place") {
    state.place = Object.fromEntries(["lens", "hoist", "t", "q", "filter"].filter((each) => value[each]).map((each) => [each, value[each]]));
    if ("node" in value) state.selected = value.node || null;
  }
  if (name !== "ask") queueMicrotask(draw);
}

function draw() {
  const { selected, place } = state;
  drawTree({ data: { ...told.tree, selected, place, matches: found(place.q ?? "") }, parentElement: left, setTriggerValue: heard, setStateValue: heard });
  const line = selected ? lineage(selected) : [];
  const turns = line.map((id) => ({ ...told.turns[id], use: id === selected ? told.turns[id].use : "" }));
  drawTalk({ data: { selected, height: told.tree.height, preamble: told.preamble, turns }, parentElement: right, setTriggerValue: heard });
}

draw();
