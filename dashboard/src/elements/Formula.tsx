/** A formula in LaTeX, drawn as MathML; the library is loaded with the first one. */
import { useEffect, useRef } from "preact/hooks";

interface Props {
  latex: string;
  /** Whether it stands on a line of its own. */
  isBlock?: boolean;
}

export function Formula({ latex, isBlock = false }: Props) {
  const element = useRef<HTMLSpanElement>(null);
  useEffect(() => {
    let isCurrent = true;
    void import("temml").then(({ default: temml }) => {
      if (isCurrent && element.current) temml.render(latex, element.current, { displayMode: isBlock, throwOnError: false });
    });
    return () => {
      isCurrent = false;
    };
  }, [latex, isBlock]);
  return (
    <span ref={element} class={isBlock ? "formula block" : "formula"}>
      {latex}
    </span>
  );
}
