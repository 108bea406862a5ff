import type { RefObject } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";

/** A frame to draw in, and how wide it is now, in pixels; 0 until it is on the page. */
export function useWidth<T extends HTMLElement>(): [RefObject<T | null>, number] {
  const frame = useRef<T>(null);
  const [width, setWidth] = useState(0);
  useEffect(() => {
    const element = frame.current;
    if (!element) return;
    const observer = new ResizeObserver(() => setWidth(Math.floor(element.clientWidth)));
    observer.observe(element);
    setWidth(Math.floor(element.clientWidth));
    return () => observer.disconnect();
  }, []);
  return [frame, width];
}

/** A canvas of `width` × `height` CSS pixels, sharp on any screen, cleared, with a context that counts in CSS pixels. */
export function prepared(canvas: HTMLCanvasElement, width: number, height: number): CanvasRenderingContext2D {
  const scale = devicePixelRatio || 1;
  canvas.width = Math.round(width * scale);
  canvas.height = Math.round(height * scale);
  canvas.style.width = `${width}px`;
  canvas.style.height = `${height}px`;
  const context = canvas.getContext("2d") as CanvasRenderingContext2D;
  context.setTransform(scale, 0, 0, scale, 0, 0);
  return context;
}
