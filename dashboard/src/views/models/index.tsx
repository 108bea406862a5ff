import { Page } from "~/elements/Page";
import { appText } from "~/text/app";

export default function Models() {
  return <Page title={appText().models}>…</Page>;
}
