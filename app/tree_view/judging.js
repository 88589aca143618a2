// A pair of turns to be judged: what was said before, folded; the user's words in full; both turns beside one another.
// `data`: { height, blocks } from judging_sheet.py. It holds nothing that tells the turns apart but what they did.

const mounts = new WeakMap();

export default function ({ data, parentElement }) {
  let root = mounts.get(parentElement);
  if (!root) {
    root = make("div", "judging", null, { "data-testid": "judging", role: "region", tabindex: "0" });
    root.setAttribute("aria-label", "The two turns");
    parentElement.append(root);
    mounts.set(parentElement, root);
  }
  const text = JSON.stringify(data.blocks);
  if (root.dataset.shown === String(text.length) + data.key) return;
  root.dataset.shown = String(text.length) + data.key;
  root.style.height = `${data.height}px`;
  root.replaceChildren(...data.blocks.map((part) => DRAW[part.kind](null, part)));
  root.scrollTop = 0;
}

const DRAW = { text: said, compare, list };

function said(view, part) {
  return make("p", `said ${part.tone}`, part.text, { "data-testid": `said-${part.tone || "plain"}` });
}
