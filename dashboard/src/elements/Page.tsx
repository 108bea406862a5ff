/** The frame of a view: its title, what can be done, and its content. */
import type { ComponentChildren } from "preact";
import { useEffect } from "preact/hooks";

interface Props {
  title: string;
  /** Stands above the title: where this view belongs. */
  above?: ComponentChildren;
  /** Stands beside the title. */
  badge?: ComponentChildren;
  /** One sentence under the title. */
  lead?: ComponentChildren;
  /** Buttons and links at the right of the title. */
  actions?: ComponentChildren;
  children: ComponentChildren;
}

export function Page({ title, above, badge, lead, actions, children }: Props) {
  useEffect(() => {
    document.title = `${title} · Vidro`;
  }, [title]);
  return (
    <div class="page">
      {above && <div class="above">{above}</div>}
      <header class="page-head">
        <h1>{title}</h1>
        {badge}
        {actions && <div class="actions">{actions}</div>}
      </header>
      {lead && <p class="lead">{lead}</p>}
      {children}
    </div>
  );
}

interface SectionProps {
  title?: ComponentChildren;
  actions?: ComponentChildren;
  children: ComponentChildren;
  class?: string;
}

/** A part of a view under a title of its own. */
export function Section({ title, actions, children, class: name = "" }: SectionProps) {
  return (
    <section class={`section ${name}`}>
      {(title || actions) && (
        <header class="section-head">
          <h2>{title}</h2>
          {actions && <div class="actions">{actions}</div>}
        </header>
      )}
      {children}
    </section>
  );
}

/** Says what is missing and what to do next. */
export function Empty({ title, children }: { title: string; children?: ComponentChildren }) {
  return (
    <div class="empty">
      <p class="empty-title">{title}</p>
      {children}
    </div>
  );
}
