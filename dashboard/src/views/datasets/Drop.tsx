/** Where files are dropped or chosen, and how far they have come. */
import { useLocation } from "preact-iso";
import { useEffect, useRef, useState } from "preact/hooks";
import { Dialog } from "~/elements/Dialog";
import { Notice, ProblemNotice } from "~/elements/Notice";
import { cancelUpload, cutOff, dismissUpload, findCutOff, giveUpCutOff, sendFile, sendTogether, uploads, type Upload } from "~/state/uploads";
import { appText } from "~/text/app";
import { datasetsText } from "~/text/datasets";
import { bytes, integer } from "~/text/format";

export function Drop({ onMade }: { onMade: () => void }) {
  const text = datasetsText();
  const { route } = useLocation();
  const [isOver, setIsOver] = useState(false);
  const [several, setSeveral] = useState<File[] | null>(null);
  const input = useRef<HTMLInputElement>(null);
  const isShown = useRef(true);
  useEffect(() => {
    void findCutOff();
    isShown.current = true;
    return () => {
      isShown.current = false;
    };
  }, []);
  const made = async (sent: Promise<{ id: string } | undefined>) => {
    const dataset = await sent;
    if (!dataset || !isShown.current) return;
    onMade();
    if (uploads.peek().every((entry) => entry.dataset?.id === dataset.id)) {
      uploads.value = [];
      route(`/datasets/${dataset.id}`);
    }
  };
  const take = (files: File[]) => {
    if (files.length === 1) void made(sendFile(files[0] as File));
    else if (files.length > 1) setSeveral(files);
  };
  return (
    <>
      <div
        class={`drop${isOver ? " over" : ""}`}
        onDragOver={(event) => {
          event.preventDefault();
          setIsOver(true);
        }}
        onDragLeave={() => setIsOver(false)}
        onDrop={(event) => {
          event.preventDefault();
          setIsOver(false);
          take([...(event.dataTransfer?.files ?? [])]);
        }}
      >
        <p class="empty-title">{text.drop}</p>
        <p class="small">{text.dropHelp}</p>
        <button type="button" class="primary" onClick={() => input.current?.click()}>
          {text.choose}
        </button>
        <input
          ref={input}
          class="visually-hidden"
          type="file"
          multiple
          tabIndex={-1}
          aria-label={text.choose}
          onChange={(event) => {
            take([...(event.currentTarget.files ?? [])]);
            event.currentTarget.value = "";
          }}
        />
      </div>
      {cutOff.value.map((entry) => (
        <Notice
          key={entry.address}
          kind="warning"
          actions={
            <>
              <button type="button" onClick={() => input.current?.click()}>{text.choose}</button>
              <button type="button" class="quiet" onClick={() => void giveUpCutOff(entry.address)}>{text.giveUp}</button>
            </>
          }
        >
          {text.cutOff(entry.name, text.sending(bytes(entry.sent), bytes(entry.bytes)))}
        </Notice>
      ))}
      {uploads.value.length > 0 && (
        <ul class="uploads" aria-label={text.uploads}>
          {uploads.value.map((entry) => (
            <UploadLine key={entry.key} entry={entry} />
          ))}
        </ul>
      )}
      {several && (
        <Dialog title={text.several(integer(several.length))} onClose={() => setSeveral(null)}>
          <p>{text.severalText}</p>
          <ul class="small">
            {several.slice(0, 10).map((file) => (
              <li key={file.name}>
                {file.name} <span class="muted">{bytes(file.size)}</span>
              </li>
            ))}
          </ul>
          <div class="actions end">
            <button
              type="button"
              onClick={() => {
                setSeveral(null);
                void made(sendTogether(several));
              }}
            >
              {text.together}
            </button>
            <button
              type="button"
              class="primary"
              onClick={() => {
                setSeveral(null);
                for (const file of several) void made(sendFile(file));
              }}
            >
              {text.each}
            </button>
          </div>
        </Dialog>
      )}
    </>
  );
}

function UploadLine({ entry }: { entry: Upload }) {
  const text = datasetsText();
  const isGoing = entry.state === "sending" || entry.state === "waiting" || entry.state === "reading";
  const told = {
    sending: text.sending(bytes(entry.sent), bytes(entry.bytes)),
    waiting: text.waiting,
    reading: text.reading,
    done: text.done,
    failed: "",
  }[entry.state];
  return (
    <li>
      <div class="upload">
        <span class="upload-name">
          {entry.dataset ? (
            <a href={`/datasets/${entry.dataset.id}`} aria-label={text.open(entry.name)}>
              {entry.name}
            </a>
          ) : (
            entry.name
          )}
        </span>
        {isGoing && <progress aria-label={text.progress(entry.name)} value={entry.state === "reading" ? undefined : entry.sent} max={Math.max(1, entry.bytes)} />}
        <span class="muted small nowrap">{told}</span>
        {isGoing ? (
          <button type="button" class="small" aria-label={text.cancel(entry.name)} onClick={() => void cancelUpload(entry.key)}>
            {appText().cancel}
          </button>
        ) : (
          <button type="button" class="quiet small" aria-label={text.dismiss(entry.name)} onClick={() => dismissUpload(entry.key)}>
            ✕
          </button>
        )}
      </div>
      <ProblemNotice problem={entry.problem} />
    </li>
  );
}
