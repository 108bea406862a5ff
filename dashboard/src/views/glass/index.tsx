import { Page } from "~/elements/Page";
import { appText } from "~/text/app";

export default function Glass() {
  return <Page title={appText().glass}>…</Page>;
}
