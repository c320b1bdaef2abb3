/** A client whose answers come from a list, and what it sent. Its clock moves only when it sleeps. */

import { createClient, type Client, type ClientOptions } from "@levitate/clio-client";

export type FakeAnswer = Response | Error;

export interface Fake {
  client: Client;
  sent: Request[];
  pauses: number[];
}

export const NOW = Date.parse("2026-03-03T11:04:09Z");

export function fake(answers: FakeAnswer[], options: Partial<ClientOptions> = {}, random = 0): Fake {
  const sent: Request[] = [];
  const pauses: number[] = [];
  const slept = (): number => pauses.reduce((sum, pause) => sum + pause, 0);
  const left = [...answers];
  const client = createClient({
    baseUrl: "http://service.test",
    token: "t0ken",
    ...options,
    surroundings: {
      fetch: async (request) => {
        sent.push(request);
        const answer = left.shift();
        if (!answer) throw new Error("The test has no more answers");
        if (answer instanceof Error) throw answer;
        return answer;
      },
      sleep: async (milliseconds) => void pauses.push(milliseconds),
      now: () => NOW + slept(),
      random: () => random,
    },
  });
  return { client, sent, pauses };
}

export function json(body: unknown, status = 200, headers: Record<string, string> = {}): Response {
  return new Response(JSON.stringify(body), { status, headers: { "Content-Type": "application/json", ...headers } });
}

export function problem(status: number, code: string, headers: Record<string, string> = {}, more: object = {}): Response {
  const body = { type: `https://p.test/${code}`, title: "A title", status, detail: "A detail", instance: "/v1", code, ...more };
  return json(body, status, { "Content-Type": "application/problem+json", ...headers });
}

export const HP = { path: { account_id: "hp" } };
