// What a script and its test say to each other: a line of JSON each way, over standard input and output.

import { createInterface } from "node:readline";

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();

// Ask the test for something, and wait for what it answers.
export async function ask(question) {
  process.stdout.write(`${JSON.stringify(question)}\n`);
  return JSON.parse((await lines.next()).value);
}

// Run the scenario that the command line names, and tell how it ended.
export async function main(scenarios) {
  const [name, options] = process.argv.slice(2);
  let ended;
  try {
    ended = { result: await scenarios[name](JSON.parse(options)) };
  } catch (error) {
    const { name: kind, message, code, error: told, error_description: described, cause } = error;
    ended = { failure: { kind, message, code, error: told, described, cause: String(cause?.message ?? cause ?? "") } };
  }
  process.stdout.write(`${JSON.stringify(ended)}\n`, () => process.exit(0));
}
