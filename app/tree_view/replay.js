// The search played again, event by event. A part of tree.js (joined to it, so without imports). `data.replay` holds what
// each event changed (replay.py); a moment is put together from the first so many, here in the browser, so play at any
// speed asks nothing of the server. Turns stand where they stand in the end: the tree grows into its place. The last
// moment is the tree as it is, verdicts and all.

const BEAT = 700; // milliseconds for an event, at speed 1
const SPEEDS = [0.5, 1, 2, 4, 8];

function replayBar(view) {
  const range = html("input", { type: "range", min: "0", value: "0", "aria-label": "Moment of the search", "data-testid": "scrub" });
  const speed = html("select", { "aria-label": "Speed", "data-testid": "speed" }, ...SPEEDS.map((each) => words("option", `${each}×`, { value: each })));
  const caption = words("div", "", { class: "caption", "aria-live": "polite", "data-testid": "caption" });
  const play = button("Play", "Replay the search (Space)", () => toggle(view), { "data-testid": "play" });
  const leave = button("✕", "Leave the replay (Esc)", () => seek(view, null), { "data-testid": "leave" });
  const where = html("span", { class: "where" });
  const box = html("div", { class: "replay", "data-testid": "replay" }, play,
    button("Back", "One event back", () => stepBy(view, -1), { "data-testid": "step-back" }),
    button("Step", "One event on", () => stepBy(view, 1), { "data-testid": "step-on" }), range, where, speed, leave, caption);
  speed.value = "1";
  speed.addEventListener("change", () => { view.speed = Number(speed.value); });
  range.addEventListener("input", () => { const to = Number(range.value); pause(view); seek(view, to); });
  return { box, range, caption, play, leave, where };
}

// New data. `t`: what the address says, undefined where that is no news.
function remember(view, t) {
  const { replay } = view.data;
  view.explorer.bar.range.max = String(Math.max(0, replay.length - 1));
  if (t !== undefined && !view.playing) {
    const before = replay.findLastIndex((step) => step.seq <= Number(t));
    view.step = t === null || t === "" || Number.isNaN(Number(t)) ? null : Math.max(0, before);
  }
  view.moment = moment(view);
  replayed(view);
}

// The tree after the first steps; null where that is the tree as it is.
function moment(view) {
  const { replay } = view.data;
  if (view.step === null || view.step >= replay.length - 1) return null;
  const labels = {}, won = new Map(), path = new Set(), past = replay.slice(0, view.step + 1);
  let end = null;
  for (const step of past) {
    Object.assign(labels, step.labels);
    if (step.end !== undefined) end = step.end;
    for (const [node, number] of step.won ?? []) won.set(node, [...(won.get(node) ?? []), number]);
  }
  for (let each = view.all.get(end); each; each = view.all.get(each.parent)) path.add(each.id);
  const last = past.at(-1);
  return {
    won, seen: (node) => node.at <= last.seq, current: last.add ?? last.won?.[0][0] ?? null,
    look: (node) => {
      if (node.kind === "group") return node;
      const label = node.kind === "agent" ? labels[node.id] ?? "open" : path.has(node.id) ? "ideal" : "off_path";
      const named = node.tip[0].split(" · ")[0] + (node.kind === "agent" ? ` · ${WORDS[label]}` : "");
      return {
        ...node, label, override: "", was: null, path: path.has(node.id), won: won.get(node.id) ?? [],
        aria: named, tip: [named, ...node.tip.slice(1, 2)],
      };
    },
  };
}

function seek(view, step, quietly = false) {
  view.step = step === null ? null : Math.min(Math.max(0, step), view.data.replay.length - 1);
  if (step === null) pause(view);
  view.moment = moment(view);
  redress(view);
  replayed(view);
  if (view.moment?.current) reveal(view, view.moment.current);
  clearTimeout(view.seeking);
  const t = () => view.step === null ? "" : String(view.data.replay[view.step].seq);
  if (!quietly) view.seeking = setTimeout(() => note(view, { t: t() }), 200);
}

function stepBy(view, way) {
  pause(view);
  seek(view, (view.step ?? (way > 0 ? -1 : view.data.replay.length - 1)) + way);
}

function toggle(view) {
  if (view.playing) {
    pause(view);
    seek(view, view.step);
    return;
  }
  const last = view.data.replay.length - 1;
  seek(view, view.step === null || view.step >= last ? 0 : view.step, true);
  const next = () => {
    if (!view.frame.isConnected) return;
    const over = view.step >= view.data.replay.length - 1;
    if (over) pause(view);
    seek(view, over ? view.step : view.step + 1, !over);
    if (!over) view.playing = setTimeout(next, BEAT / view.speed);
  };
  view.playing = setTimeout(next, BEAT / view.speed);
  replayed(view);
}

function pause(view) {
  clearTimeout(view.playing);
  view.playing = 0;
  replayed(view);
}

function replayed(view) {
  const { bar } = view.explorer, { replay } = view.data, on = view.step !== null, at = on ? view.step : replay.length - 1;
  bar.range.value = String(at);
  bar.where.textContent = `event ${Math.min(at + 1, replay.length)} of ${replay.length}`;
  bar.caption.textContent = on ? replay[at].text : "";
  bar.caption.hidden = !on;
  bar.leave.hidden = !on;
  bar.play.textContent = view.playing ? "Pause" : "Play";
  view.root.setAttribute("data-t", on ? replay[at].seq : "");
  view.root.setAttribute("data-playing", String(Boolean(view.playing)));
}
