import assert from "node:assert/strict";
import { test } from "node:test";
import { Route } from "./connection.js";
import { ProtocolError } from "./errors.js";

test("a route alternates between the configured and the named address until a Welcome", () => {
  const route = new Route("home:1");
  const end = (named: string): [string, boolean] => {
    const isFirst = route.onEnd(named);
    return [route.address, isFirst];
  };
  assert.deepEqual(end(""), ["home:1", false]);
  assert.deepEqual(end("other:2"), ["other:2", true]);
  assert.deepEqual(end("third:3"), ["third:3", false]);
  assert.deepEqual(end(""), ["home:1", false]);
  assert.deepEqual(end(""), ["third:3", false]);
  route.onWelcome();
  assert.deepEqual(end(""), ["third:3", false]);
  route.onWelcome();
  assert.deepEqual(end("[::1]:4"), ["[::1]:4", true]);
});

for (const named of ["nowhere", "unix:///tmp/x", "a b:1", ":1", "host:1\n"]) {
  test(`a route refuses ${JSON.stringify(named)}`, () => {
    assert.throws(() => new Route("home:1").onEnd(named), ProtocolError);
  });
}
