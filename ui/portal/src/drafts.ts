/**
 * What was typed and has not reached the server. One entry in the browser's storage per person and place, removed when
 * the server has confirmed that very value, so a reload or an ended sign-in costs nothing.
 */
export interface Draft {
  value: unknown;
  /** What the server said when typing began: if it says something else later, two people answered. */
  base: unknown;
}

const PREFIX = "draft:";

export class Drafts {
  constructor(
    private readonly storage: Pick<Storage, "getItem" | "setItem" | "removeItem" | "key" | "length">,
    private readonly person: () => string,
  ) {}

  read(place: string): Draft | undefined {
    try {
      const text = this.storage.getItem(this.name(place));
      return text ? (JSON.parse(text) as Draft) : undefined;
    } catch {
      return undefined;
    }
  }

  /** Answers whether the device keeps it: storage may be full or forbidden. */
  write(place: string, draft: Draft): boolean {
    try {
      this.storage.setItem(this.name(place), JSON.stringify(draft));
      return true;
    } catch {
      return false;
    }
  }

  /** Forgets the draft, unless more was typed since `confirmed` was sent. */
  confirm(place: string, confirmed: unknown) {
    const draft = this.read(place);
    if (draft && same(draft.value, confirmed)) this.remove(place);
  }

  remove(place: string) {
    this.storage.removeItem(this.name(place));
  }

  count(): number {
    return this.names().length;
  }

  clear() {
    for (const name of this.names()) this.storage.removeItem(name);
  }

  private name(place: string) {
    return `${PREFIX}${this.person()}:${place}`;
  }

  private names(): string[] {
    const all = Array.from({ length: this.storage.length }, (_, i) => this.storage.key(i) ?? "");
    return all.filter((name) => name.startsWith(this.name("")));
  }
}

/** Whether two answers say the same; nothing, null and empty text are one answer: none. */
export function same(a: unknown, b: unknown): boolean {
  return JSON.stringify(plain(a)) === JSON.stringify(plain(b));
}

function plain(value: unknown): unknown {
  if (value === undefined || value === "" || (Array.isArray(value) && value.length === 0)) return null;
  return value;
}
