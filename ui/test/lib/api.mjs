// A thin client of the HTTP contract: nothing but fetch, and answers that can be asserted on.

import assert from "node:assert/strict";

export class Api {
  constructor(url, token = "") {
    this.url = url;
    this.token = token;
  }

  as(token) {
    return new Api(this.url, token);
  }

  /** One call; a FormData body goes as multipart, all else as JSON. Gives `{status, body, headers}`, whatever the status. */
  async call(method, path, body, headers = {}) {
    const form = body instanceof FormData;
    const answer = await fetch(this.url + path, {
      method,
      headers: {
        ...(this.token && { Authorization: this.token }),
        ...(body !== undefined && !form && { "Content-Type": "application/json" }),
        ...headers,
      },
      body: body === undefined ? undefined : form ? body : JSON.stringify(body),
    });
    const text = await answer.text();
    let parsed = text;
    try {
      parsed = text ? JSON.parse(text) : {};
    } catch {
      // Not JSON: the text itself is the body.
    }
    return { status: answer.status, body: parsed, headers: answer.headers };
  }

  get(path) {
    return this.call("GET", path);
  }

  post(path, body, headers) {
    return this.call("POST", path, body ?? {}, headers);
  }

  patch(path, body) {
    return this.call("PATCH", path, body);
  }

  /** The body of a call that must succeed. */
  async must(method, path, body, headers) {
    const answer = await this.call(method, path, body, headers);
    assert.ok(answer.status >= 200 && answer.status < 300, `${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
    return answer.body;
  }

  /** The records of a collection that match a filter. */
  async records(collection, filter = "", sort = "") {
    const query = new URLSearchParams({ perPage: "200", filter, sort });
    return (await this.must("GET", `/api/collections/${collection}/records?${query}`)).items;
  }

  async signIn(collection, identity, password) {
    const { token, record } = await this.must("POST", `/api/collections/${collection}/auth-with-password`, { identity, password });
    return Object.assign(this.as(token), { id: record.id, record });
  }
}
