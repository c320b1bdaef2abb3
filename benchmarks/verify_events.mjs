// Verifies the posts in a file, one JSON object per line, with the official Node library, and prints their number.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const [posts, secret, folder] = process.argv.slice(2);
const { Webhook } = createRequire(`${folder}/`)("standardwebhooks");
const webhook = new Webhook(secret);
let verified = 0;
for (const line of readFileSync(posts, "utf8").split("\n").filter(Boolean)) {
  const { body, headers } = JSON.parse(line);
  webhook.verify(body, headers); // throws if the signature is invalid
  verified += 1;
}
console.log(verified);
