// A conversation from its start to one turn, beside the tree. Every string is set by textContent: what models, users
// and data files wrote is shown as it is. `data` comes from transcript.py. A click on a chip or on the link of a
// "why" sentence chooses that turn.

const mounts = new WeakMap();

export default function ({ data, parentElement, setTriggerValue }) {
  if (!mounts.has(parentElement)) mounts.set(parentElement, build(parentElement));
  const view = mounts.get(parentElement);
  view.tell = (node) => setTriggerValue("chosen", { node });
  if (data) update(view, data);
}

function make(tag, name, text, attributes = {}) {
  const element = document.createElement(tag);
  if (name) element.className = name;
  if (text !== undefined && text !== null) element.textContent = text;
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  return element;
}

function build(parent) {
  const root = make("div", "chat", null, { "data-testid": "conversation", role: "log", tabindex: "0", "aria-label": "Conversation" });
  parent.append(root);
  return { root, parts: new Map(), selected: null, tell: () => {} };
}

function update(view, data) {
  const { root } = view;
  root.style.height = `${data.height}px`;
  const parts = new Map();
  const want = [["preamble", data.preamble], ...data.turns.map((turn) => [turn.id, turn])];
  for (const [id, part] of want) {
    const text = JSON.stringify(part);
    const known = view.parts.get(id);
    const same = known && known.text === text;
    parts.set(id, same ? known : { text, element: id === "preamble" ? preamble(part) : turn(view, part) });
  }
  const elements = [...parts.values()].map((part) => part.element);
  if (elements.length !== root.children.length || elements.some((element, i) => root.children[i] !== element)) {
    root.replaceChildren(...elements);
  }
  for (const [id, part] of parts) part.element.classList.toggle("chosen", id === data.selected);
  view.parts = parts;
  if (view.selected !== data.selected) {
    const last = parts.get(data.selected)?.element;
    if (last) root.scrollTop = last.offsetTop - Math.max(16, root.clientHeight - last.offsetHeight - 16);
  }
  view.selected = data.selected;
}

function preamble(part) {
  const box = make("details", "preamble");
  const count = part.tools.length;
  box.append(make("summary", "", `What the agent was given: ${part.messages.length} system message${part.messages.length === 1 ? "" : "s"}, ${count} tool${count === 1 ? "" : "s"}`));
  for (const each of part.messages) box.append(message(each));
  for (const tool of part.tools) box.append(make("div", "tool-name", tool.name), make("pre", "", tool.text));
  return box;
}

function turn(view, part) {
  const box = make("section", `turn ${part.speaker} ${part.label ?? ""}`, null, { "data-testid": `turn-${part.id}` });
  if (part.branch.length) box.append(branch(view, part));
  const head = make("header");
  head.append(make("span", "who", part.name), make("span", "when", `exchange ${part.exchange}`));
  if (part.word) head.append(make("span", `tag ${part.label}`, part.word));
  for (const goal of part.goals) head.append(make("span", "tag goal", `★ ${goal}`));
  if (part.mark) head.append(make("span", "tag mark", `✎ ${part.mark}`));
  if (part.stop) head.append(make("span", "tag stop", `⚠ ${part.stop}`));
  box.append(head);
  for (const each of part.messages) box.append(message(each));
  for (const each of part.calls) box.append(call(each));
  if (part.why) box.append(why(view, part.why));
  if (part.use) box.append(make("div", "use", part.use));
  return box;
}

function branch(view, part) {
  const row = make("div", "branch");
  row.append(make("span", "", "Branch point"));
  for (const chip of part.branch) {
    const sign = { ideal: "✓", negative: "✕", partial: "◐", off_path: "·", open: "…" }[chip.label] ?? "";
    const button = make("button", `chip ${chip.label ?? ""}`, `${sign} ${chip.id} ${chip.word}`, {
      type: "button", "aria-pressed": String(chip.current), "data-testid": `chip-${chip.id}`,
    });
    button.addEventListener("click", () => view.tell(chip.id));
    row.append(button);
  }
  return row;
}

function why(view, part) {
  const line = make("div", "why", null, { "data-testid": "why" });
  line.append(make("span", "", part.text));
  if (part.link !== null) {
    const link = make("button", "link", `Go to ${part.link}`, { type: "button" });
    link.addEventListener("click", () => view.tell(part.link));
    line.append(link);
  }
  return line;
}

function message(part) {
  const box = make("div", `message ${part.role}${part.fault ? " wrong" : ""}`, null, { "data-role": part.role });
  const head = make("div", "role");
  head.append(make("span", "", part.answers ? `${part.role} · answer to ${part.answers}` : part.role));
  if (part.fault) head.append(make("span", "fault", `⚠ error: ${part.fault}`));
  if (part.sampled) head.append(make("span", "sampled", "✎ model-written"));
  else if (part.role === "assistant") head.append(make("span", "sampled", "not model-written"));
  box.append(head);
  if (part.text) box.append(make("div", "text", readable(part)));
  else if (!part.calls.length) box.append(make("div", "text none", "(empty)"));
  for (const each of part.calls) box.append(call(each));
  return box;
}

// A tool's JSON is laid out over lines where that changes white space only; anything else stays as it came.
function readable(part) {
  if (part.role !== "tool") return part.text;
  try {
    const value = JSON.parse(part.text);
    const same = JSON.stringify(value).replace(/\s/g, "") === part.text.replace(/\s/g, "");
    return same && typeof value === "object" && value !== null ? JSON.stringify(value, null, 1) : part.text;
  } catch {
    return part.text;
  }
}

function call(part) {
  const box = make("div", `call${part.fault ? " wrong" : ""}`);
  const head = make("div", "role");
  head.append(make("span", "", "call"), make("code", "", part.name), make("span", "id", part.id));
  if (part.fault) head.append(make("span", "fault", `⚠ error: ${part.fault}`));
  box.append(head, make("pre", "", part.arguments));
  if (part.raw) box.append(make("div", "role", "as written, unreadable"), make("pre", "", part.raw));
  if (part.answer !== null) box.append(make("div", "role", part.fault ? "error" : "result"), make("pre", "", part.answer));
  return box;
}
