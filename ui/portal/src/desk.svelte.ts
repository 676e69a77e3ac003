import { SvelteMap } from "svelte/reactivity";
import { Answer } from "./answer.svelte";
import * as api from "./api";
import { say } from "./frame.svelte";
import { t } from "./i18n/index.svelte";
import { Resource } from "./resource.svelte";
import { drafts } from "./session.svelte";
import type { Item, RequestView } from "./types";
import { isSentBack } from "./tone";
import { uploadsOf, whenSaved } from "./uploads.svelte";
import { sentence, toProblem } from "./words.svelte";

/** One request being worked on: what the server shows of it, and the answers under way. It outlives its pages. */
export class Desk {
  readonly resource: Resource<RequestView>;
  /** Which items the person opened or closed; the others are open when they want something. */
  readonly opened = new SvelteMap<string, boolean>();
  private readonly answers = new Map<string, Answer>();

  constructor(readonly id: string) {
    this.resource = new Resource(async () => this.newest(await api.request(id)));
  }

  get view() {
    return this.resource.value;
  }

  load = () => this.resource.load(`request:${this.id}`);

  /** Takes the view that a command answered with. */
  adopt(view: RequestView) {
    this.resource.put(this.newest(view));
  }

  /** Answers may overtake each other; an older one never replaces a newer. Says what changed for this person. */
  private newest(view: RequestView): RequestView {
    const shown = this.view;
    if (!shown) return view;
    if (view.revision < shown.revision) return shown;
    const before = new Map(itemsOf(shown).map((item) => [item.id, item.label]));
    for (const { id, title, label, status } of itemsOf(view)) {
      const news = status === "accepted" || status === "rejected" || status === "more_needed";
      if (news && before.has(id) && before.get(id) !== label) say(t("request.changed", { title, label }));
    }
    return view;
  }

  isOpen(item: Item): boolean {
    return this.opened.get(item.id) ?? ((isSentBack(item) && item.editable) || uploadsOf(item.id).length > 0);
  }

  ofItem(item: Item, key: string): Answer {
    return this.answer(`${item.id}:${key}`, item.answers[key], (value) =>
      api.saveItem(item.id, { answers: { [key]: value ?? null } }),
    );
  }

  ofField(key: string, value: unknown): Answer {
    return this.answer(`fields:${key}`, value, (value) => api.saveFields(this.id, { [key]: value ?? null }));
  }

  private answer(place: string, server: unknown, save: (value: unknown) => Promise<RequestView>): Answer {
    const known = this.answers.get(place);
    if (known) return known;
    const answer = new Answer(`${this.id}:${place}`, server, {
      drafts,
      save: async (value) => this.adopt(await save(value)),
      toProblem,
      sentence,
    });
    this.answers.set(place, answer);
    return answer;
  }

  /** Saves everything that is typed; a step may only be taken on what the server has. */
  async flush(): Promise<boolean> {
    await Promise.all([...this.answers.values()].map((answer) => answer.flush()));
    return [...this.answers.values()].every((answer) => !answer.dirty);
  }
}

export const itemsOf = (view: RequestView) => view.sections.flatMap((section) => section.items);

const desks = new Map<string, Desk>();

export function deskOf(id: string): Desk {
  let desk = desks.get(id);
  if (!desk) desks.set(id, (desk = new Desk(id)));
  return desk;
}

whenSaved((request) => void deskOf(request).load());
addEventListener("online", () => {
  for (const desk of desks.values()) void desk.flush();
});
