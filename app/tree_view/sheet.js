// A pane beside the drawing: blocks of text from sheets.py, one after another. Every string is set by textContent.
// A link or a chip reports the turn it stands for: `chosen` goes to it, `rival` compares with it.

const mounts = new WeakMap();
const SIGNS = { ideal: "✓", negative: "✕", partial: "◐", off_path: "·", open: "…" };
const COPIED_MS = 1500;

export default function ({ data, parentElement, setTriggerValue }) {
  if (!mounts.has(parentElement)) mounts.set(parentElement, build(parentElement));
  const view = mounts.get(parentElement);
  view.tell = (name, node) => setTriggerValue(name, { node });
  if (data) update(view, data);
}

function build(parent) {
  const root = make("div", "sheet", null, { "data-testid": "sheet", role: "region", tabindex: "0" });
  parent.append(root);
  return { root, shown: null, name: null, tell: () => {} };
}

function update(view, data) {
  const { root } = view;
  root.style.height = `${data.height}px`;
  root.setAttribute("aria-label", data.name);
  root.dataset.pane = data.name;
  const text = JSON.stringify(data.blocks);
  if (text === view.shown) return;
  root.replaceChildren(...data.blocks.map((part) => DRAW[part.kind](view, part)));
  if (view.name !== data.name) root.scrollTop = 0;
  view.shown = text;
  view.name = data.name;
}

const DRAW = { head, text: sentence, facts, chips, compare, code, list };

function head(view, part) {
  const row = make("h4", "head", part.text);
  if (part.word) row.append(make("span", `tag ${part.label}`, `${SIGNS[part.label] ?? ""} ${part.word}`));
  return row;
}

function sentence(view, part) {
  const line = make("p", `said ${part.tone}`, part.text, { "data-testid": part.tone === "strong" ? "reason" : "said" });
  if (part.link !== null) {
    const link = make("button", "link", `Go to ${part.link}`, { type: "button", "data-testid": `go-${part.link}` });
    link.addEventListener("click", () => view.tell("chosen", part.link));
    line.append(" ", link);
  }
  return line;
}

function facts(view, part) {
  const list = make("dl", "facts");
  for (const [term, value] of part.rows) list.append(make("dt", "", term), make("dd", "", value));
  return list;
}

function chips(view, part) {
  const row = make("div", "chips", null, { role: "group", "aria-label": "Compare with" });
  row.append(make("span", "", part.text));
  for (const chip of part.chips) {
    const button = make("button", `chip ${chip.label ?? ""}`, `${SIGNS[chip.label] ?? ""} ${chip.id} ${chip.word}`, {
      type: "button", "aria-pressed": String(chip.current), "data-testid": `rival-${chip.id}`,
    });
    button.addEventListener("click", () => view.tell("rival", chip.id));
    row.append(button);
  }
  return row;
}

function code(view, part) {
  const box = make("div", "code", null, { "data-testid": "code" });
  const top = make("div", "top");
  const copy = make("button", "copy", "Copy", { type: "button", "aria-label": `Copy ${part.title}` });
  copy.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(part.text);
      copy.textContent = "Copied";
    } catch {
      copy.textContent = "Not allowed here";
    }
    setTimeout(() => { copy.textContent = "Copy"; }, COPIED_MS);
  });
  top.append(make("strong", "", part.title), make("span", "note", part.note), copy);
  box.append(top, make("pre", "", part.text, { tabindex: "0" }));
  return box;
}
