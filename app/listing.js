// A table with real links: each row leads to a page. `data` comes from listings.py:
// { columns: [text], height, note, rows: [{ id, href, cells: [{ kind, text }] }] }.
// Every string is set by textContent. A plain click goes there as Back and Forward do, by the address alone: one entry
// in the history, nothing loaded anew. With a modifier key the link is the browser's.

const mounts = new WeakMap();

export default function ({ data, parentElement }) {
  if (!mounts.has(parentElement)) mounts.set(parentElement, build(parentElement));
  if (data) update(mounts.get(parentElement), data);
}

function make(tag, name, text) {
  const element = document.createElement(tag);
  if (name) element.className = name;
  if (text !== undefined) element.textContent = text;
  return element;
}

function build(parent) {
  const frame = make("div", "listing");
  const table = make("table");
  const head = make("tr"), body = make("tbody"), note = make("p", "note");
  const top = make("thead");
  top.append(head);
  table.append(top, body);
  frame.append(table, note);
  frame.setAttribute("data-testid", "listing");
  parent.append(frame);
  return { frame, table, head, body, note, rows: new Map() };
}

function update(view, data) {
  view.frame.style.maxHeight = data.height ? `${data.height}px` : "";
  view.table.hidden = data.rows.length === 0;
  view.note.textContent = data.note;
  const titles = data.columns.join("\n");
  if (view.titles !== titles) view.head.replaceChildren(...data.columns.map((title) => make("th", "", title)));
  view.titles = titles;
  const rows = new Map();
  for (const row of data.rows) {
    const text = JSON.stringify(row);
    const known = view.rows.get(row.id);
    rows.set(row.id, known?.text === text ? known : { text, element: line(row) });
  }
  const elements = [...rows.values()].map((row) => row.element);
  if (elements.length !== view.body.children.length || elements.some((each, i) => each !== view.body.children[i])) {
    view.body.replaceChildren(...elements);
  }
  view.rows = rows;
}

function line(row) {
  const element = make("tr");
  element.setAttribute("data-testid", `row-${row.id}`);
  for (const cell of row.cells) {
    const box = make("td", cell.kind);
    if ((cell.kind === "link" || cell.kind === "name") && row.href) {
      const link = make("a", "", cell.text);
      link.setAttribute("href", row.href);
      box.append(link);
    } else {
      box.append(make("span", cell.kind === "state" ? cell.text : "", cell.text));
    }
    element.append(box);
  }
  if (!row.href) return element;
  element.classList.add("leads");
  element.addEventListener("click", (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    history.pushState(null, "", new URL(row.href, document.baseURI));
    dispatchEvent(new PopStateEvent("popstate"));
  });
  return element;
}
