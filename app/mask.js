// A sequence with what is trained on in it. `data` comes from pages/train.py: { pieces: [{ text, trained }] }, trained
// being "good", "bad" or "". Every string is set by textContent; a word stands before what is trained on, so colour is
// not all there is.

export default function ({ data, parentElement }) {
  const frame = document.createElement("div");
  frame.className = "mask";
  frame.setAttribute("data-testid", "mask");
  for (const piece of data?.pieces ?? []) {
    const span = document.createElement("span");
    if (piece.trained) {
      const word = document.createElement("b");
      word.textContent = piece.trained;
      span.className = piece.trained;
      span.append(word);
    }
    span.append(document.createTextNode(piece.text));
    frame.append(span);
  }
  parentElement.querySelector(".mask")?.remove();
  parentElement.append(frame);
}
