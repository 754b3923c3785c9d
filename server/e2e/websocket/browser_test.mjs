// Pages in Chromium, with the class of docs/websocket.md as it stands there.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { after, before, test } from "node:test";
import { chromium } from "playwright-core";
import { WebSocket } from "ws";

import { eventually, snippet, startDaemon } from "./lockd.mjs";

const Lockd = new Function("WebSocket", `${snippet}; return Lockd;`)(WebSocket);
const flags = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync"];

let daemon, browser, allowed, other, observer;

/** A site with one page, at an origin of its own. */
async function site() {
  const server = createServer((_, response) => {
    response.setHeader("Content-Type", "text/html; charset=utf-8");
    response.end(`<!doctype html><title>locks</title><script>${snippet}</script>`);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { origin: `http://127.0.0.1:${server.address().port}`, server };
}

/** A page of a site, with the connection `lockd`; rejects where that is refused. */
async function connectedPage({ origin }) {
  const page = await browser.newPage();
  await page.goto(origin);
  await page.evaluate(async (url) => {
    globalThis.lockd = new Lockd(url);
    await globalThis.lockd.opened;
  }, daemon.url);
  return page;
}

const ask = (page, request) => page.evaluate((sent) => globalThis.lockd.ask(sent), request);

before(async () => {
  [allowed, other] = [await site(), await site()];
  daemon = await startDaemon("--ws-origin", allowed.origin);
  // Its user data is a new folder, which playwright removes.
  browser = await chromium.launch({ executablePath: "/usr/bin/chromium", headless: true, args: flags });
  observer = new Lockd(daemon.url);
  await observer.opened;
});

after(async () => {
  observer?.close();
  await browser?.close();
  await daemon?.stop();
  for (const { server } of [allowed, other]) server.close();
});

test("a page of an allowed origin takes a lock, and waits for one", async () => {
  const page = await connectedPage(allowed);
  assert.equal(await ask(page, "g job"), "1 Lock Get Success: job");
  assert.equal(await observer.ask("i job"), "1 Lock Is Locked: job");
  await observer.ask("g theirs");
  const waiting = ask(page, "gw 60000 theirs");
  await eventually(() => observer.ask("iw theirs"), "1 Lock Waiters: theirs");
  await observer.ask("r theirs");
  assert.equal(await waiting, "1 Lock Get Success: theirs");
  await page.close();
  await eventually(() => observer.ask("i theirs"), "0 Lock Not Locked: theirs");
});

test("closing the tab frees its locks", async () => {
  const page = await connectedPage(allowed);
  await ask(page, "g tab");
  await page.close();
  await eventually(() => observer.ask("i tab"), "0 Lock Not Locked: tab");
});

test("a page of another origin is refused", async () => {
  await assert.rejects(connectedPage(other));
  assert.equal(await observer.ask("who"), "");
});

test("a key that is no UTF-8 comes back as binary, and the connection stays", async () => {
  const page = await connectedPage(allowed);
  await ask(page, "g stays");
  const got = await page.evaluate(async () => {
    const bytes = (data) => (typeof data === "string" ? data : [...new Uint8Array(data)].slice(0, 3));
    const socket = new WebSocket(globalThis.lockd.url);
    socket.binaryType = "arraybuffer";
    const next = () => new Promise((resolve) => (socket.onmessage = ({ data }) => resolve(bytes(data))));
    await new Promise((resolve) => (socket.onopen = resolve));
    socket.send(new Uint8Array([0x67, 0x20, 0xff, 0xfe])); // g, a blank, and a key of two bytes
    const first = await next();
    socket.send("d"); // a text: two lines, one of which is none
    const listing = await next();
    socket.send("ping");
    return { first, listing, last: await next() };
  });
  assert.deepEqual(got.first, [..."1 L"].map((letter) => letter.charCodeAt(0)));
  assert.ok(Array.isArray(got.listing), "binary");
  assert.equal(got.last, "1 pong");
  assert.match(await ask(page, "d"), /stays: 127/);
  assert.equal(await ask(page, "ping"), "1 pong");
  await page.close();
});

test("the page learns when the connection ends", async () => {
  const page = await connectedPage(allowed);
  const lost = page.evaluate(async () => (await globalThis.lockd.lost).wasClean);
  await page.evaluate(() => void globalThis.lockd.ask("quit"));
  assert.equal(await lost, true);
  await page.close();
});
