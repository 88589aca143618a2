// Tells the whole document which of the two themes the app shows. Streamlit says so on its own element only, but
// dialogs, menus and hints hang beside that one, and what is in them would take the light colours.

let watching = null;

export default function () {
  const app = document.querySelector(".stApp");
  if (!app || watching === app) return;
  watching = app;
  const tell = () => { document.documentElement.style.colorScheme = getComputedStyle(app).colorScheme; };
  new MutationObserver(tell).observe(app, { attributes: true, attributeFilter: ["class", "style"] });
  tell();
}
