import * as api from "./api";
import { frame, say } from "./frame.svelte";
import { day, list, size, t } from "./i18n/index.svelte";
import type { Problem } from "./problem";
import type { Item, RequestView } from "./types";
import {
  faultOf,
  fresh,
  quarterPassed,
  retryDelay,
  step,
  typeNames,
  type Fault,
  type UploadEvent,
  type UploadState,
} from "./upload";
import { sentence, toProblem } from "./words.svelte";

/** One file on its way. It outlives the page, so going elsewhere in the portal does not stop it. */
export class Upload {
  state = $state.raw<UploadState>(fresh(0));
  metadata: Record<string, unknown> = {};
  digest = "";
  stop = new AbortController();
  /** What sent it last time may have arrived although the answer did not. */
  unsure = false;

  constructor(
    readonly id: string,
    readonly view: RequestView,
    readonly item: Item,
    readonly file: File,
  ) {
    this.state = fresh(file.size);
  }

  on(event: UploadEvent) {
    const before = this.state;
    this.state = step(before, event);
    if (this.state === before) return;
    const name = this.file.name;
    if (event.type === "start") say(t("file.said_start", { name }));
    if (event.type === "saved") say(t("file.said_saved", { name }));
    if (event.type === "progress") {
      const percent = quarterPassed(before.sent, this.state.sent, before.size);
      if (percent) say(t("file.said_percent", { name, percent }));
    }
  }
}

const AT_ONCE = 3;
const DIGEST_LIMIT = 64 * 1024 * 1024;

let counter = 0;
export const uploads = $state<{ all: Upload[] }>({ all: [] });

/** Called when a file is saved, so that the request on the screen shows it. */
let onSaved: (request: string) => void = () => undefined;
export const whenSaved = (listener: typeof onSaved) => (onSaved = listener);

export const uploadsOf = (item: string) => uploads.all.filter((upload) => upload.item.id === item);
export const isMoving = ({ state }: Upload) => ["checking", "waiting", "uploading", "finishing"].includes(state.status);

export function addFiles(view: RequestView, item: Item, files: Iterable<File>, metadata: Record<string, unknown>) {
  let already = item.documents.filter((doc) => doc.current && doc.removable).length + uploadsOf(item.id).length;
  for (const file of files) {
    const upload = new Upload(`upload-${++counter}`, view, item, file);
    uploads.all.push(upload);
    const fault = faultOf(file, item.ask, already);
    if (fault) upload.on({ type: "refused", why: faultText(fault, file, view, item) });
    else {
      already++;
      void check(upload, metadata);
    }
  }
}

async function check(upload: Upload, metadata: Record<string, unknown>) {
  upload.digest = await digestOf(upload.file);
  const twin = upload.item.documents.find((doc) => doc.sha256 && doc.sha256 === upload.digest);
  if (twin) upload.on({ type: "same", when: day(twin.created) });
  else offer(upload, metadata);
}

/** Puts it in the queue, once the details that belong to it are filled in. */
export function offer(upload: Upload, metadata: Record<string, unknown>) {
  const wanted = upload.item.ask.metadata ?? [];
  upload.metadata = metadata;
  if (wanted.some(({ key }) => !metadata[key])) return upload.on({ type: "hold" });
  upload.on({ type: "queue" });
  pump();
}

function pump() {
  const busy = uploads.all.filter(({ state }) => state.status === "uploading" || state.status === "finishing").length;
  const waiting = uploads.all.filter(({ state }) => state.status === "waiting");
  for (const upload of waiting.slice(0, Math.max(0, AT_ONCE - busy))) void run(upload);
}

async function run(upload: Upload) {
  upload.on({ type: "start", at: Date.now() });
  try {
    if (upload.unsure && (await arrived(upload))) return finish(upload);
    await api.sendFile(bodyOf(upload), (sent) => upload.on({ type: "progress", sent }), upload.stop.signal);
    finish(upload);
  } catch (err) {
    fail(upload, toProblem(err));
  }
  pump();
}

function bodyOf({ view, item, file, metadata }: Upload): FormData {
  const body = new FormData();
  body.set("organization", view.organization);
  body.set("request", view.id);
  body.set("item", item.id);
  if (Object.keys(metadata).length) body.set("metadata", JSON.stringify(metadata));
  body.set("file", file);
  return body;
}

function finish(upload: Upload) {
  upload.on({ type: "saved" });
  remove(upload);
  onSaved(upload.view.id);
}

function fail(upload: Upload, problem: Problem) {
  if (upload.stop.signal.aborted) return;
  if (problem.kind === "offline") {
    upload.unsure = true;
    upload.on({ type: "lost" });
    const delay = retryDelay(upload.state.tries);
    if (delay && frame.online) setTimeout(() => again(upload), delay);
  } else if (problem.kind === "fault" || problem.kind === "busy") {
    upload.on({ type: "failed", why: problem.kind === "busy" ? sentence(problem) : t("file.failed") });
  } else {
    upload.on({ type: "refused", why: problem.fields.file?.message || sentence(problem) });
  }
}

/** Whether the file is there already: sent whole, only the answer got lost. */
async function arrived(upload: Upload): Promise<boolean> {
  if (!upload.digest) return false;
  const view = await api.request(upload.view.id);
  const item = view.sections.flatMap((section) => section.items).find(({ id }) => id === upload.item.id);
  const known = new Set(upload.item.documents.map(({ id }) => id));
  return !!item?.documents.some((doc) => doc.sha256 === upload.digest && !known.has(doc.id));
}

export function again(upload: Upload) {
  upload.on({ type: "retry" });
  pump();
}

export function remove(upload: Upload) {
  upload.stop.abort();
  uploads.all = uploads.all.filter(({ id }) => id !== upload.id);
  pump();
}

async function digestOf(file: File): Promise<string> {
  // crypto.subtle is missing on plain http; then the server alone notices a file that was sent twice.
  if (!globalThis.crypto?.subtle || file.size > DIGEST_LIMIT) return "";
  try {
    const hash = await crypto.subtle.digest("SHA-256", await file.arrayBuffer());
    return [...new Uint8Array(hash)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  } catch {
    return "";
  }
}

/** What an item takes, in words: "PDF, JPG, up to 20 MB". */
export function limitsOf({ kind, ask }: Item): string {
  if (kind !== "file" || !ask.max_mb) return "";
  const limit = size(ask.max_mb * 1024 * 1024);
  return ask.accept?.length
    ? t("file.allowed", { types: typeNames(ask.accept).join(", "), size: limit })
    : t("file.allowed_size", { size: limit });
}

function faultText(fault: Fault, file: File, view: RequestView, { ask }: Item): string {
  const name = file.name;
  const contact = view.contact?.name || t("file.us");
  if (fault === "file_type") return t("file.wrong_type", { name, types: list(typeNames(ask.accept ?? [])) });
  if (fault === "file_empty") return t("file.empty", { name });
  if (fault === "file_count") return t("file.too_many", { n: ask.files_max ?? 1 });
  return t("file.too_large", { name, size: size(file.size), limit: size((ask.max_mb ?? 0) * 1024 * 1024), contact });
}

addEventListener("online", () => {
  for (const upload of uploads.all) if (upload.state.status === "stopped") again(upload);
});
addEventListener("beforeunload", (event) => {
  if (uploads.all.some(isMoving)) event.preventDefault();
});
