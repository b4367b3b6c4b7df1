// What the server says when something was not done (RFC 9457), as the pages show it.

import type { components } from '../generated/api';

type Problem = components['schemas']['Problem'];

interface Place {
  loc: string[];
  msg: string;
}

function isPlace(value: unknown): value is Place {
  const place = value as Partial<Place> | null;
  return Array.isArray(place?.loc) && typeof place.msg === 'string';
}

/** A sentence begins with a capital; the server's messages are written for a terminal. */
function sentence(text: string): string {
  const plain = text.replaceAll('`', '');
  return plain.charAt(0).toUpperCase() + plain.slice(1);
}

export class Failure extends Error {
  readonly status: number;
  readonly code: string;
  readonly hint: string | null;
  readonly issues: string[];
  readonly requestId: string | null;
  /** When it is worth trying again, in milliseconds since 1970. */
  readonly retryAt: number | null;
  /** What is wrong with single fields, by their names. */
  readonly fields: ReadonlyMap<string, string>;

  constructor(status: number, problem: Partial<Problem>, waitSeconds: number | null = null) {
    super(sentence(problem.message ?? 'the server answered in a way this page does not understand'));
    this.status = status;
    this.code = problem.code ?? 'unknown';
    this.issues = (problem.issues ?? []).map(sentence);
    this.requestId = problem.request_id ?? null;
    this.retryAt = waitSeconds === null ? null : Date.now() + waitSeconds * 1000;
    const places = Array.isArray(problem.detail) ? problem.detail.filter(isPlace) : [];
    this.fields = new Map(places.map((place) => [place.loc.at(-1) ?? '', sentence(place.msg)]));
    // Those of a terminal and of programs are no help here.
    const isForPrograms = /\bdango |detail|Retry-After|openapi|server\.|auth\./.test(problem.hint ?? '');
    this.hint = problem.hint && !isForPrograms ? sentence(problem.hint) : null;
  }

  /** What stands beside a field: what is wrong, and what to do next. */
  get words(): string[] {
    return [this.message, this.hint].filter((text) => text !== null).map((text) => `${text}.`);
  }

  static of(response: Response, body: unknown): Failure {
    const problem = typeof body === 'object' && body !== null ? (body as Partial<Problem>) : {};
    const after = problem.remaining_seconds ?? Number(response.headers.get('retry-after') ?? NaN);
    return new Failure(response.status, problem, Number.isFinite(after) ? after : null);
  }

  static unreachable(): Failure {
    return new Failure(0, {
      code: 'unreachable',
      message: 'the server does not answer',
      hint: 'look whether it runs and whether this device is connected, then try again',
    });
  }
}

/** Returns what went wrong as a `Failure`, whatever was thrown. */
export function failureOf(thrown: unknown): Failure {
  if (thrown instanceof Failure) return thrown;
  return new Failure(0, { code: 'page', message: 'something in this page went wrong; load it again' });
}
