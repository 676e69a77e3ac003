import { frame } from "./frame.svelte";
import type { Problem } from "./problem";
import { toProblem } from "./words.svelte";

/** The last copy of everything this tab has fetched: going back shows it at once, and offline it is what there is. */
const copies = new Map<string, unknown>();

/** Something fetched for a page: its value, what went wrong, and whether it is worth showing a skeleton by now. */
export class Resource<T> {
  value = $state.raw<T>();
  problem = $state.raw<Problem>();
  slow = $state(false);
  private key = "";
  private running = 0;

  constructor(private readonly fetch: () => Promise<T>) {}

  /** Fetches; `key` names what is fetched, and another one than before drops the value of the former. */
  async load(key: string) {
    if (key !== this.key) {
      this.key = key;
      this.value = copies.get(key) as T | undefined;
      this.problem = undefined;
    }
    const run = ++this.running;
    const timer = setTimeout(() => (this.slow = true), 300);
    try {
      const value = await this.fetch();
      if (run === this.running) this.put(value);
    } catch (err) {
      if (run === this.running) this.problem = toProblem(err);
    } finally {
      clearTimeout(timer);
      if (run === this.running) this.slow = false;
    }
  }

  reload = () => this.load(this.key);

  put(value: T) {
    this.value = value;
    this.problem = undefined;
    copies.set(this.key, value);
    frame.copyAt = new Date();
  }
}
