/** The image of a row, as part of a contact sheet: the pictures of a page are one call. */
import { placeOnSheet, type Images, type Sheet } from "./rows";

const COLUMNS = 6;
/** How wide an image is drawn at most, in pixels. */
const LARGEST = 96;

/** The sheet of the rows that a query lists, in their order. */
export function sheetOf(job_id: string, images: Images, count: number, query: Record<string, string | number>): Sheet {
  const scale = Math.max(1, Math.min(8, Math.floor(LARGEST / images.width)));
  const asked = { ...query, column: images.name, columns: COLUMNS, scale };
  const written = Object.entries(asked).map(([name, value]) => [name, String(value)]);
  return { address: `/v1/jobs/${job_id}/predictions?${new URLSearchParams(written)}`, images, count, columns: COLUMNS, scale };
}

/** Without a label it is decoration: what stands beside it says what it is. */
export function RowPicture({ sheet, place, label, most = LARGEST }: { sheet: Sheet; place: number; label?: string; most?: number }) {
  const width = Math.min(most, sheet.images.width * sheet.scale);
  const at = placeOnSheet(sheet, width, place);
  const style = { width: `${width}px`, height: `${at.height}px`, backgroundImage: `url("${sheet.address}")`, backgroundSize: `${at.sheet}px auto`, backgroundPosition: `-${at.left}px -${at.top}px` };
  return <span class="row-picture" style={style} {...(label === undefined ? { "aria-hidden": true } : { role: "img", "aria-label": label })} />;
}
