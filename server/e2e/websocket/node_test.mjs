// npm's ws as a client: the class of docs/websocket.md, and what a library does with frames by itself.
import assert from "node:assert/strict";
import { once } from "node:events";
import { after, before, test } from "node:test";
import { WebSocket } from "ws";

import { eventually, snippet, startDaemon } from "./lockd.mjs";

const Lockd = new Function("WebSocket", `${snippet}; return Lockd;`)(WebSocket);
let daemon;

before(async () => (daemon = await startDaemon("--ws-origin", "http://allowed.example")));
after(() => daemon.stop());

async function connect() {
  const lockd = new Lockd(daemon.url);
  await lockd.opened;
  return lockd;
}

test("the documented class takes and releases a lock, and waits for one", async () => {
  const [one, two] = [await connect(), await connect()];
  assert.equal(await one.ask("g job"), "1 Lock Get Success: job");
  const waiting = two.ask("gw 60000 job");
  const later = two.ask("ping");
  await eventually(() => one.ask("iw job"), "1 Lock Waiters: job");
  assert.equal(await one.ask("r job"), "1 Lock Release Success: job");
  assert.equal(await waiting, "1 Lock Get Success: job");
  assert.equal(await later, "1 pong");
  one.close();
  two.close();
  await Promise.all([one.lost, two.lost]);
});

test("closing frees the locks before the close is answered", async () => {
  const [one, two] = [await connect(), await connect()];
  await one.ask("g mine");
  one.close();
  assert.equal((await one.lost).wasClean, true);
  assert.equal(await two.ask("i mine"), "0 Lock Not Locked: mine");
  two.close();
});

test("an end without goodbye frees the locks too", async () => {
  const rude = new WebSocket(daemon.url);
  await once(rude, "open");
  rude.send("g rude");
  await once(rude, "message");
  rude.terminate();
  const two = await connect();
  await eventually(() => two.ask("i rude"), "0 Lock Not Locked: rude");
  two.close();
});

test("replies are text or binary as requests are, empty, fragmented and compressed ones among them", async () => {
  const socket = new WebSocket(daemon.url, { perMessageDeflate: true });
  await once(socket, "open");
  assert.equal(socket.extensions, "");
  const ask = async (message, options) => {
    socket.send(message, options);
    const [data, isBinary] = await once(socket, "message");
    return [data.toString("latin1"), isBinary];
  };
  assert.deepEqual(await ask("d"), ["", false]);
  assert.deepEqual(await ask(Buffer.from("g \xff", "latin1")), ["1 Lock Get Success: \xff", true]);
  assert.match((await ask("d"))[0], /^\xff: 127/);
  assert.deepEqual(await ask("ping", { binary: true }), ["1 pong", true]);
  socket.send("pi", { fin: false });
  assert.deepEqual(await ask("ng", { fin: true }), ["1 pong", false]);
  socket.ping("are you there");
  assert.equal((await once(socket, "pong"))[0].toString(), "are you there");
  socket.close(1000, "done");
  assert.deepEqual((await once(socket, "close"))[0], 1000);
});

test("pages of other origins are refused, and a subprotocol is confirmed", async () => {
  const refused = new WebSocket(daemon.url, { origin: "http://other.example" });
  assert.match((await once(refused, "error"))[0].message, /403/);
  const allowed = new WebSocket(daemon.url, ["lockd"], { origin: "http://allowed.example" });
  await once(allowed, "open");
  assert.equal(allowed.protocol, "lockd");
  allowed.close();
  await once(allowed, "close");
});

test("a message far too long is refused as such", async () => {
  const socket = new WebSocket(daemon.url);
  await once(socket, "open");
  socket.send("g " + "k".repeat(10_000));
  assert.equal((await once(socket, "message"))[0].toString(), "0 Line Too Long: limit 8192 bytes");
  socket.send("g " + "k".repeat(10_000_000));
  socket.on("error", () => {}); // of what it could not send any more
  assert.ok([1009, 1006].includes((await once(socket, "close"))[0]));
});
