// Two turns side by side, aligned by sheets.py, and lines to fold out: parts of the panes and of the audit's cards.
// Every string is set by textContent.

function make(tag, name, text, attributes = {}) {
  const element = document.createElement(tag);
  if (name) element.className = name;
  if (text !== undefined && text !== null) element.textContent = text;
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  return element;
}

function compare(view, part) {
  const box = make("div", "compare", null, { "data-testid": "compare" });
  const top = make("div", "sides");
  top.append(make("div", "side", part.left), make("div", "side", part.right));
  box.append(top, ...part.rows.map(compared));
  return box;
}

function compared(row) {
  const box = make("section", `pair ${row.mark}`, null, { "data-mark": row.mark });
  const title = make("div", "title");
  title.append(make("span", "", row.title));
  if (row.word) title.append(make("span", `mark ${row.mark}`, row.word));
  box.append(title);
  if (has(row.left) || has(row.right)) {
    const sides = make("div", "sides");
    sides.append(side(row.left, "del"), side(row.right, "ins"));
    box.append(sides);
  }
  if (row.arguments.length) box.append(table(row.arguments));
  return box;
}

const has = (half) => half !== null && half.pieces.length > 0;

// Words only on this side stand in <del> or <ins>: struck through or underlined, so colour is not needed to tell.
function side(half, tag) {
  if (half === null) return make("div", "side none", "–");
  const box = make("div", `side${half.wrong ? " wrong" : ""}`);
  if (half.wrong) box.append(make("span", "fault", "⚠ error "));
  for (const [piece, only] of half.pieces) box.append(only ? make(tag, "", piece) : document.createTextNode(piece));
  return box;
}

function table(rows) {
  const grid = make("table", "arguments");
  for (const row of rows) {
    const line = make("tr", row.mark, null, { "data-mark": row.mark });
    line.append(make("th", "", row.name, { scope: "row" }));
    line.append(make("td", row.left === null ? "none" : "", row.left ?? "–"));
    line.append(make("td", row.right === null ? "none" : "", row.right ?? "–"));
    line.append(make("td", `mark ${row.mark}`, row.word));
    grid.append(line);
  }
  return grid;
}

function list(view, part) {
  const box = make("details", "list");
  box.append(make("summary", "", part.title), make("pre", "", part.lines.join("\n")));
  return box;
}
