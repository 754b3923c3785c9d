// The daemon for a test, and the class that docs/websocket.md tells its readers to use, as it stands there.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";

const page = readFileSync(`${process.env.LOCKD_ROOT}/docs/websocket.md`, "utf8");

/** The JavaScript of the page: a classic script that declares the class Lockd. */
export const snippet = page.match(/^```js\n(class Lockd .*?)^```$/ms)[1];

/** Starts a daemon with a WebSocket listener. Returns the address to connect to, and a function that ends it. */
export async function startDaemon(...flags) {
  const daemon = spawn(process.env.LOCKD_BINARY, ["--listen", "ws://127.0.0.1:0/locks", ...flags], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [line] = await once(createInterface(daemon.stdout), "line");
  const stop = async () => {
    daemon.kill("SIGTERM");
    const [status] = await once(daemon, "exit");
    if (status !== 0) throw new Error(`the daemon ended with status ${status}`);
  };
  return { url: line.replace("listening on ", ""), stop };
}

/** Asks until the answer is the one that is waited for, for 20 s. */
export async function eventually(ask, wanted) {
  const end = Date.now() + 20_000;
  for (;;) {
    const answer = await ask();
    if (answer === wanted) return;
    if (Date.now() > end) throw new Error(`${answer} instead of ${wanted}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
