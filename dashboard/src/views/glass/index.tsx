/** The glass box: pages on which the numbers of training can be looked at and changed. */
import { lazy, useLocation, useRoute } from "preact-iso";
import { Page } from "~/elements/Page";
import { glassText } from "~/text/glass";
import { NotFound } from "../NotFound";
import "./glass.css";

const PAGES = {
  network: lazy(() => import("./network/NetworkPage")),
  landscapes: lazy(() => import("./landscapes/LandscapesPage")),
  functions: lazy(() => import("./functions/FunctionsPage")),
  initialisations: lazy(() => import("./initialisations/InitialisationsPage")),
  optimizers: lazy(() => import("./optimizers/OptimizersPage")),
};
type Name = keyof typeof PAGES;

export default function Glass() {
  const text = glassText();
  const { path } = useLocation();
  const { params } = useRoute();
  const name = params.page ?? "network";
  if (!(name in PAGES)) return <NotFound />;
  const Shown = PAGES[name as Name];
  return (
    <Page title={text[name as Name]} above={text.title}>
      <nav class="tabs" aria-label={text.pages}>
        {(Object.keys(PAGES) as Name[]).map((page) => (
          <a key={page} href={`/glass/${page}`} aria-current={page === name ? "page" : undefined}>
            {text[page]}
          </a>
        ))}
      </nav>
      <Shown key={path} />
    </Page>
  );
}
