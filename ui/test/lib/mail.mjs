// A mail server in this process, so that the stories read the very mails that were sent.

import { once } from "node:events";

import { simpleParser } from "mailparser";
import { SMTPServer } from "smtp-server";

import { until } from "./wait.mjs";

export class Mailbox {
  /** @type {import("mailparser").ParsedMail[]} */
  mails = [];

  static async open(t) {
    const box = new Mailbox();
    const server = new SMTPServer({
      authOptional: true,
      disabledCommands: ["STARTTLS"],
      onData: (stream, session, done) => {
        simpleParser(stream).then(
          (mail) => {
            box.mails.push(mail);
            done();
          },
          (err) => done(err),
        );
      },
    });
    server.on("error", () => undefined); // a sender that is killed in the middle of a mail; it is no fault of the test
    server.listen(0, "127.0.0.1");
    await once(server.server, "listening");
    box.port = server.server.address().port;
    t.after(() => new Promise((closed) => server.close(closed)));
    return box;
  }

  to(address) {
    return this.mails.filter((mail) => mail.to?.value.some((to) => to.address === address));
  }

  /** The first mail to `address` whose subject or text matches. */
  wait(address, pattern) {
    return until(`a mail to ${address} that says ${pattern}`, () => this.to(address).find((mail) => pattern.test(`${mail.subject}\n${mail.text}`)), 60_000);
  }
}

/** The first link in a mail whose address matches. */
export function linkIn(mail, pattern) {
  const found = [...mail.text.matchAll(/https?:\/\/[^\s<>"')\]]+/g)].map((match) => match[0].replace(/[.,;:!?]+$/, "")).find((link) => pattern.test(link));
  if (!found) throw new Error(`no link like ${pattern} in the mail:\n${mail.text}`);
  return found;
}
