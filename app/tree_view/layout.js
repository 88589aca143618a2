// Where each turn stands. A part of tree.js (joined to it, so without imports). Tidy, O(n): the outlines of neighbours
// are merged shallower into deeper. A node stands above the child on the ideal path, so that path is one straight
// line; the first turn is the origin, so growth never moves it.

const STEP = { x: 46, y: 31 };

function layout(roots, items) {
  const order = [];
  const stack = [...roots].reverse();
  while (stack.length) {
    const node = stack.pop();
    order.push(node);
    for (const child of node.children) stack.push(child);
  }
  for (const node of order.reverse()) measure(node);
  const lefts = roots.map((root) => ({ node: root, x: 0, y: 0 }));
  while (lefts.length) {
    const { node, x, y } = lefts.pop();
    items.get(node.id).goal = { x: x * STEP.x, y: y * STEP.y };
    for (const child of node.children) lefts.push({ node: child, x: x + child.shift, y: y + 1 });
  }
}

// Gives each child its shift against this node, and this node its outline: arrays of x, deepest row first, with one
// offset for all, so that a merge costs the shallower side only.
function measure(node) {
  let whole = null;
  for (const child of node.children) {
    const part = child.outline;
    const rows = whole ? Math.min(whole.left.length, part.left.length) : 0;
    let apart = 0;
    for (let d = 1; d <= rows; d++) apart = Math.max(apart, at(whole, "right", d) - at(part, "left", d) + 1);
    child.shift = apart;
    part.offset += apart;
    whole = whole ? merge(whole, part, rows) : part;
  }
  const line = node.children.find((child) => child.path);
  const ends = [node.children[0], node.children.at(-1)];
  const above = line ? line.shift : ends[0] ? (ends[0].shift + ends[1].shift) / 2 : 0;
  for (const child of node.children) child.shift -= above;
  if (whole) whole.offset -= above;
  node.outline = whole ?? { left: [], right: [], offset: 0 };
  node.outline.left.push(-node.outline.offset);
  node.outline.right.push(-node.outline.offset);
}

function at(outline, side, depth) {
  return outline[side][outline[side].length - depth] + outline.offset;
}

function merge(whole, part, rows) {
  const kept = part.left.length > whole.left.length ? part : whole;
  const [other, side] = kept === part ? [whole, "left"] : [part, "right"];
  for (let d = 1; d <= rows; d++) kept[side][kept[side].length - d] = at(other, side, d) - kept.offset;
  return kept;
}
