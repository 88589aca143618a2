// Each visible text against the ground it stands on, and each shape of the tree against the drawing's, as WCAG has it.
() => {
  const parse = (text) => {
    const color = text.match(/[\d.]+/g).map(Number);
    if (text.startsWith("color(srgb")) { color[0] *= 255; color[1] *= 255; color[2] *= 255; }
    return [color[0], color[1], color[2], color[3] === undefined ? 1 : color[3]];
  };
  const over = (top, under) => top.slice(0, 3).map((part, i) => part * top[3] + under[i] * (1 - top[3]));
  const light = (rgb) => {
    const [r, g, b] = rgb.map((part) => {
      const share = part / 255;
      return share <= 0.03928 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ratio = (one, other) => {
    const [high, low] = [light(one), light(other)].sort((a, b) => b - a);
    return (high + 0.05) / (low + 0.05);
  };
  const above = (node) => node.parentElement || (node.getRootNode() instanceof ShadowRoot ? node.getRootNode().host : null);
  const ground = (element) => {
    const layers = [];
    for (let at = element; at; at = above(at)) {
      const layer = parse(getComputedStyle(at).backgroundColor);
      if (layer[3] > 0) layers.push(layer);
      if (layer[3] === 1) break;
    }
    return layers.reverse().reduce((under, layer) => over(layer, under), [255, 255, 255]);
  };
  const opacity = (element) => {
    let left = 1;
    for (let at = element; at; at = above(at)) left *= Number(getComputedStyle(at).opacity);
    return left;
  };
  const seen = (element) => {
    const box = element.getBoundingClientRect(), style = getComputedStyle(element);
    return box.width > 1 && box.height > 1 && style.visibility === "visible" && box.bottom > 0 && box.top < innerHeight
      && !element.closest("[disabled],[aria-disabled=true],[aria-hidden=true]");
  };
  const words = [], shapes = [];
  const visit = (root) => {
    for (const element of root.querySelectorAll("*")) {
      if (element.shadowRoot) visit(element.shadowRoot);
      if (!seen(element)) continue;
      const style = getComputedStyle(element);
      const said = [...element.childNodes].filter((node) => node.nodeType === 3).map((node) => node.data.trim()).join(" ").trim();
      const inSvg = element instanceof SVGElement;
      if (said && !inSvg && !/^(SCRIPT|STYLE)$/.test(element.tagName)) {
        const back = ground(element), ink = parse(style.color);
        ink[3] *= opacity(element);
        if (ink[3] === 0) continue;
        const size = parseFloat(style.fontSize), large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
        words.push([said.slice(0, 60), ratio(over(ink, back), back), large ? 3 : 4.5]);
      }
      if (inSvg && element.matches(".shape .solid, .shape .hollow, .edge, .reward polygon")) {
        const back = ground(element.ownerSVGElement);
        const paints = [style.fill, style.stroke].filter((paint) => paint !== "none" && paint !== "rgba(0, 0, 0, 0)");
        const best = Math.max(...paints.map((paint) => {
          const ink = parse(paint);
          ink[3] *= opacity(element);
          return ratio(over(ink, back), back);
        }));
        shapes.push([element.getAttribute("class") + " in " + (element.parentElement.getAttribute("class") || ""), best]);
      }
    }
  };
  visit(document);
  return {words, shapes};
}
