const serialize = require("node-serialize");
const yaml = require("js-yaml");

function read(text) {
  // ruleid: javascript-unsafe-deserialization
  const first = serialize.unserialize(text);
  // ruleid: javascript-unsafe-deserialization
  const second = yaml.load(text, { schema: yaml.DEFAULT_FULL_SCHEMA });
  // ok: javascript-unsafe-deserialization
  const third = yaml.load(text);
  // ok: javascript-unsafe-deserialization
  const fourth = php.unserialize(text);
  return [first, second, third, fourth, JSON.parse(text)];
}
