import { Page } from "~/elements/Page";
import { appText } from "~/text/app";

export default function Dataset() {
  return <Page title={appText().datasets}>…</Page>;
}
