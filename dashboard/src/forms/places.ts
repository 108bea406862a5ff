import type { RefObject } from "preact";
import { useEffect, useState } from "preact/hooks";

/** A way to lead the reader to the field of a pointer, once `open` has drawn what may have hidden it. */
export function useLead(page: RefObject<HTMLElement | null>, open: () => void): (pointer: string) => void {
  const [sought, seek] = useState<{ pointer: string } | null>(null);
  useEffect(() => {
    if (sought) goTo(page.current, sought.pointer);
  }, [sought]);
  return (pointer) => {
    open();
    seek({ pointer });
  };
}

/** The field that a JSON pointer is about: the nearest one that stands on the page. */
function goTo(page: ParentNode | null, pointer: string): void {
  const steps = pointer.split("/").slice(1);
  for (let length = steps.length; length > 0; length -= 1) {
    const found = page?.querySelector<HTMLElement>(`[data-pointer="${CSS.escape(`/${steps.slice(0, length).join("/")}`)}"]`);
    if (!found) continue;
    const control = found.matches("input, select, textarea") ? found : (found.querySelector<HTMLElement>("input, select, textarea") ?? found.querySelector<HTMLElement>("button") ?? found);
    found.scrollIntoView({ block: "center" });
    control.focus({ preventScroll: true });
    return;
  }
}
