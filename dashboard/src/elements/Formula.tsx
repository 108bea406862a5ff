/** A formula in LaTeX, drawn as MathML; the library is loaded with the first one. */
import { useEffect, useRef } from "preact/hooks";

interface Props {
  latex: string;
  /** Whether it stands on a line of its own, which a long one is scrolled along: by keyboard, too. */
  isBlock?: boolean;
}

export function Formula({ latex, isBlock = false }: Props) {
  const element = useRef<HTMLSpanElement>(null);
  useEffect(() => {
    let isCurrent = true;
    void import("temml").then(({ default: temml }) => {
      const place = element.current;
      if (!isCurrent || !place) return;
      temml.render(latex, place, { displayMode: isBlock, throwOnError: false });
      if (isBlock && place.scrollWidth > place.clientWidth) place.tabIndex = 0; // so that it is scrolled by keyboard, too
    });
    return () => {
      isCurrent = false;
    };
  }, [latex, isBlock]);
  return (
    <span ref={element} class={isBlock ? "formula block" : "formula"} tabIndex={isBlock ? 0 : undefined}>
      {latex}
    </span>
  );
}
