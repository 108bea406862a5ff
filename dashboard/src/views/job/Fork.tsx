import type { Schema } from "~/api/client";
import { Dialog } from "~/elements/Dialog";

interface Props {
  job: Schema["JobResource"];
  onClose: () => void;
}

export function Fork({ job, onClose }: Props) {
  return (
    <Dialog title={job.id} onClose={onClose}>
      …
    </Dialog>
  );
}
