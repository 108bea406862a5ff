import { Page } from "~/elements/Page";
import { appText } from "~/text/app";

export default function Home() {
  return <Page title={appText().home}>…</Page>;
}
