import { Page } from "~/elements/Page";
import { appText } from "~/text/app";

export default function Model() {
  return <Page title={appText().models}>…</Page>;
}
