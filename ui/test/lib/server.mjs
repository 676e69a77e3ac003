// The real binary as a child process: a fresh data folder, a free port, its output kept.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

import { until } from "./wait.mjs";

const root = resolve(import.meta.dirname, "../../..");
export const binary = join(root, "gatehouse");

const environment = {
  ...process.env,
  GATEHOUSE_STAFF_SECOND_FACTOR: "optional",
  GATEHOUSE_RATE_LIMITS: "off",
};

/** Runs a command of the binary to its end and gives what it said. */
export async function command(...args) {
  const child = spawn(binary, args, { env: environment, stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  child.stdout.on("data", (chunk) => (output += chunk));
  child.stderr.on("data", (chunk) => (output += chunk));
  const [code] = await once(child, "close");
  return { code, output };
}

async function freePort() {
  const probe = createServer();
  probe.listen(0, "127.0.0.1");
  await once(probe, "listening");
  const { port } = probe.address();
  probe.close();
  await once(probe, "close");
  return port;
}

export class Server {
  output = "";
  #child;

  constructor(dir, port, args) {
    this.dir = dir;
    this.port = port;
    this.args = args;
    this.url = `http://127.0.0.1:${port}`;
  }

  /** A server on a new data folder that goes away with the test `t`. */
  static async fresh(t, ...args) {
    const dir = await mkdtemp(join(tmpdir(), "gatehouse-test-"));
    const server = new Server(dir, await freePort(), args);
    t.after(async () => {
      await server.kill();
      await rm(dir, { recursive: true, force: true });
    });
    await server.start();
    return server;
  }

  /** Starts, or starts again on the same folder and port; ready when /healthz answers. */
  async start() {
    // --dev=false: PocketBase takes a binary below the temporary folder for one under development.
    const child = spawn(binary, ["serve", "--dir", this.dir, "--http", `127.0.0.1:${this.port}`, "--dev=false", ...this.args], {
      env: environment,
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.#child = child;
    child.stdout.on("data", (chunk) => (this.output += chunk));
    child.stderr.on("data", (chunk) => (this.output += chunk));
    await until("the server to answer /healthz", async () => child.exitCode !== null || (await fetch(`${this.url}/healthz`)).ok);
    if (child.exitCode !== null) throw new Error(`the server ended with ${child.exitCode}:\n${this.output}`);
  }

  /** Ends the process as a power cut would: nothing of it runs any more when this returns. */
  async kill() {
    const child = this.#child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    child.kill("SIGKILL");
    await once(child, "close");
  }

  /** Ends the process as an operator would. */
  async stop() {
    const child = this.#child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    child.kill("SIGTERM");
    await once(child, "close");
  }

  /** The one-time set-up link that the first start prints. */
  setupLink() {
    return until("the set-up link in the server's output", () => this.output.match(/https?:\/\/\S*setup\S*/)?.[0]);
  }
}
