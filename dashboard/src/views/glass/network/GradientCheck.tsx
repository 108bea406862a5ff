/** The gradient of backpropagation beside finite differences of the cost. */
import type { Schema } from "~/api/client";
import { Loaded, Notice } from "~/elements/Notice";
import { Section } from "~/elements/Page";
import { useResource } from "~/state/resource";
import { number } from "~/text/format";
import { networkPageText } from "~/text/glass-network";
import { lowered } from "./names";

interface Props {
  /** What is checked: asked again when it changes. */
  request: string;
  load: (signal: AbortSignal) => Promise<Schema["GradientCheck"]>;
}

export function GradientCheck({ request, load }: Props) {
  const text = networkPageText();
  const check = useResource(`check ${request}`, load);
  return (
    <Section title={text.check}>
      <p class="muted">{text.checkSays}</p>
      <Loaded resource={check}>
        {({ agrees, slopes }) => (
          <>
            <Notice kind={agrees ? "success" : "warning"}>{agrees ? text.agrees : text.disagrees}</Notice>
            <div class="table-frame tall">
              <table>
                <thead>
                  <tr>
                    <th>{text.parameter}</th>
                    <th class="number">{text.value}</th>
                    <th class="number">{text.analytic}</th>
                    <th class="number">{text.numeric}</th>
                    <th class="number">{text.error}</th>
                    <th />
                  </tr>
                </thead>
                <tbody>
                  {slopes.map((slope) => (
                    <tr key={`${slope.layer} ${slope.name} ${slope.index.join()}`}>
                      <th class="nowrap">
                        {slope.name.toLowerCase()}
                        {slope.index.map((place) => lowered(place + 1)).join("‚")} <span class="muted">{slope.layer}</span>
                      </th>
                      <td class="number">{number(slope.value, 6)}</td>
                      <td class="number">{number(slope.analytic, 8)}</td>
                      <td class="number">{number(slope.numeric, 8)}</td>
                      <td class="number">{number(slope.error, 2)}</td>
                      <td>{slope.agrees ? `✓ ${text.yes}` : `✕ ${text.no}`}</td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </div>
          </>
        )}
      </Loaded>
    </Section>
  );
}
