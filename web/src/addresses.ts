// Where the pages stand, and where somebody goes after signing in.

/** Returns the address `wanted` asks for, if it is one of ours; the first page otherwise. */
export function own(wanted: string | null, origin: string): string {
  if (!wanted) return '/';
  try {
    const url = new URL(wanted, origin);
    const isOurs = url.origin === origin && wanted.startsWith('/') && !url.pathname.startsWith('/login');
    // Once more a path, so that nothing but a path is left of it.
    return isOurs && !url.pathname.startsWith('//') ? url.pathname + url.search + url.hash : '/';
  } catch {
    return '/';
  }
}

/** Returns the sign-in page that leads back to `path`. */
export function signInFor(path: string): string {
  return path === '/' ? '/login' : `/login?return_to=${encodeURIComponent(path)}`;
}
