import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

const server = process.env.DANGO_URL ?? 'http://localhost:8800';

export default defineConfig({
  plugins: [react()],
  // The server puts the nonce of each answer here: an editor that makes its own styles needs it.
  html: { cspNonce: 'DANGO_CSP_NONCE' },
  build: {
    // One file of each kind stays in the cache for good: its name changes with its content.
    assetsDir: 'assets',
    // The policy of the pages allows no script in the HTML and no `data:` but for images.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    target: 'es2022',
    // The notices of what is bundled go where the bundle goes.
    license: { fileName: 'licenses.md' },
  },
  server: {
    // The server refuses writes whose origin is not its own.
    proxy: { '/api': { target: server, headers: { origin: server } } },
  },
});
