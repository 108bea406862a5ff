/** One event stream that is kept open: browsers connect again after most ends, and this does after the others. */
import { signal } from "@preact/signals";
import { keyAsked } from "./client";

export type Connection = "idle" | "connecting" | "live" | "lost";

const FIRST_WAIT = 1_000;
const LONGEST_WAIT = 15_000;
const NO_CONTENT = 204;
const UNAUTHENTICATED = 401;

export class Source {
  readonly state = signal<Connection>("idle");
  private source: EventSource | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private wait = FIRST_WAIT;

  constructor(
    private readonly kinds: readonly string[],
    /** The address that goes on from where the last event was. */
    private readonly address: () => string,
    private readonly take: (kind: string, data: object, lastEventId: string) => void,
    private readonly opened: () => void = () => {},
  ) {}

  /** Whether it is open, or will be by itself. */
  get isOpen(): boolean {
    return this.state.peek() !== "idle";
  }

  /** Open it, or open it anew, where the address is another. */
  open(): void {
    this.stop();
    if (this.state.peek() !== "lost") this.state.value = "connecting";
    const source = new EventSource(this.address());
    this.source = source;
    source.onopen = () => {
      if (source !== this.source) return;
      this.state.value = "live";
      this.wait = FIRST_WAIT;
      this.opened();
    };
    source.onerror = () => {
      if (source !== this.source) return;
      this.state.value = "lost";
      if (source.readyState === EventSource.CLOSED) void this.ask(source);
    };
    for (const kind of this.kinds) {
      source.addEventListener(kind, (message) => {
        const { data, lastEventId } = message as MessageEvent<string>;
        if (source === this.source) this.take(kind, JSON.parse(data) as object, lastEventId);
      });
    }
  }

  close(): void {
    this.stop();
    this.state.value = "idle";
  }

  private stop(): void {
    clearTimeout(this.timer);
    this.source?.close();
    this.source = null;
  }

  /** The browser has given up and does not say why: all may have been told, or the server be about to start. */
  private async ask(source: EventSource): Promise<void> {
    let status = 0;
    try {
      status = (await fetch(this.address(), { method: "HEAD", headers: { Accept: "text/event-stream" }, credentials: "same-origin" })).status;
    } catch {
      // it does not answer at all
    }
    if (source !== this.source) return;
    if (status === NO_CONTENT) {
      this.close();
      return;
    }
    if (status === UNAUTHENTICATED) keyAsked.value += 1;
    this.timer = setTimeout(() => this.open(), this.wait * (0.5 + Math.random() / 2));
    this.wait = Math.min(2 * this.wait, LONGEST_WAIT);
  }
}
