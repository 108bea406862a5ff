/** Parts of a view of which one is shown; the address says which. */
import { useLocation } from "preact-iso";
import { withQuery } from "~/state/address";

interface Props {
  label: string;
  /** The name under which the address holds the part that is shown. */
  name: string;
  tabs: { value: string; label: string }[];
  current: string;
}

export function Tabs({ label, name, tabs, current }: Props) {
  const { url } = useLocation();
  return (
    <nav class="tabs" aria-label={label}>
      {tabs.map((tab, index) => (
        <a key={tab.value} href={withQuery(url, { [name]: index === 0 ? null : tab.value })} aria-current={tab.value === current ? "page" : undefined}>
          {tab.label}
        </a>
      ))}
    </nav>
  );
}
