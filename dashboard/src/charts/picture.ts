/** A chart on the page as a PNG, whether it is drawn on canvas or as SVG. */

/** Properties of SVG that a style sheet sets, written into the copy that is drawn. */
const STYLED = ["fill", "stroke", "stroke-width", "stroke-dasharray", "opacity", "fill-opacity", "font-size", "font-family", "font-weight", "text-anchor", "dominant-baseline"];

async function drawSvg(context: CanvasRenderingContext2D, svg: SVGSVGElement, x: number, y: number): Promise<void> {
  const { width, height } = svg.getBoundingClientRect();
  const copy = svg.cloneNode(true) as SVGSVGElement;
  copy.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  copy.setAttribute("width", String(width));
  copy.setAttribute("height", String(height));
  const originals = svg.querySelectorAll("*");
  copy.querySelectorAll("*").forEach((element, index) => {
    const style = getComputedStyle(originals[index] as Element);
    for (const name of STYLED) element.setAttribute(name, style.getPropertyValue(name));
  });
  const address = URL.createObjectURL(new Blob([new XMLSerializer().serializeToString(copy)], { type: "image/svg+xml" }));
  try {
    const image = new Image();
    image.src = address;
    await image.decode();
    context.drawImage(image, x, y, width, height);
  } finally {
    URL.revokeObjectURL(address);
  }
}

/** Every canvas and SVG in `frame`, where it stands, on the page's background; null where there is none. */
export async function pictureOf(frame: HTMLElement): Promise<Blob | null> {
  const parts = [...frame.querySelectorAll<HTMLCanvasElement | SVGSVGElement>("canvas, svg")].filter((part) => !part.parentElement?.closest("svg"));
  if (parts.length === 0) return null;
  const boxes = parts.map((part) => part.getBoundingClientRect());
  const left = Math.min(...boxes.map((box) => box.left));
  const top = Math.min(...boxes.map((box) => box.top));
  const scale = Math.max(2, devicePixelRatio);
  const canvas = document.createElement("canvas");
  canvas.width = Math.ceil((Math.max(...boxes.map((box) => box.right)) - left) * scale);
  canvas.height = Math.ceil((Math.max(...boxes.map((box) => box.bottom)) - top) * scale);
  const context = canvas.getContext("2d") as CanvasRenderingContext2D;
  context.scale(scale, scale);
  context.fillStyle = getComputedStyle(document.body).backgroundColor;
  context.fillRect(0, 0, canvas.width, canvas.height);
  for (const [index, part] of parts.entries()) {
    const box = boxes[index] as DOMRect;
    if (part instanceof HTMLCanvasElement) context.drawImage(part, box.left - left, box.top - top, box.width, box.height);
    else await drawSvg(context, part, box.left - left, box.top - top);
  }
  return new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
}
