/** What the frame around the pages shows: one polite line for screen readers, the state of the line, the bottom bar. */
export const frame = $state({
  said: "",
  online: navigator.onLine,
  cameBack: false,
  /** When the shown copy was fetched. */
  copyAt: undefined as Date | undefined,
  /** A request brings its own bar to the bottom of a phone. */
  ownBar: false,
});

/** Says it to screen readers; the same words twice are said twice. */
export function say(text: string) {
  frame.said = frame.said === text ? `${text}\u00a0` : text;
}

export function watchLine() {
  addEventListener("offline", () => {
    frame.online = false;
    frame.cameBack = false;
  });
  addEventListener("online", () => {
    frame.online = true;
    frame.cameBack = true;
    setTimeout(() => (frame.cameBack = false), 6_000);
  });
}
