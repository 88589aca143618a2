// What an export holds: funnel, balance, lengths, checks, and a few rows as chat or as they are in the file.
// `data` comes from export_preview.py. Every string is set by textContent.

const WORDS = { up: "▲ trained towards", down: "▼ trained away from" };
const KINDS = { up: "▲ up", down: "▼ down", pair: "▲▼ pair", whole: "conversation" };
const TONES = { green: ["✓", "passed"], amber: ["!", "look first"], red: ["✕", "failed"] };
const mounts = new WeakMap();

export default function ({ data, parentElement }) {
  if (!mounts.has(parentElement)) mounts.set(parentElement, build(parentElement));
  if (data) update(mounts.get(parentElement), data);
}

function make(tag, name, ...inside) {
  const element = document.createElement(tag);
  if (name) element.className = name;
  element.append(...inside);
  return element;
}

function named(element, testId) {
  element.setAttribute("data-testid", testId);
  return element;
}

function build(parent) {
  const frame = named(make("div", "export"), "export");
  parent.append(frame);
  return { frame, text: "", sample: 0, raw: false };
}

function update(view, data) {
  const text = JSON.stringify(data);
  if (view.text === text) return;
  view.text = text;
  view.data = data;
  view.sample = Math.min(view.sample, Math.max(0, data.samples.length - 1));
  const figures = make("div", "columns", make("div", "", funnel(data)), make("div", "", balance(data), lengths(data)));
  view.rows = named(make("section", "rows"), "samples");
  view.frame.replaceChildren(figures, checks(data), view.rows);
  drawRows(view);
}

function section(title, ...inside) {
  return make("section", "", make("h3", "", title), ...inside);
}

function funnel(data) {
  const most = (unit) => Math.max(1, ...data.funnel.filter((step) => step.unit === unit).map((step) => step.count));
  const scale = { tree: most("tree"), row: most("row") }; // a tree holds many generations: two scales, else one is flat
  const lines = data.funnel.map((step) =>
    line(step.text, step.count, scale[step.unit], `funnel-${step.name}`, `${step.unit} ${step.name}`));
  const files = data.files.map((file) => line(file.name, file.count, scale.row, `rows-${file.name}`, "file"));
  return named(section("From rollouts to rows", ...lines, ...files), "funnel");
}

function line(text, count, most, testId, kind) {
  const bar = make("span", `bar ${kind}`);
  bar.style.minWidth = count ? "2px" : "0";
  bar.style.width = `${Math.min(100, (100 * count) / most)}%`;
  const row = make("div", "line", make("span", "what", text), make("span", "track", bar));
  const number = named(make("span", "number", count.toLocaleString("en")), testId);
  number.setAttribute("data-count", count);
  row.append(number);
  return row;
}

function balance(data) {
  const all = Math.max(1, data.up + data.down);
  const side = (name, word, count) => {
    const part = named(make("span", name, `${word} ${count.toLocaleString("en")}`), `balance-${name}`);
    part.setAttribute("data-count", count);
    part.style.flexGrow = String(Math.max(count / all, count ? 0.2 : 0));
    return part;
  };
  const parts = [];
  if (data.up) parts.push(side("up", "▲ up", data.up));
  if (data.down) parts.push(side("down", "▼ down", data.down));
  return section("Generations trained towards and away from", make("div", "balance", ...parts));
}

function lengths(data) {
  const most = Math.max(1, ...data.lengths.flatMap((bin) => [bin.up, bin.down]));
  const step = data.lengths.length > 1 ? data.lengths[1].from : 10;
  const bins = data.lengths.map((bin) => {
    const half = (name, count) => {
      const bar = make("i", name);
      bar.style.height = `${(100 * count) / most}%`;
      return make("span", `half ${name}`, bar);
    };
    const column = make("div", "bin", half("up", bin.up), half("down", bin.down));
    column.title = `${bin.from} to ${bin.from + step - 1} characters: ${bin.up} up, ${bin.down} down`;
    column.append(make("span", "from", String(bin.from)));
    return column;
  });
  const chart = named(make("div", "bins", ...bins), "lengths");
  chart.setAttribute("role", "img");
  chart.setAttribute("aria-label", "Lengths of what the model wrote, up above, down below");
  return section("Characters the model wrote: ▲ above, ▼ below", chart);
}

function checks(data) {
  const read = data.checks.length ? [make("h3", "again", "Read back from the files"), gates(data.checks, "check")] : [];
  return named(section("Checks", gates(data.gates, "gate"), ...read), "gates");
}

function gates(told, kind) {
  const lines = told.map((gate) => {
    const [sign, word] = TONES[gate.tone];
    const mark = make("span", "mark", sign);
    mark.setAttribute("role", "img");
    mark.setAttribute("aria-label", word);
    mark.title = word;
    const row = named(make("li", gate.tone, mark, make("span", "", gate.text)), `${kind}-${gate.name}`);
    row.setAttribute("data-tone", gate.tone);
    return row;
  });
  return make("ul", "gates", ...lines);
}

function drawRows(view) {
  const { samples } = view.data;
  const title = make("h3", "", samples.length ? "Rows as they leave" : "No rows to show");
  if (!samples.length) return view.rows.replaceChildren(title);
  const chips = samples.map((sample, index) => chip(view, `${index + 1}  ${KINDS[sample.kind]}`, index === view.sample,
    () => (view.sample = index), `sample-${index}`));
  const forms = [["As chat", false], ["As in the file", true]].map(([word, raw]) =>
    chip(view, word, view.raw === raw, () => (view.raw = raw), raw ? "form-raw" : "form-chat"));
  const sample = samples[view.sample];
  const link = named(make("a", "", "Open in tree"), "open-in-tree");
  link.setAttribute("href", sample.href);
  link.addEventListener("click", (event) => follow(event, sample.href));
  const about = make("p", "about", make("span", "", `${sample.scenario} · turn ${sample.node} · row ${sample.id}`), link);
  const head = make("div", "head", title, make("div", "chips", ...chips), make("div", "chips", ...forms));
  const body = view.raw ? named(make("pre", "", sample.raw), "sample-raw") : chat(sample);
  view.rows.replaceChildren(head, about, body);
  body.scrollTop = body.scrollHeight;
}

function chip(view, text, pressed, choose, testId) {
  const button = named(make("button", "", text), testId);
  button.type = "button";
  button.setAttribute("aria-pressed", String(pressed));
  button.addEventListener("click", () => {
    choose();
    drawRows(view);
    view.rows.querySelector(`[data-testid="${testId}"]`)?.focus();
  });
  return button;
}

function chat(sample) {
  const messages = sample.context.map((message) => bubble(message, message.role, message.role));
  const answers = sample.answers.map((message) => bubble(message, `answer ${message.use}`, WORDS[message.use]));
  const talk = named(make("div", "talk", ...messages, ...answers), "sample-chat");
  talk.tabIndex = 0;
  talk.setAttribute("role", "log");
  talk.setAttribute("aria-label", "The row as a conversation");
  return talk;
}

function bubble(message, name, who) {
  const box = make("div", `message ${name}`, make("span", "who", who));
  if (message.text) box.append(make("p", "", message.text));
  box.append(...message.calls.map((call) => make("code", "", call)));
  return box;
}

function follow(event, href) {
  if (event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  history.pushState(null, "", new URL(href, document.baseURI));
  dispatchEvent(new PopStateEvent("popstate"));
}
