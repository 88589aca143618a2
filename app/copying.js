// A button that copies: `data` is { label, text }; text null: the address of the page as it is at that moment.
// The label says that it happened, to those who see and to those who hear. Without the clipboard's permission, as on
// plain http elsewhere, the old way is used.

const mounts = new WeakMap();

export default function ({ data, parentElement }) {
  if (!mounts.has(parentElement)) mounts.set(parentElement, build(parentElement));
  const view = mounts.get(parentElement);
  view.data = data;
  if (!view.told) view.button.textContent = data.label;
  view.button.title = data.help ?? "";
}

function build(parent) {
  const button = document.createElement("button");
  const heard = document.createElement("span");
  heard.setAttribute("role", "status");
  button.type = "button";
  button.setAttribute("data-testid", "copy");
  parent.append(button, heard);
  const view = { button, heard, data: null, told: 0 };
  button.addEventListener("click", async () => {
    const done = await copied(view.data.text ?? location.href);
    clearTimeout(view.told);
    button.textContent = heard.textContent = done ? "Copied" : "Not copied";
    view.told = setTimeout(() => {
      view.told = 0;
      button.textContent = view.data.label;
      heard.textContent = "";
    }, 1600);
  });
  return view;
}

async function copied(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copiedTheOldWay(text);
  }
}

function copiedTheOldWay(text) {
  const field = document.createElement("textarea");
  field.value = text;
  field.style.position = "fixed";
  document.body.append(field);
  field.select();
  const done = document.execCommand("copy");
  field.remove();
  return done;
}
