// An identity provider on loopback that speaks as GitHub does: whoever comes is Ada, at once.

import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Provider {
  url: string;
  stop: () => Promise<void>;
}

export async function provide(): Promise<Provider> {
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://provider.invalid');
    if (url.pathname === '/login/oauth/authorize') {
      const back = new URL(url.searchParams.get('redirect_uri') ?? '');
      back.searchParams.set('state', url.searchParams.get('state') ?? '');
      back.searchParams.set('code', randomUUID());
      response.writeHead(302, { location: back.href }).end();
      return;
    }
    const said: Record<string, unknown> = {
      '/login/oauth/access_token': { access_token: 'an-access-token', token_type: 'bearer' },
      '/api/v3/user': { id: 583_231, login: 'ada' },
      '/api/v3/user/emails': [{ email: 'ada@elsewhere.example', primary: true, verified: true }],
    };
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(said[url.pathname] ?? {}));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${String(port)}`,
    stop: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => {
          resolve();
        });
      }),
  };
}
