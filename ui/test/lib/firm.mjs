// A firm set up over HTTP: the owner by the one-time link, mail to the test's own mailbox, people and requests.

import assert from "node:assert/strict";
import { resolve } from "node:path";

import { Api } from "./api.mjs";
import { pdf } from "./files.mjs";
import { linkIn, Mailbox } from "./mail.mjs";
import { command, Server } from "./server.mjs";

const library = resolve(import.meta.dirname, "../../../hooks/workflow/library");

export const password = "a quiet harbour at noon";

/** The token at the end of a link, whether it is in the path, the query or the fragment. */
export const tokenOf = (link) => link.split(/[/=?#]/).filter(Boolean).at(-1);

export async function superuser(server) {
  const { code, output } = await command("superuser", "upsert", "sol@northgate.example", password, "--dir", server.dir);
  assert.equal(code, 0, output);
  return new Api(server.url).signIn("_superusers", "sol@northgate.example", password);
}

/** Sends the firm's mail to the test's mailbox. */
export async function useMailbox(sol, server, mailbox) {
  await sol.must("PATCH", "/api/settings", {
    meta: { appName: "Northgate Accounting", appURL: server.url, senderName: "Northgate Accounting", senderAddress: "office@northgate.example" },
    smtp: { enabled: true, host: "127.0.0.1", port: mailbox.port, tls: false },
  });
}

/** The firm with its owner Oda and superuser Sol; the rest a test adds. */
export class Firm {
  static async open(t, ...args) {
    const firm = new Firm();
    firm.server = await Server.fresh(t, ...args);
    firm.mailbox = await Mailbox.open(t);
    firm.guest = new Api(firm.server.url);
    // The owner comes first: a portal with a superuser counts as set up.
    const { token, record } = await firm.guest.must("POST", "/api/portal/setup", {
      token: tokenOf(await firm.server.setupLink()),
      firm: "Northgate Accounting",
      name: "Oda Lind",
      email: "oda@northgate.example",
      password,
    });
    firm.oda = Object.assign(firm.guest.as(token), { id: record.id });
    firm.sol = await superuser(firm.server);
    await useMailbox(firm.sol, firm.server, firm.mailbox);
    return firm;
  }

  /** Publishes workflows of the library, by the name of their file. */
  async publish(...names) {
    for (const name of names) {
      const { code, output } = await command("workflow", "import", "--publish", `${library}/${name}.yaml`, "--dir", this.server.dir);
      assert.equal(code, 0, output);
    }
  }

  organization(name) {
    return this.oda.must("POST", "/api/collections/organizations/records", { name });
  }

  /** A person of the firm; what she may decide on requests comes from her duties. */
  async staff(name, role, duties) {
    const email = `${name.toLowerCase()}@northgate.example`;
    await this.oda.must("POST", "/api/collections/staff/records", { name, email, role, duties, active: true, password, passwordConfirm: password });
    return this.guest.signIn("staff", email, password);
  }

  /** A person of a client, invited by mail and signed in. */
  async client(name, organization, role = "admin", duties = []) {
    const email = `${name.toLowerCase()}@${organization.name.split(" ")[0].toLowerCase()}.example`;
    await this.oda.must("POST", "/api/portal/invitations", { email, name, organization: organization.id, role, duties });
    const mail = await this.mailbox.wait(email, /./);
    const { token, record } = await this.guest.must("POST", "/api/portal/invitations/accept", {
      token: tokenOf(linkIn(mail, /invite/)),
      name,
      password,
    });
    return Object.assign(this.guest.as(token), { id: record.id, email });
  }

  /** A request with one question and one confirmation, sent to the client. */
  async sentRequest(staff, organization, title = "Year-end papers") {
    const view = await staff.must("POST", "/api/portal/requests", {
      workflow: "simple_request",
      organization: organization.id,
      title,
      items: [
        { section: "things", template: "question", title: "How many people work for you?" },
        { section: "things", template: "confirm", title: "The address we have is right" },
      ],
    });
    return staff.must("POST", `/api/portal/requests/${view.id}/transition`, { transition: "send" });
  }
}

export const itemsOf = (view) => view.sections.flatMap((section) => section.items);

/** Answers everything that is asked and not a file. */
export async function answerAll(client, id) {
  const view = await client.must("GET", `/api/portal/requests/${id}`);
  for (const item of itemsOf(view)) {
    if (item.kind === "file") {
      await upload(client, view, item, "paper.pdf");
      continue;
    }
    const answers = item.kind === "acknowledge" ? { accepted: true } : { text: "Twelve" };
    await client.must("PATCH", `/api/portal/items/${item.id}`, { answers });
  }
}

export function upload(client, view, item, name, content = pdf(name), type = "application/pdf") {
  const form = new FormData();
  form.set("organization", view.organization);
  form.set("request", view.id);
  form.set("item", item.id);
  form.set("file", new Blob([content], { type }), name);
  return client.must("POST", "/api/collections/documents/records", form);
}
