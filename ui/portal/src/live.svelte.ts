import * as api from "./api";

type Listener = (request: string) => void;
const listeners = new Set<Listener>();
let started = false;
let timer: ReturnType<typeof setTimeout> | undefined;
let touched = new Set<string>();

/** Calls back with the request that changed, or "" when anything may have; bursts come as one. For use in an $effect. */
export function onChange(listener: Listener): () => void {
  listeners.add(listener);
  if (!started) {
    started = true;
    // Without live updates the pages still work; they are fetched again on the next visit and when the tab is shown.
    api.live(notice).catch(() => (started = false));
  }
  return () => listeners.delete(listener);
}

function notice(request: string) {
  touched.add(request);
  clearTimeout(timer);
  timer = setTimeout(() => {
    const all = touched;
    touched = new Set();
    for (const request of all) for (const listener of listeners) listener(request);
  }, 250);
}

document.addEventListener("visibilitychange", () => {
  if (!document.hidden && listeners.size) notice("");
});
addEventListener("online", () => notice(""));
