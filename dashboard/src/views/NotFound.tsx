import { Empty, Page } from "~/elements/Page";
import { appText } from "~/text/app";

export function NotFound() {
  const text = appText();
  return (
    <Page title={text.notFoundTitle}>
      <Empty title={text.notFound}>
        <a class="button" href="/">
          {text.toHome}
        </a>
      </Empty>
    </Page>
  );
}
