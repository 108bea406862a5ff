/** The frame around every view, and which address shows which. Views are loaded when they are first shown. */
import { ErrorBoundary, lazy, LocationProvider, Route, Router, useLocation } from "preact-iso";
import { useEffect, useRef } from "preact/hooks";
import { connection } from "./api/stream";
import { Questions } from "./elements/Dialog";
import { KeyDialog, SignOut } from "./elements/KeyDialog";
import { Toasts } from "./elements/Toasts";
import { theme, type Theme } from "./state/preferences";
import { look } from "./state/session";
import { appText } from "./text/app";
import { chooseLanguage, language, LANGUAGES, type Language } from "./text/language";
import { NotFound } from "./views/NotFound";

const Home = lazy(() => import("./views/home"));
const Datasets = lazy(() => import("./views/datasets"));
const Dataset = lazy(() => import("./views/dataset"));
const Jobs = lazy(() => import("./views/jobs"));
const NewJob = lazy(() => import("./views/new-job"));
const Job = lazy(() => import("./views/job"));
const Compare = lazy(() => import("./views/compare"));
const Models = lazy(() => import("./views/models"));
const Model = lazy(() => import("./views/model"));
const Glass = lazy(() => import("./views/glass"));
const Lessons = lazy(() => import("./views/lessons"));

const PLACES = [
  ["/", "home"],
  ["/datasets", "datasets"],
  ["/jobs", "jobs"],
  ["/compare", "compare"],
  ["/models", "models"],
  ["/glass", "glass"],
  ["/lessons", "lessons"],
] as const;

function Header() {
  const text = appText();
  const { path } = useLocation();
  const isIn = (place: string) => (place === "/" ? path === "/" : path === place || path.startsWith(`${place}/`));
  return (
    <header class="top">
      <a class="skip" href="#content" onClick={(event) => { event.preventDefault(); document.getElementById("content")?.focus(); }}>
        {text.skip}
      </a>
      <a class="brand" href="/">
        Vidro
      </a>
      <nav aria-label={text.navigation}>
        {PLACES.map(([place, name]) => (
          <a key={place} href={place} aria-current={isIn(place) ? "page" : undefined}>
            {text[name]}
          </a>
        ))}
      </nav>
      <div class="settings">
        <span class={`connection ${connection.value}`} role="status">
          {text.connection[connection.value]}
        </span>
        <select aria-label={text.language} value={language.value} onChange={(event) => chooseLanguage(event.currentTarget.value as Language)}>
          {Object.entries(LANGUAGES).map(([tag, name]) => (
            <option key={tag} value={tag}>
              {name}
            </option>
          ))}
        </select>
        <select aria-label={text.theme} value={theme.value} onChange={(event) => (theme.value = event.currentTarget.value as Theme)}>
          {Object.entries(text.themes).map(([name, label]) => (
            <option key={name} value={name}>
              {label}
            </option>
          ))}
        </select>
        <a href="/docs" target="_self">
          {text.documentation}
        </a>
        <SignOut />
      </div>
    </header>
  );
}

function Content() {
  const { path } = useLocation();
  const content = useRef<HTMLElement>(null);
  const before = useRef(path);
  useEffect(() => {
    if (before.current === path) return;
    before.current = path;
    content.current?.focus({ preventScroll: true });
    scrollTo(0, 0);
  }, [path]);
  return (
    <main id="content" tabIndex={-1} ref={content}>
      <ErrorBoundary>
        <Router>
          <Route path="/" component={Home} />
          <Route path="/datasets" component={Datasets} />
          <Route path="/datasets/:id" component={Dataset} />
          <Route path="/jobs" component={Jobs} />
          <Route path="/jobs/new" component={NewJob} />
          <Route path="/jobs/:id" component={Job} />
          <Route path="/compare" component={Compare} />
          <Route path="/models" component={Models} />
          <Route path="/models/:id" component={Model} />
          <Route path="/glass" component={Glass} />
          <Route path="/glass/:page" component={Glass} />
          <Route path="/lessons" component={Lessons} />
          <Route path="/lessons/:lesson" component={Lessons} />
          <Route default component={NotFound} />
        </Router>
      </ErrorBoundary>
    </main>
  );
}

export function App() {
  useEffect(() => void look(), []);
  return (
    <LocationProvider>
      <Header />
      <Content />
      <Questions />
      <KeyDialog />
      <Toasts />
    </LocationProvider>
  );
}
