/** The life of one upload, as pure rules: what may follow what, when to try again, what is refused before it is sent. */
export type UploadStatus =
  | "checking"
  | "same" // exactly this file was sent before: the person decides
  | "held" // details such as an expiry date have to be filled in first
  | "waiting"
  | "uploading"
  | "finishing" // all bytes are out, the answer is not here yet
  | "stopped" // the line was lost; the file is still in hand
  | "failed" // the server could not save it
  | "saved"
  | "refused";

export interface UploadState {
  status: UploadStatus;
  sent: number;
  size: number;
  /** How often it was tried again by itself since it last moved. */
  tries: number;
  startedAt: number;
  /** Why it was refused, in words, or when the same file was sent. */
  why: string;
}

export type UploadEvent =
  | { type: "same"; when: string }
  | { type: "hold" }
  | { type: "queue" }
  | { type: "start"; at: number }
  | { type: "progress"; sent: number }
  | { type: "lost" }
  | { type: "retry" }
  | { type: "failed"; why: string }
  | { type: "refused"; why: string }
  | { type: "saved" };

const FOLLOWS: Record<UploadEvent["type"], UploadStatus[]> = {
  same: ["checking"],
  hold: ["checking", "same"],
  queue: ["checking", "same", "held"],
  start: ["waiting"],
  progress: ["uploading"],
  lost: ["uploading", "finishing"],
  retry: ["stopped", "failed"],
  failed: ["uploading", "finishing"],
  refused: ["checking", "uploading", "finishing"],
  saved: ["uploading", "finishing", "stopped", "waiting"],
};

export const fresh = (size: number): UploadState => ({
  status: "checking",
  sent: 0,
  size,
  tries: 0,
  startedAt: 0,
  why: "",
});

/** The next state. An event that does not fit (a late answer after a stop, say) changes nothing. */
export function step(state: UploadState, event: UploadEvent): UploadState {
  if (!FOLLOWS[event.type].includes(state.status)) return state;
  switch (event.type) {
    case "same":
      return { ...state, status: "same", why: event.when };
    case "hold":
      return { ...state, status: "held", why: "" };
    case "queue":
      return { ...state, status: "waiting", why: "" };
    case "start":
      return { ...state, status: "uploading", sent: 0, startedAt: event.at };
    case "progress": {
      const sent = Math.min(event.sent, state.size);
      return { ...state, sent, tries: 0, status: sent >= state.size ? "finishing" : "uploading" };
    }
    case "lost":
      return { ...state, status: "stopped", tries: state.tries + 1 };
    case "retry":
      return { ...state, status: "waiting", why: "" };
    case "failed":
      return { ...state, status: "failed", why: event.why };
    case "refused":
      return { ...state, status: "refused", why: event.why };
    case "saved":
      return { ...state, status: "saved", sent: state.size };
  }
}

const DELAYS = [1_000, 4_000, 15_000];

/** Milliseconds until it is tried again by itself, after the line was lost for the nth time in a row. */
export const retryDelay = (tries: number): number | undefined => DELAYS[tries - 1];

/** Seconds that are left at the present speed; nothing while too little is known. */
export function secondsLeft(state: UploadState, now: number): number | undefined {
  const elapsed = (now - state.startedAt) / 1000;
  if (state.status !== "uploading" || elapsed < 1 || state.sent <= 0) return undefined;
  return Math.max(1, Math.round((state.size - state.sent) / (state.sent / elapsed)));
}

/** The quarter that was just passed (25, 50, 75): more would only be noise to a listener. */
export function quarterPassed(before: number, after: number, size: number): number | undefined {
  if (size <= 0) return undefined;
  const quarter = (sent: number) => Math.floor((sent / size) * 4);
  return quarter(after) > quarter(before) && quarter(after) < 4 ? quarter(after) * 25 : undefined;
}

export type Fault = "file_type" | "file_size" | "file_empty" | "file_count";

/** What can be told before anything is sent. The server checks all of it again, and more. */
export function faultOf(
  file: { name: string; size: number },
  ask: { accept?: string[]; max_mb?: number; files_max?: number },
  already: number,
): Fault | undefined {
  const extension = file.name.split(".").pop()?.toLowerCase() ?? "";
  if (ask.accept?.length && !ask.accept.includes(extension)) return "file_type";
  if (file.size === 0) return "file_empty";
  if (ask.max_mb && file.size > ask.max_mb * 1024 * 1024) return "file_size";
  if (ask.files_max && already >= ask.files_max) return "file_count";
  return undefined;
}

/** "PDF", "JPG": what people call the types; the twin spellings are one. */
export function typeNames(accept: string[]): string[] {
  return [...new Set(accept.map((type) => (type === "jpeg" ? "jpg" : type).toUpperCase()))];
}
