import { Page } from "~/elements/Page";
import { appText } from "~/text/app";

export default function Datasets() {
  return <Page title={appText().datasets}>…</Page>;
}
