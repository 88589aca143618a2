// "Save as PNG" for the chart in a container, as it is on the screen, at twice its size. `data`: { chart, file }.
// Vega draws into an svg or a canvas of class "marks"; either becomes a picture here, and nothing leaves the page.

const SCALE = 2;

export default function ({ data, parentElement }) {
  let button = parentElement.querySelector("button");
  if (!button) {
    button = document.createElement("button");
    button.type = "button";
    button.textContent = "PNG";
    parentElement.append(button);
  }
  button.title = `Save this chart as ${data.file}`;
  button.setAttribute("aria-label", button.title);
  button.onclick = () => save(data);
}

async function save({ chart, file }) {
  const drawn = document.querySelector(`.st-key-${chart} .marks`);
  if (!drawn) return;
  const box = drawn.getBoundingClientRect();
  const whole = document.createElement("canvas");
  whole.width = box.width * SCALE;
  whole.height = box.height * SCALE;
  const pen = whole.getContext("2d");
  pen.fillStyle = getComputedStyle(document.querySelector(".stApp")).backgroundColor;
  pen.fillRect(0, 0, whole.width, whole.height);
  pen.drawImage(drawn instanceof SVGElement ? await picture(drawn) : drawn, 0, 0, whole.width, whole.height);
  whole.toBlob((blob) => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(blob);
    link.download = file;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  }, "image/png");
}

async function picture(svg) {
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(new XMLSerializer().serializeToString(svg))}`;
  await image.decode();
  return image;
}
