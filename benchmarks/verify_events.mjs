// Verifies the posts in a file, one JSON object a line, with the official library for Node: prints how many verified.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const [posts, secret, folder] = process.argv.slice(2);
const { Webhook } = createRequire(`${folder}/`)("standardwebhooks");
const webhook = new Webhook(secret);
let verified = 0;
for (const line of readFileSync(posts, "utf8").split("\n").filter(Boolean)) {
  const { body, headers } = JSON.parse(line);
  webhook.verify(body, headers); // throws where it does not verify
  verified += 1;
}
console.log(verified);
