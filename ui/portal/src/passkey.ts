/** Passkeys: keys that a device keeps for the portal's address, each use of which it asks its owner for. */
import * as api from "./api";
import { t } from "./i18n/index.svelte";
import { Problem } from "./problem";
import { session } from "./session.svelte";
import { sentence, toProblem } from "./words.svelte";

/** Whether this page can use passkeys: opened at the portal's own address, in a browser that has them. */
export function passkeysWork(): boolean {
  return (
    isSecureContext &&
    session.firm?.passkeys === location.origin &&
    typeof globalThis.PublicKeyCredential?.parseRequestOptionsFromJSON === "function"
  );
}

/** The person closed the browser's question, or the device has nothing that fits: `kind` "refused" without a message. */
async function ask(work: Promise<Credential | null>): Promise<object> {
  let credential: Credential | null;
  try {
    credential = await work;
  } catch (err) {
    if (!(err instanceof DOMException)) throw err;
    const code = err.name === "InvalidStateError" ? "already_there" : "cancelled";
    throw new Problem("refused", "", { passkey: { code, message: "" } });
  }
  return (credential as PublicKeyCredential).toJSON();
}

const sign = (options: PublicKeyCredentialRequestOptionsJSON) =>
  ask(navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options) }));

/** Signs in, or takes the second step that `mfaId` names. `email` refuses a passkey of another account. */
export async function signInWithPasskey(mfaId: string, email = ""): Promise<void> {
  const answer = await api.signInWithPasskey(await sign(await api.startPasskeySignIn(mfaId)));
  if (email && answer.record.email !== email)
    throw new Problem("refused", "", { passkey: { code: "other", message: "" } });
  api.auth.keep(answer);
}

/** A proof that the person who is signed in is still there. */
export const provePasskey = async (): Promise<api.Proof> => ({ passkey: await sign(await api.provePasskey()) });

export async function addPasskey(proof: api.Proof, name: string): Promise<void> {
  const options = PublicKeyCredential.parseCreationOptionsFromJSON(await api.startPasskey(proof));
  await api.addPasskey(await ask(navigator.credentials.create({ publicKey: options })), name);
}

/** The sentence for a passkey that was not used; `email` is whose it has to be. */
export function passkeySentence(err: unknown, email: string): string {
  const problem = toProblem(err);
  if (problem.has("cancelled")) return t("passkey.cancelled");
  if (problem.has("already_there")) return t("passkey.there");
  if (problem.has("other")) return t("passkey.other", { email });
  return sentence(problem);
}
