import { Page } from "~/elements/Page";
import { appText } from "~/text/app";

export default function Compare() {
  return <Page title={appText().compare}>…</Page>;
}
