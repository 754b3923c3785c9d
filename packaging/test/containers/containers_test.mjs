// Dockerfile and Kubernetes manifests, as those who know both languages see them: each field is one that Kubernetes has,
// of the type that it wants, and a linter has nothing to say of the Dockerfile. That they agree with the daemon is for
// ../containers_test.py.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { validate } from "dockerfile-utils";
import { parseAllDocuments } from "yaml";

const packaging = process.env.LOCKD_PACKAGING;

function objects() {
  const folder = join(packaging, "kubernetes");
  const files = readdirSync(folder).map((name) => readFileSync(join(folder, name), "utf8"));
  return files.flatMap((text) => parseAllDocuments(text).map((document) => document.toJS()));
}

// The value, with a note taken of each field in it that somebody reads.
function noting(value, path, read) {
  if (typeof value !== "object" || value === null) return value;
  return new Proxy(value, {
    get(target, name) {
      if (!Object.hasOwn(target, name)) return target[name];
      read.add(`${path}.${String(name)}`);
      return noting(target[name], `${path}.${String(name)}`, read);
    },
  });
}

function fields(value, path) {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([name, each]) => [`${path}.${name}`, ...fields(each, `${path}.${name}`)]);
}

// Throws where Kubernetes would refuse the object, and where it has a field that Kubernetes does not know, and so does
// not look at.
async function check(object) {
  const kinds = await import(`kubernetes-models/${object.apiVersion}`);
  const read = new Set();
  kinds[object.kind].prototype.validate.call(noting(object, object.kind, read));
  assert.deepEqual(fields(object, object.kind).filter((field) => !read.has(field)), []);
}

for (const object of objects()) {
  test(`Kubernetes knows each field of the ${object.kind}`, () => check(object));
}

const spoilt = {
  "a field that it does not know": (deployment) => (deployment.spec.template.spec.containers[0].readOnly = true),
  "a type that it does not want": (deployment) => (deployment.spec.replicas = "1"),
  "a field that is missing": (deployment) => delete deployment.spec.selector,
};
for (const [what, spoil] of Object.entries(spoilt)) {
  test(`${what} is found`, async () => {
    const deployment = objects().find((object) => object.kind === "Deployment");
    spoil(deployment);
    await assert.rejects(check(deployment));
  });
}

test("the linter has nothing to say of the Dockerfile", () => {
  assert.deepEqual(validate(readFileSync(join(packaging, "docker/Dockerfile"), "utf8")), []);
});

test("the linter finds an instruction that is none", () => {
  assert.equal(validate("FROM debian:12\nRUNN ci/package\n").length, 1);
});
