/** The field that a JSON pointer is about: the nearest one that stands on the page. */
export function goTo(page: ParentNode | null, pointer: string): void {
  const steps = pointer.split("/").slice(1);
  for (let length = steps.length; length > 0; length -= 1) {
    const found = page?.querySelector<HTMLElement>(`[data-pointer="${CSS.escape(`/${steps.slice(0, length).join("/")}`)}"]`);
    if (!found) continue;
    const control = found.matches("input, select, textarea") ? found : (found.querySelector<HTMLElement>("input, select, textarea, button") ?? found);
    found.scrollIntoView({ block: "center" });
    control.focus({ preventScroll: true });
    return;
  }
}
