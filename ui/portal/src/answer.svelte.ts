import { same, type Drafts } from "./drafts";
import type { Problem } from "./problem";

export type SaveState = "idle" | "waiting" | "saving" | "saved" | "kept" | "refused";

const PAUSE = 800;
const RETRY = 15_000;

export interface AnswerDoor {
  drafts: Drafts;
  save: (value: unknown) => Promise<void>;
  toProblem: (err: unknown) => Problem;
  sentence: (problem: Problem) => string;
}

/**
 * One answer between the person and the server. It is saved 800 ms after typing stops and when the field is left; until
 * the server has confirmed it, it is kept on the device. What the server says never replaces what is being typed.
 */
export class Answer {
  value = $state.raw<unknown>();
  state = $state<SaveState>("idle");
  problem = $state("");
  savedAt = $state<Date>();
  /** What somebody else answered meanwhile; set while the person has to choose. */
  theirs = $state.raw<{ value: unknown }>();
  private base: unknown;
  /** What the server said last, in its own way of writing. */
  private seen: unknown;
  private echoed = false;
  private awaitsEcho = false;
  /** Somebody else's answer that came while the field had the focus and nothing was typed yet. */
  private unshown: { value: unknown } | undefined;
  private focused = false;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private valid = true;

  constructor(
    private readonly place: string,
    server: unknown,
    private readonly door: AnswerDoor,
  ) {
    this.base = this.value = this.seen = server;
    const draft = door.drafts.read(place);
    if (draft) this.restore(draft.value, draft.base);
  }

  get dirty() {
    return !same(this.value, this.base);
  }

  private restore(value: unknown, base: unknown) {
    if (same(value, this.base)) return this.door.drafts.remove(this.place);
    this.value = value;
    if (!same(base, this.base)) this.theirs = { value: this.base };
    else {
      this.state = "waiting";
      this.later();
    }
  }

  /** `valid` is false while the text cannot be sent, half a number for instance: it is kept, not sent. */
  input(value: unknown, valid = true) {
    this.value = value;
    this.valid = valid;
    this.problem = "";
    if (!this.dirty) {
      this.door.drafts.remove(this.place);
      this.state = this.savedAt ? "saved" : "idle";
      return clearTimeout(this.timer);
    }
    this.state = "waiting";
    this.door.drafts.write(this.place, { value, base: this.base });
    if (this.unshown) {
      this.theirs = this.unshown;
      this.unshown = undefined;
    }
    if (valid) this.later();
  }

  focus() {
    this.focused = true;
  }

  blur() {
    this.focused = false;
    if (this.unshown) {
      this.base = this.value = this.unshown.value;
      this.unshown = undefined;
    }
    if (this.dirty && this.valid && !this.theirs) void this.flush();
  }

  /** The server's present answer. Taken over, unless the person is at it. */
  update(server: unknown) {
    if (same(server, this.seen)) return;
    this.seen = server;
    if (this.state === "saving") return void (this.echoed = true);
    // The server may write a saved answer its own way, masked for instance: that is nobody else's answer.
    const own = this.awaitsEcho;
    this.awaitsEcho = false;
    if (same(server, this.value)) this.settle(server);
    else if (!this.dirty && !this.focused) this.base = this.value = server;
    else if (own) return;
    else if (this.dirty) this.theirs = { value: server };
    else this.unshown = { value: server };
  }

  keepMine() {
    this.base = this.theirs?.value;
    this.theirs = undefined;
    void this.flush();
  }

  takeTheirs() {
    const value = this.theirs?.value;
    this.theirs = undefined;
    this.value = value;
    this.settle(value);
  }

  private settle(value: unknown) {
    this.base = value;
    this.door.drafts.confirm(this.place, value);
    if (!this.dirty) {
      this.state = "saved";
      this.savedAt = new Date();
      this.door.drafts.remove(this.place);
    }
  }

  private later(pause = PAUSE) {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.flush(), pause);
  }

  async flush() {
    clearTimeout(this.timer);
    if (!this.dirty || !this.valid || this.theirs || this.state === "saving") return;
    const value = this.value;
    this.state = "saving";
    this.echoed = false;
    try {
      await this.door.save(value);
      this.settle(value);
      this.awaitsEcho = !this.echoed;
      if (this.dirty) {
        this.state = "waiting";
        this.later();
      }
    } catch (err) {
      const problem = this.door.toProblem(err);
      this.state = problem.kind === "refused" || problem.kind === "gone" ? "refused" : "kept";
      this.problem = this.state === "refused" ? this.door.sentence(problem) : "";
      if (this.state === "kept") this.later(RETRY);
    }
  }
}

/** What one line says about several answers: the worst first. */
export function summary(answers: Answer[]): { state: SaveState; savedAt?: Date; problem: string } {
  const order: SaveState[] = ["refused", "kept", "saving", "waiting", "saved"];
  for (const state of order) {
    const found = answers.filter((answer) => answer.state === state);
    if (found.length) {
      const times = found.map(({ savedAt }) => savedAt?.getTime() ?? 0);
      return { state, savedAt: new Date(Math.max(...times)), problem: found.find((a) => a.problem)?.problem ?? "" };
    }
  }
  return { state: "idle", problem: "" };
}
