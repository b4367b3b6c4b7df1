// The one way to the server: paths and types are made from its OpenAPI document.

import createClient from 'openapi-fetch';
import type { components, paths } from '../generated/api';
import { Failure } from './failure';
import { noticed } from '../session';

export type Schemas = components['schemas'];

export const api = createClient<paths>({ baseUrl: '/api', credentials: 'same-origin' });

interface Answer<T> {
  data?: T;
  error?: unknown;
  response: Response;
}

/** Returns what the server answered, or throws the `Failure` it told of. */
export async function take<T>(asked: Promise<Answer<T>>): Promise<NonNullable<T>> {
  let answer: Answer<T>;
  try {
    answer = await asked;
  } catch {
    throw Failure.unreachable();
  }
  if (!answer.response.ok) {
    const failure = Failure.of(answer.response, answer.error);
    noticed(failure);
    throw failure;
  }
  return answer.data as NonNullable<T>;
}
