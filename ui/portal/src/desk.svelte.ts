import { SvelteMap } from "svelte/reactivity";
import { Answer } from "./answer.svelte";
import * as api from "./api";
import { say } from "./frame.svelte";
import { names as list, t } from "./i18n/index.svelte";
import { Resource } from "./resource.svelte";
import { drafts } from "./session.svelte";
import { isDecided, toReview } from "./review";
import { missingOf, type Missing } from "./steps";
import type { Item, RequestView } from "./types";
import { comeAndGone } from "./when";
import { isSentBack, labelOf } from "./tone";
import { uploadsOf, whenSaved } from "./uploads.svelte";
import { sentence, toProblem } from "./words.svelte";

/** One request being worked on: what the server shows of it, and the answers under way. It outlives its pages. */
export class Desk {
  readonly resource: Resource<RequestView>;
  /** Which items the person opened or closed; the others are open when they want something. */
  readonly opened = new SvelteMap<string, boolean>();
  /** The step that was pressed although something is missing: from then on each spot says so itself. */
  asked = $state("");
  /** What stands in the way of that step. */
  readonly missing: Missing[] = $derived.by(() => {
    const action = this.view?.actions.find(({ key }) => key === this.asked);
    return this.view && action && !action.allowed ? missingOf(this.view, action) : [];
  });
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
    const before = new Map(itemsOf(shown).map((item) => [item.id, labelOf(item)]));
    for (const item of itemsOf(view)) {
      const news = item.status === "accepted" || isSentBack(item);
      const label = labelOf(item);
      if (news && !item.can_review && before.has(item.id) && before.get(item.id) !== label)
        say(t("request.changed", { title: item.title, label }));
    }
    const { come, gone } = comeAndGone(shown, view);
    if (come.length) say(t("request.come", { names: list(come) }));
    if (gone.length) say(t("request.gone", { names: list(gone) }));
    return view;
  }

  /** What is missing at a spot, once the step was pressed. */
  missingAt = (hash: string) => this.missing.find((missing) => missing.hash === hash)?.blocker.message ?? "";

  isOpen(item: Item): boolean {
    return this.opened.get(item.id) ?? (this.wantsOpen(item) || uploadsOf(item.id).length > 0);
  }

  private wantsOpen(item: Item): boolean {
    if (!item.can_review) return isSentBack(item) && item.editable;
    const next = this.view && toReview(this.view).find((one) => !isDecided(one));
    return next?.id === item.id;
  }

  ofItem({ id, answers }: Item, key: string): Answer {
    return this.answer(`${id}:${key}`, key, answers[key], async (value, was) => {
      const view = await api.saveItem(this.id, id, { answers: { [key]: value ?? null }, was: { [key]: was } });
      return [view, itemsOf(view).find((item) => item.id === id)?.answers];
    });
  }

  ofField(key: string, value: unknown): Answer {
    return this.answer(`fields:${key}`, key, value, async (value, was) => {
      const view = await api.saveFields(this.id, { [key]: value ?? null }, { [key]: was });
      const field = view.fields.find((field) => field.key === key);
      return [view, field && { [key]: field.value }];
    });
  }

  private answer(
    place: string,
    key: string,
    server: unknown,
    save: (value: unknown, was: unknown) => Promise<[RequestView, Record<string, unknown> | undefined]>,
  ): Answer {
    const known = this.answers.get(place);
    if (known) return known;
    const door = {
      drafts,
      save: async (value: unknown, was: unknown) => {
        try {
          const [view, stored] = await save(value, was);
          this.adopt(view);
          return stored ? stored[key] : value;
        } catch (err) {
          if (toProblem(err).kind === "stale") void this.load();
          throw err;
        }
      },
      toProblem,
      sentence,
    };
    const answer = new Answer(`${this.id}:${place}`, server, door, key);
    this.answers.set(place, answer);
    return answer;
  }

  /** What is typed where it can be changed now: what went away with its item waits for it to come back. */
  private get live(): Answer[] {
    if (!this.view) return [];
    const fields = this.view.fields.filter(({ editable }) => editable).map(({ key }) => `fields:${key}`);
    const items = itemsOf(this.view)
      .filter(({ editable }) => editable)
      .map(({ id }) => `${id}:`);
    return [...this.answers]
      .filter(([place]) => fields.includes(place) || items.some((item) => place.startsWith(item)))
      .map(([, answer]) => answer);
  }

  /** Saves everything that is typed; a step may only be taken on what the server has. */
  async flush(): Promise<boolean> {
    await Promise.all(this.live.map((answer) => answer.flush()));
    return this.live.every((answer) => !answer.dirty);
  }
}

export const itemsOf = (view: RequestView) => view.sections.flatMap((section) => section.items);

const desks = new Map<string, Desk>();

export function deskOf(id: string): Desk {
  let desk = desks.get(id);
  if (!desk) desks.set(id, (desk = new Desk(id)));
  return desk;
}

api.whenLapsed((request, problem) => {
  say(sentence(problem));
  void deskOf(request).load();
});
whenSaved((request) => void deskOf(request).load());
addEventListener("online", () => {
  for (const desk of desks.values()) void desk.flush();
});
