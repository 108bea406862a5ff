import { Page } from "~/elements/Page";
import { appText } from "~/text/app";

export default function Job() {
  return <Page title={appText().jobs}>…</Page>;
}
