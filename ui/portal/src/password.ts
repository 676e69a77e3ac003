/** What everybody tries first. Length is the real rule; the server has its own, longer list. */
const COMMON = /^(password|passwort|qwertyuiop|1234567890|0987654321|letmein|iloveyou|administrator)[\d!.]*$|^(.)\2+$/i;

export function passwordFault(password: string): "short" | "common" | undefined {
  if ([...password].length < 10) return "short";
  return COMMON.test(password) ? "common" : undefined;
}
