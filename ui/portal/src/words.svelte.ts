import { t } from "./i18n/index.svelte";
import { Problem } from "./problem";

/** Any failure as a Problem; what is not one (a fault of ours) is told in the console and shown as a fault. */
export function toProblem(err: unknown): Problem {
  if (err instanceof Problem) return err;
  console.error(err);
  return new Problem("fault", "");
}

/** The sentence for the person: the server's own where it has one, else ours. */
export function sentence(problem: Problem): string {
  if (problem.kind === "offline") return t("problem.offline");
  if (problem.kind === "fault") return t("problem.fault");
  if (problem.kind === "busy") return problem.message || t("problem.busy");
  if (problem.kind === "stale") return problem.message || t("problem.stale");
  if (problem.kind === "gone") return t("problem.gone");
  return problem.message || t("problem.refused");
}
