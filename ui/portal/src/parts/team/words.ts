import { t } from "../../i18n/index.svelte";

/** "Admin" */
export function roleWord(role: string): string {
  switch (role) {
    case "admin":
      return t("team.role_admin");
    case "member":
      return t("team.role_member");
    case "delegate":
      return t("team.role_delegate");
  }
  return t("team.role_viewer");
}

/** What a role may do, told of somebody else. */
export function mayWord(role: string): string {
  if (role === "admin") return t("team.may_admin");
  return role === "member" ? t("team.may_member") : t("team.may_viewer");
}

/** A duty as people say it: "client_approver" is the approver. */
export const spoken = (duty: string) => duty.replace(/^client_/, "").replaceAll("_", " ");

/** What somebody may be lent, in words. */
export function powerWord(power: string): string {
  switch (power) {
    case "see":
      return t("loan.power_see");
    case "provide":
      return t("loan.power_provide");
    case "submit":
      return t("loan.power_submit");
    case "message":
      return t("loan.power_message");
  }
  return t("loan.power_duty", { duty: spoken(power) });
}
